import Kernel
import Testing

@testable import Workflows

@Suite struct KindsMoreTests {
    let harness = KindsHarness()

    func one(_ kind: String, _ version: Double, _ config: JSONObject, _ inputs: [Item]...) async throws -> [JSON] {
        try await harness.node(.make(kind, version, config), inputs: inputs)[0]
    }

    @Test func `merge takes more than two inputs, and fills up what is not paired`() async throws {
        let (a, b, c) = (items(["a": 1], ["a": 2]), items(["b": 1]), items(["c": 1], ["c": 2], ["c": 3]))
        let appended = try await one("merge", 3.2, ["numberInputs": 3], a, b, c)
        #expect(appended.count == 6)
        let position: JSONObject = ["mode": "combine", "combineBy": "combineByPosition", "numberInputs": 3]
        let paired = try await one("merge", 3.2, position, a, b, c)
        #expect(paired == [["a": 1, "b": 1, "c": 1]])
        var all = position
        all["options"] = ["includeUnpaired": true]
        let filled = try await one("merge", 3.2, all, a, b, c)
        #expect(filled == [["a": 1, "b": 1, "c": 1], ["a": 2, "c": 2], ["c": 3]])
        let third = try await one("merge", 3.2, ["mode": "chooseBranch", "numberInputs": 3, "useDataOfInput": 3], a, b, c)
        #expect(third.count == 3)
        for odd: JSON in [1e300, -1e300, "Infinity", 0] {
            await #expect(throws: StepFailure.self) { try await one("merge", 3.2, ["mode": "chooseBranch", "useDataOfInput": odd], a, b) }
        }
    }

    @Test func `a request's numbers that are none are as if they were not written`() async throws {
        let options: JSON = ["redirect": ["redirect": ["maxRedirects": "many"]], "retry": ["maxTries": "some", "waitBetweenTries": "long"]]
        let answered = try await one("http_request", 4.2, ["url": "https://example.com", "options": options], items([:]))
        #expect(answered.count == 1)
    }

    @Test func `merge settles clashes as it is told`() async throws {
        let (a, b) = (items(["id": 1, "x": "a", "o": ["k": 1, "l": 1]]), items(["id": 1, "x": "b", "o": ["k": 2, "m": 2]]))
        func joined(_ clash: JSON) async throws -> JSON? {
            let config: JSONObject = [
                "mode": "combine", "fieldsToMatchString": "id", "options": ["clashHandling": ["values": clash]]
            ]
            return try await one("merge", 3, config, a, b).first
        }
        let first = try await joined(["resolveClash": "preferInput1"])
        #expect(first?["x"] == "a" && first?["o"] == ["k": 1, "l": 1, "m": 2])
        let last = try await joined(["resolveClash": "preferLast"])
        #expect(last?["x"] == "b" && last?["o"]?["k"] == 2)
        let shallow = try await joined(["resolveClash": "preferInput2", "mergeMode": "shallowMerge"])
        #expect(shallow?["o"] == ["k": 2, "m": 2])
        for number in ["-9223372036854775808", "9223372036854775807", "0", "x"] {
            let odd = try await joined(["resolveClash": .string("preferInput\(number)")])
            #expect(odd?["x"] == "b")
        }
    }

    @Test func `inputs that make too many pairs are refused before any is made`() async throws {
        let first: [Item] = (0..<1_001).map { Item(json: ["id": 1, "a": .number(Double($0))]) }
        let second: [Item] = (0..<1_000).map { _ in Item(json: ["id": 1]) }
        let ways: [(Double, JSONObject)] = [
            (3, ["mode": "combine", "combineBy": "combineAll"]), (3, ["mode": "combine", "fieldsToMatchString": "id"]), (1, ["mode": "multiplex"])
        ]
        for (version, config) in ways {
            let failure = await #expect(throws: StepFailure.self) { try await one("merge", version, config, first, second) }
            #expect(failure?.code == "too_many_items" && failure?.isRetryable == false)
        }
        #expect(try await one("merge", 3, ["mode": "combine", "combineBy": "combineAll"], Array(first.prefix(3)), Array(second.prefix(2))).count == 6)
    }

