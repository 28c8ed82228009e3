package import Kernel

/// A statement whose values are bound by interpolation: `"SELECT name FROM users WHERE id = \(id)"`.
/// Placeholders are written as `?1`, `?2`, … and rewritten by the PostgreSQL driver to `$1`, `$2`, ….
///
/// The static text is part of the program; nothing a person typed can become text, since only `SQLBindable`
/// values and a list of them (`IN \(list)`) can be interpolated.
package struct SQL: Sendable, ExpressibleByStringInterpolation {
    package internal(set) var text: String
    package internal(set) var values: [SQLValue]
    /// How many tenant marks (`tenant_id = \(tx.tenant)` or the same value in an INSERT) the statement binds.
    package internal(set) var tenantMarks: Int
    /// The tenant whose marks they are.
    private(set) var tenant: TenantID?
    /// Whether marks of more than one tenant stand in the statement: no transaction runs that.
    private(set) var mixesTenants = false
    /// Whether it does nothing but insert rows that each begin with the mark, by how it was put together.
    var insertsMarkedRows = false

    package init(stringLiteral value: String) {
        text = value
        values = []
        tenantMarks = 0
    }

    package init(stringInterpolation: Interpolation) { self = stringInterpolation.sql }

    /// A row of a tenant's table.
    package init(_ row: RowForm, _ tenant: TenantMark, _ values: [SQLValue]) {
        precondition(values.count == row.count, "a value for each column")
        text = row.text
        self.values = [tenant.id.sqlValue] + values
        tenantMarks = 1
        self.tenant = tenant.id
        insertsMarkedRows = true
    }

    private mutating func mark(_ id: TenantID) {
        tenantMarks += 1
        if let tenant, tenant != id { mixesTenants = true }
        tenant = id
    }

    /// Takes over the tenant marks of a part.
    private mutating func adopt(_ part: SQL) {
        tenantMarks += part.tenantMarks
        if let tenant, let other = part.tenant, tenant != other { mixesTenants = true }
        if part.mixesTenants { mixesTenants = true }
        tenant = tenant ?? part.tenant
    }

    package struct Interpolation: StringInterpolationProtocol {
        var sql: SQL

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql = SQL(stringLiteral: "")
            sql.text.reserveCapacity(literalCapacity + interpolationCount * 3)
            sql.values.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { sql.text += literal }

        package mutating func appendInterpolation(_ value: some SQLBindable) { bind(value.sqlValue) }

        package mutating func appendInterpolation<Value: SQLBindable>(_ value: Value?) { bind(value.sqlValue) }

        /// Values with commas between them: the text of many at once.
        package mutating func appendInterpolation(values: [SQLValue]) {
            let (first, end) = (sql.values.count + 1, sql.values.count + values.count)
            guard !values.isEmpty, end < Self.placeholders.count else { return list(values) }
            sql.text += Self.joined.text[Self.joined.starts[first]..<Self.joined.ends[end]]
            sql.values += values
        }

        /// The marked tenant value of a tenant-scoped transaction.
        package mutating func appendInterpolation(_ tenant: TenantMark) {
            sql.mark(tenant.id)
            bind(tenant.id.sqlValue)
        }

        /// A parenthesised list for `IN`; an empty list matches nothing.
        package mutating func appendInterpolation(list values: [some SQLBindable]) {
            guard !values.isEmpty else { return sql.text += "(NULL)" }
            sql.text += "("
            appendInterpolation(values: values.map(\.sqlValue))
            sql.text += ")"
        }

        /// Parenthesised rows for `VALUES`; their columns are named `column1`, `column2`, … by both databases.
        package mutating func appendInterpolation(rows: [[SQLValue]]) {
            for (index, row) in rows.enumerated() {
                sql.text += index > 0 ? ", (" : "("
                appendInterpolation(values: row)
                sql.text += ")"
            }
        }

        /// Names of columns, as the program writes them.
        package mutating func appendInterpolation(columns names: [StaticString]) {
            for (index, name) in names.enumerated() { sql.text += index > 0 ? ", \(name)" : "\(name)" }
        }

        /// A part of a statement that was put together before, with what it binds.
        package mutating func appendInterpolation(part: SQL) {
            var rest = part.text[...]
            while let mark = rest.firstIndex(of: "?") {
                sql.text += rest[..<mark]
                let digits = rest[mark...].dropFirst().prefix { $0.isASCII && $0.isNumber }
                rest = rest[digits.endIndex...]
                if let place = Int(digits), part.values.indices.contains(place - 1) { bind(part.values[place - 1]) } else { sql.text += "?\(digits)" }
            }
            sql.text += rest
            sql.adopt(part)
        }

        private static let placeholders: [String] = (0...128).map { "?\($0)" }

        /// All of them with commas between, and where each begins and ends.
        private static let joined: (text: String, starts: [String.Index], ends: [String.Index]) = {
            let text = placeholders.joined(separator: ", ")
            var (starts, ends, place): ([String.Index], [String.Index], Int) = ([], [], 0)
            for one in placeholders {
                starts.append(text.utf8.index(text.startIndex, offsetBy: place))
                ends.append(text.utf8.index(text.startIndex, offsetBy: place + one.utf8.count))
                place += one.utf8.count + 2
            }
            return (text, starts, ends)
        }()

        private mutating func list(_ values: [SQLValue]) {
            for (index, value) in values.enumerated() {
                if index > 0 { sql.text += ", " }
                bind(value)
            }
        }

        private mutating func bind(_ value: SQLValue) {
            sql.values.append(value)
            let place = sql.values.count
            sql.text += place < Self.placeholders.count ? Self.placeholders[place] : "?\(place)"
        }
    }
}

/// An INSERT whose text is put together once, for rows that are written all the time.
package struct RowForm: Sendable {
    let text: String
    /// Columns after the tenant's.
    let count: Int

    /// - Parameter columns: those after `tenant_id`, by which the values come.
    package init(into table: StaticString, columns: [StaticString]) {
        let names = columns.map { "\($0)" }.joined(separator: ", ")
        let places = (1...(columns.count + 1)).map { "?\($0)" }.joined(separator: ", ")
        text = "INSERT INTO \(table) (tenant_id, \(names)) VALUES (\(places))"
        count = columns.count
    }
}

/// The tenant of a tenant-scoped transaction, as its statements bind it. Only such a transaction can make one.
package struct TenantMark: Sendable, Hashable {
    package let id: TenantID
    init(id: TenantID) { self.id = id }
}

/// A row of a result; columns are read by their place in the statement's list.
package struct Row: Sendable {
    package let values: [SQLValue]
    package init(values: [SQLValue]) { self.values = values }

    /// `let slug: String = try row.column(1)`
    package func column<Value: SQLReadable>(_ index: Int, as: Value.Type = Value.self) throws -> Value {
        try Value(sqlValue: values[index])
    }
}
