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
    /// Stores go by their own time: all that they hold is older than what is yet to come.
    private let anyAge: Duration = .seconds(-60)

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
                let answer = try await bucket.send(
                    request.method, key: request.key, query: request.query, body: request.body,
                    file: request.file.map { S3Bucket.File(digest: $0.hash.hex, byteCount: $0.byteCount, open: $0.open) }, range: request.range)
                let now = Clock.system.now()
                return S3Blobs.Answer(status: answer.status, body: answer.body, modified: answer.modified(now: now), time: answer.sent(now: now))
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

    private func pieces(_ bytes: [UInt8], of size: Int) -> BytePieces {
        BytePieces { continuation in
            for start in stride(from: 0, to: bytes.count, by: size) { continuation.yield(Array(bytes[start..<min(start + size, bytes.count)])) }
            continuation.finish()
        }
    }

    @Test(arguments: Place.allCases)
    func `what comes piece by piece is kept under the same name, and given out so`(_ place: Place) async throws {
        try await withBlobs(place) { blobs, lease in
            let bytes = (0..<80).flatMap { large($0) }
            let kept = try await blobs.keep(pieces(bytes, of: 70_000), tenant: lease.tenant)
            #expect(kept.hash == PayloadHash(of: bytes) && kept.byteCount == bytes.count)
            #expect(try await load(blobs, kept.hash, lease.tenant) == bytes)
            let given = try #require(try await blobs.pieces(kept.hash, byteCount: kept.byteCount, tenant: lease.tenant))
            var (whole, most): ([UInt8], Int) = ([], 0)
            for try await piece in given {
                whole += piece
                most = max(most, piece.count)
            }
            #expect(whole == bytes && most < bytes.count)
            #expect(try await blobs.pieces(kept.hash, byteCount: kept.byteCount, tenant: lease.other) == nil)
        }
    }

    @Test(arguments: Place.allCases)
    func `pieces that end early or are too many leave nothing`(_ place: Place) async throws {
        struct Cut: Error {}
        try await withBlobs(place) { blobs, lease in
            let first = large(5)
            let cut = BytePieces { continuation in
                continuation.yield(first)
                continuation.finish(throwing: Cut())
            }
            await #expect(throws: Cut.self) { try await PreparedPayload(cut, tenant: lease.tenant, blobs: blobs) }
            let many = pieces(large(6), of: 1_000)
            await #expect(throws: Refusal.self) { try await PreparedPayload(many, upTo: 50_000, tenant: lease.tenant, blobs: blobs) }
            let small = try await PreparedPayload(pieces([1, 2, 3], of: 2), tenant: lease.tenant, blobs: blobs)
            #expect(small == PreparedPayload([1, 2, 3]))
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
            #expect(try await blobs.sweep(lease.database, of: [lease.tenant, lease.other], olderThan: .seconds(60)) == 0)
            #expect(try await blobs.sweep(lease.database, of: [lease.tenant, lease.other], olderThan: anyAge) == 2)
            #expect(try await load(blobs, orphan.hash, lease.tenant) == nil)
            #expect(try await load(blobs, foreign.hash, lease.other) == nil)
            let elsewhere = try await PreparedPayload(large(7), tenant: lease.other, blobs: blobs)
            #expect(try await blobs.sweep(lease.database, of: [lease.tenant], olderThan: anyAge) == 0)
            #expect(try await load(blobs, elsewhere.hash, lease.other) == large(7))
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
