import HTTPSurface
import Kernel
import Persistence
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// What becomes of a webhook's body, by its content type, the node's version and options (n8n: Webhook node, versions 1 to 2.1).
@Suite struct WebhookBodyTests {
    private func item(
        _ body: String, type: String?, version: Double = 2, options: JSONObject = [:], headers: [(name: String, value: String)] = []
    ) async throws -> (item: Item, files: [String: [UInt8]]) {
        let got = Mutex<(item: Item, files: [String: [UInt8]])?>(nil)
        try await FormRig.run { rig in
            let hook = WorkflowNode(
                id: "hook", category: .trigger, kind: "webhook", kindVersion: version, name: "Hook",
                config: ["path": "in", "httpMethod": "POST", "responseMode": "lastNode", "options": .object(options)])
            try await rig.publish([hook, .step("End", "no_op", 1, [:])])
            let kind: [(name: String, value: String)] = type.map { [("Content-Type", $0)] } ?? []
            let answer = try await rig.surface.answer(LocalRequest("POST", "/hooks/t/in", headers: kind + headers, body: Array(body.utf8)))
            #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
            let item = try #require(try await rig.result().first)
            got.withLock { $0 = (item, item.binary.mapValues { rig.files.read($0.id) }) }
        }
        return try #require(got.withLock { $0 })
    }

    private func part(_ name: String, file: String? = nil, _ content: String) -> String {
        let named = file.map { "; filename=\"\($0)\"\r\nContent-Type: text/csv" } ?? ""
        return "--edge\r\nContent-Disposition: form-data; name=\"\(name)\"\(named)\r\n\r\n\(content)\r\n"
    }

    private let multipart = "multipart/form-data; boundary=edge"

    @Test func `a multipart form gives its fields and its files under their names`() async throws {
        let body = part("who", "Ada") + part("who", "Bob") + part("note", "hi") + part("data", file: "a.csv", "1,2") + "--edge--\r\n"
        let (item, files) = try await item(body, type: multipart)
        #expect(item.json["body"] == ["who": ["Ada", "Bob"], "note": "hi"])
        #expect(files == ["data": Array("1,2".utf8)])
        let file = try #require(item.binary["data"])
        #expect(file.fileName == "a.csv" && file.mimeType == "text/csv" && file.fileExtension == "csv" && file.byteCount == 3)
    }

    @Test func `a field that comes several times is a list, in the order of the first one`() async throws {
        let body = try await item("b=1&a=2&b=3&a=4&c=5", type: "application/x-www-form-urlencoded").item.json["body"]
        #expect(body == ["b": ["1", "3"], "a": ["2", "4"], "c": "5"])
        #expect(body?.object?.map(\.key) == ["b", "a", "c"])
    }

    @Test func `several files of a field are numbered, and all of them under the option's name`() async throws {
        let body = part("docs[]", file: "a.csv", "1") + part("docs[]", file: "b.csv", "2") + part("one", file: "c.csv", "3") + "--edge--\r\n"
        let (_, files) = try await item(body, type: multipart)
        #expect(files == ["docs0": [49], "docs1": [50], "one": [51]])
        let (_, named) = try await item(body, type: multipart, options: ["binaryPropertyName": "f"])
        #expect(named == ["f0": [49], "f1": [50], "f2": [51]])
    }

    @Test func `a body of another type is a file, since version 1.1 of the node`() async throws {
        let (item, files) = try await item("%PDF", type: "application/pdf", headers: [("Content-Disposition", "attachment; filename=\"a.pdf\"")])
        #expect(item.json["body"] == [:] && files == ["data": Array("%PDF".utf8)])
        #expect(item.binary["data"]?.fileName == "a.pdf" && item.binary["data"]?.mimeType == "application/pdf")
        let named = try await self.item("x", type: "image/png", options: ["binaryPropertyName": "picture"])
        #expect(named.files == ["picture": [120]])
        let old = try await self.item("x", type: "image/png", version: 1)
        #expect(old.item.json["body"] == "x" && old.files.isEmpty)
        let told = try await self.item("{}", type: "application/json", version: 1, options: ["binaryData": true])
        #expect(told.item.json["body"] == [:] && told.files == ["data": Array("{}".utf8)])
    }

