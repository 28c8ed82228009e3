package import Kernel

/// What the surface cannot know itself; given by the modules above it when the program is put together.
package struct Doors: Sendable {
    /// Who makes this request. Called for endpoints that are not public, with the tenant that host or path name, already looked up.
    /// - Returns: the principal in that tenant; for a key of a tenant, in that tenant; `.anonymous` where no credentials are shown.
    /// - Throws: `unauthenticated` for credentials that are wrong; `missing` where the tenant is not theirs.
    package var authenticate: @Sendable (AuthenticationRequest) async throws -> Principal
    /// The tenant of a subdomain or domain, nil where there is none.
    package var resolveTenant: @Sendable (TenantAddress) async throws -> TenantID?
    /// Who makes a request to the platform's own pages; `.anonymous` for all but operators who signed in there.
    package var authenticateOperator: @Sendable (AuthenticationRequest) async throws -> Principal
    /// Counts one request; nil where nothing is limited.
    package var limitRate: @Sendable (RateSubject) async throws -> RateDecision?

    package init(
        authenticate: @escaping @Sendable (AuthenticationRequest) async throws -> Principal,
        resolveTenant: @escaping @Sendable (TenantAddress) async throws -> TenantID?,
        authenticateOperator: @escaping @Sendable (AuthenticationRequest) async throws -> Principal = { _ in .anonymous },
        limitRate: @escaping @Sendable (RateSubject) async throws -> RateDecision? = { _ in nil }
    ) {
        self.authenticate = authenticate
        self.authenticateOperator = authenticateOperator
        self.resolveTenant = resolveTenant
        self.limitRate = limitRate
    }

    /// Nobody is signed in and there are no tenants: for surfaces of public endpoints alone.
    package static let closed = Doors(authenticate: { _ in .anonymous }, resolveTenant: { _ in nil })
}

/// The credentials of a request and the tenant it names.
package struct AuthenticationRequest: Sendable {
    package let head: RequestHead
    package let tenant: TenantID?
}

/// Whose rate a request counts against.
package struct RateSubject: Sendable {
    package let principal: Principal
    package let tenant: TenantID?
}

/// Whether a request is within its rate; shown as `RateLimit-*` headers.
package struct RateDecision: Sendable {
    package var isAllowed: Bool
    /// Requests per window, and how many are left of them.
    package var limit: Int
    package var remaining: Int
    /// Until the window is whole again.
    package var reset: Duration
    /// Until the next request is allowed; for refused ones.
    package var retryAfter: Duration

    package init(isAllowed: Bool, limit: Int, remaining: Int, reset: Duration, retryAfter: Duration = .zero) {
        self.isAllowed = isAllowed
        self.limit = limit
        self.remaining = remaining
        self.reset = reset
        self.retryAfter = retryAfter
    }
}
