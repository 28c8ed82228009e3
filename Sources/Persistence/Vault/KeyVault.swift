internal import Crypto
internal import Foundation
internal import Glibc
package import Kernel
internal import Synchronization

/// The key that wraps all data keys: 256 bits, outside the database.
package struct MasterKey: Sendable {
    let key: SymmetricKey

    static let byteCount = 32

    /// `AIAS_MASTER_KEY` in base 64, else the file (mode 600), which is made where it is missing.
    /// - Throws: `PersistenceError.unavailable` for a key of another size or a file that others may read.
    package init(environment: [String: String], path: String) throws {
        if let text = environment["AIAS_MASTER_KEY"] {
            guard let data = Data(base64Encoded: text), data.count == Self.byteCount else {
                throw PersistenceError.unavailable("AIAS_MASTER_KEY is not 32 bytes in base 64; `openssl rand -base64 32` makes one.")
            }
            key = SymmetricKey(data: data)
            return
        }
        if FileManager.default.fileExists(atPath: path) {
            var about = stat()
            guard stat(path, &about) == 0, about.st_mode & 0o077 == 0 else {
                throw PersistenceError.unavailable("The master key \(path) may be read by others: `chmod 600` it.")
            }
            let data = try? Data(contentsOf: URL(filePath: path))
            guard let data, data.count == Self.byteCount else {
                throw PersistenceError.unavailable("The master key \(path) cannot be read or is damaged; put back the one from your backup.")
            }
            key = SymmetricKey(data: data)
            return
        }
        key = SymmetricKey(size: .bits256)
        let made = key.withUnsafeBytes { Data($0) }
        guard FileManager.default.createFile(atPath: path, contents: made, attributes: [.posixPermissions: 0o600]) else {
            throw PersistenceError.unavailable("The master key \(path) cannot be written.")
        }
    }

    /// For tests.
    package init(random: Void = ()) { key = SymmetricKey(size: .bits256) }
}

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
            Column("id", .uuid), Column("tenant_id", .uuid), Column("wrapped", .blob), Column("is_current", .boolean), Column("created_at", .timestamp),
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
        let raw = key.withUnsafeBytes { [UInt8]($0) }
        let box = try AES.GCM.seal(raw, using: master.key, authenticating: tenant.bytes)
        guard let wrapped = box.combined else { preconditionFailure("a nonce of the standard size combines") }
        return NewKey(tenant: tenant, id: IDs(clock: .system).next(), key: key, wrapped: [UInt8](wrapped))
    }

    private func unwrap(_ wrapped: [UInt8], _ tenant: TenantID) throws -> SymmetricKey {
        guard let box = try? AES.GCM.SealedBox(combined: wrapped), let raw = try? AES.GCM.open(box, using: master.key, authenticating: tenant.bytes)
        else { throw PersistenceError.driver(code: "SEAL", message: "the master key is not the one this data was sealed with; put back the right one") }
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