    @Test func `what is read stays what it is, and raw as well where asked for`() async throws {
        let plain = try await item("hello", type: "text/plain; charset=utf-8")
        #expect(plain.item.json["body"] == "hello" && plain.files.isEmpty)
        let raw = try await item("{\"a\": 1}", type: "application/json", options: ["rawBody": true])
        #expect(raw.item.json["body"] == ["a": 1] && raw.files == ["data": Array("{\"a\": 1}".utf8)])
        let xml = try await item("<Order ID='7'><Item> tea </Item><Item>milk</Item></Order>", type: "application/xml")
        #expect(xml.item.json["body"] == ["order": ["$": ["ID": "7"], "item": ["tea", "milk"]]])
        let bare = try await item("{\"a\": 1}", type: nil)
        #expect(bare.item.json["body"] == ["a": 1] && bare.files.isEmpty)
        let none = try await item("", type: "application/pdf")
        #expect(none.item.json["body"] == [:] && none.files.isEmpty)
    }

    private static let origins: [(String?, String, String)] = [
        (nil, "https://x.test", "*"), ("*", "https://x.test", "*"), ("https://a.test, https://b.test", "https://b.test", "https://b.test"),
        ("https://a.test, https://b.test", "https://x.test", "https://a.test")
    ]

    @Test(arguments: origins) func `a page of another origin calls a webhook as the node allows`(_ allowed: String?, _ origin: String, _ said: String)
        async throws
    {
        try await FormRig.run { rig in
            var config: JSONObject = ["path": "in", "httpMethod": "POST"]
            if let allowed { config["options"] = ["allowedOrigins": .string(allowed)] }
            let hook = WorkflowNode(id: "hook", category: .trigger, kind: "webhook", kindVersion: 2, name: "Hook", config: config)
            try await rig.publish([hook, .step("End", "no_op", 1, [:])])
            func answer(_ method: String, _ headers: [(name: String, value: String)]) async throws -> LocalAnswer {
                try await rig.surface.answer(LocalRequest(method, "/hooks/t/in", headers: headers))
            }
            let asked = try await answer(
                "OPTIONS",
                [("Origin", origin), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "content-type,x-key")])
            #expect(asked.status == 204 && asked.header("Access-Control-Allow-Origin") == said)
            #expect(asked.header("Access-Control-Allow-Methods") == "POST" && asked.header("Access-Control-Allow-Headers") == "content-type,x-key")
            let called = try await answer("POST", [("Origin", origin)])
            #expect(called.status == 200 && called.header("Access-Control-Allow-Origin") == said)
            #expect(called.header("Access-Control-Allow-Credentials") == nil)
            let direct = try await answer("POST", [])
            #expect(direct.status == 200 && direct.header("Access-Control-Allow-Origin") == nil)
            let other = try await answer("OPTIONS", [("Origin", origin), ("Access-Control-Request-Method", "DELETE")])
            #expect(other.status == 405)
        }
    }

    @Test(arguments: origins) func `a page that may call a webhook reads why it is refused`(_ allowed: String?, _ origin: String, _ said: String)
        async throws
    {
        try await FormRig.run { rig in
            var options: JSONObject = ["ipWhitelist": "192.0.2.1"]
            if let allowed { options["allowedOrigins"] = .string(allowed) }
            let config: JSONObject = ["path": "in", "httpMethod": "POST", "options": .object(options)]
            let hook = WorkflowNode(id: "hook", category: .trigger, kind: "webhook", kindVersion: 2, name: "Hook", config: config)
            try await rig.publish([hook, .step("End", "no_op", 1, [:])])
            func refusal(_ method: String, _ path: String, _ headers: [(name: String, value: String)]) async throws -> LocalAnswer {
                try await rig.surface.answer(LocalRequest(method, path, headers: headers))
            }
            let from: (name: String, value: String) = ("Origin", origin)
            let forbidden = try await refusal("POST", "/hooks/t/in", [from])
            #expect(forbidden.status == 403 && forbidden.text.contains("webhook_forbidden"))
            #expect(forbidden.headers.filter { $0.name.lowercased() == "access-control-allow-origin" }.map(\.value) == [said])
            let malformed = try await refusal("POST", "/hooks/t/in", [from, ("Idempotency-Key", String(repeating: "k", count: 256))])
            #expect(malformed.status == 400 && malformed.header("Access-Control-Allow-Origin") == said)
            // What is no webhook says nothing that only some pages may read.
            for (method, path, status) in [("POST", "/hooks/t/none", 404), ("DELETE", "/hooks/t/in", 405), ("POST", "/hooks/nobody/in", 404)] {
                let missing = try await refusal(method, path, [from])
                #expect(missing.status == status && missing.header("Access-Control-Allow-Origin") == "*")
            }
            let direct = try await refusal("POST", "/hooks/t/in", [])
            #expect(direct.status == 403 && direct.header("Access-Control-Allow-Origin") == nil)
        }
    }

    private static let conditions: [(Double, JSONObject)] = [
        (2.1, ["options": ["onlyRunIf": "={{ $json.body.key === 'k' }}"]]),
        (2.2, ["onlyRunIfMode": "expression", "onlyRunIfExpression": "={{ $json.body.key === 'k' }}"]),
        (
            2.2,
            [
                "onlyRunIfMode": "conditions",
                "onlyRunIfConditions": [
                    "options": ["caseSensitive": true, "typeValidation": "loose", "version": 2], "combinator": "and",
                    "conditions": [
                        ["leftValue": "={{ $json.body.key }}", "rightValue": "k", "operator": ["type": "string", "operation": "equals"]]
                    ]
                ]
            ]
        )
    ]

    @Test(arguments: conditions) func `a request that does not meet the node's condition starts no run`(_ version: Double, _ config: JSONObject)
        async throws
    {
        try await FormRig.run { rig in
            var all: JSONObject = ["path": "in", "httpMethod": "POST"]
            all.merge(config)
            let hook = WorkflowNode(id: "hook", category: .trigger, kind: "webhook", kindVersion: version, name: "Hook", config: all)
            try await rig.publish([hook, .step("End", "no_op", 1, [:])])
            func said(_ key: String) async throws -> (text: String, hasStarted: Bool) {
                let type: [(name: String, value: String)] = [("Content-Type", "application/json")]
                let answer = try await rig.surface.answer(
                    LocalRequest("POST", "/hooks/t/in", headers: type, body: Array(#"{"key":"\#(key)"}"#.utf8)))
                #expect(answer.status == 200)
                return (String(decoding: answer.body, as: UTF8.self), answer.header("X-Execution-Id") != nil)
            }
            let met = try await said("k")
            #expect(met.text == #"{"message":"Workflow was started"}"# && met.hasStarted)
            let unmet = try await said("other")
            #expect(unmet.text == #"{"message":"Webhook call received"}"# && !unmet.hasStarted)
            // As it is asked: in the case that is written.
            let capital = try await said("K")
            #expect(!capital.hasStarted)
            #expect(try await runs(rig) == 1)
        }
    }

    private func runs(_ rig: FormRig) async throws -> Int {
        let lease = rig.harness.lease
        return try await lease.database.read(in: lease.tenant) { tx in try RunStore(tx: tx).list(before: nil, limit: 9).count }
    }

    /// Of 2.2, and whether it holds for a request with `{"n": 1}`.
    private static let answers: [(String, Bool)] = [
        ("={{ $json.body.n }}", true), ("={{ $json.body.n - 1 }}", false), ("={{ $json.body.none }}", false), ("={{ '' }}", false),
        // What cannot be asked keeps no request away.
        ("={{ $('Nowhere').item.json.n }}", true)
    ]

    @Test(arguments: answers) func `a condition holds where its value does, and where it has none for a fault of its own`(
        _ expression: String, _ holds: Bool
    ) async throws {
        try await FormRig.run { rig in
            let config: JSONObject = [
                "path": "in", "httpMethod": "POST", "onlyRunIfMode": "expression", "onlyRunIfExpression": .string(expression)
            ]
            let hook = WorkflowNode(id: "hook", category: .trigger, kind: "webhook", kindVersion: 2.2, name: "Hook", config: config)
            try await rig.publish([hook, .step("End", "no_op", 1, [:])])
            let answer = try await rig.surface.answer(
                LocalRequest("POST", "/hooks/t/in", headers: [("Content-Type", "application/json")], body: Array(#"{"n":1}"#.utf8)))
            #expect(answer.status == 200 && (answer.header("X-Execution-Id") != nil) == holds)
            #expect(try await runs(rig) == (holds ? 1 : 0))
        }
    }

    @Test func `text that is no expression is no condition of a webhook, nor is one of another version`() {
        func condition(_ version: Double, _ config: JSONObject) -> WebhookCondition? {
            WebhookCondition(WorkflowNode.make("webhook", version, config))
        }
        #expect(condition(2, ["options": ["onlyRunIf": "body.a"]]) == nil && condition(2, [:]) == nil)
        #expect(condition(2.2, ["options": ["onlyRunIf": "={{ false }}"]]) == nil)
        #expect(condition(2.1, ["onlyRunIfMode": "expression", "onlyRunIfExpression": "={{ false }}"]) == nil)
        #expect(condition(2.2, ["onlyRunIfMode": "conditions", "onlyRunIfConditions": ["combinator": "or", "conditions": []]]) == nil)
    }

    @Test func `a webhook that streams in n8n answers as a respond node does, else as the last node`() throws {
        let node = WorkflowNode.make("webhook", 2.1, ["path": "in", "responseMode": "streaming"])
        let definition = WebhookDefinition(node, kind: try #require(KindRegistry.builtIn.kind("webhook")))
        #expect(definition.responseMode == .streaming)
        let answer = try definition.answer(lastNode: ItemList([Item(json: ["a": 1])]))
        guard case .bytes(let bytes, _) = answer.body else {
            Issue.record("it answers nothing")
            return
        }
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"a":1}"#)
    }

    @Test(arguments: [("Thanks", "Thanks"), ("=Thanks", "Thanks"), ("", #"{"message":"Workflow was started"}"#)])
    func `a webhook that answers at once says its node's text`(_ written: String, _ said: String) throws {
        let options: JSONObject = [
            "responseData": .string(written), "responseHeaders": ["entries": [["name": "X-A", "value": "=1"]]]
        ]
        let node = WorkflowNode.make("webhook", 2, ["path": "in", "options": .object(options)])
        let answer = WebhookDefinition(node, kind: try #require(KindRegistry.builtIn.kind("webhook"))).immediateAnswer
        guard case .bytes(let bytes, _) = answer.body else {
            Issue.record("it answers nothing")
            return
        }
        #expect(String(decoding: bytes, as: UTF8.self) == said)
        #expect(answer.headers.map(\.value) == ["1"])
    }

    @Test func `a form that cannot be read is refused`() async throws {
        try await FormRig.run { rig in
            let hook = WorkflowNode(
                id: "hook", category: .trigger, kind: "webhook", kindVersion: 2, name: "Hook", config: ["path": "in", "httpMethod": "POST"])
            try await rig.publish([hook])
            for (type, body) in [("multipart/form-data", "x"), (multipart, "x"), (multipart, "--edge\r\n\r\nx")] {
                let answer = try await rig.surface.answer(
                    LocalRequest("POST", "/hooks/t/in", headers: [("Content-Type", type)], body: Array(body.utf8)))
                #expect(answer.status == 400 && String(decoding: answer.body, as: UTF8.self).contains("malformed_form"))
            }
        }
    }
}
