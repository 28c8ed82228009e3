import Foundation
import Kernel
import Testing

@testable import Workflows

/// The corpus' workflows of logic alone, with outputs that were worked out from n8n's semantics (see each file's notes).
@Suite struct HermeticTests {
    struct Expectation: Sendable, CustomTestStringConvertible {
        var id: String
        var json: JSON
        var testDescription: String { id }
    }

    static let expectations: [Expectation] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Hermetic")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "json" }.sorted { $0.path < $1.path }.compactMap { file in
            guard let data = try? Data(contentsOf: file), let json = try? JSON(parsing: data) else {
                Issue.record("\(file.lastPathComponent) is no JSON")
                return nil
            }
            return Expectation(id: file.deletingPathExtension().lastPathComponent, json: json)
        }
    }()

    @Test(.enabled(if: Corpus.isPresent)) func `every workflow of logic alone has expected outputs`() throws {
        let ids = try Corpus.entries(["hermetic.jsonl"]).map(\.id)
        #expect(ids.count == 36)
        #expect(Set(ids) == Set(Self.expectations.map(\.id)))
    }

    @Test(.enabled(if: Corpus.isPresent), arguments: Self.expectations) func `a workflow gives what n8n gives`(_ expected: Expectation) async throws {
        let entry = try #require(try Corpus.entries(["hermetic.jsonl"]).first { $0.id == expected.id })
        let importer = N8nImporter(
            kind: { KindRegistry.builtIn.kind(n8nType: $0) }, supports: { KindRegistry.builtIn.supports(n8nType: $0, version: $1, parameters: $2) })
        let document = try importer.read(entry.workflow, name: entry.name).document
        let strangers = document.nodes.map(\.kind).filter { KindRegistry.builtIn.kind($0) == nil }
        #expect(strangers.isEmpty, "\(expected.id)")
        let trigger = try #require(expected.json["trigger"]?.text)
        let harness = KindsHarness()
        var input = expected.json["input"]?.array?.map { Item(json: $0.object ?? [:]) } ?? [Item(json: [:])]
        for (name, text) in expected.json["files"]?.object ?? [:] {
            let bytes = Array((text.text ?? "").utf8)
            input[0].binary[name] = BinaryReference(id: harness.files.write(bytes), mimeType: "text/plain", fileName: name, byteCount: bytes.count)
        }
        let outcome = try await harness.run(document, trigger: trigger, items: input, mode: expected.json["mode"]?.text ?? "manual")
        #expect(outcome.end.status.rawValue == expected.json["status"]?.text ?? "succeeded", "\(outcome.end)")
        if let message = expected.json["failure"]?.text { #expect(outcome.end.failure?.message == message) }
        let masked = expected.json["time_dependent"]?.array?.compactMap(\.text) ?? []
        let outputs = Dictionary(
            uniqueKeysWithValues: try outcome.outputs().map { ($0.node, JSON.array($0.outputs.map { .array($0.map { .object($0.json) }) })) })
        for (node, wanted) in expected.json["nodes"]?.object ?? [:] {
            let actual = outputs[node].map { Self.comparable($0, masked, node) }
            #expect(actual?.canonical == Self.comparable(wanted, masked, node).canonical, "\(expected.id) \(node)")
        }
        #expect(Set(outputs.keys).subtracting(expected.json["nodes"]?.object?.keys ?? []) == [], "\(expected.id): no other node runs")
        if let answer = expected.json["answer"] {
            #expect(outcome.answer?.status == answer["status"]?.integer)
            guard case .bytes(let bytes, _)? = outcome.answer?.body else {
                #expect(answer["body"] == nil)
                return
            }
            #expect(String(decoding: bytes, as: UTF8.self) == answer["body"]?.text)
        }
    }

    /// Trailing outputs without items left out; values that differ by time or chance replaced. A path names node and members with
    /// `*` for any (`Node.*.*.startTime`); with `~order` at its end the items of an output may come in any order.
    static func comparable(_ outputs: JSON, _ masked: [String], _ node: String) -> JSON {
        var lists = outputs.array ?? []
        while lists.last?.array?.isEmpty == true { lists.removeLast() }
        var result = JSON.array(lists)
        for path in masked where path.hasPrefix(node + "/") {
            let rest = path.dropFirst(node.count + 1)
            if rest == "~order" {
                result = .array((result.array ?? []).map { .array(($0.array ?? []).sorted { $0.canonical < $1.canonical }) })
            } else {
                result = mask(result, rest.split(separator: "/")[...])
            }
        }
        return result
    }

    private static func mask(_ value: JSON, _ path: ArraySlice<Substring>) -> JSON {
        guard let key = path.first else { return "<masked>" }
        switch value {
        case .array(let elements): return .array(elements.map { mask($0, path.dropFirst()) })
        case .object(var members):
            for name in members.keys where key == "*" || name == key { members[name] = mask(members[name]!, path.dropFirst()) }
            return .object(members)
        default: return value
        }
    }
}
