internal import Crypto
internal import Foundation
internal import Glibc
internal import Kernel

/// A file that is written piece by piece and hashed on the way, on a thread of its own queue. Used by one task.
final class FileDraft: @unchecked Sendable {
    let path: String
    private var file: Int32
    private var hash = SHA256()
    private(set) var byteCount = 0

    /// - Throws: `PersistenceError.diskFull`, `.unavailable`
    init(path: String) throws {
        self.path = path
        file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FileFault.error("created") }
    }

    deinit { close() }

    func write(_ bytes: [UInt8]) throws {
        try FileDraft.write(bytes, to: file)
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        byteCount += bytes.count
    }

    /// Makes it durable.
    func finish() throws -> PayloadHash {
        guard fsync(file) == 0 else { throw FileFault.error("synced") }
        close()
        return PayloadHash(bytes: Array(hash.finalize()))
    }

    func remove() {
        close()
        unlink(path)
    }

    private func close() {
        if file >= 0 { Glibc.close(file) }
        file = -1
    }

    static func write(_ bytes: [UInt8], to file: Int32) throws {
        var place = 0
        while place < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + place, bytes.count - place) }
            guard count > 0 else { throw FileFault.error("written") }
            place += count
        }
    }
}

/// A file that is read piece by piece; closed when nobody reads it any more.
final class FileReading: Sendable {
    private let file: Int32
    let byteCount: Int

    /// - Returns: nil where there is none.
    init?(path: String) throws {
        file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw FileFault.error("read")
        }
        var about = stat()
        guard fstat(file, &about) == 0 else {
            Glibc.close(file)
            throw FileFault.error("read")
        }
        byteCount = Int(about.st_size)
    }

    deinit { Glibc.close(file) }

    /// - Returns: nothing at the end.
    func piece(at offset: Int, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: min(count, max(0, byteCount - offset))) { buffer, filled in
            while filled < buffer.count {
                let count = pread(file, buffer.baseAddress! + filled, buffer.count - filled, off_t(offset + filled))
                guard count > 0 else { throw FileFault.error("read") }
                filled += count
            }
        }
    }

    /// The whole file, each piece read on a thread of `queue`.
    func pieces(_ queue: OperationQueue) -> BytePieces {
        let place = Place()
        return BytePieces { [self] in
            let offset = place.offset
            guard offset < byteCount else { return nil }
            let piece = try await queue.run { [self] in try self.piece(at: offset, count: Limits.pieceBytes) }
            place.offset += piece.count
            return piece
        }
    }

    /// Of one reader, which asks for one piece at a time.
    private final class Place: @unchecked Sendable { var offset = 0 }
}

enum FileFault {
    /// What `errno` says.
    static func error(_ verb: String) -> PersistenceError {
        if errno == ENOSPC || errno == EDQUOT { return .diskFull("The disk is full: make room and try again.") }
        return .unavailable("A stored file could not be \(verb): \(String(cString: strerror(errno)))")
    }
}

extension OperationQueue {
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in addOperation { continuation.resume(with: Result { try work() }) } }
    }
}
