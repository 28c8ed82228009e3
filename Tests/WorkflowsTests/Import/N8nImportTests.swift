import Kernel
import Testing

@testable import Workflows

@Suite struct N8nImportTests {
    let importer = N8nImporter(
        kind: { type in
            ["n8n-nodes-base.set": "set", "n8n-nodes-base.code": "code", "n8n-nodes-base.webhook": "webhook"][type].map {
                NodeKind(
                    kind: $0, category: $0 == "webhook" ? .trigger : .action, title: $0, summary: "",
                    parameters: $0 == "set" ? [Parameter("assignments", .assignments, "Fields")] : [])
            }
        },
        supports: { type, _, parameters in type != "n8n-nodes-base.code" || parameters["language"] != "python" })
    let exporter = N8nExporter { ["set": "n8n-nodes-base.set", "webhook": "n8n-nodes-base.webhook"][$0] }

    let sample: JSON = [
        "name": "Orders",
        "nodes": [
            [
                "id": "a", "name": "Hook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0], "parameters": ["path": "orders"],
                "webhookId": "w1"
            ],
            [
                "id": "b", "name": "Fields", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [200, 0], "parameters": ["surprise": 1],
                "continueOnFail": true, "retryOnFail": true, "maxTries": 9, "waitBetweenTries": 60_000
            ],
            [
                "id": "c", "name": "Post", "type": "n8n-nodes-base.slack", "typeVersion": 2, "position": [400, 0],
                "parameters": ["text": "={{ $json.a }}"],
                "credentials": ["slackApi": ["id": "7", "name": "Our Slack"]], "onError": "continueErrorOutput", "executeOnce": true,
                "alwaysOutputData": true, "disabled": false, "notes": "hello"
            ],
            ["id": "d", "name": "Py", "type": "n8n-nodes-base.code", "typeVersion": 2, "position": [600, 0], "parameters": ["language": "python"]]
        ],
        "connections": [
            "Hook": ["main": [[["node": "Fields", "type": "main", "index": 0]]]],
            "Fields": ["main": [nil, [["node": "Post", "type": "main", "index": 0], ["node": "Gone", "type": "main", "index": 0]]]],
            "Post": ["main": [[["node": "Py", "type": "main", "index": 1]], []]]
        ],
        "pinData": ["Hook": [["json": ["a": 1]]]],
        "settings": ["executionOrder": "v1", "timezone": "Europe/Berlin", "errorWorkflow": "xyz", "callerPolicy": "any"],
        "meta": ["instanceId": "m"], "tags": []
    ]

    @Test func `a node's options are read into ours`() throws {
        let document = try importer.read(sample).document
        let fields = document.nodes[1]
        #expect(fields.onError == .continueRegular)
        #expect(fields.retry == .init(attempts: 5, waitMilliseconds: 5_000))
        #expect(fields.kind == "set" && fields.kindVersion == 3.4)
        let post = document.nodes[2]
        #expect(post.kind == "n8n:n8n-nodes-base.slack")
        #expect(post.credentials == ["slackApi": CredentialReference(id: nil, name: "Our Slack")])
        #expect(post.onError == .continueErrorOutput && post.executeOnce && post.alwaysOutput && !post.disabled && post.notes == "hello")
        #expect(document.nodes[1].connections == [WorkflowConnection(output: 1, to: "c", input: 0)])
        #expect(post.connections == [WorkflowConnection(output: 0, to: "d", input: 1)])
        #expect(document.settings == WorkflowSettings(order: .n8nV1, timeZone: "Europe/Berlin", errorWorkflow: "xyz"))
        #expect(document.pinnedData == ["Hook": [["json": ["a": 1]]]])
    }

    @Test func `the report ranks what is missing and lists credentials, odd parameters and dangling edges`() throws {
        let report = try importer.read(sample).report
        #expect(!report.runsWholly)
        #expect(report.missing.map(\.type) == ["n8n-nodes-base.code", "n8n-nodes-base.slack"])
        #expect(report.unreadParameters == [.init(node: "Fields", parameter: "surprise")])
        #expect(report.credentials == [.init(type: "slackApi", name: "Our Slack", nodes: ["Post"])])
        #expect(report.notes.map(\.code).sorted() == ["dangling_connection", "error_workflow", "unsupported_use"])
        #expect(report.json["missing"] == ["n8n-nodes-base.code", "n8n-nodes-base.slack"])
    }

