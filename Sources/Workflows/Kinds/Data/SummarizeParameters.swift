internal import Kernel

enum SummarizeParameters {
    static var all: [Parameter] {
        let gathers: Parameter.ShowWhen = ["aggregation": ["append", "concatenate", "count", "countUnique"]]
        let joins: Parameter.ShowWhen = ["aggregation": ["concatenate"]]
        let ways = ["append", "average", "concatenate", "count", "countUnique", "max", "min", "sum"]
        let separators: [(JSONText, String)] = [
            (",", "Comma"), (", ", "Comma and space"), ("\n", "New line"), ("", "None"), (" ", "Space"), ("other", "Other")
        ]
        return [
            Parameter(
                "fieldsToSummarize", .collection, "Fields", default: .init(["values": [["aggregation": "count", "field": ""]]]),
                fields: [
                    Parameter(
                        "values", .list, "Fields",
                        fields: [
                            Parameter(
                                "aggregation", .options, "Aggregation", default: "count", options: ways.map { .init(.init(.string($0)), $0) }),
                            Parameter("field", .string, "Field", default: ""),
                            Parameter("includeEmpty", .boolean, "Include empty values", default: false, showWhen: gathers),
                            Parameter(
                                "separateBy", .options, "Separator", default: ",", options: separators.map { .init($0.0, $0.1) }, showWhen: joins),
                            Parameter(
                                "customSeparator", .string, "Own separator", default: "",
                                showWhen: ["aggregation": ["concatenate"], "separateBy": ["other"]])
                        ])
                ]),
            Parameter("fieldsToSplitBy", .string, "Fields to group by", default: ""),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter(
                        "continueIfFieldNotFound", .boolean, "Go on where no item has a field", default: false, showWhen: ["@version": ["<1.1"]]),
                    Parameter("disableDotNotation", .boolean, "No dot notation", default: false),
                    Parameter(
                        "outputFormat", .options, "Groups", default: "separateItems",
                        options: [.init("separateItems", "Each in an item"), .init("singleItem", "All in one item")]),
                    Parameter("skipEmptySplitFields", .boolean, "Leave out items without a group", default: false)
                ])
        ]
    }
}
