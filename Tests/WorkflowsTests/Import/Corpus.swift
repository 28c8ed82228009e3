import Foundation
import Kernel
import TestKit

/// The public n8n templates that stand beside the project, where there are any: one `{id, name, workflow}` a line.
struct Corpus {
    struct Entry {
        var id: String
        var name: String
        var workflow: JSON
    }

    static var folder: String { ProcessInfo.processInfo.environment["AIAS_CORPUS"] ?? TestFolders.shared + "/corpus/n8n" }

    static var isPresent: Bool {
        let found = FileManager.default.fileExists(atPath: folder + "/templates.jsonl")
        if !found { print("skipped: no corpus") }
        return found
    }

    static func entries(_ files: [String] = ["hermetic.jsonl", "templates.jsonl"]) throws -> [Entry] {
        try files.flatMap { file in
            let data = try Data(contentsOf: URL(filePath: folder + "/" + file))
            return try data.split(separator: UInt8(ascii: "\n")).map { line in
                let json = try JSON(parsing: line)
                return Entry(id: json["id"]?.text ?? "?", name: json["name"]?.text ?? "?", workflow: json["workflow"] ?? .null)
            }
        }
    }
}

extension JSON {
    /// The compact text with sorted keys: equal texts are equal JSON, byte for byte.
    var canonical: String { sorted.serialized }

    private var sorted: JSON {
        switch self {
        case .array(let elements): .array(elements.map(\.sorted))
        case .object(let members):
            .object(JSONObject(members.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }.map { ($0.key, $0.value.sorted) }))
        default: self
        }
    }
}
