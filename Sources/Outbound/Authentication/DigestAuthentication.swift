/// A name and password for servers that ask for digest authentication (RFC 7616): the password itself is never sent.
package struct DigestAuthentication: Sendable {
    private let user: String
    private let password: String

    package init(user: String, password: String) {
        self.user = user
        self.password = password
    }

    /// Sends a request, and where it is challenged, again with the answer; once more where the nonce was too old.
    ///
    /// A challenge from another origin, after redirects, is not answered.
    /// - Parameter clientNonce: makes one for each answer.
    /// - Returns: the last answer, 401 where the server does not accept the credential.
    package func send(
        _ request: OutboundRequest, clientNonce: () -> String = DigestAuthentication.randomNonce,
        through send: (OutboundRequest) async throws -> OutboundResponse
    ) async throws -> OutboundResponse {
        var response = try await send(request)
        for answered in 0..<2 {
            guard response.status == 401, let challenge = DigestChallenge.strongest(in: response), answered == 0 || challenge.isStale,
                let answer = try answer(to: challenge, of: response, request, clientNonce: clientNonce())
            else { return response }
            response = try await send(answer)
        }
        return response
    }

    private func answer(
        to challenge: DigestChallenge, of response: OutboundResponse, _ request: OutboundRequest, clientNonce: String
    ) throws -> OutboundRequest? {
        let asked = try OutboundURL(request.url)
        let url = try OutboundURL(response.url)
        guard asked.origin == url.origin else { return nil }
        var again = request
        again.url = url.text
        let body: [UInt8] = if case .bytes(let bytes) = request.body { bytes } else { [] }
        again.setHeader(
            "Authorization",
            challenge.authorization(
                user: user, password: password, method: request.method.uppercased(), target: url.target, body: body, clientNonce: clientNonce))
        return again
    }

    package static func randomNonce() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<2).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}
