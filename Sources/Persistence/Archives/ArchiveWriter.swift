internal import Crypto
internal import Foundation
internal import Glibc
internal import Kernel

/// A file of an archive, as its manifest lists it.
package struct ArchiveEntry: Sendable, Hashable {
    package var name: String
    package var byteCount: Int
    /// SHA-256 in hex.
    package var digest: String

    package init(name: String, byteCount: Int, digest: String) {
        self.name = name
        self.byteCount = byteCount
        self.digest = digest
    }
}

/// Writes a tar archive (POSIX ustar) compressed with zstd in one pass, so that `tar --zstd` reads it anywhere. Blocks its thread.
package final class ArchiveWriter {
    static let blockBytes = 512
    private static let chunkBytes = 1 << 20
    private let descriptor: CInt
    private let path: String
    private let stream = ZstandardStream(compressing: true)
    private let seconds: Int

    /// - Throws: where there is a file already, or none can be made.
    package init(path: String, seconds: Int) throws {
        self.path = path
        self.seconds = seconds
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw PersistenceError.unavailable("The archive \(path) cannot be made: \(String(cString: strerror(errno))).")
        }
    }

    deinit { Glibc.close(descriptor) }

    @discardableResult
    package func add(_ name: String, bytes: [UInt8]) throws -> ArchiveEntry {
        try put(try Self.header(name, bytes.count, seconds))
        try put(bytes)
        try pad(bytes.count)
        return ArchiveEntry(name: name, byteCount: bytes.count, digest: SHA256.hash(data: bytes).hexText)
    }

    /// - Throws: also where the file changes its size meanwhile.
    package func add(_ name: String, file: String) throws -> ArchiveEntry {
        let source = open(file, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw PersistenceError.unavailable("\(file) cannot be read: \(String(cString: strerror(errno))).") }
        defer { Glibc.close(source) }
        var about = stat()
        guard fstat(source, &about) == 0 else { throw PersistenceError.unavailable("\(file) cannot be read: \(String(cString: strerror(errno))).") }
        let size = Int(about.st_size)
        try put(try Self.header(name, size, seconds))
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: Self.chunkBytes)
        var left = size
        while left > 0 {
            let count = read(source, &buffer, min(left, buffer.count))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw PersistenceError.unavailable("\(file) changed while it was archived.") }
            let part = Array(buffer[..<count])
            hash.update(data: part)
            try put(part)
            left -= count
        }
        try pad(size)
        return ArchiveEntry(name: name, byteCount: size, digest: hash.finalize().hexText)
    }

    /// Ends the archive; what it holds is durable then.
    package func finish() throws {
        try put([UInt8](repeating: 0, count: 2 * Self.blockBytes))
        try stream.compress([], isLast: true, write)
        guard fsync(descriptor) == 0 else { throw failure() }
    }

    private func put(_ bytes: [UInt8]) throws { try stream.compress(bytes, isLast: false, write) }

    private func pad(_ count: Int) throws {
        let rest = count % Self.blockBytes
        if rest > 0 { try put([UInt8](repeating: 0, count: Self.blockBytes - rest)) }
    }

    private func write(_ bytes: ArraySlice<UInt8>) throws {
        var place = bytes.startIndex
        while place < bytes.endIndex {
            let count = bytes[place...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            place += count
        }
    }

    private func failure() -> PersistenceError {
        if errno == ENOSPC || errno == EDQUOT { return .diskFull("The disk is full: the archive \(path) could not be finished.") }
        return .unavailable("The archive \(path) cannot be written: \(String(cString: strerror(errno))).")
    }

    /// One header block; sizes of 8 GiB and more are written in binary, as GNU tar does.
    static func header(_ name: String, _ size: Int, _ seconds: Int) throws -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockBytes)
        func put(_ text: String, at place: Int) { for (index, byte) in text.utf8.enumerated() { block[place + index] = byte } }
        func octal(_ value: Int, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
        }
        let (prefix, last) = try split(name)
        put(last, at: 0)
        put(octal(0o600, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        if size < 1 << 33 {
            put(octal(size, 11), at: 124)
        } else {
            block[124] = 0x80
            for index in 0..<8 { block[128 + index] = UInt8(truncatingIfNeeded: size >> (56 - 8 * index)) }
        }
        put(octal(seconds, 11), at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar\u{0}00", at: 257)
        put(prefix, at: 345)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, 6) + "\u{0} ", at: 148)
        return block
    }

    /// A long name is parted at a slash: up to 155 bytes before it, up to 100 behind.
    private static func split(_ name: String) throws -> (prefix: String, last: String) {
        if name.utf8.count <= 100 { return ("", name) }
        for index in name.indices where name[index] == "/" {
            let (prefix, last) = (String(name[..<index]), String(name[name.index(after: index)...]))
            if prefix.utf8.count <= 155, last.utf8.count <= 100 { return (prefix, last) }
        }
        throw PersistenceError.unavailable("The name \(name) is too long for an archive.")
    }

}
