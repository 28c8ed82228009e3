package import Kernel

/// The body of a request with the media type that names its form.
package struct RequestBody: Sendable, Hashable {
    package var bytes: [UInt8]
    package var contentType: String

    package init(bytes: [UInt8], contentType: String) {
        self.bytes = bytes
        self.contentType = contentType
    }

    package static func json(_ value: JSON) -> RequestBody { RequestBody(bytes: value.bytes, contentType: "application/json") }

    package static func raw(_ text: String, contentType: String = "text/plain") -> RequestBody {
        RequestBody(bytes: Array(text.utf8), contentType: contentType)
    }

    package static func raw(_ bytes: [UInt8], contentType: String = "application/octet-stream") -> RequestBody {
        RequestBody(bytes: bytes, contentType: contentType)
    }

    /// `application/x-www-form-urlencoded` as the WHATWG URL standard serialises it: UTF-8, a space as `+`.
    package static func form(_ fields: [(name: String, value: String)]) -> RequestBody {
        func encode(_ text: String) -> String {
            PercentEncoding.encode(text, allowing: PercentEncoding.form).replacing("%20", with: "+")
        }
        let text = fields.map { encode($0.name) + "=" + encode($0.value) }.joined(separator: "&")
        return RequestBody(bytes: Array(text.utf8), contentType: "application/x-www-form-urlencoded")
    }
}

extension OutboundRequest {
    /// Sets the body, and its media type unless a header names one already.
    package mutating func setBody(_ body: RequestBody) {
        self.body = .bytes(body.bytes)
        guard !headers.contains(where: { $0.name.lowercased() == "content-type" }) else { return }
        headers.append(("Content-Type", body.contentType))
    }
}
