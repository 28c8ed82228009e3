package import HTTPSurface
package import Kernel
internal import Persistence

/// Tenants by subdomain and by id, and what they look like, remembered for a moment: asked at every webhook and request. What this process changes is
/// forgotten at once, what others change within `lifetime`.
final class TenantDirectory: Sendable {
    static let lifetime: Duration = .seconds(2)

    /// One object, since most who ask want little of it.
    final class Entry: Sendable {
        let tenant: Tenant

        init(_ tenant: Tenant) { self.tenant = tenant }
    }

    private let bySubdomain = TimedCache<Entry?>(lifetime: lifetime)
    private let byID = TimedCache<Entry?>(lifetime: lifetime)
    private let brandings = TimedCache<Branding>(lifetime: lifetime)

    func entry(subdomain: String, now: Timestamp, load: () async throws -> Tenant?) async throws -> Entry? {
        try await bySubdomain.value(of: CacheKey(subdomain), now: now) { try await load().map(Entry.init) }
    }

    func entry(_ id: TenantID, now: Timestamp, load: () async throws -> Tenant?) async throws -> Entry? {
        try await byID.value(of: CacheKey(id), now: now) { try await load().map(Entry.init) }
    }

    func tenant(_ id: TenantID, now: Timestamp, load: () async throws -> Tenant?) async throws -> Tenant? {
        try await entry(id, now: now, load: load)?.tenant
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
        let entry = try await known.entry(subdomain: name, now: clock.now()) { try await self.tenant(subdomain: name) }
        guard let entry else { return nil }
        try Self.requireActive(entry.tenant)
        return entry.tenant.id
    }

    /// Takes one request from the rates of the tenant and of the key; nil where neither is limited.
    package func countRequest(of principal: Principal, tenant id: TenantID?) async throws -> RateDecision? {
        guard let id = id ?? principal.tenant else { return nil }
        let found = try await known.entry(id, now: clock.now()) { try await self.tenant(id) }
        guard let perSecond = found?.tenant.limits.requestsPerSecond else { return nil }
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
        try await known.entry(id, now: clock.now()) { try await self.tenant(id) }?.tenant.timeZone ?? "UTC"
    }
}
