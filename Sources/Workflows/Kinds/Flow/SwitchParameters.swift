internal import Kernel

enum SwitchParameters {
    static var all: [Parameter] {
        [
            Parameter(
                "mode", .options, "Mode", default: "rules", options: [.init("rules", "Rules"), .init("expression", "Expression")]),
            Parameter("numberOutputs", .number, "Outputs", default: 4, showWhen: ["mode": ["expression"], "@version": [">=3"]]),
            Parameter("outputsAmount", .number, "Outputs", default: 4, showWhen: ["mode": ["expression"], "@version": ["2"]]),
            Parameter("output", .number, "Output", default: 0, showWhen: ["mode": ["expression"]]),
            Parameter(
                "rules", .collection, "Rules", default: .init([:]),
                fields: [
                    Parameter(
                        "values", .list, "Rules", default: .init([onlyRule]),
                        fields: [
                            Parameter("conditions", .filter, "Conditions", default: .init([:])),
                            Parameter("renameOutput", .boolean, "Name the output", default: false),
                            Parameter("outputKey", .string, "Output name", default: "", showWhen: ["renameOutput": [true]])
                        ])
                ], showWhen: ["mode": ["rules"], "@version": [">=3"]]),
            Parameter("looseTypeValidation", .boolean, "Convert types where required", default: false, showWhen: ["@version": [">=3.1"]]),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter(
                        "fallbackOutput", .options, "Fallback", default: "none", options: [.init("none", "None"), .init("extra", "Extra output")]),
                    Parameter("ignoreCase", .boolean, "Ignore case", default: true),
                    Parameter("renameFallbackOutput", .string, "Fallback's name", default: "Fallback"),
                    Parameter("allMatchingOutputs", .boolean, "Send to all matching outputs", default: false)
                ], showWhen: ["mode": ["rules"], "@version": [">=3"]])
        ] + legacy
    }

    /// n8n's, where no rules are written: every item meets it.
    private static let onlyRule: JSON = [
        "conditions": [
            "options": ["caseSensitive": true, "leftValue": "", "typeValidation": "strict"], "combinator": "and",
            "conditions": [["leftValue": "", "rightValue": "", "operator": ["type": "string", "operation": "equals"]]]
        ]
    ]

    private static var legacy: [Parameter] {
        let old: Parameter.ShowWhen = ["mode": ["rules"], "@version": ["<3"]]
        let types = ["boolean", "dateTime", "number", "string"]
        return [
            Parameter(
                "dataType", .options, "Type", default: "number", options: types.map { .init(.init(.string($0)), $0) }, showWhen: old),
            Parameter("value1", .number, "Value", default: 0, showWhen: old.merging(["dataType": ["number"]]) { $1 }),
            Parameter("value1", .boolean, "Value", default: false, showWhen: old.merging(["dataType": ["boolean"]]) { $1 }),
            Parameter("value1", .string, "Value", default: "", showWhen: old.merging(["dataType": ["string", "dateTime"]]) { $1 }),
            Parameter(
                "rules", .collection, "Rules", default: .init([:]),
                fields: [
                    Parameter(
                        "rules", .list, "Rules",
                        fields: [
                            Parameter(
                                "operation", .options, "Operation", options: ConditionParameters.textOperations.map { .init(.init(.string($0)), $0) }),
                            Parameter("value2", .string, "Value"),
                            Parameter("output", .number, "Output", default: 0, showWhen: ["@version": ["<2"]]),
                            Parameter("outputKey", .string, "Output name", default: "", showWhen: ["@version": ["2"]])
                        ])
                ], showWhen: old),
            Parameter(
                "fallbackOutput", .options, "Fallback", default: -1,
                options: [.init(-1, "None"), .init(0, "0"), .init(1, "1"), .init(2, "2"), .init(3, "3")],
                showWhen: ["mode": ["rules"], "@version": ["<2"]]),
            Parameter(
                "fallbackOutput", .number, "Fallback", help: "An output's number; -1 for none.", default: -1,
                showWhen: ["mode": ["rules"], "@version": ["2"]])
        ]
    }
}
