internal import Crypto
internal import Foundation
internal import Glibc
internal import Kernel

/// Reads what `ArchiveWriter` wrote, from beginning to end. Blocks its thread.
package final class ArchiveReader {
    private let descriptor: CInt
    private let path: String
    private let stream = ZstandardStream(compressing: false)
    /// Unpacked and not yet read.
    private var buffer: [UInt8] = []
    private var place = 0
    private var source = [UInt8](repeating: 0, count: 256 << 10)
    private static let chunkBytes = 1 << 20

    package init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw PersistenceError.unavailable("The archive \(path) cannot be read: \(String(cString: strerror(errno))).")
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Goes through all entries in their order.
    /// - Parameter take: gets each entry's name and size first, and answers with what takes its bytes, piece by piece; nil passes it over.
    /// - Returns: the entries with their digests, computed from what was read.
    /// - Throws: where the archive is damaged or cut off, and what `take` throws.
    package func readAll(_ take: (_ name: String, _ byteCount: Int) throws -> (([UInt8]) throws -> Void)?) throws -> [ArchiveEntry] {
        var entries: [ArchiveEntry] = []
        while true {
            let header = try bytes(ArchiveWriter.blockBytes)
            if header.allSatisfy({ $0 == 0 }) { return entries }
            let (name, size) = try Self.parse(header, path)
            let sink = try take(name, size)
            var hash = SHA256()
            var left = size
            while left > 0 {
                let part = try bytes(min(left, Self.chunkBytes))
                hash.update(data: part)
                try sink?(part)
                left -= part.count
            }
            let rest = size % ArchiveWriter.blockBytes
            if rest > 0 { _ = try bytes(ArchiveWriter.blockBytes - rest) }
            entries.append(ArchiveEntry(name: name, byteCount: size, digest: hash.finalize().hexText))
        }
    }

    private func bytes(_ count: Int) throws -> [UInt8] {
        while buffer.count - place < count {
            if place > 0 {
                buffer.removeFirst(place)
                place = 0
            }
            let found = read(descriptor, &source, source.count)
            if found < 0, errno == EINTR { continue }
            guard found > 0 else { throw PersistenceError.unavailable("The archive \(path) ends too early: it is damaged or was cut off.") }
            do {
                try stream.decompress(source[..<found]) { buffer.append(contentsOf: $0) }
            } catch {
                throw PersistenceError.unavailable("The archive \(path) is damaged.")
            }
        }
        defer { place += count }
        return Array(buffer[place..<place + count])
    }

    private static func parse(_ block: [UInt8], _ path: String) throws -> (name: String, size: Int) {
        func text(_ start: Int, _ length: Int) -> String { String(decoding: block[start..<start + length].prefix { $0 != 0 }, as: UTF8.self) }
        let damaged = PersistenceError.unavailable("The archive \(path) is damaged.")
        var summed = block
        for index in 148..<156 { summed[index] = 32 }
        let sum = summed.reduce(0) { $0 + Int($1) }
        guard Int(text(148, 8).filter { $0 != " " }, radix: 8) == sum, text(257, 5) == "ustar", block[156] == UInt8(ascii: "0") else { throw damaged }
        let size: Int
        if block[124] & 0x80 != 0 {
            size = block[128..<136].reduce(0) { $0 << 8 | Int($1) }
        } else {
            guard let octal = Int(text(124, 12).filter { $0 != " " }, radix: 8) else { throw damaged }
            size = octal
        }
        guard size >= 0 else { throw damaged }
        let prefix = text(345, 155)
        return (prefix.isEmpty ? text(0, 100) : prefix + "/" + text(0, 100), size)
    }
}
