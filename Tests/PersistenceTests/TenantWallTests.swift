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
}
