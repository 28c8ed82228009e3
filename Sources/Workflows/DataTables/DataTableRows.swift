internal import Kernel

/// The rows of a table in memory, in the order of their numbers. Those that hold a value are found without a look at the others.
struct DataTableRows {
    private var rows: [Int: DataTableRow]
    /// All numbers that there are, and those of rows that were deleted since.
    private var order: [Int]
    /// By column, by value; made when a column is first asked for.
    private var indexes: [String: [JSON: Set<Int>]] = [:]

    /// - Parameter all: in the order of their numbers.
    init(_ all: [DataTableRow]) {
        order = all.map(\.id)
        rows = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    var all: [DataTableRow] { order.compactMap { rows[$0] } }

    /// In the order of their numbers.
    mutating func having(_ value: JSON, in column: DataTable.Column) -> [DataTableRow] {
        if indexes[column.name] == nil {
            var index: [JSON: Set<Int>] = [:]
            for row in rows.values { index[row.value(of: column.name), default: []].insert(row.id) }
            indexes[column.name] = index
        }
        return (indexes[column.name]?[value] ?? []).sorted().compactMap { rows[$0] }
    }

    /// Adds a row, which is the last, or changes one.
    mutating func put(_ row: DataTableRow) {
        let before = rows.updateValue(row, forKey: row.id)
        if before == nil { order.append(row.id) }
        // Names alone, since a second holder of the indexes would have each change copy them.
        for name in Array(indexes.keys) {
            if let before { indexes[name]?[before.value(of: name)]?.remove(row.id) }
            indexes[name]?[row.value(of: name), default: []].insert(row.id)
        }
    }

    mutating func remove(_ id: Int) {
        guard let before = rows.removeValue(forKey: id) else { return }
        for name in Array(indexes.keys) { indexes[name]?[before.value(of: name)]?.remove(id) }
    }
}

/// How much one step or request compares, so that no filter holds the database for long.
final class DataTableWork {
    /// In letters.
    private var left: Int

    /// Letters of a text that are walked in the time in which two values are compared.
    private static let lettersPerComparison = 16

    init(comparisons: Int = Limits.comparisonsPerDataTableStep) { left = comparisons * Self.lettersPerComparison }

    /// - Throws: `too_much_work`
    func spend(comparisons count: Int) throws { try spend(letters: count * Self.lettersPerComparison) }

    func spend(letters count: Int) throws {
        left -= count
        guard left < 0 else { return }
        throw Refusal(
            .invalid, "too_much_work",
            "The filters look at too many rows or too long texts at once: ask for equal values first, with all conditions, or divide the items.")
    }
}

extension DataTableRow {
    /// What it has in a column, a table's own ones too.
    func value(of column: String) -> JSON {
        switch column {
        case "id": .number(Double(id))
        case "createdAt": .string(DataTableRow.iso(createdAt))
        case "updatedAt": .string(DataTableRow.iso(updatedAt))
        default: values[column] ?? .null
        }
    }

    /// As it is stored.
    var text: String { JSON.object(values).serialized }
    var byteCount: Int { text.utf8.count }
}
