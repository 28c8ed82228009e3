import Foundation
@testable import Persistence
import Synchronization
import TestKit
import Testing

/// Commits reach the disk before they are answered, and the write-ahead file stays bounded.
@Suite struct WriteAheadTests {
    /// A disk whose syncs can be held.
    final class Disk: Sendable {
        private let state = Mutex((syncs: 0, isHeld: false))
        var syncs: Int { state.withLock { $0.syncs } }
        func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }
        func sync() {
            while state.withLock({ $0.isHeld }) { usleep(500) }
            state.withLock { $0.syncs += 1 }
        }
    }

    @Test func `a group is answered after a sync that began after it, and what comes meanwhile shares the next one`() {
        let disk = Disk()
        let answered = Mutex<[Int]>([])
        let writes = WriteAheadSync { disk.sync() }
        writes.settle(isPressed: false) { answered.withLock { $0.append(0) } }
        #expect(answered.withLock { $0 } == [0], "where nobody waits, the writer syncs itself")
        #expect(disk.syncs == 1)
        disk.hold(true)
        writes.settle(isPressed: true) { answered.withLock { $0.append(1) } }
        // The first may take those after it along while its sync has not begun.
        for number in 2...5 { writes.settle(isPressed: false) { answered.withLock { $0.append(number) } } }
        #expect(answered.withLock { $0 } == [0])
        disk.hold(false)
        writes.close()
        #expect(answered.withLock { $0 } == [0, 1, 2, 3, 4, 5])
        #expect(disk.syncs <= 3)
    }

    @Test func `a sync that fails ends the process`() async {
        await #expect(processExitsWith: .failure) {
            let writes = WriteAheadSync { throw POSIXError(.EIO) }
            writes.settle(isPressed: false) {}
        }
    }

    @Test func `the file that is synced is the one that is there`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = WriteAheadFile(database: folder.appending(path: "a.db").path)
        #expect(throws: POSIXError.self) { try file.sync() }
        for _ in 0..<2 {
            try Data("x".utf8).write(to: folder.appending(path: "a.db-wal"), options: .atomic)
            try file.sync()
        }
    }

    @Test func `commits write into room that the file has, and what a crash leaves of it is read`() async throws {
        try await withFixtures(.sqlite) { lease in
            let database = try #require(lease.database as? SQLiteDatabase)
            var lengths: Set<Int> = []
            for number in 0..<40 {
                try await database.write(in: lease.tenant) { tx in try tx.addThing("thing \(number)") }
                lengths.insert(try #require(try FileManager.default.attributesOfItem(atPath: database.path + "-wal")[.size] as? Int))
            }
            #expect(lengths.count < 6, "few of the commits lengthen it")
            let copy = try Self.copied(database)
            defer { try? FileManager.default.removeItem(at: copy.deletingLastPathComponent()) }
            let other = try SQLiteDatabase(path: copy.path, registry: lease.registry, clock: lease.clock.clock, ids: lease.ids)
            #expect(try other.writerSetting("integrity_check") == "ok")
            let count = try await other.read(in: lease.tenant) { tx in try tx.names().count }
            #expect(count == 40)
            await other.close()
        }
    }

    @Test func `a transaction that does not fit into memory is read, rolled back and kept whole, and so is what comes beside it`() async throws {
        struct Unwanted: Error {}
        try await withFixtures(.sqlite) { lease in
            let database = try #require(lease.database as? SQLiteDatabase)
            // More than the cache of a connection holds, so that its pages are in the write-ahead file before it ends.
            let long = String(repeating: "long ", count: 10_000)
            let add: @Sendable (TenantTransaction, String) throws -> Void = { tx, name in
                for number in 0..<500 { try tx.addThing("\(name) \(number) \(long)") }
            }
            let refuse: @Sendable () async throws -> Void = {
                try await database.write(in: lease.tenant) { tx in
                    try add(tx, "unwanted")
                    throw Unwanted()
                }
            }
            for round in 0..<3 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        do {
                            try await refuse()
                            Issue.record("it was kept")
                        } catch is Unwanted {}
                    }
                    group.addTask {
                        let count: Int = try await database.write(in: lease.tenant) { tx in
                            try add(tx, "round \(round)")
                            let names: [String] = try tx.names()
                            return names.count { $0.hasPrefix("round \(round) ") }
                        }
                        #expect(count == 500)
                    }
                    for number in 0..<20 {
                        group.addTask { try await database.write(in: lease.tenant) { tx in try tx.addThing("small \(round) \(number)") } }
                    }
                    try await group.waitForAll()
                }
            }
            let check: @Sendable (SQLiteDatabase) async throws -> Void = { database in
                #expect(try database.writerSetting("integrity_check") == "ok")
                let names = try await database.read(in: lease.tenant) { tx in try tx.names() }
                #expect(names.count { $0.hasPrefix("round ") && $0.hasSuffix(long) } == 1_500)
                #expect(names.count { $0.hasPrefix("small ") } == 60)
                #expect(names.count == 1_560)
            }
            try await check(database)
            let copy = try Self.copied(database)
            defer { try? FileManager.default.removeItem(at: copy.deletingLastPathComponent()) }
            let other = try SQLiteDatabase(path: copy.path, registry: lease.registry, clock: lease.clock.clock, ids: lease.ids)
            try await check(other)
            await other.close()
        }
    }

    /// The database as a crash would leave it.
    private static func copied(_ database: SQLiteDatabase) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let copy = folder.appending(path: "aias.db")
        for end in ["", "-wal"] { try FileManager.default.copyItem(atPath: database.path + end, toPath: copy.path + end) }
        return copy
    }

    @Test func `the write-ahead file stays bounded under writes that never pause`() async throws {
        try await withFixtures(.sqlite) { lease in
            let database = try #require(lease.database as? SQLiteDatabase)
            let content = [UInt8](repeating: 7, count: 200_000)
            for number in 0..<40 { try await database.write(in: lease.tenant) { tx in try tx.addThing("thing \(number)") } }
            try await withThrowingTaskGroup { group in
                for number in 0..<40 {
                    group.addTask {
                        for round in 0..<20 {
                            try await database.write(in: lease.tenant) { tx in
                                var other = content
                                other[0] = UInt8(round)
                                try tx.execute("UPDATE things SET content = \(other) WHERE tenant_id = \(tx.tenant) AND name = \("thing \(number)")")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            // 160 MB were written, a page of 2 KB each.
            let size = try #require(try FileManager.default.attributesOfItem(atPath: database.path + "-wal")[.size] as? Int)
            #expect(size < Checkpointer.pagesMaximum * 2_100)
            #expect(try database.writerSetting("integrity_check") == "ok")
        }
    }
}
