internal import Kernel

/// Items that have the same values in the fields they are grouped by.
struct AggregateGroup: Sendable {
    var names: [String] = []
    /// The values of those fields, in their places.
    var json: JSONObject = [:]
    var places: [Int] = []

    /// In the order in which they are met; a missing value is the same as null.
    static func all(_ items: [Item], by names: [String]) throws -> [AggregateGroup] {
        var groups: [AggregateGroup] = []
        var known: [[JSON]: Int] = [:]
        for (index, item) in items.enumerated() {
            let values = names.map { DotPath($0).value(in: item.json) }
            if let place = values.firstIndex(where: { $0?.object != nil || $0?.array != nil }) {
                throw StepFailure.invalid(
                    "options.groupByFields", "Field \"\(names[place])\" has a non-scalar value which cannot be used for grouping.", item: index)
            }
            let key = values.map { $0 ?? .null }
            if let number = known[key] {
                groups[number].places.append(index)
                continue
            }
            known[key] = groups.count
            var json = JSONObject()
            for (name, value) in zip(names, values) {
                if let value { DotPath(name).set(value, in: &json) }
            }
            groups.append(AggregateGroup(names: names, json: json, places: [index]))
        }
        return groups
    }

    /// - Throws: where the name would take the place of a field that is grouped by, or of what is inside or around one.
    func check(_ name: String, parameter: String) throws {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let taken = names.first { other in
            zip(parts, other.split(separator: ".", omittingEmptySubsequences: false)).allSatisfy { $0 == $1 }
        }
        if let taken { throw StepFailure.invalid(parameter, "The output field '\(name)' conflicts with a Group By field '\(taken)'") }
    }
}
