internal import Synchronization

/// All tables of a deployment, and the check that a statement keeps to its scope.
package final class SchemaRegistry: Sendable {
    package let tables: [String: Table]
    private let verdicts = Mutex<[Key: PersistenceError?]>([:])

    private struct Key: Hashable {
        var text: String
        var scope: Table.Scope
        var marks: Int
    }

    package init(_ tables: [Table]) {
        self.tables = Dictionary(tables.map { ($0.name, $0) }) { first, second in
            preconditionFailure("two tables are named \(first.name)")
        }
    }

    /// Every word of the text that is a table's name counts as a use of it; each distinct text is looked at once.
    /// - Throws: `PersistenceError.unscoped`
    func check(_ sql: SQL, scope: Table.Scope) throws {
        let key = Key(text: sql.text, scope: scope, marks: sql.tenantMarks)
        if let known = verdicts.withLock({ $0[key] }) {
            if let fault = known { throw fault }
            return
        }
        let fault = fault(in: sql, scope: scope)
        verdicts.withLock { $0[key] = .some(fault) }
        if let fault { throw fault }
    }

    private func fault(in sql: SQL, scope: Table.Scope) -> PersistenceError? {
        var used: Set<String> = []
        for word in sql.text.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_") }) {
            let name = String(word)
            guard let table = tables[name] else { continue }
            guard table.scope == scope else { return .unscoped(statement: sql.text, table: name) }
            if table.scope == .tenant { used.insert(name) }
        }
        guard used.count <= sql.tenantMarks else { return .unscoped(statement: sql.text, table: used.sorted().joined(separator: ", ")) }
        return nil
    }

    /// The tables that a list of migrations leaves.
    /// - Throws: `PersistenceError.schema` where an operation does not fit.
    package static func fold(_ migrations: [Migration]) throws -> [String: Table] {
        var tables: [String: Table] = [:]
        for migration in migrations {
            for operation in migration.operations { try apply(operation, to: &tables, in: migration.id) }
        }
        return tables
    }

    private static func apply(_ operation: Migration.Operation, to tables: inout [String: Table], in id: String) throws {
        func require(_ name: String) throws -> Table {
            guard let table = tables[name] else { throw PersistenceError.schema("\(id) changes \(name), which does not exist") }
            return table
        }
        switch operation {
        case .createTable(let table):
            guard tables[table.name] == nil else { throw PersistenceError.schema("\(id) creates \(table.name) a second time") }
            tables[table.name] = table
        case .addColumn(let name, let column):
            var table = try require(name)
            table.columns.append(column)
            tables[name] = table
        case .createIndex(let name, let index):
            var table = try require(name)
            table.indexes.append(index)
            tables[name] = table
        case .dropIndex(let name, let index):
            var table = try require(name)
            table.indexes.removeAll { $0.name == index }
            tables[name] = table
        case .dropTable(let name):
            _ = try require(name)
            tables[name] = nil
        case .dropColumn(let name, let column):
            var table = try require(name)
            table.columns.removeAll { $0.name == column }
            tables[name] = table
        }
    }
}
