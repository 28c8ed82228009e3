package import Kernel
internal import Persistence

/// What must be done from time to time; each is safe to be done twice, also at once.
extension Tenancy {
    /// Seals what was written into the audit logs of all tenants.
    package func sealAuditLogs() async throws {
        try await forEachTenantHere { try await sealWhole($0) }
        try await sealWhole(Self.platformLog)
    }

    /// Removes sessions and one-time links whose time is over.
    package func removeExpired() async throws {
        try await database.writeDirectory { tx in
            try SessionStore(tx: tx).removeExpired(now: tx.clock.now())
            try OperatorSessionStore(tx: tx).removeExpired(now: tx.clock.now())
            try OneTimeTokenStore(tx: tx).removeExpired(now: tx.clock.now())
        }
    }

    /// All tenants, page by page; one that fails keeps the others from nothing.
    /// - Throws: the first failure, after all were tried.
    package func forEachTenant(_ body: (TenantID) async throws -> Void) async throws {
        var cursor: TenantID?
        var failure: (any Error)?
        while !Task.isCancelled {
            let page = try await tenants(before: cursor, limit: Limits.pageSizeMaximum)
            for tenant in page {
                do { try await body(tenant.id) } catch { failure = failure ?? error }
            }
            guard page.count == Limits.pageSizeMaximum else { break }
            cursor = page.last?.id
        }
        if let failure { throw failure }
    }

    /// The same of those that are wholly here. One that has gone to another deployment or is still on its way from one is left alone: what is changed
    /// of it meanwhile is not what the other side has, and may refer to what has not come yet.
    package func forEachTenantHere(_ body: (TenantID) async throws -> Void) async throws {
        var tenants: [TenantID] = []
        try await forEachTenant { tenants.append($0) }
        // After them: that a tenant comes is noted before any of it is there.
        let elsewhere = try await database.readSystem { tx in try MoveStore(tx: tx).elsewhere() }
        var failure: (any Error)?
        for tenant in tenants where !Task.isCancelled && !elsewhere.contains(tenant) {
            do { try await body(tenant) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func sealWhole(_ tenant: TenantID) async throws {
        while try await hasUnsealed(tenant), try await sealAuditLog(of: tenant) > 0 {}
    }

    private func hasUnsealed(_ tenant: TenantID) async throws -> Bool {
        try await database.read(in: tenant) { tx in try AuditStore(tx: tx).hasUnsealed() }
    }
}