    @Test func `items seen in earlier runs are parted from new ones`() async throws {
        let config: JSONObject = ["operation": "removeItemsSeenInPreviousExecutions", "dedupeValue": "={{ $json.id }}"]
        let outputs = try await harness.node(.make("remove_duplicates", 2, config), inputs: [items(["id": 1], ["id": 2], ["id": 1])])
        #expect(outputs == [[["id": 1], ["id": 2], ["id": 1]], []], "what was not seen before this run is new, however often it comes")
        let except: JSONObject = ["compare": "allFieldsExcept", "fieldsToExclude": "at"]
        let unique = try await one("remove_duplicates", 2, except, items(["id": 1, "at": 1], ["id": 1, "at": 2]))
        #expect(unique == [["id": 1, "at": 1]])
        let uneven = try await one("remove_duplicates", 2, except, items(["id": 1, "at": 1], ["id": 1, "note": "x"], ["id": 2]))
        #expect(uneven == [["id": 1, "at": 1], ["id": 2]], "the fields are the first item's")
        let narrow: JSONObject = ["compare": "selectedFields", "fieldsToCompare": "id", "options": ["removeOtherFields": true]]
        let kept = try await one("remove_duplicates", 2, narrow, items(["id": 1, "at": 1], ["id": 1, "at": 2]))
        #expect(kept == [["id": 1]])
    }

    @Test func `split out takes several fields side by side, and aggregate keeps empty values where asked`() async throws {
        let split = try await one("split_out", 1, ["fieldToSplitOut": "a, b"], items(["a": [1, 2], "b": ["x"]]))
        #expect(split.first == ["a": 1, "b": "x"] && split.count == 2)
        let rest = try await one(
            "split_out", 1, ["fieldToSplitOut": "a", "include": "allOtherFields"], items(["a": [["n": 1]], "k": 2]))
        #expect(rest == [["k": 2, "a": ["n": 1]]])
        let fields: JSON = ["fieldToAggregate": [["fieldToAggregate": "v"]]]
        let without = try await one("aggregate", 1, ["fieldsToAggregate": fields], items(["v": 1], ["v": .null], [:]))
        #expect(without == [["v": [1]]])
        #expect(try await one("aggregate", 1, ["fieldsToAggregate": fields], items(["v": [1, .null]])) == [["v": [[1]]]])
        #expect(try await one("aggregate", 1, [:], items(["v": 1], ["v": 2])) == [[:]], "a field without a name is none")
        let with = try await one("aggregate", 1, ["fieldsToAggregate": fields, "options": ["keepMissing": true]], items(["v": 1], ["v": .null], [:]))
        #expect(with == [["v": [1, .null, .null]]])
    }

    @Test func `a loop that is reset begins again with what comes in`() async throws {
        let node = WorkflowNode.make("split_in_batches", 3, ["batchSize": 2, "options": ["reset": true]])
        let first = try await harness.node(node, inputs: [items(["n": 1], ["n": 2], ["n": 3])])
        #expect(first == [[], [["n": 1], ["n": 2]]])
        let old = try await harness.node(.make("split_in_batches", 2, ["batchSize": 2]), inputs: [items(["n": 1], ["n": 2], ["n": 3])])
        #expect(old == [[["n": 1], ["n": 2]], []])
        let (_, state) = try await harness.keepingRun(.make("split_in_batches", 3, ["batchSize": 2]), inputs: [items(["n": 1], ["n": 2], ["n": 3])])
        let (next, _) = try await harness.keepingRun(.make("split_in_batches", 3, ["batchSize": 2]), inputs: [items(["r": 1])], state: state)
        guard case .items(let outputs) = next else { throw StepFailure("odd", "The loop gives no items.") }
        #expect(outputs[1].map(\.json) == [["n": 3]])
    }

