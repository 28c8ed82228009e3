internal import HTTPSurface
internal import Kernel

/// The cookie of a signed-in browser: out of reach of scripts and of other sites' posts. Over TLS its name has a prefix (RFC 6265bis, 4.1.3) with which
/// browsers take it from this very host alone: no other host of the domain, and nobody who answers for one without TLS, can sign somebody in.
package enum SessionCookie {
    package static let name = "aias_session"

    package static func fullName(isSecure: Bool) -> String { isSecure ? "__Host-\(name)" : name }

    package static func set(_ token: String, isSecure: Bool) -> String {
        let lifetime = SessionStore.lifetime.components.seconds
        return "\(fullName(isSecure: isSecure))=\(token); Path=/; HttpOnly; SameSite=Lax; Max-Age=\(lifetime)\(isSecure ? "; Secure" : "")"
    }

    package static func clear(isSecure: Bool) -> String {
        "\(fullName(isSecure: isSecure))=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0\(isSecure ? "; Secure" : "")"
    }
}

extension Tenancy {
    /// The token that a browser shows of its session.
    func session(of head: RequestHead) -> String? { head.cookie(SessionCookie.fullName(isSecure: usesTLS)) }

    /// Ends the session that a browser shows while it gets another one, since nobody could sign out of it any more.
    func endSession(of head: RequestHead) async throws {
        if let token = session(of: head) { try await signOut(token: token) }
    }
}
