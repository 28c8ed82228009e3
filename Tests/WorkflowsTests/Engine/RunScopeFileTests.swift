import Kernel
import Scripting
import Testing

@testable import Workflows

/// Which files are read for an expression, and what it sees of them.
@Suite(.timeLimit(.minutes(3))) struct RunScopeFileTests {
    private func file(_ id: String, _ byteCount: Int = 1) -> BinaryReference { BinaryReference(id: id, mimeType: "image/png", byteCount: byteCount) }

    private func scope(_ items: [Item]) -> RunScope {
        let trigger = WorkflowNode(id: "start", category: .trigger, kind: "manual", name: "Start", connections: [.init(to: "n")])
        let workflow = CompiledWorkflow(WorkflowDocument(name: "test", nodes: [trigger, .make("set", 3.4, [:])]), kinds: .builtIn)
        return RunScope(
            machine: RunMachine(workflow), node: 1, inputs: [StepInput(items: ItemList(items), source: nil)],
            facts: ExpressionFacts(now: KindsHarness.now, nodeName: "Node", seed: 1))
    }

    /// The ids of the files that are read for a parameter, in that order.
    private func read(for value: JSON, item: Int, of items: [Item]) async throws -> [String] {
        var asked: [String] = []
        _ = try await scope(items).showingFiles(in: value, item: item) { file in
            asked.append(file.id)
            return []
        }
        return asked
    }

    private var two: [Item] {
        [
            Item(json: ["which": "photo"], binary: ["photo": file("a"), "other": file("b")]),
            Item(json: ["which": "photo"], binary: ["photo": file("c"), "other": file("d")])
        ]
    }

    private static let cases: [(JSON, [String])] = [
        ("={{ $binary.photo.data }}", ["c"]), ("={{ $binary['photo'].data }}", ["c"]), ("={{ $binary[\"photo\"][\"data\"] }}", ["c"]),
        ("={{ $binary?.photo?.data }}", ["c"]), ("={{ $input.item.binary.other.data.length }}", ["d"]),
        (["list": [["deep": "={{ $binary.other.data }}"], "={{ $binary.photo.fileName }}"]], ["d"]),
        // Whose names are made, or that are of another item than its own.
        ("={{ $binary[$json.which].data }}", ["c", "d"]), ("={{ $input.first().binary.photo.data }}", ["a", "c"]),
        ("={{ $input.all()[0].binary.photo.data }}", ["a", "c"]),
        // What asks for no bytes.
        ("$binary.photo.data", []), ("={{ $binary.photo.mimeType }}", []), ("={{ $binary.photo.dataOf }}", []), ("={{ $binary.data.mimeType }}", []),
        ("={{ $json.photo.data }}", [])
    ]

    @Test(arguments: cases) func `those files are read alone that an expression asks the bytes of`(_ value: JSON, _ expected: [String]) async throws {
        #expect(try await read(for: value, item: 1, of: two).sorted() == expected)
    }

    @Test func `a file that has two names is read once`() async throws {
        let item = Item(json: [:], binary: ["photo": file("a"), "other": file("a")])
        #expect(try await read(for: "={{ $binary.photo.data + $binary.other.data }}", item: 0, of: [item]) == ["a"])
    }

    @Test func `the files of one parameter have so many bytes together, and no others count`() async throws {
        let half = Limits.fileBytesInExpressions / 2 + 1
        let item = Item(json: [:], binary: ["photo": file("a", half), "other": file("b", half)])
        #expect(try await read(for: "={{ $binary.photo.data }}", item: 0, of: [item]) == ["a"])
        let failure = await #expect(throws: StepFailure.self) {
            try await read(for: ["one": "={{ $binary.photo.data }}", "two": "={{ $binary.other.data }}"], item: 0, of: [item])
        }
        #expect(failure?.code == "file_too_large" && failure?.isRetryable == false)
    }

    @Test func `bytes are shown to that expression alone`() async throws {
        let plain = scope(two)
        func data(_ item: JSON?) -> String? { item?["binary"]?["photo"]?["data"]?.text }
        // What was read without them before is not shown in the place of them.
        #expect(try data(plain.inputItem(0)) == nil)
        let shown = try await plain.showingFiles(in: "={{ $binary.photo.data }}", item: 0) { _ in Array("hello".utf8) }
        #expect(try data(shown.inputItem(0)) == "aGVsbG8=")
        #expect(try data(shown.inputItems(0)[0]) == "aGVsbG8=")
        #expect(try data(shown.inputItem(1)) == nil)
        #expect(try data(plain.inputItem(0)) == nil)
        #expect(try data(plain.inputItems(0)[0]) == nil)
    }

    @Test(arguments: ["={{ $('Start').item.binary.photo.data }}", "={{ $('Start').first().binary['photo'].data }}"])
    func `the bytes of another node's file are given where the expression names the node`(_ text: String) async throws {
        let harness = KindsHarness()
        let photo = BinaryReference(id: harness.files.write(Array("hello".utf8)), mimeType: "image/png", byteCount: 5)
        let strip: JSONObject = ["includeOtherFields": true, "options": ["stripBinary": true]]
        let ask: JSONObject = ["assignments": ["assignments": [["name": "b", "type": "string", "value": .string(text)]]]]
        var nodes: [WorkflowNode] = [
            WorkflowNode(id: "Start", category: .trigger, kind: "manual", name: "Start"), .step("Strip", "set", 3.4, strip),
            .step("Ask", "set", 3.4, ask)
        ]
        nodes[0].connections = [.init(to: "Strip")]
        nodes[1].connections = [.init(to: "Ask")]
        let outcome = try await harness.run(
            WorkflowDocument(name: "w", nodes: nodes), trigger: "Start", items: [Item(json: [:], binary: ["photo": photo])])
        let given = try outcome.outputs()
        func items(_ node: String) -> [Item] { given.first { $0.node == node }?.outputs.first ?? [] }
        #expect(items("Strip").map(\.binary.isEmpty) == [true])
        #expect(items("Ask").map { $0.json["b"]?.text ?? "" } == ["aGVsbG8="])
    }
}