    @Test func `waits of every unit, and those that cannot be`() async throws {
        func wait(_ config: JSONObject) async throws -> Duration? {
            guard case .wait(let until) = try await harness.outcome(.make("wait", 1.1, config), inputs: [items([:])]) else { return nil }
            return until - KindsHarness.now
        }
        for (unit, seconds) in [("seconds", 3), ("minutes", 180), ("hours", 10_800), ("days", 259_200)] {
            let found = try await wait(["amount": 3, "unit": .string(unit)])
            #expect(found == .seconds(seconds), "\(unit)")
        }
        let time = try await wait(["resume": "specificTime", "dateTime": "2026-03-10T13:00:00"])
        #expect(time == .seconds(3_600))
        for config: JSONObject in [["amount": -1], ["amount": 1e9, "unit": "days"], ["unit": "moons"], ["resume": "specificTime", "dateTime": "soon"]]
        {
            await #expect(throws: StepFailure.self) { try await wait(config) }
        }
        let resumed = try await harness.outcome(.make("wait", 1.1, ["amount": 2]), inputs: [items(["n": 1])], resume: .timer)
        guard case .items(let outputs) = resumed else { throw StepFailure("odd", "It waits twice.") }
        #expect(outputs[0].map(\.json) == [["n": 1]])
    }

    @Test func `aggregate keeps all fields where none is named, the named ones in their own order, and of two lists of one name the later`()
        async throws
    {
        let input = items(["a": 1, "b": 2, "c": 3], ["c": 4])
        func whole(_ include: JSON, _ names: JSONObject) async throws -> [JSON] {
            var config: JSONObject = ["aggregate": "aggregateAllItemData", "include": include]
            config.merge(names)
            return try await one("aggregate", 1, config, input)
        }
        let all: JSON = ["data": [["a": 1, "b": 2, "c": 3], ["c": 4]]]
        #expect(try await whole("specifiedFields", [:]) == [all])
        #expect(try await whole("allFieldsExcept", [:]) == [all])
        #expect(try await whole("specifiedFields", ["fieldsToInclude": "b, a"]) == [["data": [["a": 1, "b": 2]]]])
        #expect(try await whole("allFieldsExcept", ["fieldsToExclude": "c"]) == [["data": [["a": 1, "b": 2]]]])
        let paths: JSON = ["fieldToAggregate": [["fieldToAggregate": "x.id"], ["fieldToAggregate": "y.id"]]]
        let nested = items(["x": ["id": 1], "y": ["id": 2]])
        #expect(try await one("aggregate", 1, ["fieldsToAggregate": paths], nested) == [["id": [2]]])
        let twice: JSON = ["fieldToAggregate": [["fieldToAggregate": "a"], ["fieldToAggregate": "a"]]]
        await #expect(throws: StepFailure.self) { try await one("aggregate", 1, ["fieldsToAggregate": twice], input) }
        let kept: JSONObject = ["fieldToSplitOut": "rows", "include": "selectedOtherFields"]
        await #expect(throws: StepFailure.self) { try await one("split_out", 1, kept, items(["rows": [1]])) }
    }

