internal import CZstd
internal import Synchronization

/// Bytes of a column that are kept compressed where that helps. What is kept as it is must not begin as a frame of RFC 8878 does; JSON does not.
package enum PackedBytes {
    package static func pack(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= PayloadStore.compressMinimum, let packed = Zstandard.compress(bytes) else { return bytes }
        return packed
    }

    /// - Throws: `PersistenceError.driver` for data that is damaged.
    package static func unpack(_ bytes: [UInt8]) throws -> [UInt8] {
        guard bytes.starts(with: Zstandard.magic) else { return bytes }
        return try Zstandard.decompress(bytes)
    }
}

/// Compression of payloads (RFC 8878).
enum Zstandard {
    /// What a frame begins with.
    static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    /// Fast: payloads are written in the run's way. A small one takes less than half the time without a code of its own for its letters, and a
    /// quarter more room.
    private static func level(of count: Int) -> CInt { count <= 4_096 ? -3 : 1 }

    /// Nil where it would not get smaller.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let context = contexts.take()
        defer { contexts.put(context) }
        let count = ZSTD_compressCCtx(context, &out, out.count, bytes, bytes.count, level(of: bytes.count))
        guard ZSTD_isError(count) == 0, count < bytes.count else { return nil }
        return Array(out[..<count])
    }

    private static let contexts = Contexts()

    /// Making a context costs more than compressing a small payload with it.
    private final class Contexts: Sendable {
        private static let keptMaximum = 8
        private let kept = Mutex<[UInt]>([])

        func take() -> OpaquePointer? { kept.withLock { $0.popLast() }.flatMap { OpaquePointer(bitPattern: $0) } ?? ZSTD_createCCtx() }

        func put(_ context: OpaquePointer?) {
            let isKept = kept.withLock { kept in
                guard kept.count < Self.keptMaximum else { return false }
                kept.append(UInt(bitPattern: context))
                return true
            }
            if !isKept { ZSTD_freeCCtx(context) }
        }
    }

    /// A frame that tells its own size, as `compress` writes it.
    /// - Throws: `PersistenceError.driver` for data that is damaged.
    static func decompress(_ bytes: [UInt8]) throws -> [UInt8] {
        let size = ZSTD_getFrameContentSize(bytes, bytes.count)
        guard size <= UInt64(unpackedMaximum) else { throw PersistenceError.driver(code: "ZSTD", message: "a stored text is damaged") }
        return try decompress(bytes, count: Int(size))
    }

    /// Far above any text of a journal; the two errors that are told as sizes lie above it too.
    private static let unpackedMaximum = 1 << 30

    /// - Parameter count: the bytes it was compressed from, as stored beside it.
    /// - Throws: `PersistenceError.driver` for data that is damaged.
    static func decompress(_ bytes: [UInt8], count: Int) throws -> [UInt8] {
        var out = [UInt8](repeating: 0, count: max(count, 1))
        let written = ZSTD_decompress(&out, count, bytes, bytes.count)
        guard ZSTD_isError(written) == 0, written == count else {
            throw PersistenceError.driver(code: "ZSTD", message: "a stored payload is damaged")
        }
        return Array(out[..<count])
    }
}
