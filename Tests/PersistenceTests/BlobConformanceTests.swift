import Foundation
import Kernel
import Outbound
@testable import Persistence
import TestKit
import Testing

/// What every place for large payloads does alike: a folder, and a bucket of a real S3 server.
@Suite(.serialized, .timeLimit(.minutes(3))) struct BlobConformanceTests {
    enum Place: String, CaseIterable { case folder, bucket }

    private func large(_ seed: Int) -> [UInt8] { (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* seed) } }
    /// Stores go by the machine's own time: a clock that is an hour ahead makes all they hold old.
    private let later = Clock { Timestamp(microseconds: Clock.system.now().microseconds + 3_600_000_000) }

    private func withBlobs(
        _ place: Place, _ engine: DatabaseEngine = .sqlite, _ body: (any BlobStore, DatabaseLease) async throws -> Void
    ) async throws {
        guard place == .bucket else {
            return try await withFixtures(engine) { lease in try await body(FolderBlobs(path: lease.folder + "/blobs"), lease) }
        }
        let server = try await ServiceProcess { port, _ in [ServiceProcess.python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"] }
        defer { server.stop() }
        let signer = RequestSigner(accessKey: "key", secret: "secret", region: "us-east-1", service: "s3")
        let bucket = try S3Bucket("box", endpoint: "http://127.0.0.1:\(server.port)", signer: signer)
        #expect(try await bucket.send("PUT", key: nil).status == 200)
        let blobs = S3Blobs(
            prefix: "some/where",
            exchange: { request in
                let answer = try await bucket.send(request.method, key: request.key, query: request.query, body: request.body)
                return S3Blobs.Answer(status: answer.status, body: answer.body, modified: answer.modified(now: Clock.system.now()))
            }, onClose: { await bucket.close() })
        try await withFixtures(engine) { lease in
            do { try await body(blobs, lease) } catch {
                await blobs.close()
                throw error
            }
            await blobs.close()
        }
    }

    /// On a thread of its own, as a database's are: a load waits.
    private func load(_ blobs: any BlobStore, _ hash: PayloadHash, _ tenant: TenantID) async throws -> [UInt8]? {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try blobs.load(hash, tenant: tenant) }) }
        }
    }

    @Test(arguments: Place.allCases)
    func `what is kept is loaded, by its tenant alone`(_ place: Place) async throws {
        try await withBlobs(place) { blobs, lease in
            let bytes = large(3)
            let hash = PayloadHash(of: bytes)
            for _ in 0..<2 { try await blobs.keep(bytes, hash, tenant: lease.tenant) }
            #expect(try await load(blobs, hash, lease.tenant) == bytes)
            #expect(try await load(blobs, hash, lease.other) == nil)
            #expect(try await load(blobs, PayloadHash(of: [1]), lease.tenant) == nil)
        }
    }

    @Test(arguments: Place.allCases)
    func `many at once are all kept`(_ place: Place) async throws {
        try await withBlobs(place) { blobs, lease in
            let all = (1...20).map { large($0 * 2 + 1) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for bytes in all { group.addTask { try await blobs.keep(bytes, PayloadHash(of: bytes), tenant: lease.tenant) } }
                try await group.waitForAll()
            }
            for bytes in all { #expect(try await load(blobs, PayloadHash(of: bytes), lease.tenant) == bytes) }
        }
    }

    @Test(arguments: Place.allCases, DatabaseEngine.allCases)
    func `a sweep removes what no row names and is old, of every tenant`(_ place: Place, _ engine: DatabaseEngine) async throws {
        try await withBlobs(place, engine) { blobs, lease in
            let kept = try await PreparedPayload(large(3), tenant: lease.tenant, blobs: blobs)
            let orphan = try await PreparedPayload(large(5), tenant: lease.tenant, blobs: blobs)
            let foreign = try await PreparedPayload(large(3), tenant: lease.other, blobs: blobs)
            _ = try await lease.database.write(in: lease.tenant) { tx in try PayloadStore(tx: tx).store(kept, for: .files) }
            #expect(try await blobs.sweep(lease.database, olderThan: .seconds(60), clock: .system) == 0)
            #expect(try await blobs.sweep(lease.database, olderThan: .seconds(60), clock: later) == 2)
            #expect(try await load(blobs, orphan.hash, lease.tenant) == nil)
            #expect(try await load(blobs, foreign.hash, lease.other) == nil)
            let read = try await lease.database.read(in: lease.tenant) { tx in try PayloadStore(tx: tx).load(kept.hash, blobs: blobs) }
            #expect(read == large(3))
        }
    }

    @Test func `a listing is read page by page`() {
        let page = S3Listing(
            Array(
                """
                <ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>
                <Contents><Key>p/t/h</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>
                <Contents><Key>p/t/i</Key><LastModified>2026-01-02T03:04:06Z</LastModified></Contents></ListBucketResult>
                """.utf8))
        #expect(page.entries.map(\.key) == ["p/t/h", "p/t/i"] && page.next == "a&b")
        #expect(page.entries.first?.modified == Timestamp("2026-01-02T03:04:05Z"))
    }

    @Test func `a store that is away is asked again, and then it is said`() async throws {
        let calls = Calls()
        let blobs = S3Blobs(prefix: "") { _ in
            let count = calls.next()
            if count == 1 { throw OutboundError(.unreachable, "away") }
            return S3Blobs.Answer(status: count == 2 ? 503 : 200, body: [])
        }
        try await blobs.keep([1], PayloadHash(of: [1]), tenant: TenantID(high: 1, low: 1))
        #expect(calls.next() == 4)
        let gone = S3Blobs(prefix: "") { _ in throw OutboundError(.unreachable, "away") }
        await #expect(throws: PersistenceError.self) { try await gone.keep([1], PayloadHash(of: [1]), tenant: TenantID(high: 1, low: 1)) }
    }

    private final class Calls: @unchecked Sendable {
        private let lock = NSLock()
        private var count = 0
        func next() -> Int {
            lock.withLock {
                count += 1
                return count
            }
        }
    }
}
