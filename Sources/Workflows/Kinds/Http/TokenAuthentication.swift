internal import Kernel
internal import Outbound
internal import Synchronization

/// Puts an access token of OAuth 2 onto requests (RFC 6750, 2.1); where it is refused, the request is sent once more with a new one.
final class TokenAuthentication: Sendable {
    private let services: any StepServices
    private let type: String
    /// The one that the next request carries.
    private let token: Mutex<String>
    /// What servers answer where a token has ended.
    private let endedStatus: Int
    private let verifiesCertificates: Bool

    init(_ type: String, _ services: any StepServices) async throws {
        let fields = try await services.credential(ofType: type)
        let token = try await services.accessToken(ofType: type, stale: nil)
        self.services = services
        self.type = type
        self.token = Mutex(token)
        endedStatus = (fields["tokenExpiredStatusCode"]?.coercedNumber ?? 401).whole(in: 400...599) ?? 401
        verifiesCertificates = fields["ignoreSSLIssues"]?.isTruthy != true
    }

    func send(_ request: OutboundRequest, through send: (OutboundRequest) async throws -> OutboundResponse) async throws -> OutboundResponse {
        var request = request
        let known = token.withLock { $0 }
        request.authenticate(bearer: known)
        request.verifyCertificates = request.verifyCertificates && verifiesCertificates
        let response = try await send(request)
        guard response.status == endedStatus else { return response }
        let renewed = try await services.accessToken(ofType: type, stale: known)
        token.withLock { $0 = renewed }
        request.authenticate(bearer: renewed)
        return try await send(request)
    }
}
