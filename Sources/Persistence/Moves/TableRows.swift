internal import Crypto
package import Kernel

/// All rows that a tenant has in one table, in the order of its key, for copies from one database to another.
package struct TableRows: Sendable {
    package let table: Table
    private let tenant: TenantID

    /// Rows of one query and one insertion: with the widest table still far below the most values that either database binds.
    package static let pageRows = 200

    /// What two copies of the same rows have in common.
    package struct Fingerprint: Sendable, Hashable {
        package var rows: Int
        /// SHA-256 over all of them, in hexadecimal.
        package var digest: String
    }

    /// - Parameter table: of the tenants' scope, or one that names the tenant: in `id` where it is the table of tenants, else in `tenant_id`.
    package init(_ table: Table, of tenant: TenantID) {
        self.table = table
        self.tenant = tenant
    }

    private var tenantColumn: String { table.columns.contains { $0.name == "tenant_id" } ? "tenant_id" : "id" }
    private var keys: [String] { table.primaryKey.count > 1 ? table.primaryKey.filter { $0 != tenantColumn } : table.primaryKey }

    /// The next rows after a key; see `key(of:)`.
    package func page(in database: any Database, after key: [SQLValue]?) async throws -> [[SQLValue]] {
        let rows: [Row] =
            switch table.scope {
            case .tenant: try await database.read(in: tenant) { tx in try tx.all(select(after: key, mark: tx.tenant)) }
            case .directory: try await database.readDirectory { tx in try tx.all(select(after: key, mark: nil)) }
            case .system: try await database.readSystem { tx in try tx.all(select(after: key, mark: nil)) }
            case .platform: try await database.readPlatform { tx in try tx.all(select(after: key, mark: nil)) }
            }
        return try rows.map(canonical)
    }

    /// All rows, within a transaction.
    package func all(_ tx: SystemTransaction) throws -> [[SQLValue]] {
        var found: [[SQLValue]] = []
        while true {
            let page = try tx.all(select(after: found.last.map(key), mark: nil)).map(canonical)
            found += page
            if page.count < Self.pageRows { return found }
        }
    }

    package func key(of row: [SQLValue]) -> [SQLValue] {
        keys.map { name in row[table.columns.firstIndex { $0.name == name } ?? 0] }
    }

    /// Rows whose key is there already stay as they are.
    package func insert(_ rows: [[SQLValue]], into database: any Database) async throws {
        guard !rows.isEmpty else { return }
        switch table.scope {
        case .tenant: try await database.write(in: tenant) { tx in _ = try tx.execute(insertion(rows, mark: tx.tenant)) }
        case .directory: try await database.writeDirectory { tx in _ = try tx.execute(insertion(rows, mark: nil)) }
        case .system: try await database.writeSystem { tx in try insert(rows, in: tx) }
        case .platform: try await database.writePlatform { tx in _ = try tx.execute(insertion(rows, mark: nil)) }
        }
    }

    package func insert(_ rows: [[SQLValue]], in tx: SystemTransaction) throws {
        for start in stride(from: 0, to: rows.count, by: Self.pageRows) {
            try tx.execute(insertion(Array(rows[start..<min(start + Self.pageRows, rows.count)]), mark: nil))
        }
    }

    package func removeAll(from database: any Database) async throws {
        switch table.scope {
        case .tenant:
            try await database.write(in: tenant) { tx in _ = try tx.execute("DELETE FROM \(raw: table.name) WHERE tenant_id = \(tx.tenant)") }
        case .directory: try await database.writeDirectory { tx in _ = try tx.execute(deletion) }
        case .system: try await database.writeSystem { tx in _ = try tx.execute(deletion) }
        case .platform: try await database.writePlatform { tx in _ = try tx.execute(deletion) }
        }
    }

    package func removeAll(_ tx: SystemTransaction) throws { try tx.execute(deletion) }

    package func fingerprint(in database: any Database, _ change: ([SQLValue]) -> [SQLValue] = { $0 }) async throws -> Fingerprint {
        var (hash, count) = (SHA256(), 0)
        var last: [SQLValue]?
        while true {
            let page = try await page(in: database, after: last)
            for row in page { hash.update(data: RowCoding.encode(change(row))) }
            count += page.count
            guard page.count == Self.pageRows, let row = page.last else { break }
            last = key(of: row)
        }
        return Fingerprint(rows: count, digest: PayloadHash(bytes: Array(hash.finalize())).hex)
    }

    // MARK: Statements

    private func canonical(_ row: Row) throws -> [SQLValue] {
        try zip(row.values, table.columns).map { value, column in try RowCoding.canonical(value, column.kind) }
    }

    private var columns: String { table.columns.map(\.name).joined(separator: ", ") }

    private var deletion: SQL { "DELETE FROM \(raw: table.name) WHERE \(raw: tenantColumn) = \(tenant)" }

    private func select(after key: [SQLValue]?, mark: TenantMark?) -> SQL {
        let order = keys.joined(separator: ", ")
        let after = key.map { [$0] } ?? []
        guard let mark else {
            return after.isEmpty
                ? "SELECT \(raw: columns) FROM \(raw: table.name) WHERE \(raw: tenantColumn) = \(tenant) ORDER BY \(raw: order) LIMIT \(Self.pageRows)"
                : """
                SELECT \(raw: columns) FROM \(raw: table.name)
                WHERE \(raw: tenantColumn) = \(tenant) AND (\(raw: order)) > \(rows: after) ORDER BY \(raw: order) LIMIT \(Self.pageRows)
                """
        }
        return after.isEmpty
            ? "SELECT \(raw: columns) FROM \(raw: table.name) WHERE tenant_id = \(mark) ORDER BY \(raw: order) LIMIT \(Self.pageRows)"
            : """
            SELECT \(raw: columns) FROM \(raw: table.name)
            WHERE tenant_id = \(mark) AND (\(raw: order)) > \(rows: after) ORDER BY \(raw: order) LIMIT \(Self.pageRows)
            """
    }

    private func insertion(_ rows: [[SQLValue]], mark: TenantMark?) -> SQL {
        guard let mark else { return "INSERT INTO \(raw: table.name) (\(raw: columns)) VALUES \(rows: rows) ON CONFLICT DO NOTHING" }
        // A tenant's table begins with the tenant.
        let rows = rows.map { Array($0.dropFirst()) }
        var sql: SQL = "INSERT INTO \(raw: table.name) (\(raw: columns)) VALUES \(rows: rows, of: mark) ON CONFLICT DO NOTHING"
        sql.insertsMarkedRows = true
        return sql
    }
}

extension SQL.Interpolation {
    /// Names from the declared schema.
    fileprivate mutating func appendInterpolation(raw text: String) { appendLiteral(text) }

    /// Rows for `VALUES`, each with the tenant in front.
    fileprivate mutating func appendInterpolation(rows: [[SQLValue]], of mark: TenantMark) {
        for (index, row) in rows.enumerated() {
            appendLiteral(index > 0 ? ", (" : "(")
            appendInterpolation(mark)
            for value in row {
                appendLiteral(", ")
                appendInterpolation(value)
            }
            appendLiteral(")")
        }
    }
}

extension SQLValue: SQLBindable { package var sqlValue: SQLValue { self } }