    @Test func `ids of workflows and tables of the n8n it came from are remarked on`() throws {
        let known = N8nImporter(kind: { KindRegistry.builtIn.kind(n8nType: $0) }, supports: KindRegistry.builtIn.supports)
        func call(_ name: String, _ workflow: JSON) -> JSON {
            [
                "id": .string(name), "name": .string(name), "type": "n8n-nodes-base.executeWorkflow", "typeVersion": 1.2,
                "parameters": ["workflowId": workflow]
            ]
        }
        func table(_ name: String, _ locator: JSON) -> JSON {
            [
                "id": .string(name), "name": .string(name), "type": "n8n-nodes-base.dataTable", "typeVersion": 1,
                "parameters": ["operation": "get", "dataTableId": locator]
            ]
        }
        let ours = "0190b8a0-0000-7000-8000-000000000000"
        let json: JSON = [
            "nodes": [
                call("Listed", ["__rl": true, "mode": "list", "value": "hR3kQ0aZ", "cachedResultName": "Check"]), call("Plain", "17"),
                call("Ours", ["__rl": true, "mode": "id", "value": .string(ours)]), call("Told", "={{ $json.id }}"),
                table("By name", ["__rl": true, "mode": "list", "value": "t9", "cachedResultName": "People"]),
                table("By id", ["__rl": true, "mode": "id", "value": "t9"])
            ],
            "connections": [:], "settings": ["executionOrder": "v1"]
        ]
        let notes = try known.read(json).report.notes
        #expect(notes.map(\.code) == ["foreign_workflow", "foreign_workflow", "foreign_table"])
        #expect(notes.map(\.node) == ["Listed", "Plain", "By id"])
        #expect(notes.first?.message == "It calls the workflow Check (hR3kQ0aZ) of the n8n it came from; choose one here.")
    }

    @Test func `an export equals its import`() throws {
        #expect(exporter.write(try importer.read(sample).document).canonical == sample.canonical)
    }

    @Test func `a workflow without settings runs in the legacy order, and bare nodes and connections are enough`() throws {
        let bare: JSON = ["nodes": [["name": "A", "type": "n8n-nodes-base.set", "position": [1, 2]]], "connections": [:]]
        let (document, report) = try importer.read(bare, name: "Bare")
        #expect(document.settings.order == .n8nV0 && document.name == "Bare" && document.nodes[0].kindVersion == 1)
        #expect(report.notes.contains { $0.code == "legacy_order" })
        #expect(exporter.write(document).canonical == bare.canonical)
    }

    @Test func `what is no list of named and typed nodes is refused with every place`() throws {
        #expect(throws: Refusal.self) { try importer.read(["hello": 1]) }
        let refusal = #expect(throws: Refusal.self) { try importer.read(["nodes": [["name": "x"], 5, ["name": "", "type": "t"]]]) }
        #expect(refusal?.faults.map(\.field) == ["nodes[0].type", "nodes[1].name", "nodes[1].type", "nodes[2].name"])
    }

    @Test func `two nodes of one name are told apart here and have their names back in the export`() throws {
        let note: JSON = ["id": "s", "name": "Note", "type": "n8n-nodes-base.stickyNote", "typeVersion": 1, "position": [0, 0], "parameters": [:]]
        let twice: JSON = ["name": "N", "nodes": [note, note], "connections": [:]]
        let (document, report) = try importer.read(twice)
        #expect(document.nodes.map(\.name) == ["Note", "Note 2"])
        #expect(Set(document.nodes.map(\.id)).count == 2)
        #expect(report.runsWholly, "notes on the canvas run nowhere")
        #expect(exporter.write(document).canonical == twice.canonical)
    }

    @Test func `copies of a name are numbered on, past names that are taken`() throws {
        func named(_ name: JSON) -> JSON { ["name": name, "type": "n8n-nodes-base.stickyNote"] }
        let copies: JSON = ["nodes": [named("Note"), named("Note"), named("Note 2"), named("Note"), named("Note")], "connections": [:]]
        let (document, report) = try importer.read(copies)
        #expect(document.nodes.map(\.name) == ["Note", "Note 3", "Note 2", "Note 4", "Note 5"])
        #expect(report.notes.filter { $0.code == "renamed_node" }.map(\.node) == ["Note 3", "Note 4", "Note 5"])
        #expect(exporter.write(document).canonical == copies.canonical)
    }

    @Test func `an edge from or to a port that no node has is left out and told, so that what is stored can be read again`() throws {
        func edge(_ index: Double) -> JSON { ["node": "B", "type": "main", "index": .number(index)] }
        let unused: [JSON] = Array(repeating: .array([]), count: Limits.portsPerNode)
        let beyond: JSON = .array(unused + [.array([edge(0)])])
        let odd: JSON = [
            "nodes": [
                ["name": "A", "type": "n8n-nodes-base.set"], ["name": "B", "type": "n8n-nodes-base.set"], ["name": "C", "type": "n8n-nodes-base.set"]
            ],
            "connections": ["A": ["main": [[edge(-1), edge(9e15), edge(256), edge(1)]]], "C": ["main": beyond]]
        ]
        let (document, report) = try importer.read(odd)
        #expect(document.nodes[0].connections == [WorkflowConnection(output: 0, to: document.nodes[1].id, input: 1)])
        #expect(document.nodes[2].connections.isEmpty)
        let told: [String] = report.notes.filter { $0.code == "misplaced_connection" }.map { String($0.message.prefix(5)) }
        #expect(told == ["A → B", "A → B", "A → B", "C → B"])
        #expect(try WorkflowDocument(stored: document.json.bytes) == document)
        #expect(exporter.write(document).canonical == odd.canonical)
    }

