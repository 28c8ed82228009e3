internal import Kernel

enum RemoveDuplicatesParameters {
    static var all: [Parameter] {
        let seen: Parameter.ShowWhen = ["operation": ["removeItemsSeenInPreviousExecutions"], "@version": [">=2"]]
        func logic(_ name: JSONText) -> Parameter.ShowWhen { seen.merging(["logic": [name]]) { $1 } }
        return [
            Parameter(
                "operation", .options, "Operation", default: "removeDuplicateInputItems",
                options: [
                    .init("removeDuplicateInputItems", "Within the input"),
                    .init("removeItemsSeenInPreviousExecutions", "Seen in earlier runs"),
                    .init("clearDeduplicationHistory", "Forget earlier runs")
                ], showWhen: ["@version": [">=2"]]),
            Parameter(
                "compare", .options, "Compare", default: "allFields",
                options: [.init("allFields", "All fields"), .init("allFieldsExcept", "All but"), .init("selectedFields", "Selected")]),
            Parameter("fieldsToExclude", .string, "Fields to leave out", default: "", showWhen: ["compare": ["allFieldsExcept"]]),
            Parameter("fieldsToCompare", .string, "Fields to compare", default: "", showWhen: ["compare": ["selectedFields"]]),
            Parameter(
                "logic", .options, "Keep items", default: "removeItemsWithAlreadySeenKeyValues",
                options: [
                    .init("removeItemsWithAlreadySeenKeyValues", "With a new value"),
                    .init("removeItemsUpToStoredIncrementalKey", "With a higher number"),
                    .init("removeItemsUpToStoredDate", "With a later time")
                ], showWhen: seen),
            Parameter("dedupeValue", .string, "Value", default: "", showWhen: logic("removeItemsWithAlreadySeenKeyValues")),
            Parameter("incrementalDedupeValue", .number, "Number", default: "", showWhen: logic("removeItemsUpToStoredIncrementalKey")),
            Parameter("dateDedupeValue", .dateTime, "Time", default: "", showWhen: logic("removeItemsUpToStoredDate")),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter("disableDotNotation", .boolean, "No dot notation", default: false),
                    Parameter("removeOtherFields", .boolean, "Drop other fields", default: false),
                    Parameter("historySize", .number, "Values to remember", default: 10_000)
                ])
        ]
    }
}