    @Test func `aggregate makes an item of each group`() async throws {
        let input = items(["k": ["t": "x"], "v": 1], ["k": ["t": "y"], "v": 2], ["k": ["t": "x"], "v": 3], ["v": 4], ["k": ["t": .null], "v": 5])
        let options: JSON = ["groupByFields": "k.t"]
        let field: JSON = ["fieldToAggregate": [["fieldToAggregate": "v"]]]
        let node = WorkflowNode.make("aggregate", 1, ["fieldsToAggregate": field, "options": options])
        let made = try await harness.items(node, inputs: [input])[0]
        let wanted: [JSON] = [["k": ["t": "x"], "v": [1, 3]], ["k": ["t": "y"], "v": [2]], ["v": [4, 5]]]
        #expect(made.map { JSON.object($0.json) } == wanted && made.map { $0.pairedItem?.map(\.item) } == [[0], [1], [3]])
        let whole: JSONObject = ["aggregate": "aggregateAllItemData", "include": "specifiedFields", "fieldsToInclude": "v", "options": options]
        #expect(try await one("aggregate", 1, whole, input).first == ["k": ["t": "x"], "data": [["v": 1], ["v": 3]]])
        let inside: JSONObject = ["fieldsToAggregate": field, "options": ["groupByFields": "k"]]
        await #expect(throws: StepFailure.self) { try await one("aggregate", 1, inside, input) }
        let clashing: JSONObject = ["fieldsToAggregate": field, "options": ["groupByFields": "v"]]
        await #expect(throws: StepFailure.self) { try await one("aggregate", 1, clashing, input) }
    }

    @Test func `expressions see all that n8n tells of a file`() async throws {
        let file = BinaryReference(id: "x", mimeType: "image/png", fileName: "a.png", byteCount: 1_337)
        let members = ["fileName", "mimeType", "fileExtension", "fileType", "fileSize", "bytes"]
        let text = members.map { "{{ $binary.data.\($0) }}" }.joined(separator: "|")
        let set = WorkflowNode.make(
            "set", 3.4, ["assignments": ["assignments": [["name": "told", "type": "string", "value": .string("=\(text)")]]]])
        let given = try await harness.node(set, inputs: [[Item(json: [:], binary: ["data": file])]])
        #expect(given[0] == [["told": "a.png|image/png|png|image|1.34 kB|1337"]])
    }

    @Test func `a called workflow gets the items with the fields that the node defines`() async throws {
        let inputs: JSON = [
            "mappingMode": "defineBelow", "value": ["a": "={{ $json.a + 1 }}", "b": "new"],
            "schema": [["displayName": "a"], ["displayName": "gone", "removed": true]]
        ]
        let call = WorkflowNode.make("execute_workflow", 1.2, ["workflowId": ["__rl": true, "mode": "id", "value": "sub"], "workflowInputs": inputs])
        let file = BinaryReference(id: "x", mimeType: "a/b", byteCount: 1)
        let given = Item(json: ["a": 1, "c": 3, "gone": 4], binary: ["data": file])
        guard case .call(let asked) = try await harness.outcome(call, inputs: [[given]]) else { throw StepFailure("odd", "It does not call.") }
        #expect(asked.inputs == [[Item(json: ["a": 2, "c": 3, "b": "new"], binary: ["data": file], pairedItem: [PairedItem(item: 0)])]])
    }

    @Test func `a workflow of the server's disk, of an address or in the node is refused with what to do instead`() async throws {
        for source in ["localFile", "url", "parameter"] {
            let config: JSONObject = ["source": .string(source), "workflowPath": "/w.json", "workflowUrl": "http://a.test"]
            let call = WorkflowNode.make("execute_workflow", 1.1, config)
            let failure = await #expect(throws: StepFailure.self) { try await harness.outcome(call, inputs: [items(["a": 1])]) }
            #expect(failure?.code == "invalid_parameter" && failure?.message.contains("Import the workflow") == true, "\(source)")
        }
    }

