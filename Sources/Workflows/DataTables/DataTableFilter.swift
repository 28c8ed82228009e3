package import Kernel

/// Which rows are meant, by n8n's conditions.
package struct DataTableFilter: Sendable, Hashable {
    package enum Operation: String, Sendable, Hashable, CaseIterable {
        case eq, neq, like, ilike, gt, gte, lt, lte, isEmpty, isNotEmpty, isTrue, isFalse
    }

    package struct Condition: Sendable, Hashable {
        package var column: String
        package var operation: Operation
        package var value: JSON
        package init(_ column: String, _ operation: Operation, _ value: JSON = .null) {
            self.column = column
            self.operation = operation
            self.value = value
        }
    }

    package var conditions: [Condition]
    /// Any of them is enough, else all must hold; without conditions every row is meant.
    package var isAny: Bool

    package init(_ conditions: [Condition], isAny: Bool = true) {
        self.conditions = conditions
        self.isAny = isAny
    }

    /// - Throws: `unknown_column`; what it returns throws `too_much_work`.
    func matcher(_ table: DataTable, _ work: DataTableWork) throws -> (DataTableRow) throws -> Bool {
        let tests: [(DataTableRow) throws -> Bool] = try conditions.map { condition in
            guard let column = Self.column(condition.column, of: table) else {
                throw Refusal.invalid("filters", "unknown_column", "The table \(table.name) has no column '\(condition.column)'.")
            }
            let wanted = Self.comparable(condition.value, column.type)
            return { row in
                try work.spend(comparisons: 1)
                return try Self.holds(condition.operation, row.value(of: column.name), wanted, work)
            }
        }
        if tests.isEmpty { return { _ in true } }
        return isAny ? { row in try tests.contains { try $0(row) } } : { row in try tests.allSatisfy { try $0(row) } }
    }

    /// A value that every row that is meant has in a column; nil where there is no such column.
    func key(_ table: DataTable) -> (column: DataTable.Column, value: JSON)? {
        guard conditions.count == 1 || !isAny, let condition = conditions.first(where: { $0.operation == .eq }),
            let column = Self.column(condition.column, of: table)
        else { return nil }
        return (column, Self.comparable(condition.value, column.type))
    }

    private static func column(_ name: String, of table: DataTable) -> DataTable.Column? {
        table.column(name) ?? DataTable.own.first { $0.name == name }
    }

    /// A value as the column holds it, so that `"5"` finds 5.
    private static func comparable(_ value: JSON, _ type: DataTable.ColumnType) -> JSON {
        if value.isNull { return .null }
        switch type {
        case .string: return .string(value.displayText)
        case .number: return value == "" || value.coercedNumber.isNaN ? value : .number(value.coercedNumber)
        case .boolean: return value == "true" ? true : value == "false" ? false : value
        case .date: return LooseTime.parse(value, timeZone: "UTC").map { .string(DataTableRow.iso($0)) } ?? value
        }
    }

    private static func holds(_ operation: Operation, _ value: JSON, _ wanted: JSON, _ work: DataTableWork) throws -> Bool {
        switch operation {
        case .eq: return value == wanted
        case .neq: return value != wanted
        case .isEmpty: return value.isNull
        case .isNotEmpty: return !value.isNull
        case .isTrue: return value == true
        case .isFalse: return value == false
        case .like: return try !value.isNull && like(value.displayText, wanted.displayText, work)
        case .ilike: return try !value.isNull && like(value.displayText.lowercased(), wanted.displayText.lowercased(), work)
        case .gt, .gte, .lt, .lte: break
        }
        guard let order = order(value, wanted) else { return false }
        switch operation {
        case .gt: return order > 0
        case .gte: return order >= 0
        case .lt: return order < 0
        default: return order <= 0
        }
    }

    /// nil where the two cannot be compared.
    static func order(_ left: JSON, _ right: JSON) -> Int? {
        switch (left, right) {
        case (.number(let left), .number(let right)): left < right ? -1 : left > right ? 1 : 0
        case (.string(let left), .string(let right)): left < right ? -1 : left > right ? 1 : 0
        case (.bool(let left), .bool(let right)): left == right ? 0 : left ? 1 : -1
        default: nil
        }
    }

    /// SQL's LIKE: `%` is any text, `_` any one character.
    /// - Throws: `too_much_work`: behind a `%` a text may be walked once for each of its letters.
    static func like(_ text: String, _ pattern: String, _ work: DataTableWork) throws -> Bool {
        let text = Array(text)
        let pattern = Array(pattern)
        try work.spend(letters: text.count + pattern.count)
        var (place, mark) = (0, 0)
        var retry: (text: Int, pattern: Int)?
        while place < text.count {
            if mark < pattern.count, pattern[mark] == "%" {
                retry = (place, mark)
                mark += 1
            } else if mark < pattern.count, pattern[mark] == "_" || pattern[mark] == text[place] {
                place += 1
                mark += 1
            } else if let last = retry {
                try work.spend(letters: place - last.text)
                retry = (last.text + 1, last.pattern)
                place = last.text + 1
                mark = last.pattern + 1
            } else {
                return false
            }
        }
        while mark < pattern.count, pattern[mark] == "%" { mark += 1 }
        return mark == pattern.count
    }
}
