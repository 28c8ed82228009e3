/// Builds `multipart/form-data` (RFC 7578), with names escaped as browsers do (WHATWG HTML, multipart encoding).
package struct MultipartBody: Sendable, Hashable {
    package struct Part: Sendable, Hashable {
        package var name: String
        package var fileName: String?
        package var contentType: String?
        package var bytes: [UInt8]

        package static func field(_ name: String, _ value: String) -> Part { Part(name: name, bytes: Array(value.utf8)) }

        package static func file(
            _ name: String, fileName: String, contentType: String = "application/octet-stream", bytes: [UInt8]
        ) -> Part {
            Part(name: name, fileName: fileName, contentType: contentType, bytes: bytes)
        }
    }

    package var parts: [Part]
    package init(_ parts: [Part] = []) { self.parts = parts }

    /// - Parameter boundary: 1 to 70 letters or digits that occur in no part; by default 32 random ones.
    package func encoded(boundary: String = MultipartBody.randomBoundary()) -> RequestBody {
        precondition((1...70).contains(boundary.utf8.count), "a boundary has 1 to 70 characters")
        var out: [UInt8] = []
        out.reserveCapacity(parts.reduce(0) { $0 + $1.bytes.count + 256 })
        for part in parts {
            out += Array("--\(boundary)\r\nContent-Disposition: form-data; name=\"\(Self.escape(part.name))\"".utf8)
            if let fileName = part.fileName { out += Array("; filename=\"\(Self.escape(fileName))\"".utf8) }
            if let type = part.contentType { out += Array("\r\nContent-Type: \(type.filter { !$0.isNewline })".utf8) }
            out += Array("\r\n\r\n".utf8)
            out += part.bytes
            out += Array("\r\n".utf8)
        }
        out += Array("--\(boundary)--\r\n".utf8)
        return RequestBody(bytes: out, contentType: "multipart/form-data; boundary=\(boundary)")
    }

    package static func randomBoundary() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<32).map { _ in letters[Int.random(in: letters.indices)] })
    }

    private static func escape(_ name: String) -> String {
        String(
            decoding: name.utf8.flatMap { byte -> [UInt8] in
                switch byte {
                case 10: Array("%0A".utf8)
                case 13: Array("%0D".utf8)
                case 34: Array("%22".utf8)
                default: [byte]
                }
            }, as: UTF8.self)
    }
}
