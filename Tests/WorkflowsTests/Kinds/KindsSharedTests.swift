import Kernel
import Testing

@testable import Workflows

@Suite struct KindsSharedTests {
    @Test func `a dot path reads and sets through objects and lists`() {
        var object: JSONObject = ["a": ["b": [["c": 1]]], "x.y": 2]
        #expect(DotPath("a.b[0].c").value(in: object) == 1)
        #expect(DotPath("x.y").value(in: object) == 2)
        #expect(DotPath("a['b'].0.c").value(in: object) == 1)
        #expect(DotPath("a.none.c").value(in: object) == nil)
        DotPath("a.b[1].c").set(3, in: &object)
        #expect(JSON.object(object)["a"]?["b"]?[1] == ["c": 3])
        DotPath("new[0].k").set("v", in: &object)
        #expect(object["new"] == [["k": "v"]])
        DotPath("a.b[0].c").remove(from: &object)
        #expect(JSON.object(object)["a"]?["b"]?[0] == [:])
        DotPath("p.q", dotNotation: false).set(1, in: &object)
        #expect(object["p.q"] == 1)
    }

    @Test func `defaults follow the node's version and its other parameters`() throws {
        let wait = try #require(KindRegistry.builtIn.kind("wait"))
        #expect(wait.rawParameter("amount", of: .make("wait", 1, [:])) == 1)
        #expect(wait.rawParameter("amount", of: .make("wait", 1.1, [:])) == 5)
        #expect(wait.rawParameter("unit", of: .make("wait", 1, [:])) == "hours")
        #expect(wait.rawParameter("amount", of: .make("wait", 1.1, ["resume": "specificTime"])) == nil)
        let merge = try #require(KindRegistry.builtIn.kind("merge"))
        #expect(merge.rawParameter("combineBy", of: .make("merge", 3, ["mode": "combine"])) == "combineByFields")
        #expect(merge.rawParameter("combineBy", of: .make("merge", 3, [:])) == nil)
        #expect(merge.rawParameter("combinationMode", of: .make("merge", 2.1, ["mode": "combine"])) == "mergeByFields")
        let set = try #require(KindRegistry.builtIn.kind("set"))
        let node = WorkflowNode.make("set", 3.2, ["fields": ["values": [["name": "a", "booleanValue": false]]]])
        #expect(set.rawParameter("fields.values", of: node)?[0]?["type"] == "stringValue")
        let http = try #require(KindRegistry.builtIn.kind("http_request"))
        #expect(http.rawParameter("options.redirect.redirect.maxRedirects", of: .make("http_request", 4.2, [:])) == 21)
    }

    @Test func `ports follow the parameters`() throws {
        let kinds = KindRegistry.builtIn
        let rules: JSONObject = ["rules": ["values": [["outputKey": "a"], [:]]], "options": ["fallbackOutput": "extra"]]
        #expect(kinds.kind("switch")!.outputNames(of: .make("switch", 3.2, rules)) == ["a", "output 1", "fallback"])
        #expect(kinds.kind("switch")!.outputNames(of: .make("switch", 1, [:])).count == 4)
        #expect(kinds.kind("switch")!.outputNames(of: .make("switch", 3.2, [:])) == ["output 0"])
        #expect(kinds.kind("switch")!.outputNames(of: .make("switch", 3, ["mode": "expression", "numberOutputs": 6])).count == 6)
        #expect(kinds.kind("merge")!.inputNames(of: .make("merge", 3.1, ["numberInputs": 4])).count == 4)
        #expect(kinds.kind("split_in_batches")!.outputNames(of: .make("split_in_batches", 2, [:])) == ["loop", "done"])
        #expect(kinds.kind("split_in_batches")!.outputNames(of: .make("split_in_batches", 3, [:])) == ["done", "loop"])
    }

