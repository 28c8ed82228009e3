internal import Foundation
package import Kernel
internal import Synchronization

/// Blobs in a bucket of a store that speaks S3, at `prefix/tenant/hash`, for deployments on several machines.
///
/// An object is written whole or not at all, and whoever keeps bytes that are there already writes them again: its age is that of its last use, which
/// is what a sweep goes by. Requests are signed and sent by whoever makes this (see `Exchange`).
package struct S3Blobs: BlobStore {
    package struct Request: Sendable {
        package var method: String
        /// Within the bucket, not escaped; nil for the bucket itself.
        package var key: String?
        package var query: [(name: String, value: String)] = []
        package var body: [UInt8] = []
        /// A body that is sent piece by piece in the place of `body`: opened anew for each try.
        package var file: File?
        /// Which bytes of an object are asked for; nil for all.
        package var range: Range<Int>?
    }

    package struct File: Sendable {
        package var hash: PayloadHash
        package var byteCount: Int
        package var open: @Sendable () async throws -> BytePieces
    }

    package struct Answer: Sendable {
        package var status: Int
        package var body: [UInt8]
        /// When the object was last written.
        package var modified: Timestamp?
        /// When the store answered, by its own clock.
        package var time: Timestamp?
        package init(status: Int, body: [UInt8], modified: Timestamp? = nil, time: Timestamp? = nil) {
            self.status = status
            self.body = body
            self.modified = modified
            self.time = time
        }
    }

    /// Carries one request to the store; throws where no answer comes.
    package typealias Exchange = @Sendable (Request) async throws -> Answer

    private let prefix: String
    private let exchange: Exchange
    private let onClose: @Sendable () async -> Void
    /// Tries of one request, and the wait before the second one, which doubles.
    private static let triesMaximum = 4
    private static let firstWait: Duration = .milliseconds(100)
    /// How long a thread of the database waits for an object.
    private static let loadSeconds = 60.0
    private static let pagesMaximum = 100_000
    /// Bytes of an object that one request asks for.
    private static let rangeBytes = 4 << 20

    /// - Parameter prefix: of all keys, without a slash at its ends; may be empty.
    package init(prefix: String, exchange: @escaping Exchange, onClose: @escaping @Sendable () async -> Void = {}) {
        self.prefix = prefix.isEmpty ? "" : prefix + "/"
        self.exchange = exchange
        self.onClose = onClose
    }

    package func close() async { await onClose() }

    package func keep(_ bytes: [UInt8], _ hash: PayloadHash, tenant: TenantID) async throws {
        let answer = try await send(Request(method: "PUT", key: key(hash, tenant), body: bytes))
        guard answer.status < 300 else { throw Self.failure("written", answer) }
    }

    /// Gathers the bytes in a file of this machine, since an object is named by the hash of all of them and announced with its length.
    package func keep(_ pieces: BytePieces, tenant: TenantID) async throws -> (hash: PayloadHash, byteCount: Int) {
        let spool = FileManager.default.temporaryDirectory.appending(path: "aias-spool-\(UUID().uuidString)", directoryHint: .isDirectory).path
        defer { try? FileManager.default.removeItem(atPath: spool) }
        let folder = FolderBlobs(path: spool)
        let (hash, byteCount) = try await folder.keep(pieces, tenant: tenant)
        let file = File(hash: hash, byteCount: byteCount) {
            guard let pieces = try await folder.pieces(hash, byteCount: byteCount, tenant: tenant) else { throw FileFault.error("read") }
            return pieces
        }
        let answer = try await send(Request(method: "PUT", key: key(hash, tenant), file: file))
        guard answer.status < 300 else { throw Self.failure("written", answer) }
        return (hash, byteCount)
    }

    /// Asks for one range of the object after the other.
    package func pieces(_ hash: PayloadHash, byteCount: Int, tenant: TenantID) async throws -> BytePieces? {
        let key = key(hash, tenant)
        let first = try await part(key, from: 0, of: byteCount)
        guard let first else { return nil }
        let state = Parts(first)
        return BytePieces {
            if let first = state.first {
                (state.first, state.offset) = (nil, first.count)
                return first
            }
            guard state.offset < byteCount else { return nil }
            guard let part = try await part(key, from: state.offset, of: byteCount) else {
                throw PersistenceError.driver(code: "BLOB", message: "the object of the payload \(hash.hex) is gone")
            }
            state.offset += part.count
            return part
        }
    }

    private func part(_ key: String, from offset: Int, of byteCount: Int) async throws -> [UInt8]? {
        let range = offset..<min(offset + Self.rangeBytes, byteCount)
        let answer = try await send(Request(method: "GET", key: key, range: range))
        if answer.status == 404 { return nil }
        guard answer.status < 300, answer.body.count == range.count else { throw Self.failure("read", answer) }
        return answer.body
    }

    /// Of one reader, which asks for one piece at a time.
    private final class Parts: @unchecked Sendable {
        var first: [UInt8]?
        var offset = 0
        init(_ first: [UInt8]) { self.first = first }
    }

    /// Called on a thread of the database, which waits.
    package func load(_ hash: PayloadHash, tenant: TenantID) throws -> [UInt8]? {
        let request = Request(method: "GET", key: key(hash, tenant))
        let answer = try Self.waiting { try await send(request) }
        if answer.status == 404 { return nil }
        guard answer.status < 300 else { throw Self.failure("read", answer) }
        guard PayloadHash(of: answer.body) == hash else {
            throw PersistenceError.driver(code: "BLOB", message: "the object of the payload \(hash.hex) holds other bytes")
        }
        return answer.body
    }

    /// A store that does not tell its time is not swept.
    @discardableResult
    package func sweep(_ database: any Database, of tenants: Set<TenantID>, olderThan grace: Duration) async throws -> Int {
        var removed = 0
        var token: String?
        for _ in 0..<Self.pagesMaximum {
            let page = try await list(after: token)
            guard let limit = page.time.map({ $0 - grace }) else { break }
            var old: [TenantID: [PayloadHash]] = [:]
            for entry in page.entries where entry.modified < limit {
                guard let (tenant, hash) = parts(entry.key), tenants.contains(tenant) else { continue }
                old[tenant, default: []].append(hash)
            }
            for (tenant, hashes) in old {
                for start in stride(from: 0, to: hashes.count, by: Self.sweepBatch) {
                    let batch = Array(hashes[start..<min(start + Self.sweepBatch, hashes.count)])
                    let used = try await used(batch, by: tenant, in: database)
                    for hash in batch where !used.contains(hash) {
                        if try await remove(hash, tenant, ifOlderThan: grace) { removed += 1 }
                    }
                }
            }
            guard let next = page.next else { break }
            token = next
        }
        return removed
    }

    /// Looks at its age once more, since it may have been written again after it was listed.
    private func remove(_ hash: PayloadHash, _ tenant: TenantID, ifOlderThan grace: Duration) async throws -> Bool {
        let key = key(hash, tenant)
        let head = try await send(Request(method: "HEAD", key: key))
        guard let modified = head.modified, let time = head.time, modified < time - grace else { return false }
        let answer = try await send(Request(method: "DELETE", key: key))
        guard answer.status < 300 || answer.status == 404 else { throw Self.failure("removed", answer) }
        return true
    }

    private func key(_ hash: PayloadHash, _ tenant: TenantID) -> String { "\(prefix)\(tenant)/\(hash.hex)" }

    private func parts(_ key: String) -> (TenantID, PayloadHash)? {
        guard key.hasPrefix(prefix) else { return nil }
        let parts = key.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let tenant = TenantID(String(parts[0])), let hash = PayloadHash(hex: String(parts[1])) else { return nil }
        return (tenant, hash)
    }

    private func list(after token: String?) async throws -> S3Listing {
        var query = [(name: "list-type", value: "2"), (name: "prefix", value: prefix)]
        if let token { query.append((name: "continuation-token", value: token)) }
        let answer = try await send(Request(method: "GET", key: nil, query: query))
        guard answer.status < 300 else { throw Self.failure("listed", answer) }
        var listing = S3Listing(answer.body)
        listing.time = answer.time
        return listing
    }

    /// A store that is busy or away is asked again.
    private func send(_ request: Request) async throws -> Answer {
        var wait = Self.firstWait
        for _ in 1..<Self.triesMaximum {
            do {
                let answer = try await exchange(request)
                if answer.status < 500, answer.status != 429 { return answer }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                // Whatever it was, it is tried again.
            }
            try await Task.sleep(for: wait)
            wait = wait * 2
        }
        do { return try await exchange(request) } catch {
            throw PersistenceError.unavailable("The store of large payloads does not answer: \(error)")
        }
    }

    private static func failure(_ verb: String, _ answer: Answer) -> PersistenceError {
        let words = String(decoding: answer.body.prefix(300), as: UTF8.self)
        return .unavailable("An object could not be \(verb): the store answered \(answer.status) \(words)")
    }

    private static func waiting<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let (result, done) = (Reply<Value>(), DispatchSemaphore(value: 0))
        let task = Task.detached {
            let outcome: Result<Value, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            result.value.withLock { $0 = outcome }
            done.signal()
        }
        guard done.wait(timeout: .now() + loadSeconds) == .success, let outcome = result.value.withLock({ $0 }) else {
            task.cancel()
            throw PersistenceError.unavailable("The store of large payloads does not answer.")
        }
        return try outcome.get()
    }

    private final class Reply<Value: Sendable>: Sendable {
        let value = Mutex<Result<Value, any Error>?>(nil)
    }
}

/// What ListObjectsV2 answers (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html), as far as a sweep needs it. Keys of ours need no
/// escapes in XML; any others are none of ours.
struct S3Listing {
    var entries: [(key: String, modified: Timestamp)] = []
    var next: String?
    /// When the store gave it, by its own clock.
    var time: Timestamp?

    init(_ xml: [UInt8]) {
        let text = String(decoding: xml, as: UTF8.self)
        for part in text.split(separator: "<Contents>").dropFirst() {
            guard let key = Self.element("Key", in: part), let time = Self.element("LastModified", in: part).flatMap({ Timestamp($0) }) else {
                continue
            }
            entries.append((key, time))
        }
        if Self.element("IsTruncated", in: text[...]) == "true" { next = Self.element("NextContinuationToken", in: text[...]).map(Self.unescaped) }
    }

    private static func element(_ name: String, in text: Substring) -> String? {
        guard let start = text.firstRange(of: "<\(name)>"), let end = text[start.upperBound...].firstRange(of: "</\(name)>") else { return nil }
        return String(text[start.upperBound..<end.lowerBound])
    }

    private static func unescaped(_ text: String) -> String {
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&amp;", "&")].reduce(text) {
            $0.replacing($1.0, with: $1.1)
        }
    }
}
