import Kernel
import Testing

@testable import Workflows

@Suite struct KindsFlowTests {
    let harness = KindsHarness()

    func condition(_ left: JSON, _ type: String, _ operation: String, _ right: JSON = "", strict: Bool = true, caseSensitive: Bool = true)
        -> JSONObject
    {
        [
            "conditions": [
                "options": ["caseSensitive": .bool(caseSensitive), "typeValidation": strict ? "strict" : "loose", "version": 2], "combinator": "and",
                "conditions": [["leftValue": left, "rightValue": right, "operator": ["type": .string(type), "operation": .string(operation)]]]
            ]
        ]
    }

    func holds(_ config: JSONObject, _ input: JSON = ["s": "Abc", "n": 3, "l": [1, 2], "o": [:], "t": "2026-01-02T00:00:00Z"]) async throws -> Bool {
        try await !harness.node(.make("if", 2.2, config), inputs: [items(input)])[0].isEmpty
    }

    @Test func `operators of conditions hold as they say`() async throws {
        #expect(try await holds(condition("={{ $json.s }}", "string", "contains", "b")))
        #expect(try await !holds(condition("={{ $json.s }}", "string", "equals", "abc")))
        #expect(try await holds(condition("={{ $json.s }}", "string", "equals", "abc", caseSensitive: false)))
        #expect(try await holds(condition("={{ $json.s }}", "string", "regex", "/^a.c$/i")))
        #expect(try await holds(condition("={{ $json.n }}", "number", "gte", 3)))
        #expect(try await holds(condition("={{ $json.n }}", "number", "lt", "4")))
        #expect(try await holds(condition("={{ $json.missing }}", "string", "notExists")))
        #expect(try await holds(condition("={{ $json.missing }}", "string", "empty")))
        #expect(try await holds(condition("={{ $json.l }}", "array", "lengthGt", 1)))
        #expect(try await holds(condition("={{ $json.l }}", "array", "contains", 2)))
        #expect(try await holds(condition("={{ $json.l }}", "array", "notContains", 3)))
        #expect(try await holds(condition("={{ $json.o }}", "object", "empty")))
        #expect(try await holds(condition("={{ $json.t }}", "dateTime", "after", "2026-01-01T00:00:00Z")))
        #expect(try await holds(condition("={{ $json.n > 2 }}", "boolean", "true")))
    }

    @Test func `strict types refuse what loose ones convert`() async throws {
        await #expect(throws: StepFailure.self) { try await holds(condition("={{ $json.n }}", "string", "equals", "3")) }
        #expect(try await holds(condition("={{ $json.n }}", "string", "equals", "3", strict: false)))
        #expect(try await holds(condition("={{ $json.s }}", "boolean", "true", strict: false)))
        #expect(try await !holds(condition("false", "boolean", "true", strict: false)))
        var node = WorkflowNode.make("if", 2.2, condition("={{ $json.n }}", "string", "equals", "3"))
        node.onError = .continueRegular
        let outputs = try await harness.items(node, inputs: [items(["n": 3])])
        #expect(outputs[1].count == 1 && outputs[1][0].error != nil)
    }