    @Test func `more nodes than a workflow may have are refused before they are looked at`() throws {
        let many: [JSON] = Array(repeating: ["name": "A"], count: Limits.nodesPerWorkflow + 1)
        let refusal = #expect(throws: Refusal.self) { try importer.read(["nodes": .array(many)]) }
        #expect(refusal?.code == "invalid_import" && refusal?.faults.map(\.field) == ["nodes"])
        let few: [JSON] = Array(repeating: 5, count: Limits.faultsListed)
        let listed = #expect(throws: Refusal.self) { try importer.read(["nodes": .array(few)]) }
        #expect(listed?.faults.count == Limits.faultsListed)
    }

    @Test func `a removed node takes its edges along, and other groups stay as they were`() throws {
        var document = try importer.read(sample).document
        document.nodes.removeAll { $0.id == "d" }
        document.nodes[2].connections = []
        let written = exporter.write(document)
        #expect(written["connections"]?["Post"] == nil)
        #expect(written["connections"]?["Fields"] == sample["connections"]?["Fields"])
        #expect(written["nodes"]?.array?.count == 3)
    }

    @Test func `an added node and edge are written in n8n's words`() throws {
        var document = try importer.read(sample).document
        document.nodes.append(
            WorkflowNode(
                id: "new", category: .action, kind: "set", kindVersion: 3.4, name: "More", position: [960, 6], config: ["mode": "raw"],
                credentials: ["x": CredentialReference(id: "ours", name: "X")], onError: .continueErrorOutput,
                retry: .init(attempts: 3, waitMilliseconds: 10), disabled: true))
        document.nodes[3].connections = [WorkflowConnection(output: 1, to: "new", input: 2)]
        let written = exporter.write(document)
        #expect(
            written["nodes"]?[4] == [
                "id": "new", "name": "More", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [840, 6], "parameters": ["mode": "raw"],
                "credentials": ["x": ["id": nil, "name": "X"]], "onError": "continueErrorOutput", "retryOnFail": true, "maxTries": 3,
                "waitBetweenTries": 10, "disabled": true
            ])
        #expect(written["connections"]?["Py"] == ["main": [[], [["node": "More", "type": "main", "index": 2]]]])
    }

    @Test func `a document of our own is written as a whole n8n workflow`() throws {
        let document = WorkflowDocument(
            name: "Own",
            nodes: [
                WorkflowNode(id: "1", category: .trigger, kind: "webhook", name: "In", connections: [WorkflowConnection(to: "2")]),
                WorkflowNode(id: "2", category: .action, kind: "set", name: "Out")
            ], settings: WorkflowSettings(timeZone: "UTC", timeoutSeconds: 60), pinnedData: ["In": [["json": [:]]]])
        let written = exporter.write(document)
        #expect(written["settings"] == ["executionOrder": "v1", "timezone": "UTC", "executionTimeout": 60])
        #expect(written["connections"] == ["In": ["main": [[["node": "Out", "type": "main", "index": 0]]]]])
        #expect(written["pinData"] == ["In": [["json": [:]]]])
        #expect(try importer.read(written).document.nodes.map(\.name) == ["In", "Out"])
    }

    private static let known = N8nImporter(kind: { KindRegistry.builtIn.kind(n8nType: $0) }, supports: KindRegistry.builtIn.supports)

    private static func report(_ type: String, _ version: Double, _ parameters: JSONObject) throws -> ImportReport {
        let node: JSON = [
            "name": "N", "type": .string("n8n-nodes-base.\(type)"), "typeVersion": .number(version), "parameters": .object(parameters)
        ]
        return try known.read(["name": "W", "nodes": [node], "connections": [:]]).report
    }

    @Test func `members of collections and lists that are not read are named with their place`() throws {
        let cases: [(String, Double, JSONObject, [String])] = [
            ("markdown", 1, ["mode": "markdownToHtml", "options": ["tables": true, "emoji": true]], ["options.emoji"]),
            ("markdown", 1, ["mode": "markdownToHtml", "options": ["smartIndentationFix": true]], ["options.smartIndentationFix"]),
            (
                "httpRequest", 4.2,
                ["options": ["response": ["response": ["neverError": true, "odd": 1]], "redirect": ["redirect": [:]]], "headers": [:]],
                ["options.response.response.odd", "headers"]
            ),
            ("httpRequest", 1, ["options": ["bodyContentType": "raw", "fullResponse": true]], []),
            (
                "httpRequest", 4.2,
                ["sendQuery": true, "queryParameters": ["parameters": [["name": "a", "x": 1], ["name": "b", "x": 2]]]],
                ["queryParameters.parameters.x"]
            ),
            ("set", 3.4, ["assignments": ["assignments": [["id": "1", "name": "a", "type": "string", "value": 1]]]], []),
            ("form", 1, ["options": ["customCss": "p {}", "formTitle": "T"]], ["options.customCss"])
        ]
        for (type, version, parameters, expected) in cases {
            let report = try Self.report(type, version, parameters)
            #expect(report.runsWholly && report.unreadParameters.map(\.parameter) == expected, "\(type) \(expected)")
        }
    }

    @Test func `settings that ask for what is not done here are named`() throws {
        func left(_ settings: JSONObject) throws -> [String] {
            let json: JSON = ["name": "W", "nodes": [], "connections": [:], "settings": .object(settings)]
            return try Self.known.read(json).report.notes.filter { $0.code == "setting_left_out" }.map(\.message)
        }
        let odd: JSONObject = ["executionOrder": "v1", "saveDataSuccessExecution": "none", "callerPolicy": "none", "executionTimeout": 1_000_000_000]
        let found = try left(odd)
        #expect(found.count == 3 && found.contains("Its setting saveDataSuccessExecution: none has no counterpart here."))
        let usual: JSONObject = [
            "executionOrder": "v1", "saveDataErrorExecution": "all", "callerPolicy": "workflowsFromSameOwner", "executionTimeout": -1,
            "saveManualExecutions": true, "saveExecutionProgress": true, "availableInMCP": false
        ]
        #expect(try left(usual).isEmpty)
    }

    @Test func `a choice that is not known here is named`() throws {
        let report = try Self.report("executeWorkflow", 1, ["source": "localFile", "workflowPath": "/w.json"])
        let note = try #require(report.notes.first { $0.code == "unsupported_use" })
        #expect(note.message.contains("(version 1, source: localFile)"))
        let request = try Self.report("httpRequest", 4.2, ["authentication": "genericCredentialType", "genericAuthType": "oAuth1Api"])
        #expect(request.notes.contains { $0.message.contains("genericAuthType: oAuth1Api") })
    }

    @Test func `a choice inside of lists and conditions that is not known here is named`() throws {
        func filter(_ type: JSON, _ operation: JSON) -> JSON {
            ["combinator": "and", "conditions": [["leftValue": 1, "rightValue": 1, "operator": ["type": type, "operation": operation]]]]
        }
        let old: JSON = ["string": [["value1": "a", "operation": "equals"], ["value1": "b", "operation": "={{ $json.o }}"]]]
        let field: JSON = ["interval": [["field": "hours"], ["field": "years"]]]
        let cases: [(String, Double, JSONObject, [String])] = [
            ("if", 1, ["conditions": old], ["conditions.string.operation: equals"]),
            ("if", 2.2, ["conditions": filter("boolean", "equal")], ["conditions.conditions.operator: boolean equal"]),
            ("if", 2.2, ["conditions": filter("array", "lengthGt")], []), ("filter", 2, ["conditions": filter("object", "notExists")], []),
            (
                "switch", 3.2, ["rules": ["values": [["conditions": filter("string", "like")]]], "options": ["fallbackOutput": 1]],
                ["rules.values.conditions.conditions.operator: string like"]
            ),
            ("scheduleTrigger", 1.2, ["rule": field], ["rule.interval.field: years"])
        ]
        for (type, version, parameters, expected) in cases {
            let notes = try Self.report(type, version, parameters).notes.filter { $0.code == "unknown_choice" }
            #expect(notes.map(\.message) == expected.map { "Its choice \($0) is not known here." }, "\(type) \(expected)")
        }
    }

    @Test func `what a node chooses by a number or for streaming runs as in n8n`() throws {
        let rules: JSON = ["rules": [["operation": "equal", "value2": 1], ["operation": "equal", "value2": 2]]]
        #expect(try Self.report("switch", 2, ["dataType": "number", "rules": rules, "fallbackOutput": 7]).runsWholly)
        #expect(try Self.report("webhook", 2.1, ["path": "p", "responseMode": "streaming"]).runsWholly)
        let respond = try Self.report("respondToWebhook", 1.5, ["options": ["enableStreaming": true]])
        #expect(respond.runsWholly && respond.unreadParameters.isEmpty)
    }
}
