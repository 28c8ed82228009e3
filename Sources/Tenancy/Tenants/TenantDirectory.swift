package import HTTPSurface
package import Kernel
internal import Persistence

/// Tenants by subdomain and by id, and what they look like, remembered for a moment: asked at every webhook and request. What this process changes is
/// forgotten at once, what others change within `lifetime`.
final class TenantDirectory: Sendable {
    static let lifetime: Duration = .seconds(2)

    private let bySubdomain = TimedCache<Tenant?>(lifetime: lifetime)
    private let byID = TimedCache<Tenant?>(lifetime: lifetime)
    private let brandings = TimedCache<Branding>(lifetime: lifetime)

    func tenant(subdomain: String, now: Timestamp, load: () async throws -> Tenant?) async throws -> Tenant? {
        try await bySubdomain.value(of: CacheKey(subdomain), now: now, load: load)
    }

    func tenant(_ id: TenantID, now: Timestamp, load: () async throws -> Tenant?) async throws -> Tenant? {
        try await byID.value(of: CacheKey(id), now: now, load: load)
    }

    func branding(_ id: TenantID, now: Timestamp, load: () async throws -> Branding) async throws -> Branding {
        try await brandings.value(of: CacheKey(id), now: now, load: load)
    }

    func forget() {
        brandings.forget()
        bySubdomain.forget()
        byID.forget()
    }
}

extension Tenancy {
    /// The active tenant of a subdomain.
    /// - Throws: `tenant_suspended`
    package func tenantID(subdomain: String) async throws -> TenantID? {
        let name = subdomain.lowercased()
        let tenant = try await known.tenant(subdomain: name, now: clock.now()) { try await self.tenant(subdomain: name) }
        guard let tenant else { return nil }
        try Self.requireActive(tenant)
        return tenant.id
    }

    /// Takes one request from the rates of the tenant and of the key; nil where neither is limited.
    package func countRequest(of principal: Principal, tenant id: TenantID?) async throws -> RateDecision? {
        guard let id = id ?? principal.tenant else { return nil }
        let found = try await known.tenant(id, now: clock.now()) { try await self.tenant(id) }
        guard let perSecond = found?.limits.requestsPerSecond else { return nil }
        if case .apiKey(let key) = principal.actor {
            let ofKey = rates.take("key:\(key)", perSecond: perSecond)
            if let ofKey, !ofKey.isAllowed { return ofKey }
        }
        return rates.take("tenant:\(id)", perSecond: perSecond)
    }
}

extension Tenancy {
    /// The tenant's IANA time zone.
    package func timeZone(of id: TenantID) async throws -> String {
        try await known.tenant(id, now: clock.now()) { try await self.tenant(id) }?.timeZone ?? "UTC"
    }
}
