internal import CZip
internal import Glibc

/// An archive in memory, read with libzip within limits that count over all that is read of it.
final class ZipReader {
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private let archive: OpaquePointer
    private let limits: UnpackLimits
    private var unpacked = 0
    let entries: [String]

    init(_ file: [UInt8], limits: UnpackLimits) throws {
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, file.count))
        _ = bytes.initialize(from: file)
        var error = zip_error_t()
        zip_error_init(&error)
        guard let source = zip_source_buffer_create(bytes.baseAddress, zip_uint64_t(file.count), 0, &error),
            let archive = zip_open_from_source(source, Int32(ZIP_RDONLY), &error)
        else { throw Fault("unreadable_file", "the file is no zip archive") }
        self.bytes = bytes
        self.archive = archive
        self.limits = limits
        let count = Int(zip_get_num_entries(archive, 0))
        guard count <= limits.entries else { throw Fault("file_too_large", "the archive has more than \(limits.entries) entries") }
        entries = (0..<count).map { index in zip_get_name(archive, zip_uint64_t(index), 0).map { String(cString: $0) } ?? "" }
    }

    deinit {
        zip_discard(archive)
        bytes.deallocate()
    }

    /// The content of an entry, nil where there is none of this name.
    func read(_ name: String) throws -> [UInt8]? {
        guard let index = entries.firstIndex(of: name) else { return nil }
        guard let file = zip_fopen_index(archive, zip_uint64_t(index), 0) else {
            throw Fault("unreadable_file", "the entry '\(name)' is encrypted or damaged")
        }
        defer { zip_fclose(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Int(zip_fread(file, &chunk, zip_uint64_t(chunk.count)))
            guard count >= 0 else { throw Fault("unreadable_file", "the entry '\(name)' is damaged") }
            guard count > 0 else { return content }
            unpacked += count
            try limits.check(unpacked: unpacked, packed: bytes.count)
            content.append(contentsOf: chunk[..<count])
        }
    }
}

/// Makes an archive in memory.
enum ZipWriter {
    struct Entry {
        var name: String
        var bytes: [UInt8]
        /// Not packed: for what is packed already.
        var isStored: Bool
    }

    static func archive(_ entries: [Entry]) throws -> [UInt8] {
        var error = zip_error_t()
        zip_error_init(&error)
        guard let target = zip_source_buffer_create(nil, 0, 0, &error),
            let archive = zip_open_from_source(target, Int32(ZIP_CREATE | ZIP_TRUNCATE), &error)
        else { throw Fault("internal", "no archive can be made") }
        zip_source_keep(target)
        defer { zip_source_free(target) }
        for entry in entries {
            let copy = malloc(max(1, entry.bytes.count))
            entry.bytes.withUnsafeBytes { if let base = $0.baseAddress { copy?.copyMemory(from: base, byteCount: $0.count) } }
            guard let source = zip_source_buffer(archive, copy, zip_uint64_t(entry.bytes.count), 1) else {
                throw Fault("internal", "no entry can be made")
            }
            let index = zip_file_add(archive, entry.name, source, zip_flags_t(ZIP_FL_ENC_UTF_8))
            guard index >= 0 else {
                zip_source_free(source)
                throw Fault("bad_request", "two files of the archive are called '\(entry.name)'")
            }
            let method = entry.isStored ? ZIP_CM_STORE : ZIP_CM_DEFLATE
            zip_set_file_compression(archive, zip_uint64_t(index), zip_int32_t(method), 6)
            // 1 January 1980, the first time the format knows: the same files give the same archive.
            zip_file_set_mtime(archive, zip_uint64_t(index), 315_532_800, 0)
        }
        guard zip_close(archive) == 0 else { throw Fault("internal", "the archive cannot be written") }
        return try content(of: target)
    }

    private static func content(of source: OpaquePointer) throws -> [UInt8] {
        guard zip_source_open(source) == 0 else { return [] }
        defer { zip_source_close(source) }
        zip_source_seek(source, 0, SEEK_END)
        let length = Int(zip_source_tell(source))
        zip_source_seek(source, 0, SEEK_SET)
        var bytes = [UInt8](repeating: 0, count: length)
        guard Int(zip_source_read(source, &bytes, zip_uint64_t(length))) == length else { throw Fault("internal", "the archive cannot be read") }
        return bytes
    }
}
