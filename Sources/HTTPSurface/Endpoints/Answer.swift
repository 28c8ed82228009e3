package import Kernel

/// What a handler answers: bytes with their content type, or a stream of events.
package struct Answer: Sendable {
    package enum Body: Sendable {
        case empty
        case bytes([UInt8])
        /// Sent as they come.
        case pieces(byteCount: Int, BytePieces)
        case events(EventSource)
    }

    package var status: Int
    package var contentType: String?
    package var headers: [(name: String, value: String)]
    package var body: Body

    package init(status: Int = 200, contentType: String? = nil, headers: [(name: String, value: String)] = [], body: Body = .empty) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// Whether a header may be set by what a tenant has written. A host is shared by many: cookies, for instance, are its own.
    package static func mayBeSetByTenants(_ header: String) -> Bool { !SecurityHeaders.reserved.contains(header.lowercased()) }

    package static func text(_ text: String, status: Int = 200, contentType: String = "text/plain; charset=utf-8") -> Answer {
        Answer(status: status, contentType: contentType, body: .bytes(Array(text.utf8)))
    }

    package static func json(_ bytes: [UInt8], status: Int = 200) -> Answer {
        Answer(status: status, contentType: "application/json", body: .bytes(bytes))
    }

    /// 303, as after a form: the browser fetches `location` by GET.
    package static func redirect(_ location: String) -> Answer {
        Answer(status: 303, headers: [("Location", location)])
    }
}
