internal import CZlib
internal import Kernel

/// gzip (RFC 1952) by zlib, for what is packed once and sent many times.
enum Gzip {
    /// 15 bits of window, and 16 for gzip's own header.
    private static let windowBits: Int32 = 15 + 16

    /// The bytes packed as well as zlib can; nil where that makes them no smaller.
    /// - Parameter bytes: at most `Limits.staticFileBytes`.
    static func pack(_ bytes: [UInt8]) -> [UInt8]? {
        precondition(bytes.count <= Limits.staticFileBytes, "a file of the console is bounded")
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        guard deflateInit2_(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK else {
            return nil
        }
        defer { deflateEnd(&stream) }
        var input = bytes
        // Room for one byte less than there was: whatever does not fit is not worth packing.
        var output = [UInt8](repeating: 0, count: max(0, bytes.count - 1))
        let status = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { return nil }
        return Array(output.prefix(output.count - Int(stream.avail_out)))
    }
}
