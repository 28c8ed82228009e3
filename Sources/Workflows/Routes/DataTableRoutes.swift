internal import HTTPSurface
internal import Kernel

struct DataTableColumnView: Codable, Sendable, Described {
    var name: String
    var type: String
    static let notes: [FieldNote] = [
        FieldNote("name", "Letters, digits and _.", example: "city", length: 1...63),
        FieldNote("type", "string, number, boolean or date.", example: "string", length: 1...20)
    ]

    init(_ column: DataTable.Column) {
        name = column.name
        type = column.type.rawValue
    }

    func column() throws -> DataTable.Column {
        guard let type = DataTable.ColumnType(rawValue: type) else {
            throw Refusal.invalid("columns", "unknown_type", "'\(type)' is no type of a column: string, number, boolean, date.")
        }
        return DataTable.Column(name, type)
    }
}

struct DataTableView: Codable, Sendable {
    var id: DataTableID
    var name: String
    var columns: [DataTableColumnView]
    var rowCount: Int
    var createdAt: Timestamp
    var updatedAt: Timestamp

    init(_ table: DataTable) {
        id = table.id
        name = table.name
        columns = table.columns.map(DataTableColumnView.init)
        rowCount = table.rowCount
        createdAt = table.createdAt
        updatedAt = table.updatedAt
    }
}

struct DataTableRowView: Codable, Sendable {
    var id: Int
    /// By column; a column without a value is left out.
    var values: JSON
    var createdAt: Timestamp
    var updatedAt: Timestamp

    init(_ row: DataTableRow) {
        id = row.id
        values = .object(row.values)
        createdAt = row.createdAt
        updatedAt = row.updatedAt
    }
}

struct NewDataTableBody: Codable, Sendable, Described {
    var name: String
    var columns: [DataTableColumnView]
    static let notes: [FieldNote] = [FieldNote("name", "To tell them apart.", example: "Customers", length: 1...128)]
}

struct DataTableChangeBody: Codable, Sendable, Described {
    var name: String?
    var columns: [DataTableColumnView]?
    static let notes: [FieldNote] = [FieldNote("name", "To tell them apart.", length: 1...128)]
}

struct DataTableRowBody: Codable, Sendable, Described {
    var values: JSON
    static let notes: [FieldNote] = [FieldNote("values", "By column; null clears a value.")]

    func object() throws -> JSONObject {
        guard let object = values.object else { throw Refusal.invalid("values", "wrong_type", "values is a JSON object.") }
        return object
    }
}

struct DataTableRoutes {
    let tables: DataTables

    var endpoints: [Endpoint] { tableEndpoints + rowEndpoints }

    private var tableEndpoints: [Endpoint] {
        let taken = ErrorDeclaration(.conflict, "name_taken", "There is one of this name.")
        return [
            Endpoint.list(
                "/v1/data-tables", access: .tenant(.dataTablesRead), summary: "List the data tables", tag: "Data tables", of: DataTableView.self
            ) { call, page in try Page(of: try await tables.list(by: call.principal).map(DataTableView.init), page) },
            Endpoint(
                .post, "/v1/data-tables", access: .tenant(.dataTablesWrite), summary: "Create a data table", tag: "Data tables",
                body: NewDataTableBody.self, returns: .created(DataTableView.self), errors: [taken]
            ) { call, body in
                DataTableView(try await tables.create(body.name, columns: try body.columns.map { try $0.column() }, by: call.principal))
            },
            Endpoint(
                .get, "/v1/data-tables/{id}", access: .tenant(.dataTablesRead), summary: "Show a data table", tag: "Data tables",
                returns: .ok(DataTableView.self)
            ) { call in DataTableView(try await tables.table(try Self.id(call), by: call.principal)) },
            Endpoint(
                .patch, "/v1/data-tables/{id}", access: .tenant(.dataTablesWrite), summary: "Rename a data table or replace its columns",
                tag: "Data tables", body: DataTableChangeBody.self, returns: .ok(DataTableView.self), errors: [taken]
            ) { call, body in
                let columns = try body.columns?.map { try $0.column() }
                return DataTableView(try await tables.change(try Self.id(call), name: body.name, columns: columns, by: call.principal))
            },
            Endpoint(
                .delete, "/v1/data-tables/{id}", access: .tenant(.dataTablesWrite), summary: "Delete a data table with its rows",
                tag: "Data tables", returns: .noContent
            ) { call in try await tables.delete(try Self.id(call), by: call.principal) }
        ]
    }

    private var rowEndpoints: [Endpoint] {
        let full = [
            ErrorDeclaration(.limitReached, "limit_reached", "The plan's bytes are used up."),
            ErrorDeclaration(.limitReached, "table_full", "The table has as many rows or bytes as it may have.")
        ]
        return [
            Endpoint.list(
                "/v1/data-tables/{id}/rows", access: .tenant(.dataTablesRead), summary: "List the rows of a data table", tag: "Data tables",
                of: DataTableRowView.self
            ) { call, page in
                let last = try page.cursor.map { try Cursor($0, keys: 1).integer(at: 0) } ?? 0
                let rows = try await tables.rows(of: try Self.id(call), after: last, limit: page.limit + 1, by: call.principal)
                return Page(rows.map(DataTableRowView.init), limit: page.limit) { Cursor([.number(Double($0.id))]) }
            },
            Endpoint(
                .post, "/v1/data-tables/{id}/rows", access: .tenant(.dataTablesWrite), summary: "Add a row to a data table", tag: "Data tables",
                body: DataTableRowBody.self, returns: .created(DataTableRowView.self), errors: full
            ) { call, body in DataTableRowView(try await tables.insert(try body.object(), into: try Self.id(call), by: call.principal)) },
            Endpoint(
                .patch, "/v1/data-tables/{id}/rows/{row}", access: .tenant(.dataTablesWrite), summary: "Change a row of a data table",
                tag: "Data tables", body: DataTableRowBody.self, returns: .ok(DataTableRowView.self), errors: full
            ) { call, body in
                DataTableRowView(
                    try await tables.update(try Self.row(call), of: try Self.id(call), to: try body.object(), by: call.principal))
            },
            Endpoint(
                .delete, "/v1/data-tables/{id}/rows/{row}", access: .tenant(.dataTablesWrite), summary: "Delete a row of a data table",
                tag: "Data tables", returns: .noContent
            ) { call in try await tables.delete(row: try Self.row(call), of: try Self.id(call), by: call.principal) }
        ]
    }

    static func id(_ call: EndpointCall) throws -> DataTableID { try call.id("id", noun: "data table") }

    static func row(_ call: EndpointCall) throws -> Int {
        guard let row = Int(try call.parameter("row")), row > 0 else { throw Refusal.missing("row") }
        return row
    }
}