    @Test func `the registry tells what an import can run`() {
        let kinds = KindRegistry.builtIn
        #expect(kinds.kind(n8nType: "n8n-nodes-base.set")?.kind == "set")
        #expect(kinds.kind("sticky_note") != nil && kinds.executor(for: "sticky_note") == nil)
        #expect(kinds.kind("n8n:n8n-nodes-base.gmail") == nil)
        #expect(kinds.supports(n8nType: "n8n-nodes-base.code", version: 2, parameters: ["jsCode": "return []"]))
        #expect(kinds.supports(n8nType: "n8n-nodes-base.code", version: 2, parameters: ["language": "python"]))
        #expect(!kinds.supports(n8nType: "n8n-nodes-base.code", version: 2, parameters: ["language": "ruby"]))
        #expect(kinds.supports(n8nType: "n8n-nodes-base.merge", version: 3, parameters: ["mode": "combineBySql"]))
        #expect(!kinds.supports(n8nType: "n8n-nodes-base.merge", version: 2, parameters: ["mode": "combineBySql"]))
        #expect(kinds.supports(n8nType: "n8n-nodes-base.wait", version: 1.1, parameters: ["resume": "webhook"]))
        #expect(!kinds.supports(n8nType: "n8n-nodes-base.wait", version: 1.1, parameters: ["resume": "nobodyKnows"]))
        #expect(kinds.kinds.allSatisfy { !$0.title.isEmpty && !$0.summary.isEmpty })
    }

    @Test func `loose comparison overlooks types`() {
        #expect(FuzzyValue.normal("3") == FuzzyValue.normal(3))
        #expect(FuzzyValue.normal("") == FuzzyValue.normal(.null))
        #expect(FuzzyValue.normal("True") == FuzzyValue.normal(true))
        #expect(FuzzyValue.normal("a") != FuzzyValue.normal("b"))
    }

    @Test func `times are read in the forms people write`() {
        func read(_ value: JSON, _ zone: String = "UTC") -> String? { LooseTime.parse(value, timeZone: zone)?.description }
        #expect(read("2026-03-01", "Europe/Berlin") == "2026-02-28T23:00:00.000000Z")
        #expect(read("2026-03-01T10:00:00+02:00") == "2026-03-01T08:00:00.000000Z")
        #expect(read("2026-03-01 10:20") == "2026-03-01T10:20:00.000000Z")
        #expect(read(1_700_000_000) == "2023-11-14T22:13:20.000000Z")
        #expect(read(1_700_000_000_000) == "2023-11-14T22:13:20.000000Z")
        #expect(read("Tue, 10 Mar 2026 12:00:00 GMT") == "2026-03-10T12:00:00.000000Z")
        #expect(read("Tue Mar 10 2026 12:00:00 GMT+0200 (Eastern European Standard Time)") == "2026-03-10T10:00:00.000000Z")
        #expect(read("3/10/2026, 1:05:00 PM") == "2026-03-10T13:05:00.000000Z")
        #expect(read("3/10/2026 13:05") == "2026-03-10T13:05:00.000000Z")
        #expect(read("2026/03/10") == "2026-03-10T00:00:00.000000Z")
        #expect(read("2026/03/10 13:05:06") == "2026-03-10T13:05:06.000000Z")
        #expect(read("13/10/2026") == nil)
        #expect(read("soon") == nil)
    }

    @Test func `a number of any size is read as a whole one in a range`() {
        let numbers: [Double] = [2.9, -2.9, 1e300, -1e300, .infinity]
        let whole: [Int?] = numbers.map { $0.whole(in: -5...5) }
        #expect(whole == [2, -2, 5, -5, 5])
        #expect(Double.nan.whole(in: 0...1) == nil)
        func field(_ json: JSON) -> FormField { FormField(json, index: 0, version: 2.4) }
        let range: JSON = ["fieldType": "checkbox", "limitSelection": "range", "minSelections": -5, "maxSelections": -3]
        #expect(field(range).selections == 0...0)
        #expect(field(["fieldType": "checkbox", "limitSelection": "exact", "numberOfSelections": 1e300]).selections?.lowerBound == Int(Int32.max))
    }

    @Test(arguments: ["2026-03-01T10:20:30.\u{663}", "\u{662}\u{660}\u{662}\u{666}-03-01", "1/1/300000", "1/1/99999999999", "January 1, 400000"])
    func `what looks like a time but is none is not read`(text: String) {
        #expect(LooseTime.parse(.string(text), timeZone: "UTC") == nil)
    }
}
