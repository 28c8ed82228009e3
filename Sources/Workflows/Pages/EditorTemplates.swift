internal import Kernel

/// Small workflows to begin with; their titles are texts of the console.
enum EditorTemplates {
    struct Template: Sendable {
        let key: String
        let document: WorkflowDocument
    }

    static let all: Result<[Template], any Error> = Result {
        try written.map { key, text in
            Template(
                key: key,
                document: try WorkflowDocument(json: try JSON(parsing: Array(text.utf8)), kinds: { KindRegistry.builtIn.kind($0) }))
        }
    }

    /// Nil where the name is empty.
    static func document(named name: String) throws -> WorkflowDocument? {
        guard !name.isEmpty else { return nil }
        guard let found = try all.get().first(where: { $0.key == name }) else { throw Refusal.missing("template") }
        return found.document
    }

    private static let written: [(key: String, text: String)] = [
        (
            "lead_routing",
            #"""
            {"name": "Lead routing", "nodes": [
              {"id": "hook", "kind": "webhook", "name": "New lead", "position": [0, 80], "config": {"path": "new-lead", "httpMethod":
              "POST", "responseMode": "lastNode"}, "connections": ["size"], "kind_version": 2, "type": "trigger"},
              {"id": "size", "kind": "if", "name": "Large company?", "position": [280, 80], "config": {"conditions": {"options":
              {"caseSensitive": true, "leftValue": "", "typeValidation": "loose", "version": 2}, "combinator": "and", "conditions":
              [{"id": "c", "leftValue": "={{ $json.body.employees }}", "rightValue": 100, "operator": {"type": "number", "operation":
              "gte"}}]}}, "connections": [{"output": 0, "to": "sales"}, {"output": 1, "to": "nurture"}], "kind_version": 2.2, "type":
              "condition"},
              {"id": "sales", "kind": "set", "name": "To sales", "position": [560, 0], "config": {"assignments": {"assignments":
              [{"id": "team", "name": "team", "type": "string", "value": "sales"}, {"id": "lead", "name": "lead", "type": "string",
              "value": "={{ $json.body.email }}"}]}, "includeOtherFields": true}, "connections": [], "type": "action"},
              {"id": "nurture", "kind": "set", "name": "To nurture", "position": [560, 160], "config": {"assignments": {"assignments":
              [{"id": "team", "name": "team", "type": "string", "value": "nurture"}, {"id": "lead", "name": "lead", "type": "string",
              "value": "={{ $json.body.email }}"}]}, "includeOtherFields": true}, "connections": [], "type": "action"}
            ]}
            """#
        ),
        (
            "daily_report",
            #"""
            {"name": "Daily report", "nodes": [
              {"id": "each", "kind": "schedule", "name": "Each morning", "position": [0, 0], "config": {"rule": {"interval":
              [{"field": "days", "triggerAtHour": 8}]}}, "connections": ["fetch"], "kind_version": 1.2, "type": "trigger"},
              {"id": "fetch", "kind": "http_request", "name": "Fetch figures", "position": [280, 0], "config": {"url":
              "https://example.com/figures.json"}, "connections": ["report"], "kind_version": 4.2, "type": "action"},
              {"id": "report", "kind": "set", "name": "Report", "position": [560, 0], "config": {"assignments": {"assignments":
              [{"id": "title", "name": "title", "type": "string", "value": "=Figures of {{ $now.toFormat('d LLLL') }}"}]},
              "includeOtherFields": true}, "connections": [], "type": "action"}
            ]}
            """#
        ),
        (
            "hello",
            #"""
            {"name": "Hello", "nodes": [
              {"id": "hook", "kind": "webhook", "name": "Request", "position": [0, 0], "config": {"path": "hello", "httpMethod":
              "POST", "responseMode": "lastNode"}, "connections": ["greet"], "kind_version": 2, "type": "trigger"},
              {"id": "greet", "kind": "set", "name": "Greeting", "position": [280, 0], "config": {"assignments": {"assignments":
              [{"id": "a", "name": "greeting", "type": "string", "value": "=Hello {{ $json.body.name }}"}]}}, "connections": [],
              "type": "action"}
            ]}
            """#
        )
    ]
}
