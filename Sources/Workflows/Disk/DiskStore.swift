internal import Kernel
internal import Persistence

/// All SQL of a tenant's disk. Paths are compared byte by byte in both databases, so that what lies below a folder is a range.
struct DiskStore {
    let tx: TenantTransaction

    static let files = Table(
        "disk_files", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("path", .text), Column("folder", .text), Column("hash", .blob), Column("byte_count", .integer),
            Column("media_type", .text), Column("written_by", .text, optional: true), Column("created_at", .timestamp),
            Column("updated_at", .timestamp)
        ],
        indexes: [
            Index("disk_files_path", on: ["tenant_id", "path"], unique: true), Index("disk_files_folder", on: ["tenant_id", "folder", "path"])
        ], checks: [.atLeast(column: "byte_count", 0)])

    /// What steps have appended, so that a repeat appends nothing twice.
    static let appends = Table(
        "disk_appends", .tenant, primaryKey: ["mark"], columns: [Column("mark", .text), Column("written_at", .timestamp)],
        indexes: [Index("disk_appends_time", on: ["tenant_id", "written_at"])])

    private static let columns: [StaticString] = [
        "id", "path", "hash", "byte_count", "media_type", "written_by", "created_at", "updated_at"
    ]

    func insert(_ file: DiskFile) throws {
        try tx.execute(
            """
            INSERT INTO disk_files (tenant_id, id, path, folder, hash, byte_count, media_type, written_by, created_at, updated_at)
            VALUES (\(tx.tenant), \(file.id), \(file.path.text), \(file.path.folder), \(file.hash), \(file.byteCount), \(file.mediaType),
                \(file.writtenBy), \(file.createdAt), \(file.updatedAt))
            """)
    }

    func update(_ file: DiskFile) throws {
        try tx.execute(
            """
            UPDATE disk_files SET path = \(file.path.text), folder = \(file.path.folder), hash = \(file.hash), byte_count = \(file.byteCount),
                media_type = \(file.mediaType), written_by = \(file.writtenBy), updated_at = \(file.updatedAt)
            WHERE tenant_id = \(tx.tenant) AND id = \(file.id)
            """)
    }

    func delete(_ id: DiskFileID) throws { try tx.execute("DELETE FROM disk_files WHERE tenant_id = \(tx.tenant) AND id = \(id)") }

    func file(_ id: DiskFileID) throws -> DiskFile? {
        try tx.first("SELECT \(columns: Self.columns) FROM disk_files WHERE tenant_id = \(tx.tenant) AND id = \(id)", Self.read)
    }

    func file(at path: DiskPath) throws -> DiskFile? {
        try tx.first("SELECT \(columns: Self.columns) FROM disk_files WHERE tenant_id = \(tx.tenant) AND path = \(path.text)", Self.read)
    }

    /// Whether one of the paths is a file.
    func isFile(anyOf paths: [String]) throws -> Bool {
        try tx.first("SELECT 1 FROM disk_files WHERE tenant_id = \(tx.tenant) AND path IN \(list: paths) LIMIT 1") != nil
    }

    /// In a folder and below, in the order of their paths, those after `last`.
    func files(below folder: String, after last: String = "", limit: Int) throws -> [DiskFile] {
        let range = Self.range(below: folder)
        return try tx.all(
            """
            SELECT \(columns: Self.columns) FROM disk_files
            WHERE tenant_id = \(tx.tenant) AND path >= \(range.first) AND path < \(range.end) AND path > \(last) ORDER BY path LIMIT \(limit)
            """, Self.read)
    }

    /// Directly in a folder, in the order of their paths, those after `last`.
    func files(in folder: String, after last: String, limit: Int) throws -> [DiskFile] {
        try tx.all(
            """
            SELECT \(columns: Self.columns) FROM disk_files
            WHERE tenant_id = \(tx.tenant) AND folder = \(folder) AND path > \(last) ORDER BY path LIMIT \(limit)
            """, Self.read)
    }

    /// The one that was written last, of those in a folder and below.
    func newest(below folder: String) throws -> DiskFile? {
        let range = Self.range(below: folder)
        return try tx.first(
            """
            SELECT \(columns: Self.columns) FROM disk_files
            WHERE tenant_id = \(tx.tenant) AND path >= \(range.first) AND path < \(range.end) ORDER BY updated_at DESC, path LIMIT 1
            """, Self.read)
    }

    func hasFiles(below folder: String) throws -> Bool {
        let range = Self.range(below: folder)
        return try tx.first("SELECT 1 FROM disk_files WHERE tenant_id = \(tx.tenant) AND path >= \(range.first) AND path < \(range.end) LIMIT 1")
            != nil
    }

    /// The folders that hold files, each with how many and how many bytes, of those below a folder.
    func folders(below folder: String) throws -> [(path: String, files: Int, bytes: Int)] {
        let range = Self.range(below: folder)
        return try tx.all(
            """
            SELECT folder, count(*), CAST(sum(byte_count) AS BIGINT) FROM disk_files
            WHERE tenant_id = \(tx.tenant) AND folder >= \(range.first) AND folder < \(range.end) AND folder > \("") GROUP BY folder ORDER BY folder
            """
        ) { (try $0.column(0), try $0.column(1), try $0.column(2)) }
    }

    func count() throws -> Int { try tx.first("SELECT count(*) FROM disk_files WHERE tenant_id = \(tx.tenant)") { try $0.column(0) } ?? 0 }

    func byteCount() throws -> Int {
        try tx.first("SELECT CAST(coalesce(sum(byte_count), 0) AS BIGINT) FROM disk_files WHERE tenant_id = \(tx.tenant)") { try $0.column(0) } ?? 0
    }

    // MARK: What was appended

    func hasAppended(_ mark: String) throws -> Bool {
        try tx.first("SELECT 1 FROM disk_appends WHERE tenant_id = \(tx.tenant) AND mark = \(mark)") != nil
    }

    /// Notes what was appended, and forgets what nobody will repeat any more.
    func note(appended mark: String) throws {
        let now = tx.clock.now()
        try tx.execute("DELETE FROM disk_appends WHERE tenant_id = \(tx.tenant) AND written_at < \(now - Limits.diskAppendsKept)")
        try tx.execute("INSERT INTO disk_appends (tenant_id, mark, written_at) VALUES (\(tx.tenant), \(mark), \(now))")
    }

    /// What lies below a folder: `/` is followed by `0`, and no path begins with the last of all characters.
    private static func range(below folder: String) -> (first: String, end: String) {
        folder.isEmpty ? ("", "\u{10FFFF}") : (folder + "/", folder + "0")
    }

    private static func read(_ row: Row) throws -> DiskFile {
        DiskFile(
            id: try row.column(0), path: DiskPath(stored: try row.column(1)), hash: try row.column(2), byteCount: try row.column(3),
            mediaType: try row.column(4), writtenBy: try row.column(5), createdAt: try row.column(6), updatedAt: try row.column(7))
    }
}
