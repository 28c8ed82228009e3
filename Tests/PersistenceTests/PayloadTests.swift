import Foundation
import Kernel
import Persistence
import TestKit
import Testing

@Suite struct PayloadTests {
    @Test(arguments: DatabaseEngine.allCases)
    func `a payload is stored once a tenant and read back`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            for bytes in [[], [1, 2, 3], Array(repeating: 7, count: 5_000), (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }] as [[UInt8]] {
                let payload = try await PreparedPayload(bytes, tenant: lease.tenant, blobs: lease.blobs)
                for _ in 0..<2 {
                    try await lease.database.write(in: lease.tenant) { tx in try PayloadStore(tx: tx).store(payload, for: .files) }
                }
                let read = try await lease.database.read(in: lease.tenant) { tx in try PayloadStore(tx: tx).load(payload.hash, blobs: lease.blobs) }
                #expect(read == bytes)
                let stolen = try await lease.database.read(in: lease.other) { tx in try PayloadStore(tx: tx).load(payload.hash, blobs: lease.blobs) }
                #expect(stolen == nil)
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a sealed value opens for its tenant and purpose alone, also after a rotation`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let secret = Array("s3cret".utf8)
            let sealed = try await lease.vault.seal(secret, tenant: lease.tenant, context: "credential")
            #expect(!sealed.indices.contains { sealed[$0...].starts(with: secret) })
            try await lease.vault.rotate(tenant: lease.tenant)
            let later = try await lease.vault.seal(secret, tenant: lease.tenant, context: "credential")
            #expect(sealed.prefix(16) != later.prefix(16))
            for value in [sealed, later] {
                #expect(try await lease.vault.open(value, tenant: lease.tenant, context: "credential") == secret)
                await #expect(throws: PersistenceError.self) { try await lease.vault.open(value, tenant: lease.other, context: "credential") }
                await #expect(throws: PersistenceError.self) { try await lease.vault.open(value, tenant: lease.tenant, context: "other") }
            }
            var changed = later
            changed[changed.count - 1] ^= 1
            await #expect(throws: PersistenceError.self) { try await lease.vault.open(changed, tenant: lease.tenant, context: "credential") }
        }
    }
}

@Suite struct MigrationTests {
    @Test func `migrations fold to the declared tables`() throws {
        let declared = Dictionary(uniqueKeysWithValues: (PersistenceModule.tables + Fixtures.tables).map { ($0.name, $0) })
        #expect(try SchemaRegistry.fold(PersistenceModule.migrations + Fixtures.migrations) == declared)
    }

    @Test func `a folder has one owner and a database takes no older or edited schema`() throws {
        let path = NSTemporaryDirectory() + "aias-folder-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = try DataFolder(path: path)
        #expect(throws: PersistenceError.self) { try DataFolder(path: path) }
        let ids = IDs(clock: .system)
        func open(_ migrations: [Migration], tables: [Table]) throws {
            _ = try Databases.embedded(path: folder.databasePath, tables: tables, migrations: migrations, clock: .system, ids: ids)
        }
        try open(Fixtures.migrations, tables: Fixtures.tables)
        try open(Fixtures.migrations, tables: Fixtures.tables)
        #expect(throws: PersistenceError.self) { try open([], tables: []) }
        let edited = [Migration("fixtures.0001", [.createTable(Fixtures.things)])]
        #expect(throws: PersistenceError.self) { try open(edited, tables: [Fixtures.things]) }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `what is stored is counted once and given back when its last user is gone`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let (run, other): (ID<Int>, ID<Int>) = (lease.ids.next(), lease.ids.next())
            let (shared, own) = (PreparedPayload(Array(repeating: 1, count: 4_000)), PreparedPayload(Array(repeating: 2, count: 700)))
            func used(_ tenant: TenantID) async throws -> Int { try await lease.database.read(in: tenant) { try StorageUse(tx: $0).bytes() } }
            try await lease.database.write(in: lease.tenant) { tx in
                let store = PayloadStore(tx: tx)
                for _ in 0..<2 { try store.store(shared, for: PayloadUser(run)) }
                try store.store(own, for: PayloadUser(run))
                try store.store(shared, for: PayloadUser(other))
            }
            #expect(try await used(lease.tenant) == 4_700)
            #expect(try await used(lease.other) == 0)
            let first = try await lease.database.write(in: lease.tenant) {
                try PayloadStore(tx: $0).release([shared.hash, own.hash], of: PayloadUser(run))
            }
            #expect(first == 700)
            #expect(try await used(lease.tenant) == 4_000)
            let kept = try await lease.database.read(in: lease.tenant) { try PayloadStore(tx: $0).load(shared.hash, blobs: nil) }
            #expect(kept?.count == 4_000)
            let again = try await lease.database.write(in: lease.tenant) {
                try PayloadStore(tx: $0).release([shared.hash, own.hash], of: PayloadUser(run))
            }
            let last = try await lease.database.write(in: lease.tenant) { try PayloadStore(tx: $0).release([shared.hash], of: PayloadUser(other)) }
            #expect(again == 0 && last == 4_000)
            #expect(try await used(lease.tenant) == 0)
            #expect(try await lease.database.read(in: lease.tenant) { try PayloadStore(tx: $0).load(shared.hash, blobs: nil) } == nil)
        }
    }
}
