internal import Kernel
internal import Persistence
internal import Tenancy

/// A table in the hands of one transaction: its rows are read once, and every change is seen by what follows.
struct DataTableEdit {
    private let tx: TenantTransaction
    private var table: DataTable
    private let store: DataTableStore
    private let now: Timestamp
    private let work = DataTableWork()
    private var rows: DataTableRows?
    private var isChanged = false
    /// Bytes that its rows take more, or less.
    private var difference = 0
    /// Rows that were given out.
    private var given = 0

    init(_ table: DataTable, _ tx: TenantTransaction) throws {
        self.tx = tx
        self.table = table
        store = DataTableStore(tx: tx)
        now = tx.clock.now()
    }

    /// - Throws: `unknown_column`, `wrong_type`, `too_long`, `table_full`, `too_much_work`, `too_many`
    mutating func perform(_ call: DataTableCall) throws -> [JSONObject] {
        let found = try answer(call)
        given += found.count
        guard given <= Limits.rowsPerDataTableStep else {
            throw Refusal(.invalid, "too_many", "One step gets at most \(Limits.rowsPerDataTableStep) rows; ask for fewer, or divide the items.")
        }
        return found
    }

    private mutating func answer(_ call: DataTableCall) throws -> [JSONObject] {
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
            try count(row.byteCount)
            try store.insert(row, into: table.id)
            rows?.put(row)
            made.append(row)
        }
        table.rowCount += made.count
        isChanged = true
        return made
    }

    mutating func update(_ row: DataTableRow, with values: JSONObject) throws -> DataTableRow {
        var changed = row
        changed.values.merge(try table.checked(values))
        changed.updatedAt = now
        try count(changed.byteCount - row.byteCount)
        try store.update(changed, insteadOf: row, in: table.id)
        rows?.put(changed)
        isChanged = true
        return changed
    }

    mutating func delete(_ row: DataTableRow) throws {
        try count(-row.byteCount)
        try store.delete(row, of: table.id)
        rows?.remove(row.id)
        table.rowCount -= 1
        isChanged = true
    }

    /// Writes the table's own row, where anything was changed.
    /// - Throws: `limit_reached` where more is stored than the plan allows.
    mutating func finish() throws {
        guard isChanged else { return }
        table.updatedAt = now
        let byteCount = try table.byteCount.map { max(0, $0 + difference) } ?? store.byteCount(of: table.id)
        try table.count(byteCount, isGrowing: difference > 0, in: tx)
        try store.update(table)
    }

    private mutating func count(_ bytes: Int) throws {
        difference += bytes
        guard bytes > 0, (table.byteCount ?? 0) + difference > Limits.dataTableBytes else { return }
        throw Refusal(.limitReached, "table_full", "The rows of a data table take at most \(Limits.dataTableBytes) bytes.")
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
        let isMeant = try filter.matcher(table, work)
        if rows == nil { rows = DataTableRows(try store.rows(of: table.id, limit: Limits.rowsPerDataTable)) }
        let candidates: [DataTableRow]
        if let key = filter.key(table) {
            candidates = rows?.having(key.value, in: key.column) ?? []
        } else {
            candidates = rows?.all ?? []
        }
        try work.spend(letters: candidates.count)
        return try candidates.filter(isMeant)
    }

    private func sorted(_ found: [DataTableRow], by order: DataTableCall.Order) throws -> [DataTableRow] {
        guard table.column(order.column) != nil || DataTable.own.contains(where: { $0.name == order.column }) else {
            throw Refusal.invalid("orderByColumn", "unknown_column", "The table \(table.name) has no column '\(order.column)'.")
        }
        try work.spend(comparisons: found.count)
        let keyed = found.map { (row: $0, key: $0.value(of: order.column)) }
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

extension DataTable {
    /// Counts what its rows take now among what the tenant stores.
    /// - Throws: `limit_reached` where they take more than before, and more is stored than the plan allows.
    mutating func count(_ bytes: Int, isGrowing: Bool, in tx: TenantTransaction) throws {
        let before = byteCount ?? 0
        byteCount = bytes
        if bytes > before { try StorageUse(tx: tx).add(bytes: bytes - before) } else { try StorageUse(tx: tx).remove(before - bytes) }
        if isGrowing { try tx.requireStorage() }
    }
}
