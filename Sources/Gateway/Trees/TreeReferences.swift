internal import Kernel

/// What the ids of one tenant are called in a tree, where no id may stand: `@workflow:workflows/lead.json`, `@table:data-tables/x.json`.
struct TreeReferences: Sendable {
    private static let marks = ["workflow", "table"]

    private var names: [String: String] = [:]
    private var ids: [String: String] = [:]
    /// By type and name.
    private var credentials: [String: String] = [:]

    mutating func add(workflow file: String, id: String) { add("@workflow:\(file)", id) }
    mutating func add(table file: String, id: String) { add("@table:\(file)", id) }
    mutating func add(credential name: String, type: String, id: String) { credentials["\(type)\n\(name)"] = id }

    private mutating func add(_ name: String, _ id: String) {
        names[id] = name
        ids[name] = id
    }

    func credential(_ name: String, type: String) -> String? { credentials["\(type)\n\(name)"] }

    /// With ids put in words, in texts that are nothing but an id.
    func named(_ json: JSON) -> JSON { json.mapTexts { names[$0] } }

    /// With words put in ids.
    func resolved(_ json: JSON) -> JSON { json.mapTexts { ids[$0] } }

    /// What a value speaks of: the words in it.
    static func words(in json: JSON) -> Set<String> {
        var found: Set<String> = []
        _ = json.mapTexts { text in
            if marks.contains(where: { text.hasPrefix("@\($0):") }) { found.insert(text) }
            return nil
        }
        return found
    }

    func knows(_ word: String) -> Bool { ids[word] != nil }
}

extension JSON {
    /// With the texts for which there is another one.
    func mapTexts(_ body: (String) -> String?) -> JSON {
        switch self {
        case .string(let text): body(text).map(JSON.string) ?? self
        case .array(let elements): .array(elements.map { $0.mapTexts(body) })
        case .object(let members): .object(JSONObject(members.map { ($0.key, $0.value.mapTexts(body)) }))
        default: self
        }
    }
}
