@testable import Persistence
import Testing

@Suite struct SchemaTests {
    private static let parents = Table("parents", .tenant, primaryKey: ["id"], columns: [Column("id", .uuid), Column("name", .text)])

    private func message(_ tables: [Table], _ migrations: [Migration]) -> String? {
        do {
            try SchemaRegistry.verify(tables, migrations)
            return nil
        } catch PersistenceError.schema(let message) {
            return message
        } catch {
            return "\(error)"
        }
    }

    @Test func `later steps of a table may come in another order than its declaration`() {
        var before = Self.parents
        before.columns.removeLast()
        let steps: [Migration.Operation] = [
            .createTable(before), .addColumn(table: "parents", Column("gone", .text, optional: true)),
            .addColumn(table: "parents", Column("name", .text, default: .text(""))), .dropColumn(table: "parents", column: "gone"),
            .createIndex(table: "parents", Index("parents_name", on: ["tenant_id", "name"]))
        ]
        var declared = Self.parents
        declared.columns = [declared.columns[0], Column("name", .text, default: .text("")), declared.columns[1]]
        declared.indexes = [Index("parents_name", on: ["tenant_id", "name"])]
        #expect(message([declared], [Migration("test.0001", steps)]) == nil)
    }

    @Test func `what migrations leave and modules declare must be the same`() {
        let made = [Migration("test.0001", [.createTable(Self.parents)])]
        var changed = Self.parents
        changed.columns[1].isOptional = true
        #expect(message([changed], made)?.contains("parents") == true)
        #expect(message([], made)?.contains("no module declares") == true)
        #expect(message([Self.parents], [])?.contains("No migration creates") == true)
        #expect(message([Self.parents], made + [Migration("test.0002", [.createTable(Self.parents)])])?.contains("second time") == true)
        #expect(
            message([Self.parents], [Migration("test.0000", [.dropColumn(table: "parents", column: "x")])] + made)?.contains("does not exist") == true
        )
        let late = Migration("test.0002", [.addColumn(table: "parents", Column("late", .text))])
        #expect(message([Self.parents], made + [late])?.contains("give it a default") == true)
    }

    @Test func `a reference between tenants' tables begins with the tenant`() {
        func child(_ key: ForeignKey) -> [Table] {
            [
                Self.parents,
                Table("children", .tenant, primaryKey: ["id"], columns: [Column("id", .uuid), Column("parent", .uuid)], foreignKeys: [key])
            ]
        }
        func verdict(_ tables: [Table]) -> String? { message(tables, [Migration("test.0001", tables.map { .createTable($0) })]) }
        #expect(verdict(child(ForeignKey(["tenant_id", "parent"], references: "parents", ["tenant_id", "id"]))) == nil)
        #expect(verdict(child(ForeignKey(["parent"], references: "parents", ["id"])))?.contains("tenant_id") == true)
        #expect(verdict(child(ForeignKey(["tenant_id", "nobody"], references: "parents", ["tenant_id", "id"])))?.contains("nobody") == true)
    }

    @Test func `the checksum of a migration stays what it was in the first release`() {
        let operations: [Migration.Operation] = [
            .createTable(
                Table(
                    "parents", .tenant, primaryKey: ["id"],
                    columns: [Column("id", .uuid), Column("state", .text, default: .text("new")), Column("count", .integer, optional: true)],
                    indexes: [Index("parents_state", on: ["tenant_id", "state"], unique: true, where: .equals("state", "new"))],
                    foreignKeys: [ForeignKey(["tenant_id"], references: "tenants", ["id"], onDelete: .cascade)],
                    checks: [.oneOf(column: "state", values: ["new", "old"]), .atLeast(column: "count", 0)])),
            .addColumn(table: "parents", Column("at", .timestamp, optional: true)), .dropIndex(table: "parents", name: "parents_state")
        ]
        #expect(Migration("test.0001", operations).checksum == "66ba1f36d11380c1bc7a0829df6f75188d917c064c952531e444d4b2781ca999")
    }
}
