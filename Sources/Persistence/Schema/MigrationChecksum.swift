internal import Crypto
internal import Kernel

extension Migration {
    /// SHA-256 over a text of all that the operations say. The text is spelled out here and never changes for a migration that exists: a
    /// field added to a schema type later may only add to it where it is set.
    var checksum: String {
        let text = operations.map(\.canonicalText).joined(separator: "\n")
        return SHA256.hash(data: Array(text.utf8)).hexText
    }
}

extension Migration.Operation {
    fileprivate var canonicalText: String {
        switch self {
        case .createTable(let table): "create table \(table.canonicalText)"
        case .addColumn(let table, let column): "add column \(table) \(column.canonicalText)"
        case .createIndex(let table, let index): "create index \(table) \(index.canonicalText)"
        case .dropIndex(let table, let name): "drop index \(table) \(name)"
        case .dropTable(let name): "drop table \(name)"
        case .dropColumn(let table, let column): "drop column \(table) \(column)"
        case .takeMarkedRows(let table): "take marked rows \(table)"
        }
    }
}

extension Table {
    fileprivate var canonicalText: String {
        let parts =
            columns.map(\.canonicalText) + indexes.map { "index \($0.canonicalText)" } + foreignKeys.map(\.canonicalText)
            + checks.map(\.canonicalText)
        return "\(name) \(scope.rawValue)\(isAppendOnly ? " append only" : "") key \(primaryKey.joined(separator: ","))\n"
            + parts.joined(separator: "\n")
    }
}

extension Column {
    fileprivate var canonicalText: String {
        let value =
            switch defaultValue {
            case nil: ""
            case .integer(let value): " default integer \(value)"
            case .text(let value): " default text \(SQLText.quoted(value))"
            case .boolean(let value): " default boolean \(value)"
            }
        return "\(name) \(kind.rawValue)\(isOptional ? " optional" : "")\(value)"
    }
}

extension Index {
    fileprivate var canonicalText: String {
        let condition = condition.map { " where \(SQLText.condition($0))" } ?? ""
        return "\(name) on \(columns.joined(separator: ","))\(isUnique ? " unique" : "")\(condition)"
    }
}

extension ForeignKey {
    fileprivate var canonicalText: String {
        "references \(columns.joined(separator: ",")) \(table) \(references.joined(separator: ",")) \(onDelete.rawValue)"
    }
}

extension Check {
    fileprivate var canonicalText: String { "check \(SQLText.condition(self))" }
}
