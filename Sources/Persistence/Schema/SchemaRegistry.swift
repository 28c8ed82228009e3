internal import Synchronization

/// All tables of a deployment, and the check that a statement keeps to its scope.
package final class SchemaRegistry: Sendable {
    package let tables: [String: Table]
    private let verdicts = Mutex<[Key: PersistenceError?]>([:])

    /// Texts remembered; a list of another length is another text.
    private static let verdictsMaximum = 10_000

    private struct Key: Hashable {
        var text: String
        var scope: Table.Scope
        var marks: Int
        var insertsMarkedRows: Bool
    }

    package init(_ tables: [Table]) {
        self.tables = Dictionary(tables.map { ($0.name, $0) }) { first, second in
            preconditionFailure("two tables are named \(first.name)")
        }
    }

    /// Looks at each distinct text once; see `TableUses`.
    /// - Throws: `PersistenceError.unscoped`
    func check(_ sql: SQL, scope: Table.Scope) throws {
        let key = Key(text: sql.text, scope: scope, marks: sql.tenantMarks, insertsMarkedRows: sql.insertsMarkedRows)
        if let known = verdicts.withLock({ $0[key] }) {
            if let fault = known { throw fault }
            return
        }
        let fault = fault(in: sql, scope: scope)
        verdicts.withLock { verdicts in
            if verdicts.count >= Self.verdictsMaximum { verdicts.removeAll() }
            verdicts[key] = .some(fault)
        }
        if let fault { throw fault }
    }

    private func fault(in sql: SQL, scope: Table.Scope) -> PersistenceError? {
        var ofTenants: [String] = []
        for name in TableUses.find(in: sql.text) {
            guard let table = tables[name] else { continue }
            guard table.scope == scope else { return .unscoped(statement: sql.text, table: name) }
            if table.scope == .tenant { ofTenants.append(name) }
        }
        guard ofTenants.count <= sql.tenantMarks else { return .unscoped(statement: sql.text, table: ofTenants.joined(separator: ", ")) }
        if !sql.insertsMarkedRows, let name = TableUses.inserted(in: sql.text).first(where: { tables[$0]?.takesMarkedRows == true }) {
            return .unscoped(statement: sql.text, table: name)
        }
        return nil
    }
}
