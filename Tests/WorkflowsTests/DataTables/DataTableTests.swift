import HTTPSurface
import Kernel
import Logging
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct DataTableTests {
    static let columns: [DataTable.Column] = [
        .init("name", .string), .init("price", .number), .init("sold", .boolean), .init("day", .date)
    ]

    func tables(_ harness: WorkflowHarness) -> DataTables {
        DataTables(database: harness.lease.database, ids: harness.lease.ids, policies: TenantPolicies.tenancy { _ in "UTC" })
    }

    private func code(_ body: () async throws -> Void) async -> String? {
        do { try await body() } catch { return (error as? Refusal)?.faults.first?.code ?? (error as? Refusal)?.code }
        return nil
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres]) func `rows hold values of their columns' types`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let tables = tables(harness)
            let me = harness.principal()
            let table = try await tables.create(" Goods ", columns: Self.columns, by: me)
            #expect(table.name == "Goods")
            let row = try await tables.insert(["name": 5, "price": "2.50", "sold": "true", "day": "2026-03-10"], into: table.id, by: me)
            #expect(row.id == 1 && row.values == ["name": "5", "price": 2.5, "sold": true, "day": "2026-03-10T00:00:00.000Z"])
            let changed = try await tables.update(1, of: table.id, to: ["price": nil, "name": "x"], by: me)
            #expect(changed.values == ["name": "x", "price": nil, "sold": true, "day": "2026-03-10T00:00:00.000Z"])
            _ = try await tables.insert([:], into: table.id, by: me)
            #expect(try await tables.rows(of: table.id, after: 1, limit: 10, by: me).map(\.id) == [2])
            #expect(try await tables.table(table.id, by: me).rowCount == 2)
            #expect(await code { _ = try await tables.insert(["price": "many"], into: table.id, by: me) } == "wrong_type")
            #expect(await code { _ = try await tables.insert(["other": 1], into: table.id, by: me) } == "unknown_column")
            #expect(await code { _ = try await tables.create("Goods", columns: [], by: me) } == "name_taken")
            #expect(await code { _ = try await tables.create("Bad", columns: [.init("id", .string)], by: me) } == "bad_name")
            let narrower = try await tables.change(table.id, columns: [.init("name", .string), .init("sold", .string)], by: me)
            #expect(narrower.columns.count == 2)
            #expect(try await tables.row(1, of: table.id, by: me).values == ["name": "x", "sold": "true"])
            try await tables.delete(row: 1, of: table.id, by: me)
            try await tables.delete(table.id, by: me)
            #expect(await code { _ = try await tables.table(table.id, by: me) } == "not_found")
            let actions = try await harness.auditActions().filter { $0.hasPrefix("data_table") }
            #expect(
                actions == [
                    "data_table.create", "data_table.insert", "data_table.update", "data_table.insert", "data_table.change", "data_table.remove",
                    "data_table.delete"
                ])
        }
    }

    @Test func `a table is seen by its own tenant alone, and changed by those who may`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let tables = tables(harness)
            let table = try await tables.create("T", columns: Self.columns, by: harness.principal())
            _ = try await tables.insert(["name": "a"], into: table.id, by: harness.principal())
            let stranger = harness.principal(in: harness.lease.other)
            #expect(await code { _ = try await tables.table(table.id, by: stranger) } == "not_found")
            #expect(await code { _ = try await tables.rows(of: table.id, after: 0, limit: 5, by: stranger) } == "not_found")
            #expect(await code { try await tables.delete(table.id, by: stranger) } == "not_found")
            #expect(await code { _ = try await tables.find("T", name: nil, tenant: harness.lease.other) } == "no_such_table")
            #expect(try await tables.list(by: stranger).isEmpty)
            let viewer = harness.principal(.viewer)
            #expect(try await tables.list(by: viewer).count == 1)
            #expect(await code { _ = try await tables.insert([:], into: table.id, by: viewer) } == "permission_denied")
        }
    }

    @Test func `a node inserts, finds, changes and deletes rows`() async throws {
        try await WorkflowHarness.run(.sqlite) { rig in
            let tables = tables(rig)
            let table = try await tables.create("Goods", columns: Self.columns, by: rig.principal())
            var harness = KindsHarness()
            harness.tenant = rig.lease.tenant
            harness.facilities.dataTables = tables
            func node(_ config: JSONObject, _ given: [Item] = items([:])) async throws -> [JSON] {
                var all: JSONObject = ["dataTableId": ["__rl": true, "mode": "list", "value": .string(table.id.description)]]
                all.merge(config)
                return try await harness.node(.make("data_table", 1, all), inputs: [given])[0]
            }
            func condition(_ column: JSON, _ operation: JSON, _ value: JSON = "") -> JSON {
                ["keyName": column, "condition": operation, "keyValue": value]
            }
            let given = items(
                ["name": "Apple", "price": 1, "sold": true], ["name": "pear", "price": 3, "sold": false], ["name": "Plum", "day": "2026-03-10"])
            let made = try await node(["columns": ["mappingMode": "autoMapInputData"]], given)
            #expect(made.map { $0["id"] } == [1, 2, 3] && made[2]["price"] == .null && made[2]["day"] == "2026-03-10T00:00:00.000Z")
            let mapped: JSONObject = ["columns": ["mappingMode": "defineBelow", "value": ["name": "={{ $json.n }}"]]]
            #expect(try await node(mapped, items(["n": "Fig"]))[0]["name"] == "Fig")
            func names(_ config: JSONObject) async throws -> [JSON?] {
                var all: JSONObject = ["operation": "get"]
                all.merge(config)
                return try await node(all).map { $0["name"] }
            }
            func found(_ conditions: JSON..., all: Bool = false) async throws -> [JSON?] {
                try await names(["filters": ["conditions": .array(conditions)], "matchType": all ? "allConditions" : "anyCondition"])
            }
            #expect(try await names([:]) == ["Apple", "pear", "Plum", "Fig"])
            #expect(try await names(["limit": 1]) == ["Apple"])
            #expect(try await found(condition("price", "gte", "3")) == ["pear"])
            #expect(try await found(condition("price", "isEmpty")) == ["Plum", "Fig"])
            #expect(try await found(condition("name", "ilike", "p%")) == ["pear", "Plum"])
            #expect(try await found(condition("name", "like", "P_um")) == ["Plum"])
            #expect(try await found(condition("sold", "isTrue"), condition("name", "eq", "Fig")) == ["Apple", "Fig"])
            #expect(try await found(condition("sold", "isTrue"), condition("price", "lt", 1), all: true).isEmpty)
            #expect(try await found(condition("day", "eq", "2026-03-10")) == ["Plum"])
            #expect(try await found(condition("id", "neq", 1)).count == 3)
            let sorted: JSONObject = ["orderBy": true, "orderByColumn": "price", "orderByDirection": "DESC"]
            #expect(try await names(sorted) == ["pear", "Apple", "Plum", "Fig"])
            let set: JSON = ["mappingMode": "defineBelow", "value": ["price": 9]]
            let one: JSON = ["conditions": [condition("name", "eq", "Fig")]]
            #expect(try await node(["operation": "update", "filters": one, "columns": set])[0]["price"] == 9)
            let none: JSON = ["conditions": [condition("name", "eq", "Kiwi")]]
            #expect(try await node(["operation": "upsert", "filters": none, "columns": set, "options": ["dryRun": true]])[0]["price"] == 9)
            #expect(try await node(["operation": "upsert", "filters": none, "columns": set])[0]["id"] == 5)
            #expect(try await node(["operation": "rowExists", "filters": one], items(["in": 1])) == [["in": 1]])
            #expect(try await node(["operation": "rowNotExists", "filters": one], items(["in": 1])).isEmpty)
            #expect(try await node(["operation": "deleteRows", "filters": one])[0]["name"] == "Fig")
            #expect(try await names([:]).count == 4)
            await #expect(throws: StepFailure.self) { try await node(["operation": "deleteRows"]) }
            await #expect(throws: (any Error).self) { try await node(["operation": "get", "filters": ["conditions": [condition("nope", "eq", 1)]]]) }
            let priced: JSONObject = ["columns": ["mappingMode": "defineBelow", "value": ["price": "={{ $json.p }}"]]]
            await #expect(throws: (any Error).self) { try await node(priced, items(["p": 1], ["p": "many"])) }
            #expect(try await names([:]).count == 4)
            let imported: JSONObject = [
                "operation": "get", "limit": 1, "dataTableId": ["__rl": true, "mode": "list", "value": "Pq55D6", "cachedResultName": "Goods"]
            ]
            #expect(try await node(imported)[0]["name"] == "Apple")
        }
    }

    @Test func `a pattern finds what SQL's LIKE finds, and is given up where it takes too long`() throws {
        let cases: [(String, String, Bool)] = [
            ("abc", "abc", true), ("abc", "a%", true), ("abc", "%c", true), ("abc", "_b_", true), ("abc", "_", false), ("", "%", true),
            ("", "_", false),
            ("a%b", "a%b", true), ("aaab", "%ab", true), ("abcabd", "%ab%d", true), ("abc", "%%%", true)
        ]
        for (text, pattern, isFound) in cases {
            #expect(try DataTableFilter.like(text, pattern, DataTableWork()) == isFound, "\(text) \(pattern)")
        }
        let long = String(repeating: "a", count: 5_000)
        #expect(try !DataTableFilter.like(long, String(repeating: "a%", count: 20) + "b", DataTableWork()))
        let hostile = "%" + String(repeating: "a", count: 2_500) + "b"
        #expect { _ = try DataTableFilter.like(long, hostile, DataTableWork(comparisons: 10_000)) } throws: {
            ($0 as? Refusal)?.code == "too_much_work"
        }
    }

    @Test func `rows are found by a value while they come, change and go`() throws {
        let table = DataTable(
            id: DataTableID(high: 1, low: 1), name: "T", columns: Self.columns, rowCount: 0, createdAt: Timestamp(seconds: 0),
            updatedAt: Timestamp(seconds: 0))
        func row(_ id: Int, _ name: JSON) -> DataTableRow {
            DataTableRow(id: id, values: ["name": name], createdAt: Timestamp(seconds: 0), updatedAt: Timestamp(seconds: 0))
        }
        let name = DataTable.Column("name", .string)
        var rows = DataTableRows([row(1, "a"), row(2, "b"), row(3, "a")])
        func numbers(_ value: JSON, in column: DataTable.Column) -> [Int] { rows.having(value, in: column).map(\.id) }
        #expect(numbers("a", in: name) == [1, 3] && numbers(3, in: DataTable.own[0]) == [3])
        rows.put(row(4, "a"))
        rows.put(row(1, "b"))
        rows.remove(2)
        #expect(numbers("a", in: name) == [3, 4] && numbers("b", in: name) == [1])
        #expect(rows.all.map(\.id) == [1, 3, 4] && numbers("c", in: name).isEmpty)
        let equal = DataTableFilter.Condition("name", .eq, 5)
        #expect(DataTableFilter([equal]).key(table)?.value == "5")
        #expect(DataTableFilter([equal, .init("sold", .isTrue)]).key(table) == nil)
        #expect(DataTableFilter([.init("sold", .isTrue), equal], isAny: false).key(table)?.column.name == "name")
        #expect(DataTableFilter([.init("gone", .eq, 1)]).key(table) == nil)
        let isMeant = try DataTableFilter([equal]).matcher(table, DataTableWork(comparisons: 2))
        #expect(try !isMeant(row(1, "a")))
        #expect(try isMeant(row(2, "5")))
        #expect { _ = try isMeant(row(3, "a")) } throws: { ($0 as? Refusal)?.code == "too_much_work" }
    }

    @Test func `a step that changes many rows one by one looks at each a few times only`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let tables = tables(harness)
            let tenant = harness.lease.tenant
            let table = try await tables.create("T", columns: Self.columns, by: harness.principal())
            let count = 3_000
            let rows: [JSONObject] = (0..<count).map { ["name": .string("n\($0)")] }
            _ = try await tables.perform([.insert(rows)], on: table.id, tenant: tenant)
            func filter(_ number: Int) -> DataTableFilter { DataTableFilter([.init("name", .eq, .string("n\(number)"))]) }
            let changes: [DataTableCall] = (0..<count).map { .update(filter($0), ["price": .number(Double($0))], isDry: false) }
            let changed = try await tables.perform(changes, on: table.id, tenant: tenant)
            #expect(changed.allSatisfy { $0.count == 1 } && changed[count - 1][0]["price"] == .number(Double(count - 1)))
            let all: [DataTableCall] = Array(
                repeating: .get(DataTableFilter([]), limit: nil, order: nil), count: Limits.rowsPerDataTableStep / count + 1)
            #expect(await code { _ = try await tables.perform(all, on: table.id, tenant: tenant) } == "too_many")
            let gone: [DataTableCall] = (0..<count).map { .delete(filter($0), isDry: false) }
            _ = try await tables.perform(gone, on: table.id, tenant: tenant)
            #expect(try await tables.table(table.id, by: harness.principal()).rowCount == 0)
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `rows count among what the plan stores`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let tables = tables(harness)
            let (me, database, tenant) = (harness.principal(), harness.lease.database, harness.lease.tenant)
            func stored() async throws -> Int { try await database.read(in: tenant) { tx in try StorageUse(tx: tx).bytes() } }
            let table = try await tables.create("T", columns: Self.columns, by: me)
            _ = try await tables.insert(["name": "12345"], into: table.id, by: me)
            #expect(try await stored() == #"{"name":"12345"}"#.utf8.count)
            _ = try await tables.update(1, of: table.id, to: ["name": "1"], by: me)
            #expect(try await stored() == #"{"name":"1"}"#.utf8.count)
            try await database.write(in: tenant) { tx in try StorageUse(tx: tx).allow(20) }
            #expect(await code { _ = try await tables.insert(["name": "abcdefgh"], into: table.id, by: me) } == "limit_reached")
            #expect(await code { _ = try await tables.update(1, of: table.id, to: ["name": "abcdefghijkl"], by: me) } == "limit_reached")
            #expect(try await tables.table(table.id, by: me).rowCount == 1)
            // As it was before its rows were counted.
            try await database.write(in: tenant) { tx in
                try tx.execute("UPDATE data_tables SET byte_count = NULL WHERE tenant_id = \(tx.tenant)")
                try StorageUse(tx: tx).remove(100)
                try StorageUse(tx: tx).allow(0)
            }
            _ = try await tables.update(1, of: table.id, to: ["name": ""], by: me)
            #expect(try await stored() == #"{"name":""}"#.utf8.count)
            _ = try await tables.change(table.id, columns: [.init("price", .number)], by: me)
            #expect(try await stored() == 2)
            try await tables.delete(table.id, by: me)
            #expect(try await stored() == 0)
        }
    }

    @Test func `a table takes only so many bytes`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let tables = tables(harness)
            let (me, tenant) = (harness.principal(), harness.lease.tenant)
            let table = try await tables.create("T", columns: Self.columns, by: me)
            _ = try await tables.insert(["name": "x"], into: table.id, by: me)
            _ = try await harness.lease.database.write(in: tenant) { tx in
                try tx.execute("UPDATE data_tables SET byte_count = \(Limits.dataTableBytes - 10) WHERE tenant_id = \(tx.tenant)")
            }
            #expect(await code { _ = try await tables.insert(["name": "y"], into: table.id, by: me) } == "table_full")
            #expect(await code { _ = try await tables.update(1, of: table.id, to: ["name": "012345678901"], by: me) } == "table_full")
            _ = try await tables.update(1, of: table.id, to: ["name": "y"], by: me)
            try await tables.delete(row: 1, of: table.id, by: me)
            #expect(try await tables.table(table.id, by: me).rowCount == 0)
        }
    }

    @Test func `tables and rows are edited on pages`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let tables = tables(harness)
            let principal = harness.principal()
            let context = PageContext(
                console: Console(files: try StaticFiles(roots: ["Web"]), entries: []), person: { _ in "" }, names: { _, _ in [:] },
                hooks: { _ in "" },
                forms: { _ in "" })
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let surface = Surface(
                endpoints: DataTablePages(tables: tables, context: context).endpoints,
                doors: Doors(authenticate: { _ in principal }, resolveTenant: { _ in nil }), ids: harness.lease.ids,
                strings: try Strings(directory: "Locales"), logger: logger)
            func call(_ method: String, _ path: String, _ body: String = "") async throws -> (LocalAnswer, String) {
                let answer = try await surface.answer(
                    LocalRequest(method, path, headers: [("Content-Type", "application/x-www-form-urlencoded")], body: Array(body.utf8)))
                return (answer, String(decoding: answer.body, as: UTF8.self))
            }
            let root = DataTablePages.address
            let (_, empty) = try await call("GET", root)
            #expect(empty.contains("No data table yet"))
            let (bad, page) = try await call("POST", root, "name=Goods&columns=price+money")
            #expect(bad.status == 422 && page.contains("price money"))
            let (made, _) = try await call("POST", root, "name=Goods&columns=name%0D%0Aprice+number%0D%0Asold+boolean")
            let address = String((made.header("Location") ?? "").prefix { $0 != "?" })
            #expect(made.status == 303)
            let (added, _) = try await call("POST", address + "/rows", "c-name=%3Cb%3E&c-price=3&c-sold=true")
            #expect(added.status == 303)
            let (wrong, fault) = try await call("POST", address + "/rows", "c-name=x&c-price=many")
            #expect(wrong.status == 422 && fault.contains("id=\"c-price-fault\"") && fault.contains("value=\"many\""))
            let (_, shown) = try await call("GET", address)
            #expect(shown.contains("<td data-label=\"name\">&lt;b&gt;</td><td data-label=\"price\">3</td>"))
            let (_, row) = try await call("GET", address + "/rows/1")
            #expect(row.contains("value=\"&lt;b&gt;\""))
            #expect(row.contains("<select id=\"c-sold\"") && row.contains("<option value=\"true\" selected>true</option>"))
            let (changed, _) = try await call("POST", address + "/rows/1", "c-name=y&c-price=")
            #expect(changed.status == 303)
            let (_, after) = try await call("GET", address)
            #expect(after.contains("<td data-label=\"name\">y</td><td data-label=\"price\"></td>"))
            let (removed, _) = try await call("POST", address + "/rows/1/deletion")
            #expect(removed.status == 303)
            let (gone, _) = try await call("GET", address + "/rows/1")
            #expect(gone.status == 404)
        }
    }
}
