internal import Crypto
internal import Foundation
package import Kernel
internal import Synchronization

/// Seals secrets with a data key per tenant, which the master key wraps (AES-256-GCM, NIST SP 800-38D). A sealed value carries its key's id,
/// so that keys can be rotated while values of the old one are read.
package final class KeyVault: Sendable {
    private let database: any Database
    private let master: MasterKey
    private let cache = Mutex<[ID<DataKeyTag>: SymmetricKey]>([:])
    private let current = Mutex<[TenantID: ID<DataKeyTag>]>([:])

    static let table = Table(
        "data_keys", .directory, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("tenant_id", .uuid), Column("wrapped", .blob), Column("is_current", .boolean),
            Column("created_at", .timestamp)
        ],
        indexes: [Index("data_keys_tenant", on: ["tenant_id", "is_current"])])

    /// Of the platform's own secrets, which belong to no tenant.
    package static let platform = TenantID(high: 0, low: 0)

    package init(database: any Database, master: MasterKey) {
        self.database = database
        self.master = master
    }

    /// - Parameter context: what the value is for; opening it for anything else fails.
    package func seal(_ bytes: [UInt8], tenant: TenantID, context: String) async throws -> [UInt8] {
        let (id, key) = try await currentKey(of: tenant)
        let box = try AES.GCM.seal(bytes, using: key, authenticating: Self.authenticated(tenant, context))
        guard let combined = box.combined else { preconditionFailure("a nonce of the standard size combines") }
        return id.bytes + combined
    }

    /// - Throws: `PersistenceError.driver` for a value that was changed, or sealed for another tenant or context.
    package func open(_ sealed: [UInt8], tenant: TenantID, context: String) async throws -> [UInt8] {
        let failure = PersistenceError.driver(code: "SEAL", message: "a sealed value cannot be opened here")
        guard sealed.count > 16, let id = ID<DataKeyTag>(bytes: sealed[..<16]) else { throw failure }
        guard let key = try await key(id, of: tenant), let box = try? AES.GCM.SealedBox(combined: sealed[16...]),
            let opened = try? AES.GCM.open(box, using: key, authenticating: Self.authenticated(tenant, context))
        else { throw failure }
        return [UInt8](opened)
    }

    /// Makes a new current key for a tenant; values sealed with older ones stay readable.
    package func rotate(tenant: TenantID) async throws {
        let made = try makeKey(tenant)
        try await database.writeDirectory { tx in
            try tx.execute("UPDATE data_keys SET is_current = \(false) WHERE tenant_id = \(tenant)")
            try made.insert(in: tx)
        }
        current.withLock { $0[tenant] = made.id }
        cache.withLock { $0[made.id] = made.key }
    }

    /// Wraps every data key anew, so that `new` opens them and the old master key does not. A vault on the new key serves from then on.
    /// - Throws: `PersistenceError.driver` where a key was not wrapped by this vault's master key; nothing is changed then.
    package func rewrap(for new: MasterKey) async throws {
        try await database.writeDirectory { [self] tx in
            for row in try tx.all("SELECT id, tenant_id, wrapped FROM data_keys") {
                let tenant: TenantID = try row.column(1)
                let wrapped = try new.wrap(try unwrap(try row.column(2), tenant), tenant)
                try tx.execute("UPDATE data_keys SET wrapped = \(wrapped) WHERE id = \(try row.column(0, as: ID<DataKeyTag>.self))")
            }
        }
    }

    private static func authenticated(_ tenant: TenantID, _ context: String) -> [UInt8] { tenant.bytes + Array(context.utf8) }

    private func currentKey(of tenant: TenantID) async throws -> (ID<DataKeyTag>, SymmetricKey) {
        if let id = current.withLock({ $0[tenant] }), let key = cache.withLock({ $0[id] }) { return (id, key) }
        let candidate = try makeKey(tenant)
        let found: (ID<DataKeyTag>, [UInt8]) = try await database.writeDirectory { tx in
            let known = try tx.first("SELECT id, wrapped FROM data_keys WHERE tenant_id = \(tenant) AND is_current = \(true)") { row in
                (try row.column(0, as: ID<DataKeyTag>.self), try row.column(1, as: [UInt8].self))
            }
            if let known { return known }
            try candidate.insert(in: tx)
            return (candidate.id, candidate.wrapped)
        }
        let key = try unwrap(found.1, tenant)
        current.withLock { $0[tenant] = found.0 }
        cache.withLock { $0[found.0] = key }
        return (found.0, key)
    }

    private func key(_ id: ID<DataKeyTag>, of tenant: TenantID) async throws -> SymmetricKey? {
        if let known = cache.withLock({ $0[id] }) { return known }
        let wrapped: [UInt8]? = try await database.readDirectory { tx in
            try tx.first("SELECT wrapped FROM data_keys WHERE id = \(id) AND tenant_id = \(tenant)") { try $0.column(0) }
        }
        guard let wrapped else { return nil }
        let key = try unwrap(wrapped, tenant)
        cache.withLock { $0[id] = key }
        return key
    }

    private func makeKey(_ tenant: TenantID) throws -> NewKey {
        let key = SymmetricKey(size: .bits256)
        return NewKey(tenant: tenant, id: IDs(clock: .system).next(), key: key, wrapped: try master.wrap(key, tenant))
    }

    private func unwrap(_ wrapped: [UInt8], _ tenant: TenantID) throws -> SymmetricKey {
        guard let box = try? AES.GCM.SealedBox(combined: wrapped), let raw = try? AES.GCM.open(box, using: master.key, authenticating: tenant.bytes)
        else {
            throw PersistenceError.driver(code: "SEAL", message: "the master key is not the one this data was sealed with; put back the right one")
        }
        return SymmetricKey(data: raw)
    }
}

package enum DataKeyTag {}

private struct NewKey: Sendable {
    let tenant: TenantID
    let id: ID<DataKeyTag>
    let key: SymmetricKey
    let wrapped: [UInt8]

    func insert(in tx: DirectoryTransaction) throws {
        try tx.execute(
            """
            INSERT INTO data_keys (id, tenant_id, wrapped, is_current, created_at)
            VALUES (\(id), \(tenant), \(wrapped), \(true), \(tx.clock.now()))
            """)
    }
}
