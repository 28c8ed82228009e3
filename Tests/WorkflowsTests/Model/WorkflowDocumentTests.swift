import Kernel
import Testing

@testable import Workflows

@Suite struct WorkflowDocumentTests {
    @Test func `a document is read back as it was written`() throws {
        let document = WorkflowDocument(
            name: "Ünïcode",
            nodes: [
                WorkflowNode(
                    id: "a", category: .condition, kind: "if", kindVersion: 2.2, name: "Is it?", position: [1.5, -2], config: ["x": [1, nil]],
                    connections: [WorkflowConnection(output: 1, to: "b", input: 2, kind: "ai_tool")],
                    credentials: ["t": CredentialReference(id: nil, name: "n")], onError: .continueErrorOutput,
                    retry: .init(attempts: 2, waitMilliseconds: 0), executeOnce: true, alwaysOutput: true, disabled: true, notes: "n")
            ], settings: WorkflowSettings(order: .n8nV0, timeZone: "UTC", errorWorkflow: "e", timeoutSeconds: 5),
            pinnedData: ["Is it?": [["json": [:]]]], origin: ["format": "other"])
        #expect(try WorkflowDocument(json: JSON(parsing: document.json.bytes)) == document)
    }

    @Test func `plain texts in connections are edges from the first output to the first input`() throws {
        let json: JSON = [
            "name": "W", "nodes": [["id": "a", "type": "trigger", "kind": "manual", "connections": ["b", ["to": "c", "output": 1]]]]
        ]
        let node = try WorkflowDocument(json: json).nodes[0]
        #expect(node.connections == [WorkflowConnection(to: "b"), WorkflowConnection(output: 1, to: "c")])
        #expect(node.name == "a")
    }

    @Test func `type and version left out come from the kind's declaration`() throws {
        let kind = NodeKind(kind: "if", version: 2.2, category: .condition, title: "If", summary: "")
        let node = try WorkflowDocument(json: ["name": "W", "nodes": [["id": "a", "kind": "if"]]], kinds: { _ in kind }).nodes[0]
        #expect(node.category == .condition && node.kindVersion == 2.2)
    }

    @Test func `all faults are listed at once, each with its path`() throws {
        let json: JSON = [
            "schema": 9, "nam": "typo",
            "nodes": [
                5,
                [
                    "id": 7, "type": "cat", "position": [1], "config": [], "connections": [["output": -1, "to": "x"], 4],
                    "credentials": ["a": 1], "retry": ["attempts": 99], "on_error": "explode", "disabled": "yes"
                ]
            ], "settings": ["order": "zigzag", "timeout_seconds": 0]
        ]
        let refusal = #expect(throws: Refusal.self) { try WorkflowDocument(json: json) }
        #expect(refusal?.kind == .invalid && refusal?.code == "invalid_workflow")
        #expect(
            Set(refusal?.faults.map(\.field) ?? []) == [
                "nam", "schema", "name", "nodes[0]", "nodes[1].id", "nodes[1].kind", "nodes[1].type", "nodes[1].position", "nodes[1].config",
                "nodes[1].connections[0].output", "nodes[1].connections[1]", "nodes[1].credentials.a", "nodes[1].retry.attempts",
                "nodes[1].on_error", "nodes[1].disabled", "settings.order", "settings.timeout_seconds"
            ])
    }
}
