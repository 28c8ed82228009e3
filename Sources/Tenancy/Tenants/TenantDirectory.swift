package import HTTPSurface
package import Kernel
internal import Persistence
internal import Synchronization

/// Tenants by subdomain and their limits, remembered for a moment: asked at every webhook and request. What this process changes is
/// forgotten at once, what others change within `lifetime`.
final class TenantDirectory: Sendable {
    static let lifetime: Duration = .seconds(2)
    static let entriesMaximum = 10_000

    private struct Entry {
        var tenant: Tenant?
        var until: Timestamp
    }

    private let bySubdomain = Mutex<[String: Entry]>([:])
    private let byID = Mutex<[TenantID: Entry]>([:])
    private let brandings = Mutex<[TenantID: (branding: Branding, until: Timestamp)]>([:])

    func tenant(subdomain: String, now: Timestamp, load: () async throws -> Tenant?) async throws -> Tenant? {
        if let known = bySubdomain.withLock({ $0[subdomain] }), known.until > now { return known.tenant }
        let tenant = try await load()
        bySubdomain.withLock { entries in
            if entries.count >= Self.entriesMaximum { entries.removeAll() }
            entries[subdomain] = Entry(tenant: tenant, until: now + Self.lifetime)
        }
        return tenant
    }

    func tenant(_ id: TenantID, now: Timestamp, load: () async throws -> Tenant?) async throws -> Tenant? {
        if let known = byID.withLock({ $0[id] }), known.until > now { return known.tenant }
        let tenant = try await load()
        byID.withLock { entries in
            if entries.count >= Self.entriesMaximum { entries.removeAll() }
            entries[id] = Entry(tenant: tenant, until: now + Self.lifetime)
        }
        return tenant
    }

    func branding(_ id: TenantID, now: Timestamp, load: () async throws -> Branding) async throws -> Branding {
        if let known = brandings.withLock({ $0[id] }), known.until > now { return known.branding }
        let branding = try await load()
        brandings.withLock { entries in
            if entries.count >= Self.entriesMaximum { entries.removeAll() }
            entries[id] = (branding, now + Self.lifetime)
        }
        return branding
    }

    func forget() {
        brandings.withLock { $0.removeAll() }
        bySubdomain.withLock { $0.removeAll() }
        byID.withLock { $0.removeAll() }
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
