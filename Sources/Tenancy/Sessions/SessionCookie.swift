internal import Kernel

/// The cookie of a signed-in browser: out of reach of scripts and of other sites' posts.
package enum SessionCookie {
    package static let name = "aias_session"

    package static func set(_ token: String, isSecure: Bool) -> String {
        "\(name)=\(token); Path=/; HttpOnly; SameSite=Lax; Max-Age=\(SessionStore.lifetime.components.seconds)\(isSecure ? "; Secure" : "")"
    }

    package static func clear(isSecure: Bool) -> String { "\(name)=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0\(isSecure ? "; Secure" : "")" }

    /// The token within a `Cookie` header.
    package static func read(_ header: String?) -> String? {
        guard let header else { return nil }
        for pair in header.split(separator: ";") {
            let parts = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[0] == name, !parts[1].isEmpty { return String(parts[1]) }
        }
        return nil
    }
}
