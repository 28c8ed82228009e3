internal import Kernel

/// One part of a multipart form (RFC 7578).
struct HttpPart: Sendable {
    var name: String
    var bytes: [UInt8]
    /// Of a file.
    var fileName: String?
    var contentType: String?

    /// A boundary that stands in none of the parts; the same for the same parts, so that a repeat sends the same bytes.
    static func boundary(_ parts: [HttpPart]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in parts {
            for byte in Array(part.name.utf8) + part.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        return "----aias" + String(hash, radix: 16) + String(hash &* 0x9E37_79B9_7F4A_7C15, radix: 16)
    }

    static func bytes(_ parts: [HttpPart], boundary: String) -> [UInt8] {
        var out: [UInt8] = []
        for part in parts {
            out += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(quoted(part.name))\"".utf8
            if let fileName = part.fileName { out += "; filename=\"\(quoted(fileName))\"".utf8 }
            if let contentType = part.contentType { out += "\r\nContent-Type: \(quoted(contentType))".utf8 }
            out += "\r\n\r\n".utf8
            out += part.bytes
            out += "\r\n".utf8
        }
        out += "--\(boundary)--\r\n".utf8
        return out
    }

    /// Escapes what would end the header's quotes or line (WHATWG, multipart/form-data encoding).
    private static func quoted(_ text: String) -> String {
        text.replacing("\"", with: "%22").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }
}