    @Test func `what a called workflow gets is of the types that the node's schema says`() async throws {
        func given(_ settings: JSONObject) async throws -> JSONObject? {
            var inputs: JSONObject = [
                "mappingMode": "defineBelow", "value": ["n": "={{ $json.n }}", "s": "={{ $json.s }}", "l": "={{ $json.l }}", "none": "={{ null }}"],
                "schema": [
                    ["id": "n", "type": "number"], ["id": "s", "type": "string"], ["id": "l", "type": "array"], ["id": "none", "type": "number"]
                ]
            ]
            inputs.merge(settings)
            let call = WorkflowNode.make("execute_workflow", 1.2, ["workflowId": "sub", "workflowInputs": .object(inputs)])
            guard case .call(let asked) = try await harness.outcome(call, inputs: [items(["n": "5", "s": 7, "l": "[1]"])]) else { return nil }
            return asked.inputs.first?.first?.json
        }
        #expect(try await given([:]) == ["n": 5, "s": 7, "l": [1], "none": .null])
        let all = try await given(["attemptToConvertTypes": true, "convertFieldsToString": true])
        #expect(all == ["n": 5, "s": "7", "l": [1], "none": .null])
        let failure = await #expect(throws: StepFailure.self) { try await given(["attemptToConvertTypes": false, "convertFieldsToString": true]) }
        #expect(failure?.message.contains("'n'") == true && failure?.itemIndex == 0)
    }

    @Test func `each item may name the workflow that it runs, all together the first one's`() async throws {
        var harness = KindsHarness()
        for name in ["one", "two"] {
            let set: JSONObject = ["assignments": ["assignments": [["name": "ran", "type": "string", "value": .string(name)]]]]
            harness.workflows[name] = WorkflowDocument(
                name: name,
                nodes: [
                    WorkflowNode(
                        id: "t", category: .trigger, kind: "execute_workflow_trigger", kindVersion: 1, name: "t", connections: [.init(to: "s")]),
                    WorkflowNode(id: "s", category: .action, kind: "set", kindVersion: 3.4, name: "s", config: set)
                ])
        }
        let start = WorkflowNode(id: "m", category: .trigger, kind: "manual", name: "m", connections: [.init(to: "n")])
        for (mode, wanted) in [("each", ["one", "two", "one"]), ("once", ["one", "one", "one"])] {
            let call = WorkflowNode.make("execute_workflow", 1.1, ["workflowId": "={{ $json.flow }}", "mode": .string(mode)])
            let given = items(["flow": "one"], ["flow": "two"], ["flow": "one"])
            let outcome = try await harness.run(WorkflowDocument(name: "caller", nodes: [start, call]), trigger: "m", items: given)
            #expect(try outcome.outputs().last?.outputs[0].compactMap { $0.json["ran"]?.text } == wanted)
        }
    }

    @Test func `a called workflow that fails stops its caller, or becomes an item`() async throws {
        let call = WorkflowNode.make("execute_workflow", 1.1, ["workflowId": "sub"])
        let lost = StepResume.called([.failure(StepFailure("odd", "it broke"))])
        await #expect(throws: StepFailure.self) { try await harness.outcome(call, inputs: [items(["a": 1])], resume: lost) }
        var lenient = call
        lenient.onError = .continueRegular
        guard case .items(let outputs) = try await harness.outcome(lenient, inputs: [items(["a": 1])], resume: lost) else {
            throw StepFailure("odd", "It gives no items.")
        }
        #expect(outputs[0].first?.json["error"] == "it broke")
        let many = StepResume.called([.success(items(["b": 1], ["b": 2], ["b": 3]))])
        guard case .items(let made) = try await harness.outcome(call, inputs: [items(["a": 1], ["a": 2])], resume: many) else {
            throw StepFailure("odd", "It gives no items.")
        }
        #expect(made[0].map { $0.pairedItem?.map(\.item) } == [[0, 1], [0, 1], [0, 1]], "they come of all items")
        let unwaited = WorkflowNode.make("execute_workflow", 1.1, ["workflowId": "sub", "options": ["waitForSubWorkflow": false]])
        guard case .call(let asked) = try await harness.outcome(unwaited, inputs: [items(["a": 1], ["a": 2])]) else {
            throw StepFailure("odd", "It does not call.")
        }
        #expect(!asked.waits && asked.inputs.count == 1)
        await #expect(throws: StepFailure.self) {
            try await harness.outcome(.make("execute_workflow", 1.1, ["workflowId": ""]), inputs: [items([:])])
        }
    }
}
