internal import Kernel
internal import Persistence

/// All SQL of data tables. A row's values are opaque text: what filters ask for is decided in Swift.
struct DataTableStore {
    let tx: TenantTransaction

    /// As it was first made.
    static let firstTables = Table(
        "data_tables", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("name", .text), Column("columns", .text), Column("row_count", .integer), Column("last_row", .integer),
            Column("created_at", .timestamp), Column("updated_at", .timestamp)
        ],
        indexes: [Index("data_tables_name", on: ["tenant_id", "name"], unique: true)], checks: [.atLeast(column: "row_count", 0)])

    static let tables: Table = {
        var table = firstTables
        table.columns += [addedBytes]
        return table
    }()

    static let addedBytes = Column("byte_count", .integer, optional: true)

    static let rows = Table(
        "data_table_rows", .tenant, primaryKey: ["table_id", "id"],
        columns: [
            Column("table_id", .uuid), Column("id", .integer), Column("row_values", .text), Column("created_at", .timestamp),
            Column("updated_at", .timestamp)
        ],
        foreignKeys: [ForeignKey(["tenant_id", "table_id"], references: "data_tables", ["tenant_id", "id"], onDelete: .cascade)])

    func insert(_ table: DataTable) throws {
        try tx.execute(
            """
            INSERT INTO data_tables (tenant_id, id, name, columns, row_count, last_row, created_at, updated_at, byte_count)
            VALUES (\(tx.tenant), \(table.id), \(table.name), \(Self.text(table.columns)), 0, 0, \(table.createdAt), \(table.updatedAt),
                \(table.byteCount))
            """)
    }

    func table(_ id: DataTableID) throws -> DataTable? {
        try tx.first(
            "SELECT id, name, columns, row_count, created_at, updated_at, byte_count FROM data_tables WHERE tenant_id = \(tx.tenant) AND id = \(id)",
            Self.read)
    }

    func table(named name: String) throws -> DataTable? {
        try tx.first(
            """
            SELECT id, name, columns, row_count, created_at, updated_at, byte_count FROM data_tables
            WHERE tenant_id = \(tx.tenant) AND name = \(name)
            """, Self.read)
    }

    func all() throws -> [DataTable] {
        try tx.all(
            """
            SELECT id, name, columns, row_count, created_at, updated_at, byte_count FROM data_tables WHERE tenant_id = \(tx.tenant)
            ORDER BY name LIMIT \(Limits.dataTablesPerTenant)
            """, Self.read)
    }

    func count() throws -> Int { try tx.first("SELECT count(*) FROM data_tables WHERE tenant_id = \(tx.tenant)") { try $0.column(0) } ?? 0 }

    func update(_ table: DataTable) throws {
        try tx.execute(
            """
            UPDATE data_tables SET name = \(table.name), columns = \(Self.text(table.columns)), row_count = \(table.rowCount),
                updated_at = \(table.updatedAt), byte_count = \(table.byteCount)
            WHERE tenant_id = \(tx.tenant) AND id = \(table.id)
            """)
    }

    /// With its rows, and the files that they kept.
    /// - Returns: whether there was one.
    func delete(_ id: DataTableID) throws -> Bool {
        var last = 0
        while true {
            let page = try tx.all(
                """
                SELECT id, row_values FROM data_table_rows WHERE tenant_id = \(tx.tenant) AND table_id = \(id) AND id > \(last)
                ORDER BY id LIMIT \(Self.pageRows)
                """
            ) { (try $0.column(0, as: Int.self), try $0.column(1, as: String.self)) }
            for (row, text) in page { try RunFileStore(tx: tx).release(namedIn: Array(text.utf8), by: Self.user(row, of: id)) }
            guard page.count == Self.pageRows, let next = page.last else { break }
            last = next.0
        }
        try tx.execute("DELETE FROM data_table_rows WHERE tenant_id = \(tx.tenant) AND table_id = \(id)")
        return try tx.execute("DELETE FROM data_tables WHERE tenant_id = \(tx.tenant) AND id = \(id)") == 1
    }

    /// The numbers of so many new rows: the first of them.
    func reserveRows(_ count: Int, of id: DataTableID) throws -> Int {
        try tx.execute("UPDATE data_tables SET last_row = last_row + \(count) WHERE tenant_id = \(tx.tenant) AND id = \(id)")
        let last: Int? = try tx.first("SELECT last_row FROM data_tables WHERE tenant_id = \(tx.tenant) AND id = \(id)") { try $0.column(0) }
        return (last ?? count) - count + 1
    }

    func insert(_ row: DataTableRow, into id: DataTableID) throws {
        let text = row.text
        try RunFileStore(tx: tx).keep(namedIn: Array(text.utf8), by: Self.user(row.id, of: id))
        try tx.execute(
            """
            INSERT INTO data_table_rows (tenant_id, table_id, id, row_values, created_at, updated_at)
            VALUES (\(tx.tenant), \(id), \(row.id), \(text), \(row.createdAt), \(row.updatedAt))
            """)
    }

    /// - Parameter former: as it was before.
    func update(_ row: DataTableRow, insteadOf former: DataTableRow, in id: DataTableID) throws {
        let text = row.text
        try RunFileStore(tx: tx).keep(namedIn: Array(text.utf8), insteadOf: Array(former.text.utf8), by: Self.user(row.id, of: id))
        try tx.execute(
            """
            UPDATE data_table_rows SET row_values = \(text), updated_at = \(row.updatedAt)
            WHERE tenant_id = \(tx.tenant) AND table_id = \(id) AND id = \(row.id)
            """)
    }

    func delete(_ row: DataTableRow, of id: DataTableID) throws {
        try RunFileStore(tx: tx).letGo(namedIn: Array(row.text.utf8), by: Self.user(row.id, of: id))
        try tx.execute("DELETE FROM data_table_rows WHERE tenant_id = \(tx.tenant) AND table_id = \(id) AND id = \(row.id)")
    }

    func row(_ row: Int, of id: DataTableID) throws -> DataTableRow? {
        try tx.first(
            """
            SELECT id, row_values, created_at, updated_at FROM data_table_rows
            WHERE tenant_id = \(tx.tenant) AND table_id = \(id) AND id = \(row)
            """, Self.readRow)
    }

    /// In the order of their numbers, those after `last`.
    func rows(of id: DataTableID, after last: Int = 0, limit: Int) throws -> [DataTableRow] {
        try tx.all(
            """
            SELECT id, row_values, created_at, updated_at FROM data_table_rows
            WHERE tenant_id = \(tx.tenant) AND table_id = \(id) AND id > \(last) ORDER BY id LIMIT \(limit)
            """, Self.readRow)
    }

    /// What the rows take as they are stored, read a page at a time.
    func byteCount(of id: DataTableID) throws -> Int {
        var (sum, last) = (0, 0)
        while true {
            let page = try rows(of: id, after: last, limit: Self.pageRows)
            sum += page.reduce(0) { $0 + $1.byteCount }
            guard page.count == Self.pageRows, let next = page.last else { return sum }
            last = next.id
        }
    }

    private static let pageRows = 1_000

    private static func user(_ row: Int, of id: DataTableID) -> PayloadUser { PayloadUser("row.\(row)", of: id) }

    private static func text(_ columns: [DataTable.Column]) -> String {
        JSON.array(columns.map { ["name": .string($0.name), "type": .string($0.type.rawValue)] }).serialized
    }

    private static func read(_ row: Row) throws -> DataTable {
        let columns = try JSON(parsing: row.column(2, as: String.self)).array ?? []
        return DataTable(
            id: try row.column(0), name: try row.column(1),
            columns: columns.map { DataTable.Column($0["name"]?.text ?? "", DataTable.ColumnType(rawValue: $0["type"]?.text ?? "") ?? .string) },
            rowCount: try row.column(3), createdAt: try row.column(4), updatedAt: try row.column(5),
            byteCount: try row.column(6))
    }

    private static func readRow(_ row: Row) throws -> DataTableRow {
        DataTableRow(
            id: try row.column(0), values: try JSON(parsing: row.column(1, as: String.self)).object ?? [:], createdAt: try row.column(2),
            updatedAt: try row.column(3))
    }
}
