import Kernel
import Testing

@testable import Workflows

@Suite struct KindsXMLTests {
    let harness = KindsHarness()

    func one(_ config: JSONObject, _ input: JSON, onError: WorkflowNode.OnError = .stop) async throws -> JSON {
        try #require(try await harness.node(.make("xml", 1, config, onError: onError), inputs: [items(input)])[0].first)
    }

    @Test func `XML becomes the JSON that xml2js makes of it`() async throws {
        let cases = try Reference.json("xml")["reading"]?.array ?? []
        #expect(cases.count >= 80)
        for wanted in cases {
            let made = try await one(["options": wanted["options"] ?? [:]], ["data": wanted["xml"] ?? ""])
            #expect(made.serialized == wanted["json"]?.serialized, "\(wanted["xml"]?.text ?? "") \(wanted["options"]?.serialized ?? "")")
        }
    }

    @Test func `JSON becomes the XML that xml2js makes of it`() async throws {
        let cases = try Reference.json("xml")["writing"]?.array ?? []
        #expect(cases.count >= 30)
        for wanted in cases {
            let made = try await one(["mode": "jsonToxml", "options": wanted["options"] ?? [:]], wanted["json"] ?? [:])
            #expect(made["data"] == wanted["xml"], "\(wanted["json"]?.serialized ?? "") \(wanted["options"]?.serialized ?? "")")
        }
    }

    @Test func `the field of the XML and of the result can be named`() async throws {
        #expect(try await one(["dataPropertyName": "x"], ["x": "<a>1</a>"]) == ["a": "1"])
        #expect(try await one(["mode": "jsonToxml", "dataPropertyName": "x", "options": ["headless": true]], ["a": 1]) == ["x": "<a>1</a>"])
        let missing = await #expect(throws: StepFailure.self) { try await one([:], ["other": 1]) }
        #expect(missing?.message.contains("'data'") == true)
    }

    @Test(arguments: [
        "<a>", "<a></b>", "text", "<a>&unknown;</a>", "<a b=c/>", "<a/><b/>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        "<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>"
    ]) func `what is not well-formed or needs a DTD is refused`(_ xml: String) async {
        let failure = await #expect(throws: StepFailure.self) { try await one([:], ["data": .string(xml)]) }
        #expect(failure?.code == "invalid_xml")
    }

    @Test func `a declared encoding does not matter, since the text is Unicode already`() async throws {
        #expect(try await one([:], ["data": "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>é</a>"]) == ["a": "é"])
        #expect(try await one([:], ["data": "\u{FEFF}<a>ü</a>"]) == ["a": "ü"])
    }

    @Test func `names that XML cannot have are refused, and a failed item can go on`() async throws {
        await #expect(throws: StepFailure.self) { try await one(["mode": "jsonToxml"], ["a b": 1, "c": 2]) }
        let error = try await one([:], ["data": "<a>"], onError: .continueRegular)
        #expect(error["error"]?.text?.contains("XML") == true)
    }

    @Test func `many texts are read at a time`() async throws {
        let reader = XMLReader(options: .init())
        let texts = (0..<64).map { "<a><b>\($0)</b></a>" }
        let read = try await withThrowingTaskGroup(of: JSON?.self) { group in
            for text in texts { group.addTask { try reader.json(of: text) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(read.compactMap { $0?["a"]?["b"]?.text }) == Set((0..<64).map(String.init)))
    }
}
