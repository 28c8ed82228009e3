internal import Kernel

/// How items become one, and which field wins where several have it.
struct MergeClash: Sendable {
    struct Part: Sendable {
        var item: Item
        var index: Int
        var input: Int
    }

    /// `preferInput1`, `preferInput2`, `preferInputN`, `preferLast`, `addSuffix`; nil means the last input, or the enriched one.
    let resolve: String?
    private let deep: Bool
    /// Null and an empty text of the preferred input give way to what is there.
    private let fillsEmpty: Bool

    init(_ step: StepContext, inputCount: Int) async throws {
        let values = try await step.parameter("options.clashHandling.values", item: 0)
        resolve = values?["resolveClash"]?.text
        deep = values?["mergeMode"]?.text != "shallowMerge"
        fillsEmpty = values?["overrideEmpty"]?.isTruthy ?? false
    }

    /// - Parameter preferred: the input that wins where the node says nothing; nil is the last.
    func merged(_ parts: [Part], preferred: Int? = nil) -> Item {
        var out = Item(json: [:], pairedItem: parts.map { PairedItem(item: $0.index, input: $0.input) })
        let ordered = order(parts, preferred: preferred)
        for part in ordered {
            let json = resolve == "addSuffix" ? MergeClash.suffixed(part.item.json, part.input) : part.item.json
            merge(json, into: &out.json)
            out.binary.merge(part.item.binary) { $1 }
        }
        return out
    }

    /// An item that found no partner, as it stands among merged ones.
    func alone(_ part: Part) -> Item {
        var item = part.item.paired(with: part.index, input: part.input)
        if resolve == "addSuffix" { item.json = MergeClash.suffixed(item.json, part.input) }
        return item
    }

    /// The one that wins goes last.
    private func order(_ parts: [Part], preferred: Int?) -> [Part] {
        var winner = preferred
        switch resolve {
        case "addSuffix"?, nil: break
        case "preferLast"?: winner = nil
        case let text?: winner = text.hasPrefix("preferInput") ? Int(text.dropFirst("preferInput".count)).flatMap { $0 > 0 ? $0 - 1 : nil } : winner
        }
        guard resolve != "addSuffix", let winner, let place = parts.firstIndex(where: { $0.input == winner }) else { return parts }
        var ordered = parts
        ordered.append(ordered.remove(at: place))
        return ordered
    }

    private func merge(_ new: JSONObject, into old: inout JSONObject) {
        for (key, value) in new {
            guard let present = old[key] else { old[key] = value; continue }
            if fillsEmpty, value == .null || value == "" { continue }
            old[key] = deep ? deeply(value, over: present) : value
        }
    }

    private func deeply(_ new: JSON, over old: JSON) -> JSON {
        switch (old, new) {
        case (.object(var members), .object(let added)):
            merge(added, into: &members)
            return .object(members)
        case (.array(var elements), .array(let added)):
            for (index, value) in added.enumerated() {
                if index < elements.count { elements[index] = deeply(value, over: elements[index]) } else { elements.append(value) }
            }
            return .array(elements)
        default: return new
        }
    }

    private static func suffixed(_ json: JSONObject, _ input: Int) -> JSONObject {
        JSONObject(json.map { ("\($0.key)_\(input + 1)", $0.value) })
    }
}