    @Test func `a filter keeps and a switch sends on`() async throws {
        let filtered = try await harness.items(
            .make("filter", 2.2, condition("={{ $json.n }}", "number", "gt", 1)), inputs: [items(["n": 1], ["n": 2])])
        #expect(filtered[0].map(\.pairedItem) == [[PairedItem(item: 1)]])
        for (onError, kept) in [(WorkflowNode.OnError.continueRegular, [0]), (.continueErrorOutput, [0, 1])] {
            let node = WorkflowNode.make("filter", 2.2, condition("={{ $json.n }}", "number", "gt", 1), onError: onError)
            let given = try await harness.items(node, inputs: [items(["n": 2], ["n": "many"])])[0]
            #expect(given.compactMap { $0.pairedItem?.first?.item } == kept)
        }
        func rule(_ value: JSON) -> JSON { .object(condition("={{ $json.n }}", "number", "gte", value)) }
        var config: JSONObject = ["rules": ["values": [rule(2), rule(1)]], "options": ["fallbackOutput": "extra"]]
        let input = [items(["n": 2], ["n": 1], ["n": 0])]
        #expect(try await harness.node(.make("switch", 3.2, config), inputs: input) == [[["n": 2]], [["n": 1]], [["n": 0]]])
        config["options"] = ["allMatchingOutputs": true]
        #expect(try await harness.node(.make("switch", 3.2, config), inputs: input) == [[["n": 2]], [["n": 2], ["n": 1]]])
        let expression: JSONObject = ["mode": "expression", "numberOutputs": 3, "output": "={{ $json.n }}"]
        #expect(try await harness.node(.make("switch", 3, expression), inputs: input) == [[["n": 0]], [["n": 1]], [["n": 2]]])
        await #expect(throws: StepFailure.self) { try await harness.node(.make("switch", 3, expression), inputs: [items(["n": 3])]) }
    }

    @Test func `a switch without rules has n8n's one, which every item meets, and one whose rules are empty has none`() async throws {
        let input = [items(["n": 2], ["n": 1])]
        #expect(try await harness.node(.make("switch", 3.2, [:]), inputs: input) == [[["n": 2], ["n": 1]]])
        #expect(try await harness.node(.make("switch", 3.2, ["rules": [:]]), inputs: input) == [[]])
        let extra: JSON = ["fallbackOutput": "extra"]
        let fallen = try await harness.node(.make("switch", 3.2, ["rules": [:], "options": extra]), inputs: input)
        #expect(fallen.count == 1 && !fallen[0].isEmpty)
        let old: JSONObject = ["value1": "={{ $json.n }}", "rules": ["rules": [["operation": "equal", "value2": 2]]], "fallbackOutput": 0]
        #expect(try await harness.node(.make("switch", 2, old), inputs: input) == [[["n": 2], ["n": 1]]])
    }

    func merge(_ version: Double, _ config: JSONObject, _ first: [Item], _ second: [Item]) async throws -> [JSON] {
        try await harness.node(.make("merge", version, config), inputs: [first, second])[0]
    }

    @Test func `merge combines by fields in every way of joining`() async throws {
        let a = items(["id": 1, "x": "a"], ["id": 2, "x": "b"])
        let b = items(["id": 2, "x": "B", "y": 1], ["id": 2, "y": 2], ["id": 3, "y": 3])
        func join(_ mode: JSON, _ more: JSONObject = [:]) async throws -> [JSON] {
            var config: JSONObject = ["mode": "combine", "fieldsToMatchString": "id", "joinMode": mode]
            config.merge(more)
            return try await merge(3, config, a, b)
        }
        #expect(try await join("keepMatches") == [["id": 2, "x": "B", "y": 1], ["id": 2, "x": "b", "y": 2]])
        #expect(try await join("keepMatches", ["options": ["multipleMatches": "first"]]) == [["id": 2, "x": "B", "y": 1]])
        #expect(try await join("keepMatches", ["outputDataFrom": "input1"]) == [["id": 2, "x": "b"]])
        #expect(try await join("keepNonMatches") == [["id": 1, "x": "a", "_source": "input1"], ["id": 3, "y": 3, "_source": "input2"]])
        #expect(try await join("enrichInput1") == [["id": 2, "x": "B", "y": 1], ["id": 2, "x": "b", "y": 2], ["id": 1, "x": "a"]])
        #expect(try await join("enrichInput2").first == ["id": 2, "x": "b", "y": 1])
        #expect(try await join("keepEverything").count == 4)
        let suffix: JSONObject = ["options": ["clashHandling": ["values": ["resolveClash": "addSuffix"]], "multipleMatches": "first"]]
        #expect(try await join("keepMatches", suffix) == [["id_1": 2, "x_1": "b", "id_2": 2, "x_2": "B", "y_2": 1]])
        let beside: JSONObject = ["mode": "combine", "fieldsToMatchString": "id", "joinMode": "keepEverything"]
        #expect(try await merge(3, beside.merging(with: suffix), items(["id": 1]), []) == [["id": 1]], "no other input, no suffix")
        let placed: JSONObject = ["mode": "combine", "combineBy": "combineByPosition"]
        #expect(try await merge(3, placed.merging(with: suffix), items(["a": 1]), items(["b": 2])) == [["a_1": 1, "b_2": 2, "b": 2]])
        let filled: JSONObject = ["options": ["clashHandling": ["values": ["overrideEmpty": true, "mergeMode": "shallowMerge"]]]]
        let clashes = (items(["a": 1, "b": 2, "c": [1]]), items(["a": "", "b": .null, "c": []]))
        #expect(try await merge(3, placed.merging(with: filled), clashes.0, clashes.1) == [["a": 1, "b": 2, "c": []]])
        let fuzzy: JSONObject = [
            "mode": "combine", "advanced": true, "mergeByFields": ["values": [["field1": "k", "field2": "m.k"]]], "options": ["fuzzyCompare": true]
        ]
        #expect(try await merge(3, fuzzy, items(["k": "1"]), items(["m": ["k": 1]])) == [["k": "1", "m": ["k": 1]]])
    }

