internal import CZstd

/// Compression of payloads (RFC 8878).
enum Zstandard {
    /// Fast: payloads are written in the run's way.
    private static let level: CInt = 1

    /// Nil where it would not get smaller.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var out = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let count = ZSTD_compress(&out, out.count, bytes, bytes.count, level)
        guard ZSTD_isError(count) == 0, count < bytes.count else { return nil }
        return Array(out[..<count])
    }

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
