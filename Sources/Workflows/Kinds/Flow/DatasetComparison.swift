internal import Kernel

/// An item with its place in its input and the values by which it is matched; nil where it lacks one.
struct DatasetRow: Sendable {
    var item: Item
    var place: Int
    var key: [JSON]?
}

/// How two items are compared, and how their difference is told.
struct DatasetComparison: Sendable {
    private let names: [(String, String)]
    private let dotNotation: Bool
    let fuzzy: Bool
    let takesAllMatches: Bool
    private let skipped: [String]
    private let resolve: String
    private let preferred: String
    private let exceptions: [String]
    /// What a difference calls the two inputs.
    private let labels: (String, String)

    init(_ step: StepContext) async throws {
        let options = try await step.value("options")?.object ?? [:]
        names = (try await step.value("mergeByFields.values")?.array ?? []).map { ($0["field1"]?.text ?? "", $0["field2"]?.text ?? "") }
        dotNotation = options["disableDotNotation"]?.isTruthy != true
        fuzzy = step.version < 2 ? options["fuzzyCompare"]?.isTruthy ?? false : try await step.flag("fuzzyCompare")
        takesAllMatches = options["multipleMatches"] == "all"
        skipped = try await step.names("options.skipFields")
        resolve = try await step.text("resolve", default: "includeBoth")
        preferred = try await step.text("preferWhenMix", default: "input1")
        exceptions = try await step.names("exceptWhenMix")
        labels = step.version < 2 ? ("input1", "input2") : ("inputA", "inputB")
        guard !names.isEmpty, names.allSatisfy({ !$0.0.isEmpty && !$0.1.isEmpty }) else {
            throw StepFailure.invalid("mergeByFields", "Name the fields to match.")
        }
    }

    /// Of items that were found the same, n8n gives out the one of input B only here.
    var prefersSecondOfSame: Bool { fuzzy && resolve == "preferInput2" }

    func areEqual(_ left: JSON?, _ right: JSON?) -> Bool { fuzzy ? FuzzyValue.equal(left, right) : left == right }

    /// Items without fields are left out.
    /// - Throws: `invalid_parameter` where no item has a field to match.
    func rows(_ items: [Item], input: Int) throws -> [DatasetRow] {
        let paths = names.map { DotPath(input == 0 ? $0.0 : $0.1, dotNotation: dotNotation) }
        let kept = items.enumerated().filter { !$0.element.json.isEmpty }
        for path in paths where !kept.isEmpty && !kept.contains(where: { path.value(in: $0.element.json) != nil }) {
            throw StepFailure.invalid("mergeByFields", "The field '\(path.text)' is in no item of input \(input == 0 ? "A" : "B").")
        }
        return kept.map { place, item in
            let key = paths.map { $0.value(in: item.json) }
            return DatasetRow(item: item, place: place, key: key.contains(nil) ? nil : key.compactMap { $0 })
        }
    }

    func areSame(_ first: JSONObject, _ second: JSONObject) -> Bool {
        var (first, second) = (first, second)
        for name in skipped {
            first.removeValue(forKey: name)
            second.removeValue(forKey: name)
        }
        guard fuzzy else { return first == second }
        return first.allSatisfy { FuzzyValue.equal($0.value, second[$0.key]) }
    }

    /// The preferred item, a mix of both, or `{keys, same, different: {field: {inputA, inputB}}, skipped?}`.
    func difference(_ first: DatasetRow, _ second: DatasetRow) -> Item {
        switch resolve {
        case "preferInput1": return first.item
        case "preferInput2": return second.item
        case "mix":
            var (mixed, other) = preferred == "input1" ? (first.item, second.item.json) : (second.item, first.item.json)
            for name in exceptions {
                let path = DotPath(name, dotNotation: dotNotation)
                path.set(path.value(in: other) ?? .null, in: &mixed.json)
            }
            return mixed
        default: return Item(json: both(first, second))
        }
    }

    private func both(_ first: DatasetRow, _ second: DatasetRow) -> JSONObject {
        let (a, b) = (first.item.json, second.item.json)
        var same = JSONObject()
        var different = JSONObject()
        var passed = JSONObject()
        for name in a.keys where b[name] != nil && areEqual(a[name], b[name]) { same[name] = a[name] }
        for name in a.keys + b.keys.filter({ a[$0] == nil }) where same[name] == nil {
            let values: JSON = [labels.0: a[name] ?? .null, labels.1: b[name] ?? .null]
            if skipped.contains(name) { passed[name] = values } else { different[name] = values }
        }
        let keys = JSONObject(zip(names, first.key ?? []).map { ($0.0, $1) })
        var json: JSONObject = ["keys": .object(keys), "same": .object(same), "different": .object(different)]
        if !passed.isEmpty { json["skipped"] = .object(passed) }
        return json
    }
}

/// Finds the rows of input B that a row of input A matches.
struct DatasetLookup: Sendable {
    private let comparison: DatasetComparison
    private let rows: [[JSON]: [DatasetRow]]

    init(_ rows: [DatasetRow], _ comparison: DatasetComparison) {
        self.comparison = comparison
        self.rows = Dictionary(grouping: rows.filter { $0.key != nil }) { DatasetLookup.bucket($0.key ?? [], comparison) }
    }

    private static func bucket(_ key: [JSON], _ comparison: DatasetComparison) -> [JSON] { comparison.fuzzy ? key.map(FuzzyValue.bucket) : key }

    /// Those of each row.
    /// - Throws: `too_many_items`
    func matches(of first: [DatasetRow]) throws -> [[DatasetRow]] {
        var (matches, count): ([[DatasetRow]], Int) = ([], 0)
        for row in first {
            let found = self.matches(of: row)
            matches.append(found)
            guard comparison.takesAllMatches else { continue }
            count += found.count
            try MergeNode.check(pairs: count)
        }
        return matches
    }

    private func matches(of row: DatasetRow) -> [DatasetRow] {
        guard let key = row.key, let near = rows[DatasetLookup.bucket(key, comparison)] else { return [] }
        func isMatch(_ other: DatasetRow) -> Bool { zip(key, other.key ?? []).allSatisfy { comparison.areEqual($0, $1) } }
        return comparison.takesAllMatches ? near.filter(isMatch) : near.first(where: isMatch).map { [$0] } ?? []
    }
}
