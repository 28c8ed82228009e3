internal import HTTPTypes
internal import Kernel
internal import Synchronization

/// Which tenant a request is for, and whether its sender may.
extension Surface {
    /// What host and path name. - Throws: `not_found` where both do and differ.
    func address(_ head: RequestHead, _ target: RequestTarget) throws -> TenantAddress? {
        let fromHost = addressing.address(host: head.authority)
        guard let slug = target.slug else { return fromHost }
        let fromPath = TenantAddress.subdomain(slug)
        guard fromHost == nil || fromHost == fromPath else { throw Refusal.missing("tenant") }
        return fromPath
    }

    func resolve(_ address: TenantAddress) async throws -> TenantID {
        if let tenant = try await doors.resolveTenant(address) { return tenant }
        guard case .domain(let name) = address else { throw Refusal.missing("tenant") }
        throw Refusal(
            .missing, "unknown_host", "\(name) is neither a host of this platform nor a tenant's domain. Its operator can add it.",
            arguments: ["host": name])
    }

    func admit(_ endpoint: Endpoint, _ head: RequestHead, _ address: TenantAddress?) async throws -> (Principal, TenantID?) {
        if case .public = endpoint.access { return (.anonymous, nil) }
        var named: TenantID?
        if case .platform(let permission) = endpoint.access { return (try await admitOperator(permission, head, address), nil) }
        if let address { named = try await resolve(address) }
        let principal = try await doors.authenticate(AuthenticationRequest(head: head, tenant: named))
        guard principal.actor != .anonymous else {
            throw Refusal(.unauthenticated, "unauthenticated", "Sign in, or send Authorization: Bearer with an API key.")
        }
        if let named, let own = principal.tenant, own != named { throw Refusal.missing("tenant") }
        switch endpoint.access {
        case .public, .signedIn, .platform: break
        case .platformOperator:
            guard case .platformOperator = principal.actor, principal.impersonation == nil else {
                throw Refusal(.forbidden, "permission_denied", "This is for those who run the platform.")
            }
        case .tenant(let permission):
            guard let tenant = principal.tenant else {
                if named != nil { throw Refusal.missing("tenant") }
                throw Refusal(.malformed, "tenant_required", "Name the tenant by its host, by /t/{subdomain}/… or by its API key.")
            }
            try PageTenant.require(tenant, endpoint, head)
            try principal.require(permission)
            return (principal, tenant)
        }
        return (principal, principal.tenant)
    }

    /// Whether who was let in once would be let in now. A database that does not answer takes nobody's right away.
    func isStillAdmitted(_ endpoint: Endpoint, _ head: RequestHead, _ address: TenantAddress?, to tenant: TenantID?) async -> Bool {
        do {
            return try await admit(endpoint, head, address).1 == tenant
        } catch let refusal as Refusal {
            return refusal.kind == .unavailable || refusal.kind == .rateLimited
        } catch {
            return true
        }
    }

    private func admitOperator(_ permission: Permission, _ head: RequestHead, _ address: TenantAddress?) async throws -> Principal {
        // The platform's pages are at its own host alone.
        guard address == nil else { throw Refusal.missing("page") }
        let principal = try await doors.authenticateOperator(AuthenticationRequest(head: head, tenant: nil))
        guard case .platformOperator = principal.actor else {
            throw Refusal(.forbidden, "operators_only", "This is for those who run the platform, after they signed in at its own door.")
        }
        try principal.require(permission)
        return principal
    }

    func authenticateIfAny(_ head: RequestHead, _ address: TenantAddress?) async throws -> Principal {
        guard head[.authorization] != nil || head[.cookie] != nil else { return .anonymous }
        do {
            var tenant: TenantID?
            if let address { tenant = try await resolve(address) }
            return try await doors.authenticate(AuthenticationRequest(head: head, tenant: tenant))
        } catch let refusal as Refusal where refusal.kind == .unauthenticated || refusal.kind == .missing {
            return .anonymous
        }
    }

    func checkRate(principal: Principal, tenant: TenantID?, head: RequestHead, extras: AnswerExtras) async throws {
        let subject = RateSubject(principal: principal, tenant: tenant)
        guard let decision = try await doors.limitRate(subject) else { return }
        let reset = max(0, (decision.reset.microseconds + 999_999) / 1_000_000)
        extras.headers.withLock {
            $0.append(("RateLimit-Limit", String(decision.limit)))
            $0.append(("RateLimit-Remaining", String(max(0, decision.remaining))))
            $0.append(("RateLimit-Reset", String(reset)))
        }
        guard decision.isAllowed else {
            throw Refusal(
                .rateLimited, "rate_limited", "Too many requests; slow down.", arguments: ["limit": "\(decision.limit)"],
                retryAfter: decision.retryAfter)
        }
    }
}
