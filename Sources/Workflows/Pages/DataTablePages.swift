internal import HTTPSurface
internal import Kernel

/// The tenant's data tables: a list, and for each table its columns and rows, which are edited by forms.
struct DataTablePages {
    let tables: DataTables
    let context: PageContext

    static let address = "/settings/data-tables"
    private static let rowsPerPage = 50
    /// What a boolean is chosen from; empty is no value.
    private static let truths = ["", "true", "false"]
    private static let write = Access.tenant(.dataTablesWrite)

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.dataTablesRead), summary: "Data tables") { call in try await list(call, .empty, nil) },
            .page(.post, Self.address, access: Self.write, summary: "Create a data table") { call in
                let form = try call.form()
                do {
                    let table = try await tables.create(form["name"], columns: try Self.columns(form["columns"]), by: call.principal)
                    return .redirect("\(Self.address)/\(table.id)?done=created_table")
                } catch let refusal as Refusal {
                    return try await list(call, form, refusal)
                }
            },
            .page(.get, "\(Self.address)/{id}", access: .tenant(.dataTablesRead), summary: "Data table") { call in
                try await table(call, .empty, nil)
            },
            .page(.post, "\(Self.address)/{id}", access: Self.write, summary: "Change a data table") { call in
                let form = try call.form()
                do {
                    let id = try DataTableRoutes.id(call)
                    _ = try await tables.change(id, name: form["name"], columns: try Self.columns(form["columns"]), by: call.principal)
                    return .redirect("\(Self.address)/\(id)?done=set")
                } catch let refusal as Refusal where refusal.kind != .missing {
                    return try await table(call, form, refusal)
                }
            },
            .page(.post, "\(Self.address)/{id}/deletion", access: Self.write, summary: "Delete a data table") { call in
                try await tables.delete(try DataTableRoutes.id(call), by: call.principal)
                return .redirect("\(Self.address)?done=deleted")
            },
            .page(.get, "\(Self.address)/{id}/rows/{row}", access: .tenant(.dataTablesRead), summary: "Row") { call in
                let (table, row) = try await known(call)
                return try await self.row(call, table, row, FormFields(pairs: Self.pairs(table, row)), nil)
            },
            .page(.post, "\(Self.address)/{id}/rows", access: Self.write, summary: "Add a row") { call in
                let table = try await tables.table(try DataTableRoutes.id(call), by: call.principal)
                let form = try call.form()
                do {
                    _ = try await tables.insert(Self.values(form, table), into: table.id, by: call.principal)
                    return .redirect("\(Self.address)/\(table.id)?done=set")
                } catch let refusal as Refusal {
                    return try await row(call, table, nil, form, refusal)
                }
            },
            .page(.post, "\(Self.address)/{id}/rows/{row}", access: Self.write, summary: "Change a row") { call in
                let (table, known) = try await known(call)
                let form = try call.form()
                do {
                    _ = try await tables.update(known.id, of: table.id, to: Self.values(form, table), by: call.principal)
                    return .redirect("\(Self.address)/\(table.id)?done=set")
                } catch let refusal as Refusal where refusal.kind != .missing {
                    return try await row(call, table, known, form, refusal)
                }
            },
            .page(.post, "\(Self.address)/{id}/rows/{row}/deletion", access: Self.write, summary: "Delete a row") { call in
                let id = try DataTableRoutes.id(call)
                try await tables.delete(row: try DataTableRoutes.row(call), of: id, by: call.principal)
                return .redirect("\(Self.address)/\(id)?done=deleted")
            }
        ]
    }

    private func known(_ call: EndpointCall) async throws -> (DataTable, DataTableRow) {
        let table = try await tables.table(try DataTableRoutes.id(call), by: call.principal)
        return (table, try await tables.row(try DataTableRoutes.row(call), of: table.id, by: call.principal))
    }

    // MARK: Forms

    /// A line for each column: `name type`, the type string where it is left out.
    static func columns(_ text: String) throws -> [DataTable.Column] {
        try text.split(whereSeparator: \.isNewline).map { $0.split(separator: " ").map(String.init) }.filter { !$0.isEmpty }.map { words in
            let word = words.count > 1 ? words[1].lowercased() : "string"
            guard words.count <= 2, let type = DataTable.ColumnType(rawValue: word) else {
                throw Refusal.invalid("columns", "unknown_type", "'\(words.joined(separator: " "))' is no column; an example is: price number")
            }
            return DataTable.Column(words[0], type)
        }
    }

    private static func text(_ columns: [DataTable.Column]) -> String { columns.map { "\($0.name) \($0.type.rawValue)" }.joined(separator: "\n") }

    /// An empty field clears the value.
    private static func values(_ form: FormFields, _ table: DataTable) -> JSONObject {
        JSONObject(
            table.columns.map { column in
                let text = form.verbatim("c-\(column.name)")
                return (column.name, text.isEmpty ? .null : .string(text))
            })
    }

    private static func pairs(_ table: DataTable, _ row: DataTableRow) -> [(name: String, value: String)] {
        table.columns.map { ("c-\($0.name)", shown(row.values[$0.name])) }
    }

    private static func shown(_ value: JSON?) -> String { value.map { $0.isNull ? "" : $0.displayText } ?? "" }

    // MARK: Pages

    private func list(_ call: EndpointCall, _ form: FormFields, _ refusal: Refusal?) async throws -> Answer {
        let text = call.localizer
        let all = try await tables.list(by: call.principal)
        let columns: [(title: String, kind: String?)] = [
            (text("workflows.column.name"), nil), (text("workflows.data_tables.rows"), nil), (text("workflows.data_tables.columns"), "optional"),
            (text("workflows.column.updated"), "optional")
        ]
        let rows: [HTML] = all.map { table in
            """
            <tr><td class="name"><a href="\(Self.address)/\(table.id.description)">\(table.name)</a></td>
            <td data-label="\(columns[1].title)">\(table.rowCount)</td>
            <td class="optional">\(table.columns.map(\.name).joined(separator: ", "))</td>
            <td class="time optional">\(Console.time(table.updatedAt))</td></tr>
            """
        }
        let listed =
            all.isEmpty
            ? Console.empty(text("workflows.data_tables.empty"), text("workflows.data_tables.empty.hint")) : Console.table(columns, rows)
        let create: HTML? =
            call.principal.may(.dataTablesWrite)
            ? """
            <section class="card stack" aria-labelledby="create"><h2 id="create">\(text("workflows.data_tables.create"))</h2>
            <form method="post" action="\(Self.address)" class="form">\(fields(text, form["name"], form.verbatim("columns"), refusal))
            <p class="buttons"><button class="button primary">\(text("workflows.data_tables.create.submit"))</button></p></form></section>
            """ : nil
        return try await context.settingsPage(
            call, title: text("workflows.settings.data_tables"), current: Self.address, status: refusal?.kind.status ?? 200,
            """
            \(Console.workflowDone(call, ["deleted"]))\(Console.notice(refusal?.message(besides: ["name", "columns"])))
            <p class="lead">\(text("workflows.data_tables.lead"))</p><section class="card">\(listed)</section>\(create)
            """)
    }

    private func fields(_ text: Localizer, _ name: String, _ columns: String, _ refusal: Refusal?) -> HTML {
        """
        \(Console.field("name", label: text("workflows.column.name"), value: name, fault: refusal?.message(for: "name")))
        \(Console.area("columns", label: text("workflows.data_tables.columns"), value: columns, rows: 5,
            hint: text("workflows.data_tables.columns.hint"), fault: refusal?.message(for: "columns"), isRequired: false))
        """
    }

    private func table(_ call: EndpointCall, _ form: FormFields, _ refusal: Refusal?) async throws -> Answer {
        let text = call.localizer
        let table = try await tables.table(try DataTableRoutes.id(call), by: call.principal)
        let address = "\(Self.address)/\(table.id)"
        let last = try call.page().cursor.map { try Cursor($0, keys: 1).integer(at: 0) } ?? 0
        let rows = try await tables.rows(of: table.id, after: last, limit: Self.rowsPerPage + 1, by: call.principal)
        let page = Page(rows, limit: Self.rowsPerPage) { Cursor([.number(Double($0.id))]) }
        let mayWrite = call.principal.may(.dataTablesWrite)
        let heads: [(title: String, kind: String?)] = [("id", nil)] + table.columns.map { ($0.name, nil) }
        let lines: [HTML] = page.data.map { row in
            let cells: [HTML] = table.columns.map { column in
                "<td data-label=\"\(column.name)\">\(String(Self.shown(row.values[column.name]).prefix(200)))</td>"
            }
            return "<tr><td class=\"name short\"><a href=\"\(address)/rows/\(row.id)\">\(row.id)</a></td>\(cells)</tr>"
        }
        let listed =
            page.data.isEmpty
            ? Console.empty(text("workflows.data_tables.no_rows"), text("workflows.data_tables.no_rows.hint")) : Console.table(heads, lines)
        let isBlank = form.pairs.isEmpty
        let name = isBlank ? table.name : form["name"]
        let columns = isBlank ? Self.text(table.columns) : form.verbatim("columns")
        let edits: HTML? =
            mayWrite
            ? """
            <section class="card stack" aria-labelledby="add"><h2 id="add">\(text("workflows.data_tables.add"))</h2>
            <form method="post" action="\(address)/rows" class="form">\(inputs(table, .empty, nil))
            <p class="buttons"><button class="button primary">\(text("workflows.data_tables.add.submit"))</button></p></form></section>
            <section class="card stack" aria-labelledby="change"><h2 id="change">\(text("workflows.data_tables.change"))</h2>
            <form method="post" action="\(address)" class="form">\(fields(text, name, columns, refusal))
            <p class="buttons"><button class="button primary">\(text("workflows.data_tables.change.submit"))</button></p></form>
            <p>\(Console.confirmed(text, id: "delete", action: "\(address)/deletion", label: text("workflows.data_tables.delete"),
                question: text("workflows.data_tables.delete.question", ["name": table.name])))</p></section>
            """ : nil
        return try await context.settingsPage(
            call, title: table.name, current: Self.address, crumb: back(text), status: refusal?.kind.status ?? 200,
            """
            \(Console.workflowDone(call, ["set", "deleted", "created_table"]))\(Console.notice(refusal?.message(besides: ["name", "columns"])))
            <section class="card">\(listed)\(Console.more(text, address, cursor: page.nextCursor))</section>\(edits)
            """)
    }

    private func inputs(_ table: DataTable, _ form: FormFields, _ refusal: Refusal?) -> HTML {
        let list: [HTML] = table.columns.map { column -> HTML in
            let (name, value) = ("c-\(column.name)", form.verbatim("c-\(column.name)"))
            let (hint, fault) = (column.type.rawValue, refusal?.message(for: column.name))
            guard column.type == .boolean, Self.truths.contains(value) else {
                return Console.field(name, label: column.name, value: value, hint: hint, fault: fault, isRequired: false)
            }
            let options = Self.truths.map { (value: $0, title: $0.isEmpty ? "–" : $0) }
            return Console.choice(name, label: column.name, options: options, chosen: value, hint: hint, fault: fault)
        }
        return "\(list)"
    }

    private func row(_ call: EndpointCall, _ table: DataTable, _ row: DataTableRow?, _ form: FormFields, _ refusal: Refusal?) async throws -> Answer {
        let text = call.localizer
        let address = "\(Self.address)/\(table.id)"
        let title = row.map { text("workflows.data_tables.row", ["row": "\($0.id)"]) } ?? text("workflows.data_tables.add")
        let delete: HTML? = row.map { row in
            let question = text("workflows.data_tables.row.delete.question", ["row": "\(row.id)"])
            return """
                <p>\(Console.confirmed(text, id: "delete", action: "\(address)/rows/\(row.id)/deletion", label: text("workflows.data_tables.row.delete"),
                    question: question))</p>
                """
        }
        let crumb: HTML = "<p class=\"crumb\"><a href=\"\(address)\">\(table.name)</a></p>"
        let action = row.map { "\(address)/rows/\($0.id)" } ?? "\(address)/rows"
        let save: HTML? =
            call.principal.may(.dataTablesWrite)
            ? """
            <p class="buttons"><button class="button primary">\(text("workflows.data_tables.row.save"))</button>
            <a class="button" href="\(address)">\(text("http.console.keep"))</a></p>
            """ : nil
        return try await context.settingsPage(
            call, title: title, current: Self.address, crumb: crumb, status: refusal?.kind.status ?? 200,
            """
            \(Console.notice(refusal?.message(besides: table.columns.map(\.name))))
            <section class="card stack"><form method="post" action="\(action)" class="form">\(inputs(table, form, refusal))\(save)</form>
            \(call.principal.may(.dataTablesWrite) ? delete : nil)</section>
            """)
    }

    private func back(_ text: Localizer) -> HTML {
        "<p class=\"crumb\"><a href=\"\(Self.address)\">\(text("workflows.settings.data_tables"))</a></p>"
    }
}
