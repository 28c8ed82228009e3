package import Kernel
package import Persistence

/// The verbs on data tables, for people and for steps.
package struct DataTables: Sendable {
    let database: any Database
    let ids: IDs
    let policies: TenantPolicies

    package init(database: any Database, ids: IDs, policies: TenantPolicies) {
        self.database = database
        self.ids = ids
        self.policies = policies
    }

    // MARK: Tables

    /// By name.
    package func list(by principal: Principal) async throws -> [DataTable] {
        let tenant = try principal.tenant(for: .dataTablesRead)
        return try await database.read(in: tenant) { tx in try DataTableStore(tx: tx).all() }
    }

    package func table(_ id: DataTableID, by principal: Principal) async throws -> DataTable {
        let tenant = try principal.tenant(for: .dataTablesRead)
        return try await database.read(in: tenant) { tx in try Self.known(id, DataTableStore(tx: tx)) }
    }

    /// - Throws: `name_taken`, `too_many`, `bad_name`.
    package func create(_ name: String, columns: [DataTable.Column], by principal: Principal) async throws -> DataTable {
        let tenant = try principal.tenant(for: .dataTablesWrite)
        let name = try Self.checkedName(name)
        let columns = try DataTable.checkedColumns(columns)
        return try await database.write(in: tenant) { [self] tx in
            let store = DataTableStore(tx: tx)
            guard try store.count() < Limits.dataTablesPerTenant else {
                throw Refusal(.limitReached, "too_many", "A tenant has at most \(Limits.dataTablesPerTenant) data tables.")
            }
            guard try store.table(named: name) == nil else { throw Self.taken(name) }
            let now = tx.clock.now()
            let table = DataTable(id: tx.ids.next(), name: name, columns: columns, rowCount: 0, createdAt: now, updatedAt: now, byteCount: 0)
            try store.insert(table)
            try policies.audit(tx, principal, "data_table.create", "data_table:\(table.id)", ["name": .string(name)])
            return table
        }
    }

    /// Renames the table, or replaces its columns: values of a column that goes are gone, those of one that changes its type are read anew and
    /// dropped where they cannot be.
    package func change(_ id: DataTableID, name: String? = nil, columns: [DataTable.Column]? = nil, by principal: Principal) async throws -> DataTable
    {
        let tenant = try principal.tenant(for: .dataTablesWrite)
        let name = try name.map(Self.checkedName)
        let columns = try columns.map(DataTable.checkedColumns)
        return try await database.write(in: tenant) { [self] tx in
            let store = DataTableStore(tx: tx)
            var table = try Self.known(id, store)
            if let name, name != table.name {
                guard try store.table(named: name) == nil else { throw Self.taken(name) }
                table.name = name
            }
            if let columns, columns != table.columns {
                table.columns = columns
                var byteCount = 0
                for row in try store.rows(of: id, limit: Limits.rowsPerDataTable) {
                    var kept = row
                    kept.values = JSONObject(row.values.compactMap { name, value in (try? table.checked([name: value]))?[name].map { (name, $0) } })
                    if kept.values != row.values { try store.update(kept, insteadOf: row, in: id) }
                    byteCount += kept.byteCount
                }
                try table.count(byteCount, isGrowing: false, in: tx)
            }
            table.updatedAt = tx.clock.now()
            try store.update(table)
            try policies.audit(tx, principal, "data_table.change", "data_table:\(id)", ["name": .string(table.name)])
            return table
        }
    }

    /// With all its rows and the files that they kept, for good.
    package func delete(_ id: DataTableID, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .dataTablesWrite)
        let files = try await database.read(in: tenant) { tx in
            _ = try Self.known(id, DataTableStore(tx: tx))
            return try PayloadStore(tx: tx).uses(of: PayloadUser(id))
        }
        try await database.write(in: tenant) { [self] tx in
            let store = DataTableStore(tx: tx)
            let table = try Self.known(id, store)
            _ = try store.delete(id)
            try PayloadStore(tx: tx).release(files, of: PayloadUser(id))
            if let freed = table.byteCount { try StorageUse(tx: tx).remove(freed) }
            try policies.audit(tx, principal, "data_table.delete", "data_table:\(id)", ["name": .string(table.name)])
        }
    }

    // MARK: Rows, by people

    /// In the order of their numbers.
    package func rows(of id: DataTableID, after last: Int, limit: Int, by principal: Principal) async throws -> [DataTableRow] {
        let tenant = try principal.tenant(for: .dataTablesRead)
        return try await database.read(in: tenant) { tx in
            let store = DataTableStore(tx: tx)
            _ = try Self.known(id, store)
            return try store.rows(of: id, after: last, limit: limit)
        }
    }

    package func row(_ row: Int, of id: DataTableID, by principal: Principal) async throws -> DataTableRow {
        let tenant = try principal.tenant(for: .dataTablesRead)
        return try await database.read(in: tenant) { tx in
            guard let found = try DataTableStore(tx: tx).row(row, of: id) else { throw Refusal.missing("row") }
            return found
        }
    }

    package func insert(_ values: JSONObject, into id: DataTableID, by principal: Principal) async throws -> DataTableRow {
        let tenant = try principal.tenant(for: .dataTablesWrite)
        return try await database.write(in: tenant) { [self] tx in
            var edit = try DataTableEdit(Self.known(id, DataTableStore(tx: tx)), tx)
            let row = try edit.insert([values])[0]
            try edit.finish()
            try policies.audit(tx, principal, "data_table.insert", "data_table:\(id)", ["row": .number(Double(row.id))])
            return row
        }
    }

    package func update(_ row: Int, of id: DataTableID, to values: JSONObject, by principal: Principal) async throws -> DataTableRow {
        let tenant = try principal.tenant(for: .dataTablesWrite)
        return try await database.write(in: tenant) { [self] tx in
            let store = DataTableStore(tx: tx)
            var edit = try DataTableEdit(Self.known(id, store), tx)
            guard let known = try store.row(row, of: id) else { throw Refusal.missing("row") }
            let changed = try edit.update(known, with: values)
            try edit.finish()
            try policies.audit(tx, principal, "data_table.update", "data_table:\(id)", ["row": .number(Double(row))])
            return changed
        }
    }

    package func delete(row: Int, of id: DataTableID, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .dataTablesWrite)
        try await database.write(in: tenant) { [self] tx in
            let store = DataTableStore(tx: tx)
            var edit = try DataTableEdit(Self.known(id, store), tx)
            guard let known = try store.row(row, of: id) else { throw Refusal.missing("row") }
            try edit.delete(known)
            try edit.finish()
            try policies.audit(tx, principal, "data_table.remove", "data_table:\(id)", ["row": .number(Double(row))])
        }
    }

    // MARK: For steps of a run

    /// A table by its id or its name: what an import names by an id of another program is found by the name that came with it.
    package func find(_ reference: String, name: String?, tenant: TenantID) async throws -> DataTable {
        let found = try await database.read(in: tenant) { tx in
            let store = DataTableStore(tx: tx)
            if let id = DataTableID(reference), let table = try store.table(id) { return Optional(table) }
            if let table = try store.table(named: reference) { return table }
            return try name.flatMap { try store.table(named: $0) }
        }
        guard let found else { throw Refusal(.missing, "no_such_table", "There is no data table '\(name ?? reference)'.") }
        return found
    }

    /// Does one thing after the other in one transaction: all of them or none.
    package func perform(_ calls: [DataTableCall], on id: DataTableID, tenant: TenantID) async throws -> [[JSONObject]] {
        let isReading = calls.allSatisfy { if case .get = $0 { true } else { false } }
        if isReading {
            return try await database.read(in: tenant) { tx in
                let table = try Self.known(id, DataTableStore(tx: tx))
                var edit = try DataTableEdit(table, tx)
                return try calls.map { try edit.perform($0) }
            }
        }
        return try await database.write(in: tenant) { tx in
            var edit = try DataTableEdit(Self.known(id, DataTableStore(tx: tx)), tx)
            let results = try calls.map { try edit.perform($0) }
            try edit.finish()
            return results
        }
    }

    private static func known(_ id: DataTableID, _ store: DataTableStore) throws -> DataTable {
        guard let table = try store.table(id) else { throw Refusal.missing("data table") }
        return table
    }

    private static func checkedName(_ name: String) throws -> String {
        let trimmed = String(name.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        guard !trimmed.isEmpty, trimmed.count <= 128, !trimmed.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) else {
            throw Refusal.invalid("name", "bad_name", "A table's name has 1 to 128 characters.")
        }
        return trimmed
    }

    private static func taken(_ name: String) -> Refusal {
        Refusal(.conflict, "name_taken", "Another data table is called \(name).", field: "name")
    }
}

/// What a step asks of a table.
package enum DataTableCall: Sendable, Hashable {
    case insert([JSONObject])
    case get(DataTableFilter, limit: Int?, order: Order?)
    case update(DataTableFilter, JSONObject, isDry: Bool)
    /// Updates what the filter finds, or inserts.
    case upsert(DataTableFilter, JSONObject, isDry: Bool)
    case delete(DataTableFilter, isDry: Bool)

    package struct Order: Sendable, Hashable {
        package var column: String
        package var isDescending: Bool
        package init(column: String, isDescending: Bool) {
            self.column = column
            self.isDescending = isDescending
        }
    }
}
