internal import Kernel

/// What `if` and `filter` share: their parameters of both formats, and the parting of items by them.
enum ConditionParameters {
    /// - Throws: the failure of a condition; where the node continues on errors the item counts as unmet.
    static func split(_ step: StepContext) async throws -> (met: [Item], unmet: [Item]) {
        var met: [Item] = []
        var unmet: [Item] = []
        for (index, item) in step.items.enumerated() {
            let item = item.paired(with: index)
            do {
                if try await holds(step, item: index) { met.append(item) } else { unmet.append(item) }
            } catch {
                var failed = item
                failed.error = try step.failed(error, at: index).error
                unmet.append(failed)
            }
        }
        return (met, unmet)
    }

    private static func holds(_ step: StepContext, item: Int) async throws -> Bool {
        let test = PatternTest(step: step, item: item)
        let value = try await step.value("conditions", item: item) ?? [:]
        if step.version >= 2 {
            return try await FilterConditions(value, raw: step.rawParameter("conditions")).hold(for: test)
        }
        let combination = try await step.text(step.kind.kind == "if" ? "combineOperation" : "combineConditions", item: item)
        return try await LegacyConditions(value, matchesAny: combination == "any" || combination == "OR").hold(for: test)
    }

    static func all(options withOptions: Bool, combination: Parameter? = nil) -> [Parameter] {
        let combination =
            combination
            ?? Parameter(
                "combineOperation", .options, "Combine", default: "all", options: [.init("all", "All"), .init("any", "Any")],
                showWhen: ["@version": ["<2"]])
        var all = [
            Parameter("conditions", .filter, "Conditions", default: .init([:]), showWhen: ["@version": [">=2"]]),
            Parameter("conditions", .collection, "Conditions", default: .init([:]), fields: legacyLists, showWhen: ["@version": ["<2"]]),
            combination,
            Parameter(
                "looseTypeValidation", .boolean, "Convert types where required", default: false, showWhen: ["@version": [">=2.1"]])
        ]
        if withOptions {
            all.append(
                Parameter(
                    "options", .collection, "Options", default: .init([:]),
                    fields: [
                        Parameter("ignoreCase", .boolean, "Ignore case", default: true),
                        Parameter("looseTypeValidation", .boolean, "Less strict types", default: true, showWhen: ["@version": ["<2.1"]])
                    ], showWhen: ["@version": [">=2"]]))
        }
        return all
    }

    private static var legacyLists: [Parameter] {
        [
            list("boolean", .boolean, false, "equal", ["equal", "notEqual"]),
            list("dateTime", .dateTime, "", "after", ["after", "before"]),
            list(
                "number", .number, 0, "smaller",
                ["smaller", "smallerEqual", "equal", "notEqual", "larger", "largerEqual", "isEmpty", "isNotEmpty"]),
            list("string", .string, "", "equal", textOperations)
        ]
    }

    static let textOperations = [
        "contains", "notContains", "endsWith", "notEndsWith", "equal", "notEqual", "regex", "notRegex", "startsWith", "notStartsWith",
        "isEmpty", "isNotEmpty"
    ]

    private static func list(_ name: String, _ kind: Parameter.Kind, _ value: JSONText, _ operation: String, _ all: [String]) -> Parameter {
        Parameter(
            name, .list, name,
            fields: [
                Parameter("value1", kind, "Value 1", default: value),
                Parameter(
                    "operation", .options, "Operation", default: .init(.string(operation)),
                    options: all.map { .init(.init(.string($0)), $0) }),
                Parameter("value2", kind, "Value 2", default: value)
            ])
    }
}
