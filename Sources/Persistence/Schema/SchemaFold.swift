extension SchemaRegistry {
    /// The tables that a list of migrations leaves.
    /// - Throws: `PersistenceError.schema` where an operation does not fit what came before it.
    package static func fold(_ migrations: [Migration]) throws -> [String: Table] {
        var fold = SchemaFold()
        for migration in migrations {
            for operation in migration.operations { try fold.apply(operation, in: migration.id) }
        }
        return fold.tables
    }

    /// Checks that the migrations lead to the declared tables and that each table keeps the rules of its scope.
    /// - Throws: `PersistenceError.schema` that names what differs.
    package static func verify(_ tables: [Table], _ migrations: [Migration]) throws {
        let folded = try fold(migrations)
        for table in tables {
            guard let made = folded[table.name] else { throw PersistenceError.schema("No migration creates \(table.name)") }
            if let difference = table.difference(from: made) {
                throw PersistenceError.schema("The migrations of \(table.name) leave another table than declared: \(difference)")
            }
            if let fault = table.fault(among: folded) { throw PersistenceError.schema("\(table.name): \(fault)") }
        }
        let declared = Set(tables.map(\.name))
        if let stray = folded.keys.filter({ !declared.contains($0) }).min() {
            throw PersistenceError.schema("The migrations create \(stray), which no module declares")
        }
    }
}

/// Tables under the operations of migrations.
private struct SchemaFold {
    var tables: [String: Table] = [:]

    mutating func apply(_ operation: Migration.Operation, in id: String) throws {
        switch operation {
        case .createTable(let table):
            guard tables[table.name] == nil else { throw PersistenceError.schema("\(id) creates \(table.name) a second time") }
            tables[table.name] = table
        case .dropTable(let name):
            guard tables.removeValue(forKey: name) != nil else { throw unknown(name, id) }
        case .addColumn(let name, let column):
            try change(name, in: id) { table in
                guard !table.columns.contains(where: { $0.name == column.name }) else { return "has \(column.name) already" }
                guard column.isOptional || column.defaultValue != nil else { return "has rows that would lack \(column.name): give it a default" }
                table.columns.append(column)
                return nil
            }
        case .createIndex(let name, let index):
            try change(name, in: id) { table in
                table.indexes.append(index)
                return nil
            }
        case .dropIndex(let name, let index):
            try change(name, in: id) { table in
                guard table.indexes.contains(where: { $0.name == index }) else { return "has no index \(index)" }
                table.indexes.removeAll { $0.name == index }
                return nil
            }
        case .dropColumn(let name, let column):
            try change(name, in: id) { table in
                guard table.columns.contains(where: { $0.name == column }) else { return "has no column \(column)" }
                table.columns.removeAll { $0.name == column }
                return nil
            }
        case .takeMarkedRows(let name):
            try change(name, in: id) { table in
                guard table.scope == .tenant, !table.takesMarkedRows else { return "has no guard of what is inserted" }
                table.takesMarkedRows = true
                return nil
            }
        }
    }

    private mutating func change(_ name: String, in id: String, _ body: (inout Table) -> String?) throws {
        guard var table = tables[name] else { throw unknown(name, id) }
        if let fault = body(&table) { throw PersistenceError.schema("\(id) does not fit: \(name) \(fault)") }
        tables[name] = table
    }

    private func unknown(_ name: String, _ id: String) -> PersistenceError { .schema("\(id) changes \(name), which does not exist") }
}

extension Table {
    /// What differs, in words; columns, indexes, keys and checks compare without regard to their order.
    fileprivate func difference(from other: Table) -> String? {
        func differing<Part: Hashable>(_ mine: [Part], _ theirs: [Part]) -> String? {
            Set(mine).symmetricDifference(theirs).map { "\($0)" }.min()
        }
        if scope != other.scope { return "scope \(other.scope)" }
        if isAppendOnly != other.isAppendOnly { return "append only \(other.isAppendOnly)" }
        if takesMarkedRows != other.takesMarkedRows { return "takes marked rows \(other.takesMarkedRows)" }
        if primaryKey != other.primaryKey { return "primary key \(other.primaryKey)" }
        return differing(columns, other.columns) ?? differing(indexes, other.indexes) ?? differing(foreignKeys, other.foreignKeys)
            ?? differing(checks, other.checks)
    }

    /// A rule that the table breaks, in words.
    fileprivate func fault(among tables: [String: Table]) -> String? {
        let names = Set(columns.map(\.name))
        if names.count != columns.count { return "two columns share a name" }
        if name != name.lowercased() { return "a table's name is written in lower case" }
        if let missing = (primaryKey + indexes.flatMap(\.columns) + foreignKeys.flatMap(\.columns)).first(where: { !names.contains($0) }) {
            return "there is no column \(missing)"
        }
        for key in foreignKeys {
            guard let target = tables[key.table] else { return "it references \(key.table), which does not exist" }
            guard key.references.count == key.columns.count else { return "its reference to \(key.table) pairs no columns" }
            // Else a row could point at another tenant's.
            if scope == .tenant, target.scope == .tenant, key.columns.first != "tenant_id" || key.references.first != "tenant_id" {
                return "its reference to \(key.table) does not begin with tenant_id"
            }
        }
        return nil
    }
}
