internal import Kernel
internal import Persistence

/// A table in the hands of one transaction: its rows are read once, and every change is seen by what follows.
struct DataTableEdit {
    private var table: DataTable
    private let store: DataTableStore
    private let now: Timestamp
    private var rows: [DataTableRow]?
    private var isChanged = false

    init(_ table: DataTable, _ tx: TenantTransaction) throws {
        self.table = table
        store = DataTableStore(tx: tx)
        now = tx.clock.now()
    }

    mutating func perform(_ call: DataTableCall) throws -> [JSONObject] {
        switch call {
        case .insert(let all): return try insert(all).map { $0.json(table) }
        case .get(let filter, let limit, let order):
            var found = try matching(filter)
            if let order { found = try sorted(found, by: order) }
            return found.prefix(limit ?? Limits.rowsPerDataTableCall).map { $0.json(table) }
        case .update(let filter, let values, let isDry): return try updated(matching(filter), values, isDry)
        case .upsert(let filter, let values, let isDry):
            let found = try matching(filter)
            if !found.isEmpty { return try updated(found, values, isDry) }
            if isDry { return [DataTableRow(id: 0, values: try table.checked(values), createdAt: now, updatedAt: now).json(table)] }
            return try insert([values]).map { $0.json(table) }
        case .delete(let filter, let isDry):
            let found = try matching(filter)
            if !isDry { for row in found { try delete(row) } }
            return found.map { $0.json(table) }
        }
    }

    /// - Throws: `limit_reached` where the table is full.
    mutating func insert(_ all: [JSONObject]) throws -> [DataTableRow] {
        guard !all.isEmpty else { return [] }
        guard table.rowCount + all.count <= Limits.rowsPerDataTable else {
            throw Refusal(.limitReached, "table_full", "A data table has at most \(Limits.rowsPerDataTable) rows.")
        }
        let first = try store.reserveRows(all.count, of: table.id)
        var made: [DataTableRow] = []
        for (index, values) in all.enumerated() {
            let row = DataTableRow(id: first + index, values: try table.checked(values), createdAt: now, updatedAt: now)
            try store.insert(row, into: table.id)
            made.append(row)
        }
        rows?.append(contentsOf: made)
        table.rowCount += made.count
        isChanged = true
        return made
    }

    mutating func update(_ row: DataTableRow, with values: JSONObject) throws -> DataTableRow {
        var changed = row
        changed.values.merge(try table.checked(values))
        changed.updatedAt = now
        try store.update(changed, in: table.id)
        if let index = rows?.firstIndex(where: { $0.id == row.id }) { rows?[index] = changed }
        isChanged = true
        return changed
    }

    mutating func delete(_ row: DataTableRow) throws {
        try store.delete(row: row.id, of: table.id)
        rows?.removeAll { $0.id == row.id }
        table.rowCount -= 1
        isChanged = true
    }

    /// Writes the table's own row, where anything was changed.
    mutating func finish() throws {
        guard isChanged else { return }
        table.updatedAt = now
        try store.update(table)
    }

    private mutating func updated(_ found: [DataTableRow], _ values: JSONObject, _ isDry: Bool) throws -> [JSONObject] {
        let values = try table.checked(values)
        return try found.map { row in
            guard !isDry else {
                var shown = row
                shown.values.merge(values)
                return shown.json(table)
            }
            return try update(row, with: values).json(table)
        }
    }

    private mutating func matching(_ filter: DataTableFilter) throws -> [DataTableRow] {
        let known = try rows ?? store.rows(of: table.id, limit: Limits.rowsPerDataTable)
        rows = known
        return known.filter(try filter.matcher(table))
    }

    private func sorted(_ found: [DataTableRow], by order: DataTableCall.Order) throws -> [DataTableRow] {
        guard table.column(order.column) != nil || DataTable.own.contains(where: { $0.name == order.column }) else {
            throw Refusal.invalid("orderByColumn", "unknown_column", "The table \(table.name) has no column '\(order.column)'.")
        }
        let keyed = found.map { (row: $0, key: $0.json(table)[order.column] ?? .null) }
        let sorted = keyed.enumerated().sorted { left, right in
            let (first, second) = (left.element.key, right.element.key)
            if first.isNull != second.isNull { return second.isNull }
            let comparison = DataTableFilter.order(first, second) ?? 0
            if comparison == 0 { return left.offset < right.offset }
            return order.isDescending ? comparison > 0 : comparison < 0
        }
        return sorted.map(\.element.row)
    }
}
