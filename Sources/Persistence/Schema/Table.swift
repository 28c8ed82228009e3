/// A table as both drivers create it; the DDL of each is derived from this value alone.
package struct Table: Sendable, Hashable {
    /// Which rows a transaction may touch it from.
    package enum Scope: String, Sendable, Hashable {
        /// `tenant_id` comes first in its key; only a tenant's own transaction reads or writes it.
        case tenant
        /// Read before a tenant is known: tenants, domains, users, memberships, key hashes, sessions, plans.
        case directory
        /// The platform's own: ledger, listings, provider events; tenants are named in columns.
        case platform
        /// Due times and ids only, for the schedulers of all tenants: jobs, timers, outbox.
        case system
    }

    package var name: String
    package var scope: Scope
    package var columns: [Column]
    /// Column names; a tenant table's begin with `tenant_id`.
    package var primaryKey: [String]
    package var indexes: [Index]
    package var foreignKeys: [ForeignKey]
    package var checks: [Check]
    /// Rows are written once: the database refuses to change or delete one.
    package var isAppendOnly: Bool
    /// Rows come by `RowForm` and by copies of a tenant's rows alone, which begin each one with the tenant's mark, so that no trigger of SQLite looks at it
    /// once more: a statement under a trigger copies every page that it changes. For a table whose inserts are most of what is written.
    package var takesMarkedRows: Bool

    /// A tenant table gets its `tenant_id` column by itself, in front.
    package init(
        _ name: String, _ scope: Scope, primaryKey: [String], columns: [Column], indexes: [Index] = [],
        foreignKeys: [ForeignKey] = [], checks: [Check] = [], isAppendOnly: Bool = false, takesMarkedRows: Bool = false
    ) {
        self.name = name
        self.scope = scope
        self.columns = scope == .tenant ? [Column("tenant_id", .uuid)] + columns : columns
        self.primaryKey = scope == .tenant && primaryKey.first != "tenant_id" ? ["tenant_id"] + primaryKey : primaryKey
        self.indexes = indexes
        self.foreignKeys = foreignKeys
        self.checks = checks
        self.isAppendOnly = isAppendOnly
        self.takesMarkedRows = takesMarkedRows
    }
}

/// A column; NOT NULL unless said otherwise.
package struct Column: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable { case integer, real, text, blob, uuid, timestamp, boolean }
    package enum Default: Sendable, Hashable { case integer(Int64), text(String), boolean(Bool) }

    package var name: String
    package var kind: Kind
    package var isOptional: Bool
    package var defaultValue: Default?

    package init(_ name: String, _ kind: Kind, optional: Bool = false, default: Default? = nil) {
        self.name = name
        self.kind = kind
        self.isOptional = optional
        self.defaultValue = `default`
    }
}

package struct Index: Sendable, Hashable {
    package var name: String
    package var columns: [String]
    package var isUnique: Bool
    /// A partial index holds only rows where this column has this text, or another, or is (not) null, or where all of several hold.
    package var condition: Condition?

    package indirect enum Condition: Sendable, Hashable {
        case equals(String, String)
        case isNull(String)
        case isNotNull(String)
        /// Holds a query that says the same in the same words.
        case differs(String, String)
        case all([Condition])
    }

    package init(_ name: String, on columns: [String], unique: Bool = false, where condition: Condition? = nil) {
        self.name = name
        self.columns = columns
        self.isUnique = unique
        self.condition = condition
    }
}

package struct ForeignKey: Sendable, Hashable {
    package enum Action: String, Sendable, Hashable { case restrict, cascade }
    package var columns: [String]
    package var table: String
    package var references: [String]
    package var onDelete: Action

    package init(_ columns: [String], references table: String, _ keys: [String], onDelete: Action = .restrict) {
        self.columns = columns
        self.table = table
        self.references = keys
        self.onDelete = onDelete
    }
}

/// A CHECK that both drivers write alike.
package enum Check: Sendable, Hashable {
    case oneOf(column: String, values: [String])
    case atLeast(column: String, Int64)
    case atMost(column: String, Int64)
    /// `left <= right` between two columns of a row; holds where either is null.
    case notAbove(left: String, right: String)
}

/// One ordered step of a module's schema; forward only, never edited once it has landed.
package struct Migration: Sendable, Hashable {
    package enum Operation: Sendable, Hashable {
        case createTable(Table)
        case addColumn(table: String, Column)
        case createIndex(table: String, Index)
        case dropIndex(table: String, name: String)
        case dropTable(name: String)
        case dropColumn(table: String, column: String)
        /// See `Table.takesMarkedRows`.
        case takeMarkedRows(table: String)
    }

    /// `module.NNNN-words`, unique over all modules: `tenancy.0001-tenants`.
    package var id: String
    package var operations: [Operation]

    package init(_ id: String, _ operations: [Operation]) {
        self.id = id
        self.operations = operations
    }
}
