internal import CZlib

/// gzip (RFC 1952) with zlib.
enum Gzip {
    /// 15 bits of window, and 16 for gzip's own header.
    private static let windowBits: Int32 = 15 + 16

    static func pack(_ bytes: [UInt8]) throws -> [UInt8] {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        guard deflateInit2_(&stream, 6, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK else {
            throw Fault("internal", "zlib did not start")
        }
        defer { deflateEnd(&stream) }
        return try run(&stream, bytes) {
            deflate($0, Z_FINISH)
        } check: { _ in
        }
    }

    /// All members of the file, one after the other.
    static func unpack(_ bytes: [UInt8], limits: UnpackLimits) throws -> [UInt8] {
        var rest = bytes[...]
        var all: [UInt8] = []
        repeat {
            var stream = z_stream()
            guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
                throw Fault("internal", "zlib did not start")
            }
            defer { inflateEnd(&stream) }
            let before = all.count
            all += try run(&stream, Array(rest)) {
                inflate($0, Z_NO_FLUSH)
            } check: {
                try limits.check(unpacked: before + $0, packed: bytes.count)
            }
            rest = rest.suffix(Int(stream.avail_in))
        } while rest.starts(with: [0x1f, 0x8b])
        return all
    }

    private static func run(
        _ stream: inout z_stream, _ bytes: [UInt8], step: (UnsafeMutablePointer<z_stream>) -> Int32, check: (Int) throws -> Void
    ) throws -> [UInt8] {
        var input = bytes
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = input.count
        return try input.withUnsafeMutableBufferPointer { buffer in
            stream.next_in = buffer.baseAddress
            stream.avail_in = UInt32(count)
            while true {
                let status: Int32 = chunk.withUnsafeMutableBufferPointer { chunk in
                    stream.next_out = chunk.baseAddress
                    stream.avail_out = UInt32(chunk.count)
                    return withUnsafeMutablePointer(to: &stream) { step($0) }
                }
                out.append(contentsOf: chunk[..<(chunk.count - Int(stream.avail_out))])
                try check(out.count)
                if status == Z_STREAM_END { return out }
                guard status == Z_OK, stream.avail_in > 0 || stream.avail_out == 0 else {
                    throw Fault("unreadable_file", "the file is no gzip file, or it is cut off")
                }
            }
        }
    }
}
