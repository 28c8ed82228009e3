internal import Kernel

/// The modes of n8n's merge 1, which takes two inputs.
struct LegacyMerge: Sendable {
    private let step: StepContext
    private let first: [Item]
    private let second: [Item]

    init(_ step: StepContext, _ inputs: [[Item]]) {
        self.step = step
        first = inputs[0]
        second = inputs[1]
    }

    func items(mode: String) async throws -> [Item] {
        switch mode {
        case "append": return MergeNode.appended([first, second])
        case "mergeByIndex", "mergeByPosition": return byIndex(join: try await step.text("join", default: "left"))
        case "multiplex":
            try MergeNode.check(pairs: first.count * second.count)
            return pairs()
        case "passThrough":
            let input = try await step.text("output", default: "input1") == "input2" ? 1 : 0
            return (input == 0 ? first : second).enumerated().map { $1.paired(with: $0, input: input) }
        case "wait": return [Item(json: [:])]
        case "mergeByKey", "mergeByPropertyName": return try await byKey()
        case "keepKeyMatches": return try await filtered(keepsMatches: true)
        case "removeKeyMatches": return try await filtered(keepsMatches: false)
        default: throw StepFailure.invalid("mode", "The merge mode '\(mode)' is unknown.")
        }
    }

    private func byIndex(join: String) -> [Item] {
        let count = join == "inner" ? min(first.count, second.count) : join == "outer" ? max(first.count, second.count) : first.count
        return (0..<count).map { index in
            combined(index < first.count ? index : nil, index < second.count ? index : nil)
        }
    }

    private func pairs() -> [Item] {
        first.indices.flatMap { i in second.indices.map { j in combined(i, j) } }
    }

    private func combined(_ one: Int?, _ two: Int?) -> Item {
        var out = Item(json: [:], pairedItem: [])
        for (index, items, input) in [(one, first, 0), (two, second, 1)] {
            guard let index else { continue }
            out.json.merge(items[index].json)
            out.binary.merge(items[index].binary) { $1 }
            out.pairedItem?.append(PairedItem(item: index, input: input))
        }
        return out
    }

    /// The items of input 1 that have a key, with the fields of the item of input 2 that has the same one, of several the last; its key itself
    /// is not taken over. Null is a key that nothing has.
    private func byKey() async throws -> [Item] {
        let overwrite = try await step.text("overwrite", default: "always")
        let keyName = try await step.text("propertyName2")
        let (path, others) = try await keyed()
        return first.enumerated().compactMap { index, item -> Item? in
            var out = item.paired(with: index)
            let value = path.value(in: item.json)
            if value == .null { return out }
            guard let key = LegacyMerge.key(value) else { return Item?.none }
            guard let place = others[key] else { return out }
            let other = second[place]
            for (name, value) in other.json where name != keyName {
                switch overwrite {
                case "blank": if LegacyMerge.isBlank(out.json[name]) { out.json[name] = value }
                case "undefined": if out.json[name] == nil { out.json[name] = value }
                default: out.json[name] = value
                }
            }
            out.binary.merge(other.binary) { $1 }
            out.pairedItem?.append(PairedItem(item: place, input: 1))
            return out
        }
    }

    private func filtered(keepsMatches: Bool) async throws -> [Item] {
        let (path, others) = try await keyed()
        return first.enumerated().compactMap { index, item in
            let isMatch = LegacyMerge.key(path.value(in: item.json)).map { others[$0] != nil } ?? false
            return isMatch == keepsMatches ? item.paired(with: index) : nil
        }
    }

    private func keyed() async throws -> (DotPath, [String: Int]) {
        let path = DotPath(try await step.text("propertyName1"))
        let other = DotPath(try await step.text("propertyName2"))
        var places: [String: Int] = [:]
        for (index, item) in second.enumerated() {
            guard let value = other.value(in: item.json), value.isTruthy, let key = LegacyMerge.key(value) else { continue }
            places[key] = index
        }
        return (path, places)
    }

    private static func key(_ value: JSON?) -> String? {
        switch value {
        case .string(let text)?: text
        case .number(let number)?: JSON.numberText(number)
        default: nil
        }
    }

    private static func isBlank(_ value: JSON?) -> Bool { value == nil || value == .null || value == "" }
}
