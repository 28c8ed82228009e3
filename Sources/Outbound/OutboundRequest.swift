package import Kernel
internal import Telemetry

/// One request to the outside world; the address is resolved, checked and pinned before it is sent.
package struct OutboundRequest: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// Sent piece by piece; opened anew for each time that it is sent.
        case pieces(byteCount: Int, open: @Sendable () async throws -> BytePieces)
    }

    /// Takes the body of an answer as it comes, in the place of gathering it.
    package struct Intake: Sendable {
        /// Whether it takes the body of an answer with this status and these headers; others are gathered.
        package var isWanted: @Sendable (OutboundResponse) -> Bool
        /// The most bytes that are taken.
        package var maximumBytes: Int
        /// Takes all of it. Called again where the request is sent again.
        package var take: @Sendable (OutboundResponse, BytePieces) async throws -> Void

        package init(
            maximumBytes: Int = Limits.fileBytes, isWanted: @escaping @Sendable (OutboundResponse) -> Bool,
            take: @escaping @Sendable (OutboundResponse, BytePieces) async throws -> Void
        ) {
            self.maximumBytes = maximumBytes
            self.isWanted = isWanted
            self.take = take
        }
    }

    package var method: String
    /// Absolute `http` or `https` URL.
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: Body
    package var timeout: Duration
    package var followRedirects: Bool
    package var maximumRedirects: Int
    /// The most bytes of an answer that are read; a larger one fails with `response_too_large`.
    package var maximumResponseBytes: Int
    package var verifyCertificates: Bool
    package var intake: Intake?
    /// What it goes through; nil for nothing.
    package var proxy: OutboundProxy?
    /// Shown to servers of the host that it is sent to, and not where a redirect leads elsewhere.
    package var certificate: ClientCertificate?

    package init(
        method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: Body = .none,
        timeout: Duration = .seconds(300), followRedirects: Bool = true, maximumRedirects: Int = 21,
        maximumResponseBytes: Int = 64 << 20, verifyCertificates: Bool = true
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.followRedirects = followRedirects
        self.maximumRedirects = maximumRedirects
        self.maximumResponseBytes = maximumResponseBytes
        self.verifyCertificates = verifyCertificates
    }
}

extension OutboundRequest {
    /// With the trace that it belongs to, where there is one and the request names none itself.
    var traced: OutboundRequest {
        guard let traceparent = Traces.traceparent, !headers.contains(where: { $0.name.lowercased() == "traceparent" }) else { return self }
        var copy = self
        copy.headers.append(("traceparent", traceparent))
        return copy
    }
}

package struct OutboundResponse: Sendable {
    package var status: Int
    package var reason: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    /// After redirects.
    package var url: String

    package init(status: Int, reason: String = "", headers: [(name: String, value: String)] = [], body: [UInt8] = [], url: String) {
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body
        self.url = url
    }

    /// The first header of this name, in any case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// Why nothing, or nothing usable, came back.
package struct OutboundError: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable {
        case invalidURL = "invalid_url"
        /// A method or header that HTTP does not allow.
        case invalidRequest = "invalid_request"
        /// The name resolves to an address that may not be reached: loopback, private, link-local, metadata.
        case forbiddenAddress = "forbidden_address"
        case unresolvable, unreachable, tls, timeout, closed
        case responseTooLarge = "response_too_large"
        case tooManyRedirects = "too_many_redirects"
        case overloaded
    }
    package var code: Code
    package var message: String
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
