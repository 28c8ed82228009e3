import Foundation
import Kernel
@testable import Persistence
import TestKit
import Testing

@Suite struct MasterKeyTests {
    @Test(arguments: DatabaseEngine.allCases)
    func `a new master key opens what the old one sealed, and the old one no more`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let (old, new) = (MasterKey(), MasterKey())
            let before = KeyVault(database: lease.database, master: old)
            let sealed = try await before.seal([1, 2, 3], tenant: lease.tenant, context: "credential")
            try await before.rewrap(for: new)
            let after = KeyVault(database: lease.database, master: new)
            #expect(try await after.open(sealed, tenant: lease.tenant, context: "credential") == [1, 2, 3])
            let stale = KeyVault(database: lease.database, master: old)
            await #expect(throws: PersistenceError.self) { try await stale.open(sealed, tenant: lease.tenant, context: "credential") }
            await #expect(throws: PersistenceError.self) { try await stale.rewrap(for: MasterKey()) }
            #expect(try await after.open(sealed, tenant: lease.tenant, context: "credential") == [1, 2, 3])
        }
    }

    @Test func `the key's file is made once, for its owner alone`() throws {
        let folder = NSTemporaryDirectory() + "aias-key-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/master.key"
        let made = try MasterKey(environment: [:], path: path)
        #expect(try MasterKey(environment: [:], path: path).bytes == made.bytes)
        #expect(try MasterKey(environment: ["AIAS_MASTER_KEY": ""], path: path).bytes == made.bytes)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        let given = Data(repeating: 7, count: 32).base64EncodedString()
        #expect(try MasterKey(environment: ["AIAS_MASTER_KEY": given], path: path).bytes == Array(repeating: 7, count: 32))
        #expect(throws: PersistenceError.self) { try MasterKey(environment: ["AIAS_MASTER_KEY": "short"], path: path) }
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: PersistenceError.self) { try MasterKey(environment: [:], path: path) }
    }
}
