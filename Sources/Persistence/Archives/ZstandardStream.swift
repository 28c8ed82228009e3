internal import CZstd

/// Compresses or decompresses piece by piece; not to be shared between threads.
final class ZstandardStream {
    private let compressor: OpaquePointer?
    private let decompressor: OpaquePointer?
    private var buffer: [UInt8]

    /// Denser than payloads are: an archive is written once and kept.
    private static let level: CInt = 3

    init(compressing: Bool) {
        compressor = compressing ? ZSTD_createCCtx() : nil
        decompressor = compressing ? nil : ZSTD_createDCtx()
        buffer = [UInt8](repeating: 0, count: compressing ? ZSTD_CStreamOutSize() : ZSTD_DStreamOutSize())
        if let compressor {
            ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, Self.level)
            ZSTD_CCtx_setParameter(compressor, ZSTD_c_checksumFlag, 1)
        }
    }

    deinit {
        ZSTD_freeCCtx(compressor)
        ZSTD_freeDCtx(decompressor)
    }

    /// - Parameter isLast: ends the frame.
    func compress(_ bytes: [UInt8], isLast: Bool, _ emit: (ArraySlice<UInt8>) throws -> Void) throws {
        try bytes.withUnsafeBytes { source in
            var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
            while true {
                let (left, count) = buffer.withUnsafeMutableBytes { target in
                    var output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                    let left = ZSTD_compressStream2(compressor, &output, &input, isLast ? ZSTD_e_end : ZSTD_e_continue)
                    return (left, output.pos)
                }
                guard ZSTD_isError(left) == 0 else { throw Self.failure }
                if count > 0 { try emit(buffer[..<count]) }
                if isLast ? left == 0 : input.pos == input.size { return }
            }
        }
    }

    func decompress(_ bytes: ArraySlice<UInt8>, _ emit: (ArraySlice<UInt8>) throws -> Void) throws {
        try bytes.withUnsafeBytes { source in
            var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
            var isFull = true
            // A full buffer may hide more of the same input.
            while input.pos < input.size || isFull {
                let (left, count, size) = buffer.withUnsafeMutableBytes { target in
                    var output = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                    let left = ZSTD_decompressStream(decompressor, &output, &input)
                    return (left, output.pos, target.count)
                }
                guard ZSTD_isError(left) == 0 else { throw Self.failure }
                if count > 0 { try emit(buffer[..<count]) }
                isFull = count == size
            }
        }
    }

    private static let failure = PersistenceError.driver(code: "ZSTD", message: "the archive is damaged")
}
