import Foundation
import Kernel
@testable import Persistence
import Synchronization
import TestKit
import Testing

@Suite struct BlobSweepTests {
    private func large(_ seed: Int) -> [UInt8] { (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* seed) } }
    /// Files are as old as the file system says: any of them is older than what is yet to come.
    private let anyAge: Duration = .seconds(-60)

    private func age(_ path: String, _ seconds: Double) throws {
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: path)
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a sweep removes what no row names and leaves what is new or in use`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let blobs = FolderBlobs(path: lease.folder + "/blobs")
            let kept = try await PreparedPayload(large(3), tenant: lease.tenant, blobs: blobs)
            let orphan = try await PreparedPayload(large(5), tenant: lease.tenant, blobs: blobs)
            _ = try await lease.database.write(in: lease.tenant) { tx in try PayloadStore(tx: tx).store(kept, for: .files) }
            for _ in 0..<2 { #expect(try await blobs.sweep(lease.database, of: [lease.tenant, lease.other], olderThan: .seconds(60)) == 0) }
            #expect(try await blobs.sweep(lease.database, of: [lease.tenant, lease.other], olderThan: anyAge) == 1)
            #expect(try blobs.load(orphan.hash, tenant: lease.tenant) == nil)
            #expect(try blobs.load(kept.hash, tenant: lease.tenant) == large(3))
        }
    }

    @Test func `an old file that is used again is new again`() async throws {
        try await withFixtures(.sqlite) { lease in
            let blobs = FolderBlobs(path: lease.folder + "/blobs")
            let payload = try await PreparedPayload(large(7), tenant: lease.tenant, blobs: blobs)
            #expect(try await blobs.sweep(lease.database, of: [lease.tenant, lease.other], olderThan: .seconds(600)) == 0)
            try age(blobs.path(payload.hash, lease.tenant), 1_000)
            _ = try await PreparedPayload(large(7), tenant: lease.tenant, blobs: blobs)
            #expect(try await blobs.sweep(lease.database, of: [lease.tenant, lease.other], olderThan: .seconds(600)) == 0)
            try age(blobs.path(payload.hash, lease.tenant), 1_000)
            #expect(try await blobs.sweep(lease.database, of: [lease.tenant, lease.other], olderThan: .seconds(600)) == 1)
        }
    }

    @Test func `a clock that jumps ahead makes no file old that came since the last sweep`() async throws {
        try await withFixtures(.sqlite) { lease in
            let blobs = FolderBlobs(path: lease.folder + "/blobs")
            let payload = try await PreparedPayload(large(11), tenant: lease.tenant, blobs: blobs)
            func sweep() async throws -> Int { try await blobs.sweep(lease.database, of: [lease.tenant], olderThan: .seconds(86_400)) }
            #expect(try await sweep() == 0)
            // What a clock stamps that begins with the year 1970, and is set right then.
            try age("\(blobs.root)/\(FolderBlobs.mark)", 1_000)
            try age(blobs.path(payload.hash, lease.tenant), 1_060)
            #expect(try await sweep() == 0)
            #expect(try await sweep() == 1)
        }
    }

    @Test func `a file whose name cannot be made durable is not kept, and is once it can`() async throws {
        let fails = Mutex(true)
        let synced = Mutex<[String]>([])
        let (tenant, bytes) = (TenantID(high: 1, low: 1), large(13))
        let root = NSTemporaryDirectory() + "aias-blobs-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        let blobs = FolderBlobs(path: root) { folder in
            if folder.hasSuffix(tenant.description), fails.withLock({ $0 }) { throw PersistenceError.unavailable("no") }
            synced.withLock { $0.append(folder) }
        }
        func keep() async throws { try await blobs.keep(bytes, PayloadHash(of: bytes), tenant: tenant) }
        for _ in 0..<2 { await #expect(throws: PersistenceError.self) { try await keep() } }
        #expect(synced.withLock { $0.contains(root) }, "the tenant's folder has its own name there")
        fails.withLock { $0 = false }
        try await keep()
        #expect(synced.withLock { $0.last } == "\(root)/\(tenant)")
        let count = synced.withLock { $0.count }
        try await keep()
        #expect(synced.withLock { $0.count } == count, "it lies there")
    }

    @Test func `a payload whose bytes are gone is told from one that never was`() async throws {
        try await withFixtures(.sqlite) { lease in
            let blobs = FolderBlobs(path: lease.folder + "/blobs")
            let payload = try await PreparedPayload(large(9), tenant: lease.tenant, blobs: blobs)
            _ = try await lease.database.write(in: lease.tenant) { tx in try PayloadStore(tx: tx).store(payload, for: .files) }
            try FileManager.default.removeItem(atPath: blobs.path(payload.hash, lease.tenant))
            await #expect(throws: PersistenceError.self) {
                try await lease.database.read(in: lease.tenant) { tx in try PayloadStore(tx: tx).load(payload.hash, blobs: blobs) }
            }
        }
    }
}
