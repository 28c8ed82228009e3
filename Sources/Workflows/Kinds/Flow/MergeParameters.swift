internal import Kernel

enum MergeParameters {
    static var all: [Parameter] { modern + legacy }

    private static func options(_ values: [String]) -> [Parameter.Option] { values.map { .init(.init(.string($0)), $0) } }

    private static var modern: [Parameter] {
        let byFields: Parameter.ShowWhen = ["mode": ["combine"], "combineBy": ["combineByFields"], "@version": [">=3"]]
        return [
            Parameter(
                "mode", .options, "Mode", default: "append", options: options(["append", "combine", "chooseBranch"]),
                showWhen: ["@version": [">=2", "<3"]]),
            Parameter(
                "mode", .options, "Mode", default: "append", options: options(["append", "combine", "combineBySql", "chooseBranch"]),
                showWhen: ["@version": [">=3"]]),
            Parameter(
                "numberInputs", .number, "Inputs", default: 2,
                showWhen: ["mode": ["append", "chooseBranch", "combine", "combineBySql"], "@version": [">=3"]]),
            Parameter(
                "query", .code, "Query", help: "A SELECT over the tables input1, input2, …, whose columns are the items' fields.",
                default: "SELECT * FROM input1 LEFT JOIN input2 ON input1.name = input2.id", required: true,
                showWhen: ["mode": ["combineBySql"], "@version": [">=3"]]),
            Parameter(
                "combineBy", .options, "Combine by", default: "combineByFields",
                options: options(["combineByFields", "combineByPosition", "combineAll"]), showWhen: ["mode": ["combine"], "@version": [">=3"]]),
            Parameter(
                "combinationMode", .options, "Combine by", default: "mergeByFields",
                options: options(["mergeByFields", "mergeByPosition", "multiplex"]),
                showWhen: ["mode": ["combine"], "@version": [">=2", "<3"]]),
            Parameter("advanced", .boolean, "Fields have different names", default: false, showWhen: byFields),
            Parameter("fieldsToMatchString", .string, "Fields to match", default: "", showWhen: byFields.merging(["advanced": [false]]) { $1 }),
            Parameter(
                "mergeByFields", .collection, "Fields to match", default: .init(["values": []]),
                fields: [
                    Parameter(
                        "values", .list, "Fields",
                        fields: [
                            Parameter("field1", .string, "Field of input 1", default: ""),
                            Parameter("field2", .string, "Field of input 2", default: "")
                        ])
                ], showWhen: ["mode": ["combine"]]),
            Parameter(
                "joinMode", .options, "Keep", default: "keepMatches",
                options: options(["keepMatches", "keepNonMatches", "keepEverything", "enrichInput1", "enrichInput2"]),
                showWhen: ["mode": ["combine"]]),
            Parameter(
                "outputDataFrom", .options, "Output data from", default: "both", options: options(["both", "input1", "input2"]),
                showWhen: ["joinMode": ["keepMatches", "keepNonMatches"]]),
            Parameter(
                "output", .options, "Output", default: "specifiedInput", options: options(["specifiedInput", "empty"]),
                showWhen: ["mode": ["chooseBranch"], "@version": [">=3"]]),
            Parameter(
                "output", .options, "Output", default: "input1", options: options(["input1", "input2", "empty"]),
                showWhen: ["mode": ["chooseBranch"], "@version": ["2", "2.1"]]),
            Parameter("useDataOfInput", .number, "Input", default: 1, showWhen: ["mode": ["chooseBranch"], "@version": [">=3"]]),
            Parameter("options", .collection, "Options", default: .init([:]), fields: optionFields, showWhen: ["@version": [">=2"]])
        ]
    }

    private static var optionFields: [Parameter] {
        [
            Parameter(
                "clashHandling", .collection, "Clashing fields",
                fields: [
                    Parameter(
                        "values", .collection, "Values",
                        fields: [
                            Parameter(
                                "resolveClash", .options, "When fields clash",
                                options: options(["preferInput1", "preferInput2", "preferLast", "addSuffix"])),
                            Parameter("mergeMode", .options, "Nested fields", default: "deepMerge", options: options(["deepMerge", "shallowMerge"])),
                            Parameter("overrideEmpty", .boolean, "Fill empty fields from the other input", default: false)
                        ])
                ]),
            Parameter("disableDotNotation", .boolean, "No dot notation", default: false),
            Parameter("fuzzyCompare", .boolean, "Compare across types", default: false),
            Parameter("includeUnpaired", .boolean, "Include unpaired items", default: false),
            Parameter("multipleMatches", .options, "Multiple matches", default: "all", options: options(["all", "first"])),
            Parameter(
                "emptyQueryResult", .options, "When a query finds nothing", default: "empty", options: options(["empty", "success"]),
                showWhen: ["mode": ["combineBySql"], "@version": [">=3.2"]])
        ]
    }

    private static var legacy: [Parameter] {
        let keyed: [JSONText] = ["mergeByKey", "keepKeyMatches", "removeKeyMatches"]
        return [
            Parameter(
                "mode", .options, "Mode", default: "append",
                options: options([
                    "append", "keepKeyMatches", "mergeByIndex", "mergeByKey", "multiplex", "passThrough", "removeKeyMatches", "wait"
                ]), showWhen: ["@version": ["<2"]]),
            Parameter(
                "join", .options, "Join", default: "left", options: options(["inner", "left", "outer"]),
                showWhen: ["@version": ["<2"], "mode": ["mergeByIndex"]]),
            Parameter("propertyName1", .string, "Property of input 1", default: "", showWhen: ["@version": ["<2"], "mode": keyed]),
            Parameter("propertyName2", .string, "Property of input 2", default: "", showWhen: ["@version": ["<2"], "mode": keyed]),
            Parameter(
                "output", .options, "Output", default: "input1", options: options(["input1", "input2"]),
                showWhen: ["@version": ["<2"], "mode": ["passThrough"]]),
            Parameter(
                "overwrite", .options, "Overwrite", default: "always", options: options(["always", "blank", "undefined"]),
                showWhen: ["@version": ["<2"], "mode": ["mergeByKey"]])
        ]
    }
}
