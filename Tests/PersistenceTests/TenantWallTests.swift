import Kernel
@testable import Persistence
import TestKit
import Testing

/// Generated over every tenant table that a module declares: what tenant A wrote, tenant B neither sees nor changes, even with statements
/// that forge the other's id.
@Suite struct TenantWallTests {
    @Test(arguments: DatabaseEngine.allCases)
    func `a tenant's rows are out of another's reach`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            for table in lease.registry.tables.values.sorted(by: { $0.name < $1.name }) where table.scope == .tenant {
                try await check(table, lease, engine)
            }
        }
    }

    private func check(_ table: Table, _ lease: DatabaseLease, _ engine: DatabaseEngine) async throws {
        try await lease.database.write(in: lease.tenant) { tx in _ = try tx.execute(Self.insert(into: table, tenant: lease.tenant, ids: tx.ids)) }
        let seen = try await lease.database.read(in: lease.other) { tx in
            try tx.first(Self.forged("SELECT count(*) FROM \(table.name) WHERE tenant_id = ?1 AND tenant_id = ?2", lease, tx)) {
                try $0.column(0, as: Int.self)
            }
        }
        #expect(seen == 0, "\(table.name): read by its own mark")
        for text in ["DELETE FROM \(table.name) WHERE tenant_id = ?1", "UPDATE \(table.name) SET tenant_id = ?2 WHERE tenant_id = ?1"] {
            // SQLite's triggers raise, PostgreSQL's policies see no row: either way nothing changes.
            let changed = try? await lease.database.write(in: lease.other) { tx in try tx.execute(Self.forged(text, lease, tx)) }
            #expect((changed ?? 0) == 0, "\(table.name): \(text)")
        }
        await #expect(throws: PersistenceError.self, "\(table.name): insert for another") {
            try await lease.database.write(in: lease.other) { tx in _ = try tx.execute(Self.insert(into: table, tenant: lease.tenant, ids: tx.ids)) }
        }
        if engine == .postgres {
            let stolen = try await lease.database.read(in: lease.other) { tx in
                try tx.first(Self.forged("SELECT count(*) FROM \(table.name) WHERE tenant_id = ?1", lease, tx)) { try $0.column(0, as: Int.self) }
            }
            #expect(stolen == 0, "\(table.name): read with the other's id")
        }
        let kept = try await lease.database.read(in: lease.tenant) { tx in
            try tx.first(Self.forged("SELECT count(*) FROM \(table.name) WHERE tenant_id = ?1", lease, tx)) { try $0.column(0, as: Int.self) }
        }
        #expect(kept == 1, "\(table.name): kept")
    }

    /// A statement whose first value is the first tenant's id, whoever runs it, marked as if it were right.
    private static func forged(_ text: String, _ lease: DatabaseLease, _ tx: TenantTransaction) -> SQL {
        var sql = SQL(stringLiteral: text)
        sql.values = [lease.tenant.sqlValue]
        if text.contains("?2") { sql.values.append(tx.tenant.id.sqlValue) }
        sql.tenantMarks = 2
        return sql
    }

    /// A row with plausible values in every column.
    private static func insert(into table: Table, tenant: TenantID, ids: IDs) -> SQL {
        var sql = SQL(stringLiteral: "")
        let allowed = Dictionary(
            table.checks.compactMap { check in if case .oneOf(let column, let values) = check { (column, values[0]) } else { nil } },
            uniquingKeysWith: { first, _ in first })
        for column in table.columns {
            let value: SQLValue =
                switch column.kind {
                case _ where column.name == "tenant_id": tenant.sqlValue
                case .integer: .integer(1)
                case .real: .real(1)
                case .text: .text(allowed[column.name] ?? "x\(ids.next(Thing.self))")
                case .blob: .blob(ids.next(Thing.self).bytes)
                case .uuid: ids.next(Thing.self).sqlValue
                case .timestamp: .timestamp(Timestamp(seconds: 1))
                case .boolean: .boolean(true)
                }
            sql.values.append(value)
        }
        let places = (1...table.columns.count).map { "?\($0)" }.joined(separator: ", ")
        sql.text = "INSERT INTO \(table.name) (\(table.columns.map(\.name).joined(separator: ", "))) VALUES (\(places))"
        sql.tenantMarks = 1
        return sql
    }

    private static let marked = Table("marked", .tenant, primaryKey: ["id"], columns: [Column("id", .uuid), Column("words", .text)])
    private static let form = RowForm(into: "marked", columns: ["id", "words"])

    @Test(arguments: DatabaseEngine.allCases)
    func `a table of marked rows takes what a form or a copy puts together, and nothing else`(_ engine: DatabaseEngine) async throws {
        var table = Self.marked
        table.takesMarkedRows = true
        let migrations = [Migration("marked.0001", [.createTable(Self.marked)]), Migration("marked.0002", [.takeMarkedRows(table: "marked")])]
        try await withDatabase(engine, tables: [table], migrations: migrations) { lease in
            let (tenant, other) = (lease.tenant, lease.other)
            try await lease.database.write(in: tenant) { tx in
                _ = try tx.execute(SQL(Self.form, tx.tenant, [tx.ids.next(Thing.self).sqlValue, "own".sqlValue]))
            }
            let rows = try await TableRows(table, of: tenant).page(in: lease.database, after: nil)
            try await TableRows(table, of: other).insert(rows, into: lease.database)
            for id in [tenant, other] {
                let words = try await lease.database.read(in: id) { tx in
                    try tx.all("SELECT words FROM marked WHERE tenant_id = \(tx.tenant)") { try $0.column(0, as: String.self) }
                }
                #expect(words == ["own"])
            }
            // By the words of the very same statement.
            await #expect(throws: PersistenceError.self) {
                try await lease.database.write(in: other) { tx in
                    let id: ID<Thing> = tx.ids.next()
                    _ = try tx.execute("INSERT INTO marked (tenant_id, id, words) SELECT \(tenant), \(id), 'x' WHERE \(tx.tenant) IS NOT NULL")
                }
            }
            await #expect(throws: PersistenceError.self) {
                try await lease.database.write(in: other) { tx in
                    let id: ID<Thing> = tx.ids.next()
                    _ = try tx.execute("INSERT INTO marked (tenant_id, id, words) VALUES (\(tx.tenant), \(id), 'by hand')")
                }
            }
            // A mark serves in the transaction that made it alone.
            let foreign = try await lease.database.write(in: tenant) { tx in tx.tenant }
            await #expect(throws: PersistenceError.self) {
                try await lease.database.write(in: other) { tx in
                    _ = try tx.execute(SQL(Self.form, foreign, [tx.ids.next(Thing.self).sqlValue, "forged".sqlValue]))
                }
            }
        }
    }
}
