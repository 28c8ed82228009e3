internal import Kernel

/// Matches the items of two inputs by fields that hold the same values.
struct MergeByFields: Sendable {
    private struct Match {
        var first: Int
        var second: [Int]
    }

    private let step: StepContext
    private let clash: MergeClash
    private let fields: [(first: DotPath, second: DotPath)]
    private let joinMode: String
    private let dataFrom: String
    private let keepsFirstOnly: Bool
    private let fuzzy: Bool

    init(_ step: StepContext, clash: MergeClash) async throws {
        self.step = step
        self.clash = clash
        joinMode = try await step.text("joinMode", default: "keepMatches")
        dataFrom = try await step.text("outputDataFrom", default: "both")
        keepsFirstOnly = try await step.parameter("options.multipleMatches", item: 0) == "first"
        fuzzy = try await step.parameter("options.fuzzyCompare", item: 0)?.isTruthy ?? false
        let plain = try await step.parameter("options.disableDotNotation", item: 0)?.isTruthy ?? false
        fields = try await MergeByFields.fields(step, dotNotation: !plain)
    }

    private static func fields(_ step: StepContext, dotNotation: Bool) async throws -> [(first: DotPath, second: DotPath)] {
        var pairs: [(String, String)] = []
        let isAdvanced = try await step.flag("advanced")
        if step.version < 3 || isAdvanced {
            for entry in try await step.value("mergeByFields.values")?.array ?? [] {
                pairs.append((entry["field1"]?.displayText ?? "", entry["field2"]?.displayText ?? ""))
            }
        } else {
            pairs = try await step.names("fieldsToMatchString").map { ($0, $0) }
        }
        pairs = pairs.filter { !$0.0.isEmpty && !$0.1.isEmpty }
        guard !pairs.isEmpty else { throw StepFailure.invalid("fieldsToMatchString", "Name at least one field to match.") }
        return pairs.map { (DotPath($0.0, dotNotation: dotNotation), DotPath($0.1, dotNotation: dotNotation)) }
    }

    func items(_ first: [Item], _ second: [Item]) throws -> [Item] {
        let matches = try matches(first, second)
        let matchedFirst = Set(matches.map(\.first))
        let matchedSecond = Set(matches.flatMap(\.second))
        let aloneFirst = first.indices.filter { !matchedFirst.contains($0) }
        let aloneSecond = second.indices.filter { !matchedSecond.contains($0) }
        // Beside an input without items those of the other stay as they are.
        let isClashing = !first.isEmpty && !second.isEmpty
        func alone(_ item: Item, _ index: Int, _ input: Int) -> Item {
            isClashing ? clash.alone(.init(item: item, index: index, input: input)) : item.paired(with: index, input: input)
        }
        func one(_ index: Int) -> Item { alone(first[index], index, 0) }
        func two(_ index: Int) -> Item { alone(second[index], index, 1) }
        func merged(preferred: Int?) throws -> [Item] {
            try MergeNode.check(pairs: matches.reduce(0) { $0 + $1.second.count })
            return matches.flatMap { match in
                match.second.map { other in
                    clash.merged(
                        [.init(item: first[match.first], index: match.first, input: 0), .init(item: second[other], index: other, input: 1)],
                        preferred: preferred)
                }
            }
        }
        switch joinMode {
        case "keepMatches":
            if dataFrom == "input1" { return matches.map { first[$0.first].paired(with: $0.first) } }
            if dataFrom == "input2" { return second.indices.filter(matchedSecond.contains).map { second[$0].paired(with: $0, input: 1) } }
            return try merged(preferred: nil)
        case "keepNonMatches":
            if dataFrom == "input1" { return aloneFirst.map { first[$0].paired(with: $0) } }
            if dataFrom == "input2" { return aloneSecond.map { second[$0].paired(with: $0, input: 1) } }
            let alone = aloneFirst.map { first[$0].paired(with: $0) } + aloneSecond.map { second[$0].paired(with: $0, input: 1) }
            guard !first.isEmpty, !second.isEmpty else { return alone }
            // Where an item comes from is said only where it may be either.
            return alone.enumerated().map { place, item in
                var item = item
                item.json["_source"] = place < aloneFirst.count ? "input1" : "input2"
                return item
            }
        case "keepEverything": return try merged(preferred: nil) + aloneFirst.map(one) + aloneSecond.map(two)
        case "enrichInput1": return try merged(preferred: nil) + aloneFirst.map(one)
        case "enrichInput2": return try merged(preferred: 0) + aloneSecond.map(two)
        default: throw StepFailure.invalid("joinMode", "'\(joinMode)' is no way to join.")
        }
    }

    /// An item that lacks one of the fields matches nothing.
    private func matches(_ first: [Item], _ second: [Item]) throws -> [Match] {
        let keys = second.map { key($0, fields.map(\.second)) }
        var places: [[JSON]: [Int]] = [:]
        for (index, key) in keys.enumerated() { if let key { places[bucket(key), default: []].append(index) } }
        var (matches, count): ([Match], Int) = ([], 0)
        for (index, item) in first.enumerated() {
            guard let key = key(item, fields.map(\.first)), let near = places[bucket(key)] else { continue }
            let found = fuzzy ? near.filter { zip(key, keys[$0] ?? []).allSatisfy { FuzzyValue.equal($0, $1) } } : near
            guard !found.isEmpty else { continue }
            matches.append(Match(first: index, second: keepsFirstOnly ? [found[0]] : found))
            count += matches[matches.count - 1].second.count
            try MergeNode.check(pairs: count, most: KindLimits.pairsPerMerge)
        }
        return matches
    }

    private func bucket(_ key: [JSON]) -> [JSON] { fuzzy ? key.map(FuzzyValue.bucket) : key }

    private func key(_ item: Item, _ paths: [DotPath]) -> [JSON]? {
        var key: [JSON] = []
        for path in paths {
            guard let value = path.value(in: item.json) else { return nil }
            key.append(value)
        }
        return key
    }
}
