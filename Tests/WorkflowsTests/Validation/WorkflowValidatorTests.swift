import Kernel
import Testing

@testable import Workflows

@Suite struct WorkflowValidatorTests {
    static let kinds: [String: NodeKind] = [
        "manual": NodeKind(kind: "manual", category: .trigger, title: "Manual", summary: "", inputs: .fixed([])),
        "http": NodeKind(
            kind: "http", category: .action, title: "HTTP", summary: "",
            parameters: [
                Parameter("url", .string, "URL", required: true),
                Parameter("method", .options, "Method", default: "GET", options: [.init("GET", "GET"), .init("POST", "POST")]),
                Parameter("body", .json, "Body", required: true, showWhen: ["method": ["POST"]]),
                Parameter("headers", .list, "Headers", fields: [Parameter("name", .string, "Header", required: true)])
            ]),
        "if": NodeKind(kind: "if", category: .condition, title: "If", summary: "", outputs: .fixed(["true", "false"])),
        "schedule": KindRegistry.builtIn.kind("schedule")!
    ]
    let validator = WorkflowValidator(
        kind: { WorkflowValidatorTests.kinds[$0] }, expressionFault: { $0.contains("{{ )") ? "unexpected )" : nil })

    func node(_ id: String, _ kind: String, _ config: JSONObject = [:], to targets: [WorkflowConnection] = [], disabled: Bool = false) -> WorkflowNode
    {
        WorkflowNode(
            id: id, category: Self.kinds[kind]?.category ?? .action, kind: kind, name: id.uppercased(), config: config, connections: targets,
            disabled: disabled)
    }

    func codes(_ document: WorkflowDocument, _ purpose: WorkflowValidator.Purpose = .publication) -> [String] {
        validator.faults(in: document, for: purpose).map { "\($0.field) \($0.code)" }
    }

    @Test func `a complete workflow has no faults`() {
        let document = WorkflowDocument(
            name: "W", nodes: [node("a", "manual", to: [.init(to: "b")]), node("b", "http", ["url": "https://example.com"])])
        #expect(codes(document).isEmpty)
    }