    @Test func `merge appends, pairs by position and chooses`() async throws {
        let a = items(["a": 1], ["a": 2])
        let b = items(["b": 1])
        #expect(try await merge(3, [:], a, b) == [["a": 1], ["a": 2], ["b": 1]])
        #expect(try await merge(3, ["mode": "combine", "combineBy": "combineByPosition"], a, b) == [["a": 1, "b": 1]])
        #expect(
            try await merge(2.1, ["mode": "combine", "combinationMode": "mergeByPosition", "options": ["includeUnpaired": true]], a, b) == [
                ["a": 1, "b": 1], ["a": 2]
            ])
        #expect(try await merge(3, ["mode": "combine", "combineBy": "combineAll"], a, b) == [["a": 1, "b": 1], ["a": 2, "b": 1]])
        #expect(try await merge(3, ["mode": "chooseBranch", "useDataOfInput": "2"], a, b) == [["b": 1]])
        #expect(try await merge(3, ["mode": "chooseBranch", "output": "empty"], a, b) == [[:]])
        #expect(try await merge(1, ["mode": "mergeByIndex"], a, b) == [["a": 1, "b": 1], ["a": 2]])
        #expect(try await merge(1, ["mode": "mergeByIndex", "join": "inner"], a, b).count == 1)
        #expect(try await merge(1, ["mode": "passThrough", "output": "input2"], a, b) == [["b": 1]])
        #expect(
            try await merge(1, ["mode": "mergeByKey", "propertyName1": "a", "propertyName2": "k"], a, items(["k": 2, "z": 9])) == [
                ["a": 1], ["a": 2, "z": 9]
            ])
        let byKey: JSONObject = ["mode": "mergeByKey", "propertyName1": "a", "propertyName2": "k"]
        let mixed = items(["a": ""], ["a": .null], ["b": 1], ["a": [1]])
        #expect(try await merge(1, byKey, mixed, items(["k": "", "z": 9])) == [["a": ""], ["a": .null]], "an item without a key is left out")
        #expect(try await merge(1, ["mode": "removeKeyMatches", "propertyName1": "a", "propertyName2": "k"], a, items(["k": "2"])) == [["a": 1]])
    }

    @Test func `a loop gives batch after batch and in the end all that came back`() async throws {
        func node(_ id: String, _ kind: String, _ version: Double, _ config: JSONObject, _ to: [WorkflowConnection]) -> WorkflowNode {
            WorkflowNode(id: id, category: .action, kind: kind, kindVersion: version, name: id, config: config, connections: to)
        }
        let document = WorkflowDocument(
            name: "loop",
            nodes: [
                node("Start", "manual", 1, [:], [.init(to: "Items")]),
                node("Items", "code", 2, ["jsCode": "return [1, 2, 3].map((n) => ({ json: { n } }));"], [.init(to: "Loop")]),
                node("Loop", "split_in_batches", 3, ["batchSize": 2], [.init(output: 0, to: "Done"), .init(output: 1, to: "Body")]),
                node(
                    "Body", "set", 3.4,
                    ["assignments": ["assignments": [["name": "twice", "type": "number", "value": "={{ $('Items').item.json.n * 2 }}"]]]],
                    [.init(to: "Loop")]),
                node("Done", "no_op", 1, [:], [])
            ], settings: WorkflowSettings(order: .n8nV1))
        let outcome = try await harness.run(document, trigger: "Start")
        #expect(outcome.end.status == .succeeded)
        let done = try outcome.outputs().first { $0.node == "Done" }?.outputs[0].map { JSON.object($0.json) }
        #expect(done == [["twice": 2], ["twice": 4], ["twice": 6]])
    }

    @Test func `a wait waits for its time and a sub-workflow gives its result`() async throws {
        guard case .wait(let until) = try await harness.outcome(.make("wait", 1.1, ["amount": 2, "unit": "minutes"]), inputs: [items([:])]) else {
            Issue.record("it does not wait")
            return
        }
        #expect(until == KindsHarness.now + .seconds(120))
        guard case .items = try await harness.outcome(.make("wait", 1.1, ["resume": "specificTime", "dateTime": "2020-01-01"]), inputs: [items([:])])
        else {
            Issue.record("it waits for the past")
            return
        }
        let call = WorkflowNode.make("execute_workflow", 1.1, ["workflowId": ["__rl": true, "mode": "id", "value": "sub"], "mode": "each"])
        guard case .call(let asked) = try await harness.outcome(call, inputs: [items(["a": 1], ["a": 2])]) else {
            Issue.record("it does not call")
            return
        }
        #expect(asked.workflow == "sub" && asked.inputs.count == 2 && asked.waits)
        var calling = KindsHarness()
        calling.workflows["sub"] = WorkflowDocument(
            name: "sub",
            nodes: [
                WorkflowNode(id: "t", category: .trigger, kind: "execute_workflow_trigger", kindVersion: 1, name: "t", connections: [.init(to: "s")]),
                WorkflowNode(
                    id: "s", category: .action, kind: "set", kindVersion: 3.4, name: "s",
                    config: ["assignments": ["assignments": [["name": "b", "type": "number", "value": "={{ $json.a + 1 }}"]]]])
            ])
        var start = WorkflowNode(id: "m", category: .trigger, kind: "manual", name: "m", connections: [.init(to: "n")])
        start.position = [0, 0]
        let outcome = try await calling.run(WorkflowDocument(name: "caller", nodes: [start, call]), trigger: "m", items: items(["a": 1], ["a": 2]))
        #expect(try outcome.outputs().last?.outputs[0].map { JSON.object($0.json) } == [["b": 2], ["b": 3]])
    }

    @Test func `stop ends the run with its message and a script's error is told`() async throws {
        await #expect(throws: StepFailure("stopped", "No 7", isRetryable: false)) {
            try await harness.node(.make("stop_and_error", 1, ["errorMessage": "=No {{ $json.n }}"]), inputs: [items(["n": 7])])
        }
        let failing = WorkflowNode.make("code", 2, ["jsCode": "throw new Error('odd')"], onError: .continueRegular)
        let given = try await harness.items(failing, inputs: [items([:])])[0]
        #expect(given.count == 1 && given[0].error != nil && given[0].json["error"]?.text?.contains("odd") == true)
        let each = WorkflowNode.make("code", 2, ["mode": "runOnceForEachItem", "jsCode": "return { json: { n: $json.n + $itemIndex } };"])
        #expect(try await harness.node(each, inputs: [items(["n": 1], ["n": 1])])[0] == [["n": 1], ["n": 2]])
    }
}
