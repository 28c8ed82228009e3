internal import Kernel

enum ItemListsParameters {
    /// The operation's own parameters, and those of the kinds that took them over, shown for their operation.
    static var all: [Parameter] {
        let operations = ["splitOutItems", "aggregateItems", "concatenateItems", "limit", "removeDuplicates", "sort", "summarize"]
        let parts: [(any NodeExecutor.Type, [JSONText])] = [
            (SplitOut.self, ["splitOutItems"]), (Aggregate.self, ["aggregateItems", "concatenateItems"]), (Limit.self, ["limit"]),
            (SortNode.self, ["sort"]), (Summarize.self, ["summarize"])
        ]
        let operation = Parameter(
            "operation", .options, "Operation", default: "splitOutItems", options: operations.map { .init(.init(.string($0)), $0) })
        return [operation]
            + parts.flatMap { part, names in
                part.kinds[0].parameters.map { parameter in
                    var parameter = parameter
                    parameter.showWhen = parameter.showWhen.merging(["operation": names]) { $1 }
                    return parameter
                }
            }
            + RemoveDuplicatesParameters.all.filter { ["compare", "fieldsToExclude", "fieldsToCompare", "options"].contains($0.name) }.map {
                var parameter = $0
                parameter.showWhen["operation"] = ["removeDuplicates"]
                return parameter
            }
    }
}
