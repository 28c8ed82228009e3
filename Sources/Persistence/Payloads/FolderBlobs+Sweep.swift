internal import Foundation
internal import Glibc
package import Kernel
internal import Synchronization

extension FolderBlobs {
    /// Removes files whose row was never written or has been deleted, and drafts of a write that was cut off, once they are older than `grace`,
    /// which is longer than any transaction waits between its blob and its row.
    ///
    /// Their age is told by what stamps them, which stamps a mark at each sweep. What came after the last mark stays, so that a clock that has
    /// jumped makes nothing old at once.
    /// - Returns: how many files were removed.
    @discardableResult
    package func sweep(_ database: any Database, of tenants: Set<TenantID>, olderThan grace: Duration) async throws -> Int {
        guard let (last, now) = try stamp() else { return 0 }
        let limit = min(now - grace, last)
        var removed = 0
        for folder in (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [] {
            guard let tenant = TenantID(folder), tenants.contains(tenant) else { continue }
            let old = ((try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)")) ?? []).filter { name in
                changed(at: "\(root)/\(folder)/\(name)").map { $0 <= limit } ?? false
            }
            for start in stride(from: 0, to: old.count, by: Self.sweepBatch) {
                let names = Array(old[start..<min(start + Self.sweepBatch, old.count)])
                let used = Set(try await used(names.compactMap(PayloadHash.init(hex:)), by: tenant, in: database).map(\.hex))
                for name in names where !used.contains(name) && remove("\(root)/\(folder)/\(name)", ifOlderThan: limit) { removed += 1 }
            }
        }
        return removed
    }

    /// The file that tells when a sweep was, by the file system.
    static let mark = ".swept"

    /// - Returns: when the last sweep was, and now; nil at the first one.
    private func stamp() throws -> (last: Timestamp, now: Timestamp)? {
        guard FileManager.default.fileExists(atPath: root) else { return nil }
        let path = "\(root)/\(Self.mark)"
        let last = changed(at: path)
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FileFault.error("created") }
        defer { Glibc.close(file) }
        guard futimens(file, nil) == 0 else { throw FileFault.error("stamped") }
        guard let last, let now = changed(at: path) else { return nil }
        return (last, now)
    }

    private func remove(_ path: String, ifOlderThan limit: Timestamp) -> Bool {
        Self.sweeping.withLock { _ in
            guard let time = changed(at: path), time <= limit else { return false }
            return unlink(path) == 0
        }
    }

    private func changed(at path: String) -> Timestamp? {
        var about = stat()
        guard stat(path, &about) == 0 else { return nil }
        return Timestamp(microseconds: Int64(about.st_mtim.tv_sec) * 1_000_000 + Int64(about.st_mtim.tv_nsec) / 1_000)
    }
}

extension PayloadHash {
    /// The file's name; nil for any other text.
    package init?(hex: String) {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 64, hex.utf8.count == 64 else { return nil }
        self.init(bytes: stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
    }
}
