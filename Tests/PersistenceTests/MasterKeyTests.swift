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

    @Test(arguments: DatabaseEngine.allCases)
    func `a change that a crash cut off between its passes ends with the new key, which opens all`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let path = lease.folder + "/master.key"
            let old = KeyVault(database: lease.database, master: try MasterKey(environment: [:], path: path))
            let new = MasterKey()
            try new.keep(at: path + ".next")
            let early = try await old.seal([1], tenant: lease.tenant, context: "c")
            try await old.rewrap(for: new)
            // Its data key was made meanwhile, and is wrapped by the old one.
            let late = try await old.seal([2], tenant: lease.other, context: "c")

            try await KeyVault(database: lease.database, master: try MasterKey(environment: [:], path: path)).settle(at: path)
            let restarted = KeyVault(database: lease.database, master: try MasterKey(environment: [:], path: path))
            #expect(try await restarted.open(early, tenant: lease.tenant, context: "c") == [1])
            #expect(try await restarted.open(late, tenant: lease.other, context: "c") == [2])
            #expect(try MasterKey(environment: [:], path: path).bytes == new.bytes)
            #expect(!FileManager.default.fileExists(atPath: path + ".next"))
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

    @Test func `a key that is short is refused with what is wrong with it, and stays as it is`() throws {
        try inFolder { path in
            try write([1, 2, 3, 4, 5], path)
            do {
                _ = try MasterKey(environment: [:], path: path)
                Issue.record("it was taken")
            } catch PersistenceError.unavailable(let message) {
                #expect(message.contains("has 5 bytes instead of 32"))
            }
            #expect(throws: PersistenceError.self) { try MasterKey().keep(at: path) }
            #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3, 4, 5]))
        }
    }

    @Test func `a key is there as a whole or not at all, whatever is left of one that was cut off`() throws {
        try inFolder { path in
            try write([1, 2, 3], path + ".new")
            let made = try MasterKey(environment: [:], path: path)
            #expect(try Data(contentsOf: URL(filePath: path)) == Data(made.bytes))
            #expect(!FileManager.default.fileExists(atPath: path + ".new"))
        }
        try inFolder { path in
            // Nothing can be written where a folder is.
            try FileManager.default.createDirectory(atPath: path + ".new", withIntermediateDirectories: true)
            #expect(throws: PersistenceError.self) { try MasterKey(environment: [:], path: path) }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    private func write(_ bytes: [UInt8], _ path: String) throws {
        try Data(bytes).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    private func inFolder(_ body: (_ path: String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "aias-key-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder + "/master.key")
    }
}
