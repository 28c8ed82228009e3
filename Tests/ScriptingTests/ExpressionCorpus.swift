import Foundation
import Kernel
import Scripting
import TestKit

/// The expressions of public n8n templates: JSON Lines of `{id, name, workflow}`, found by `AIAS_CORPUS` or beside the repository.
enum ExpressionCorpus {
    static let folder: String? = [ProcessInfo.processInfo.environment["AIAS_CORPUS"], TestFolders.shared + "/corpus/n8n"].compactMap { $0 }
        .first { FileManager.default.fileExists(atPath: $0 + "/templates.jsonl") }

    /// All parameter texts that are expressions.
    static func texts() throws -> [String] {
        var out: [String] = []
        for file in ["templates.jsonl", "hermetic.jsonl"] {
            let lines = try String(contentsOfFile: folder! + "/" + file, encoding: .utf8).split(separator: "\n")
            for line in lines {
                for node in try JSON(parsing: String(line))["workflow"]?["nodes"]?.array ?? [] { collect(node["parameters"] ?? nil, into: &out) }
            }
        }
        return out
    }

    private static func collect(_ value: JSON, into out: inout [String]) {
        switch value {
        case .string(let text) where text.hasPrefix("="): out.append(text)
        case .array(let elements): for element in elements { collect(element, into: &out) }
        case .object(let members): for (_, member) in members { collect(member, into: &out) }
        default: break
        }
    }

    /// The sources between `{{` and `}}`.
    static func blocks() throws -> [String] {
        try texts().flatMap { text in
            text.components(separatedBy: "{{").dropFirst().map { $0.components(separatedBy: "}}")[0] }
        }
    }
}

/// Answers every root with one item that has a value at every path which a source reads after `json`.
struct PathScope: ExpressionScope {
    var item: JSON
    var facts = FixtureScope().facts

    /// - Parameter leaf: the value at the end of each path.
    init(reading source: String, leaf: JSON) {
        var root: JSON = [:]
        for match in source.matches(of: /json((?:\??\.[A-Za-z_]\w*(?!\w|\()|\[\d+\]|\["[^"\]]+"\]|\['[^'\]]+'\])+)/) {
            let keys = match.output.1.matches(of: /\.([A-Za-z_]\w*)|\[(\d+)\]|\["([^"]+)"\]|\['([^']+)'\]/).map {
                String($0.output.1 ?? $0.output.2 ?? $0.output.3 ?? $0.output.4 ?? "")
            }
            PathScope.put(leaf, at: keys[...].prefix { $0 != "length" }, in: &root)
        }
        item = ["json": root, "binary": ["data": ["mimeType": "image/png", "fileName": "a.png"]]]
    }

    private static func put(_ leaf: JSON, at path: ArraySlice<String>, in value: inout JSON) {
        guard let key = path.first else {
            if value == [:] { value = leaf }
            return
        }
        if let index = Int(key), index < 5 {
            var elements = value.array ?? []
            while elements.count <= index { elements.append([:]) }
            put(leaf, at: path.dropFirst(), in: &elements[index])
            if value.array != nil || value == [:] { value = .array(elements) }
        } else if value == [:] || value.object != nil {
            var members = value.object ?? [:]
            var inner = members[key] ?? [:]
            put(leaf, at: path.dropFirst(), in: &inner)
            members[key] = inner
            value = .object(members)
        }
    }

    func inputItems(_ input: Int) throws(ScopeError) -> [JSON] { [item, item] }
    func items(ofNode name: String, output: Int, run: Int?) throws(ScopeError) -> [JSON] { [item, item] }
    func pairedItem(ofNode name: String, itemIndex: Int) throws(ScopeError) -> JSON { item }
    func isExecuted(_ name: String) -> Bool { true }
    func parameters(ofNode name: String) throws(ScopeError) -> JSON { ["p": 1] }
    func context(ofNode name: String) throws(ScopeError) -> JSON { ["noItemsLeft": false, "currentRunIndex": 0] }
}
