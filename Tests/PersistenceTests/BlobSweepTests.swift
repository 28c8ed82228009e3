import Foundation
import Kernel
@testable import Persistence
import TestKit
import Testing

@Suite struct BlobSweepTests {
    private func large(_ seed: Int) -> [UInt8] { (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* seed) } }
    /// The files' own times are the machine's, not the test's: a clock that is an hour ahead makes all of them old.
    private let later = Clock { Timestamp(microseconds: Clock.system.now().microseconds + 3_600_000_000) }

    @Test(arguments: DatabaseEngine.allCases)
    func `a sweep removes what no row names and leaves what is new or in use`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            let blobs = FolderBlobs(path: lease.folder + "/blobs")
            let kept = try await PreparedPayload(large(3), tenant: lease.tenant, blobs: blobs)
            let orphan = try await PreparedPayload(large(5), tenant: lease.tenant, blobs: blobs)
            _ = try await lease.database.write(in: lease.tenant) { tx in try PayloadStore(tx: tx).store(kept, for: .files) }
            #expect(try await blobs.sweep(lease.database, of: [lease.tenant, lease.other], olderThan: .seconds(60)) == 0)
            #expect(try await blobs.sweep(lease.database, of: [lease.tenant, lease.other], olderThan: .seconds(60), clock: later) == 1)
            #expect(try blobs.load(orphan.hash, tenant: lease.tenant) == nil)
            #expect(try blobs.load(kept.hash, tenant: lease.tenant) == large(3))
        }
    }

    @Test func `an old file that is used again is new again`() async throws {
        try await withFixtures(.sqlite) { lease in
            let blobs = FolderBlobs(path: lease.folder + "/blobs")
            let payload = try await PreparedPayload(large(7), tenant: lease.tenant, blobs: blobs)
            let old = [FileAttributeKey.modificationDate: Date(timeIntervalSince1970: 1_000)]
            try FileManager.default.setAttributes(old, ofItemAtPath: blobs.path(payload.hash, lease.tenant))
            _ = try await PreparedPayload(large(7), tenant: lease.tenant, blobs: blobs)
            #expect(try await blobs.sweep(lease.database, of: [lease.tenant, lease.other], olderThan: .seconds(600)) == 0)
        }
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
