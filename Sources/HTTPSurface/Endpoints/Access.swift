package import Kernel

/// Who may call an endpoint. There is no default: an endpoint without a rule does not compile.
package enum Access: Sendable, Hashable {
    /// Anybody, with the reason why that is right. Nobody is authenticated before the handler; `call.authenticated()` does it on demand.
    case `public`(String)
    /// Any person or key that is signed in, in whatever tenant or none.
    case signedIn
    /// Somebody who has this permission in the tenant of the request. A tenant that is not theirs is 404, never 403.
    case tenant(Permission)
    /// Those who run the platform.
    case platformOperator
    /// Those who run the platform, signed in at its own door, with this permission. No session or key of a tenant is asked, nor does one help.
    case platform(Permission)

    var isPublic: Bool { if case .public = self { true } else { false } }
}
