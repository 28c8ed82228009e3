import Kernel
import Testing

@testable import Workflows

@Suite struct KindsMergeQueryTests {
    let harness = KindsHarness()
    let people = items(["id": 1, "name": "Ada", "tags": ["a", "b"], "active": true], ["id": 2, "name": "Bob", "active": false])
    let orders = items(["owner": "1", "sum": 5], ["owner": "1", "sum": 2], ["owner": "9", "sum": 4])

    func ask(_ query: String, _ inputs: [[Item]]? = nil, version: Double = 3.2, _ more: JSONObject = [:]) async throws -> [Item] {
        var config: JSONObject = ["mode": "combineBySql", "query": .string(query)]
        config.merge(more)
        return try await harness.items(.make("merge", version, config), inputs: inputs ?? [people, orders])[0]
    }

    func values(_ query: String, _ inputs: [[Item]]? = nil) async throws -> [JSON] { try await ask(query, inputs).map { .object($0.json) } }

    func fault(_ query: String, _ inputs: [[Item]]? = nil) async -> String {
        do { _ = try await ask(query, inputs) } catch { return (error as? StepFailure)?.message ?? "\(error)" }
        return "no fault"
    }

    @Test func `a query joins inputs, whatever type their keys have, in the order of the items`() async throws {
        let joined = try await ask("SELECT name, sum FROM input1 JOIN input2 ON input1.id = input2.owner;")
        #expect(joined.map(\.json) == [["name": "Ada", "sum": 5], ["name": "Ada", "sum": 2]])
        #expect(joined.map(\.pairedItem) == [0, 1].map { [PairedItem(item: 0, input: 0), PairedItem(item: $0, input: 1)] })
        let left = try await ask("select * from input1 left join input2 on input1.id = input2.owner where sum is null")
        #expect(left.map(\.json) == [["id": 2, "name": "Bob", "tags": nil, "active": false, "owner": nil, "sum": nil]])
        #expect(left.map(\.pairedItem) == [[PairedItem(item: 1, input: 0)]])
        // The tables' aliases hide their row numbers: then a row comes from all items.
        #expect(try await ask("SELECT b.sum FROM input2 b WHERE b.sum > 4").map { $0.pairedItem?.count } == [5])
    }

    @Test func `nested values and booleans come back as they were`() async throws {
        #expect(
            try await values("SELECT tags, active, json_extract(tags, '$[1]') AS second FROM input1") == [
                ["tags": ["a", "b"], "active": true, "second": "b"], ["tags": nil, "active": false, "second": nil]
            ])
    }

    @Test func `numbers divide as JavaScript's do, and a column is called as it was written`() async throws {
        #expect(try await values("SELECT sum / 2, 'a/b' AS text /* 1/2 */ FROM input2 WHERE sum = 5 -- a / b") == [["sum / 2": 2.5, "text": "a/b"]])
        let grouped = try await values("SELECT owner, COUNT(*) AS n, SUM(sum)/COUNT(*) AS mean FROM input2 GROUP BY owner ORDER BY owner")
        #expect(grouped == [["owner": "1", "n": 2, "mean": 3.5], ["owner": "9", "n": 1, "mean": 4]])
        #expect(try await values("SELECT IF(active, CONCAT(name, '-', id * 1.5), 'none') AS t FROM input1") == [["t": "Ada-1.5"], ["t": "none"]])
    }

    @Test func `expressions in the query are put in first`() async throws {
        #expect(try await values("SELECT name FROM input1 WHERE id = {{ $json.id + 1 }}") == [["name": "Bob"]])
        #expect(try await values("=SELECT name FROM {{ 'input1' }} WHERE name = '{{ $json.name }}'") == [["name": "Ada"]])
    }

    @Test func `three inputs are three tables, and an input without items has every column`() async throws {
        let third = [people, orders, []]
        #expect(
            try await values("SELECT input1.name, c.colour FROM input1 LEFT JOIN input3 c ON c.id = input1.id", third) == [
                ["name": "Ada", "colour": nil], ["name": "Bob", "colour": nil]
            ])
        #expect(try await values("SELECT COUNT(*) AS n FROM input3", third) == [["n": 0]])
        #expect(try await values("SELECT * FROM input3 WHERE x = 1", third).isEmpty)
    }

    @Test func `a query that finds nothing gives nothing, or says so in older versions and where asked`() async throws {
        let query = "SELECT * FROM input1 WHERE id > 5"
        #expect(try await ask(query).isEmpty)
        #expect(try await ask(query, version: 3.1).map(\.json) == [["success": true]])
        #expect(try await ask(query, nil, version: 3.2, ["options": ["emptyQueryResult": "success"]]).map(\.json) == [["success": true]])
    }

    @Test func `a fault names what is wrong and what there is`() async {
        let unknown = await fault("SELECT nmae FROM input1")
        #expect(
            unknown.contains("nmae") && unknown.contains("input1 (id, name, active, tags)") || unknown.contains("input1 (id, name, tags, active)"))
        #expect(unknown.contains("input2 (owner, sum)"))
        #expect(await fault("SELECT FROM").contains("syntax error"))
        #expect(await fault("").contains("empty"))
        #expect(await fault("SELECT 1; SELECT 2").contains("more than one query"))
        #expect(await fault("SELECT 1", [items(["a": 1, "A": 2]), []]).contains("differ in case"))
    }

    @Test(arguments: [
        "DELETE FROM input1", "INSERT INTO input1 (id) VALUES (3)", "CREATE TABLE t (a)", "DROP TABLE input1", "PRAGMA journal_mode",
        "ATTACH '/tmp/aias-attached' AS other", "SELECT load_extension('x')", "VACUUM INTO '/tmp/aias-vacuum'",
        "CREATE VIRTUAL TABLE v USING fts5(a)", "WITH a AS (SELECT 1) INSERT INTO input1 (id) SELECT 7"
    ])
    func `a query only reads`(_ query: String) async {
        #expect(await fault(query).contains("only read"))
    }

    @Test func `a query without end, one that grows and one that gives too much are stopped`() async {
        let numbers = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
        #expect(await fault("\(numbers) SELECT count(*) FROM c").contains("too long"))
        #expect(await fault("\(numbers) SELECT x, printf('%.1000000c', 'a') AS t FROM c").contains("more than 64 MB"))
        #expect(await fault("SELECT length(zeroblob(2000000000)) AS n").contains("too big"))
    }
}
