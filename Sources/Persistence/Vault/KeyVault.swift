internal import Crypto
internal import Foundation
package import Kernel
internal import Synchronization

/// Seals secrets with a data key per tenant, which the master key wraps (AES-256-GCM, NIST SP 800-38D). A sealed value carries its key's id,
/// so that keys can be rotated while values of the old one are read.
package final class KeyVault: Sendable {
    private let database: any Database
    private let master: Mutex<MasterKey>
    /// The one before, for keys that were wrapped while the master key was changed.
    private let former = Mutex<MasterKey?>(nil)
    private let cache = Mutex<[ID<DataKeyTag>: SymmetricKey]>([:])
    private let current = Mutex<[TenantID: ID<DataKeyTag>]>([:])
    private let first = Mutex<[TenantID: ID<DataKeyTag>]>([:])

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
        self.master = Mutex(master)
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
        guard sealed.count > 16, let id = ID<DataKeyTag>(bytes: Array(sealed[..<16])) else { throw failure }
        guard let key = try await key(id, of: tenant), let box = try? AES.GCM.SealedBox(combined: sealed[16...]),
            let opened = try? AES.GCM.open(box, using: key, authenticating: Self.authenticated(tenant, context))
        else { throw failure }
        return [UInt8](opened)
    }

    /// A mark of a text that only this vault can make (HMAC-SHA-256). It is made with the tenant's first key, which no rotation removes, so that
    /// links that carry it outlive rotations.
    package func mark(_ text: String, tenant: TenantID, context: String) async throws -> [UInt8] {
        _ = try await currentKey(of: tenant)
        let known = first.withLock { $0[tenant] }
        let oldest: ID<DataKeyTag>? =
            if let known { known } else {
                try await database.readDirectory { tx in
                    try tx.first("SELECT id FROM data_keys WHERE tenant_id = \(tenant) ORDER BY id LIMIT 1") { try $0.column(0) }
                }
            }
        guard let oldest, let key = try await key(oldest, of: tenant) else {
            throw PersistenceError.driver(code: "SEAL", message: "the tenant has no key")
        }
        first.withLock { $0[tenant] = oldest }
        let derived = HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Data(context.utf8), outputByteCount: 32)
        return [UInt8](HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: derived))
    }

    /// Whether this vault's master key has wrapped a data key, of whatever database.
    package func opens(_ wrapped: [UInt8], of tenant: TenantID) -> Bool { (try? unwrap(wrapped, tenant)) != nil }

    /// Writes this vault's master key to a file where there is none, for a copy of what is sealed under it.
    /// - Returns: false where the file holds another one.
    package func keepMaster(at path: String) throws -> Bool {
        let own = master.withLock { $0 }
        guard !FileManager.default.fileExists(atPath: path) else { return try MasterKey(environment: [:], path: path).bytes == own.bytes }
        try own.keep(at: path)
        return true
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
                let before: [UInt8] = try row.column(2)
                if new.unwrap(before, tenant) != nil { continue }
                let wrapped = try new.wrap(try unwrap(before, tenant), tenant)
                try tx.execute("UPDATE data_keys SET wrapped = \(wrapped) WHERE id = \(try row.column(0, as: ID<DataKeyTag>.self))")
            }
        }
    }

    /// Makes a new master key in place of the one in the file, while this vault serves: the new one lies beside the old one, durable, before
    /// anything is wrapped by it, and takes its place once everything is. A crash between is mended by `settle`.
    package func changeMaster(at path: String) async throws {
        let new = MasterKey()
        try? FileManager.default.removeItem(atPath: Self.draft(of: path))
        try new.keep(at: Self.draft(of: path))
        try await rewrap(for: new)
        let old = master.withLock { master in
            defer { master = new }
            return master
        }
        former.withLock { $0 = old }
        // Keys that were made while the first pass ran.
        try await rewrap(for: new)
        try MasterKey.moveIntoPlace(Self.draft(of: path), path)
    }

    /// - Throws: `PersistenceError.unavailable` where the master key does not open what is stored: a folder that was put back without it.
    package func requireMaster(at path: String) async throws {
        let sample: (TenantID, [UInt8])? = try await database.readDirectory { tx in
            try tx.first("SELECT tenant_id, wrapped FROM data_keys LIMIT 1") { (try $0.column(0), try $0.column(1)) }
        }
        guard let sample, master.withLock({ $0 }).unwrap(sample.1, sample.0) == nil else { return }
        throw PersistenceError.unavailable(
            "The master key does not open what is stored. Put back the one that it was sealed with, as \(path) or in AIAS_MASTER_KEY; "
                + "`aias backup` keeps it beside the data.")
    }

    /// Ends a change of the master key that a crash cut off: where the new one has wrapped anything, it wraps the rest and takes its place.
    package func settle(at path: String) async throws {
        let draft = Self.draft(of: path)
        guard FileManager.default.fileExists(atPath: draft), let new = try? MasterKey(environment: [:], path: draft) else { return }
        let keys: [(tenant: TenantID, wrapped: [UInt8])] = try await database.readDirectory { tx in
            try tx.all("SELECT tenant_id, wrapped FROM data_keys") { (try $0.column(0), try $0.column(1)) }
        }
        guard keys.contains(where: { new.unwrap($0.wrapped, $0.tenant) != nil }) else { return try FileManager.default.removeItem(atPath: draft) }
        // Keys that were made between the two passes are wrapped by the old one still.
        try await rewrap(for: new)
        try MasterKey.moveIntoPlace(draft, path)
        master.withLock { $0 = new }
    }

    private static func draft(of path: String) -> String { path + ".next" }

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
        return NewKey(tenant: tenant, id: IDs(clock: .system).next(), key: key, wrapped: try master.withLock { try $0.wrap(key, tenant) })
    }

    private func unwrap(_ wrapped: [UInt8], _ tenant: TenantID) throws -> SymmetricKey {
        if let key = master.withLock({ $0.unwrap(wrapped, tenant) }) ?? former.withLock({ $0?.unwrap(wrapped, tenant) }) { return key }
        throw PersistenceError.driver(code: "SEAL", message: "the master key is not the one this data was sealed with; put back the right one")
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