    @Test func `a draft needs whole structure only, and tells all that is broken`() {
        var twin = node("a", "http")
        twin.name = "B"
        let document = WorkflowDocument(
            name: " ", nodes: [node("a", "nothing", to: [.init(to: "gone")]), node("b", "http"), twin],
            settings: WorkflowSettings(timeZone: "Mars/Olympus"))
        #expect(
            codes(document, .draft) == [
                "name bad_name", "settings.time_zone unknown_time_zone", "nodes[2].id duplicate_id", "nodes[2].name duplicate_name",
                "nodes[0].connections[0].to unknown_node"
            ])
    }

    @Test func `limits hold`() {
        let many = WorkflowDocument(name: "W", nodes: (0...Limits.nodesPerWorkflow).map { node("n\($0)", "http") })
        #expect(codes(many, .draft) == ["nodes too_many"])
        var fat = node("a", "http", ["url": .string(String(repeating: "x", count: Limits.nodeConfigBytes))])
        fat.notes = String(repeating: "n", count: Limits.notesLength + 1)
        fat.name = String(repeating: "x", count: Limits.nameLength + 1)
        #expect(
            codes(WorkflowDocument(name: "W", nodes: [fat]), .draft) == [
                "nodes[0].name bad_name", "nodes[0].notes too_long", "nodes[0].config too_large"
            ])
    }

    @Test func `what could not be read again is not saved`() {
        let astray = [WorkflowConnection(output: 0, to: "b", input: -1), WorkflowConnection(output: Limits.portsPerNode, to: "b", input: 0)]
        #expect(
            codes(WorkflowDocument(name: "W", nodes: [node("a", "http", to: astray), node("b", "http")]), .draft) == [
                "nodes[0].connections[0] out_of_range", "nodes[0].connections[1] out_of_range"
            ])
        var deep: JSON = 1
        for _ in 0..<(Limits.jsonDepth - 2) { deep = .array([deep]) }
        #expect(codes(WorkflowDocument(name: "W", origin: deep), .draft).isEmpty)
        #expect(throws: Never.self) { try WorkflowDocument(stored: WorkflowDocument(name: "W", origin: deep).json.bytes) }
        #expect(codes(WorkflowDocument(name: "W", origin: .array([deep])), .draft) == [" too_deep"])
        #expect(throws: (any Error).self) { try WorkflowDocument(stored: WorkflowDocument(name: "W", origin: .array([deep])).json.bytes) }
    }

    @Test func `of a great many faults the first are told`() throws {
        let json: JSON = ["name": "W", "nodes": .array(Array(repeating: 1, count: Limits.faultsListed * 2))]
        let refusal = #expect(throws: Refusal.self) { try WorkflowDocument(json: json) }
        #expect(refusal?.faults.count == Limits.faultsListed && refusal?.message.contains("\(Limits.faultsListed) faults or more") == true)
        let astray = node("a", "http", to: Array(repeating: WorkflowConnection(to: "gone"), count: Limits.connectionsPerNode))
        let document = WorkflowDocument(name: "W", nodes: [astray])
        #expect { try validator.check(document, for: .draft) } throws: { ($0 as? Refusal)?.faults.count == Limits.faultsListed }
    }

    @Test func `publication needs a trigger that is not disabled`() {
        #expect(codes(WorkflowDocument(name: "W", nodes: [node("a", "manual", disabled: true)])) == ["nodes no_trigger"])
    }

    @Test func `what a run can reach must be known and complete, and the rest may wait`() {
        let document = WorkflowDocument(
            name: "W",
            nodes: [
                node("a", "manual", to: [.init(to: "b"), .init(to: "c"), .init(to: "d"), .init(to: "e")]), node("b", "n8n:x.slack"),
                node("c", "http", ["method": "PATCH", "url": "={{ ) }}", "headers": [["name": ""]]]),
                node("d", "http", ["method": "POST", "url": "u"]),
                node("e", "n8n:x.other", disabled: true), node("f", "n8n:x.alone"), node("g", "http")
            ])
        #expect(
            codes(document) == [
                "nodes[1].kind unknown_kind", "nodes[2].config.method not_an_option", "nodes[2].config.headers[0].name required",
                "nodes[2].config.url invalid_expression", "nodes[3].config.body required"
            ])
        let first = validator.faults(in: document, for: .publication)[0]
        #expect(first.node == "B" && first.fault.message == "B: x.slack cannot run here; replace or disable the node.")
    }

    @Test func `a model that serves a reachable node is reachable too`() {
        let document = WorkflowDocument(
            name: "W",
            nodes: [
                node("a", "manual", to: [.init(to: "b")]), node("b", "http", ["url": "u"]),
                node("m", "n8n:x.model", to: [.init(to: "b", kind: "ai_languageModel")])
            ])
        #expect(codes(document) == ["nodes[2].kind unknown_kind"])
    }

    @Test func `edges use ports that are there, the error output included`() {
        var checked = node("b", "if", to: [.init(output: 2, to: "c"), .init(output: 1, to: "c", input: 1), .init(to: "a")])
        let end = node("c", "http", ["url": "u"])
        let start = node("a", "manual", to: [.init(to: "b")])
        #expect(
            codes(WorkflowDocument(name: "W", nodes: [start, checked, end])) == [
                "nodes[1].connections[0].output no_such_output", "nodes[1].connections[1].input no_such_input",
                "nodes[1].connections[2].input no_such_input"
            ])
        checked.onError = .continueErrorOutput
        checked.connections = [.init(output: 2, to: "c")]
        #expect(codes(WorkflowDocument(name: "W", nodes: [start, checked, end])).isEmpty)
    }

    @Test func `a schedule that cannot be read is refused`() {
        let broken = node("a", "schedule", ["rule": ["interval": [["field": "cronExpression", "expression": "61 * * * *"]]]])
        #expect(codes(WorkflowDocument(name: "W", nodes: [broken])).map { $0.split(separator: " ")[0] } == ["nodes[0].config.rule"])
    }

    @Test(.enabled(if: Corpus.isPresent)) func `what people built has no faults but gaps they left and choices that run nowhere`() throws {
        let importer = N8nImporter(kind: { KindRegistry.builtIn.kind(n8nType: $0) }, supports: KindRegistry.builtIn.supports)
        let validator = WorkflowValidator(kind: { KindRegistry.builtIn.kind($0) })
        var choices: [String] = []
        var nodes = 0
        for entry in try Corpus.entries() {
            let document = try importer.read(entry.workflow, name: entry.name).document
            nodes += document.nodes.count
            #expect(validator.faults(in: document, for: .draft) == [], "\(entry.id)")
            // Many templates were published with their parameters emptied: what is required is missing there in truth. And whoever
            // imports one has to give it credentials.
            let gaps = ["unknown_kind", "no_trigger", "required", "credential_missing", "credential_unmapped"]
            for fault in validator.faults(in: document, for: .publication) where !gaps.contains(fault.code) {
                choices.append("\(entry.id) \(fault.field) \(fault.code)")
            }
        }
        // Operations that this program does not offer yet: few, and each says so by name.
        #expect(Double(choices.count) < Double(nodes) * Self.choicesPerNodeMaximum, "\(choices)")
    }

    /// Choices of nodes that cannot run here, as a share of all nodes of the corpus; more would be a fault of the declarations.
    static let choicesPerNodeMaximum = 0.01

    @Test func `a Code node runs here in JavaScript and Python`() {
        let kinds = KindRegistry.builtIn
        #expect(kinds.supports(n8nType: "n8n-nodes-base.code", version: 2, parameters: ["jsCode": "return []"]))
        #expect(kinds.supports(n8nType: "n8n-nodes-base.code", version: 2, parameters: ["language": "python"]))
        #expect(!kinds.supports(n8nType: "n8n-nodes-base.code", version: 2, parameters: ["language": "ruby"]))
        #expect(kinds.supports(n8nType: "n8n-nodes-base.merge", version: 3, parameters: ["mode": "combineBySql"]))
        #expect(!kinds.supports(n8nType: "n8n-nodes-base.merge", version: 2, parameters: ["mode": "combineBySql"]))
        #expect(!kinds.supports(n8nType: "nobody.knows", version: 1, parameters: [:]))
    }
}
