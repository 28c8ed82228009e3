internal import Kernel

enum AggregateParameters {
    /// The last part of a path, or the new name.
    static func outputName(of entry: JSON, field: String, dotNotation: Bool) -> String {
        if entry["renameField"]?.isTruthy == true, let name = entry["outputFieldName"]?.text, !name.isEmpty { return name }
        return dotNotation ? field.split(separator: ".").last.map(String.init) ?? field : field
    }

    static var all: [Parameter] {
        let individual: Parameter.ShowWhen = ["aggregate": ["aggregateIndividualFields"]]
        let whole: Parameter.ShowWhen = ["aggregate": ["aggregateAllItemData"]]
        return [
            Parameter(
                "aggregate", .options, "Aggregate", default: "aggregateIndividualFields",
                options: [.init("aggregateIndividualFields", "Fields"), .init("aggregateAllItemData", "Whole items")]),
            Parameter(
                "fieldsToAggregate", .collection, "Fields", default: .init(["fieldToAggregate": [["fieldToAggregate": "", "renameField": false]]]),
                fields: [
                    Parameter(
                        "fieldToAggregate", .list, "Fields",
                        fields: [
                            Parameter("fieldToAggregate", .string, "Field", default: ""),
                            Parameter("renameField", .boolean, "Rename", default: false),
                            Parameter("outputFieldName", .string, "New name", default: "", showWhen: ["renameField": [true]])
                        ])
                ], showWhen: individual),
            Parameter("destinationFieldName", .string, "Put into", default: "data", showWhen: whole),
            Parameter(
                "include", .options, "Include", default: "allFields",
                options: [.init("allFields", "All fields"), .init("specifiedFields", "Named fields"), .init("allFieldsExcept", "All but")],
                showWhen: whole),
            Parameter("fieldsToExclude", .string, "Fields to leave out", default: "", showWhen: ["include": ["allFieldsExcept"]]),
            Parameter("fieldsToInclude", .string, "Fields to include", default: "", showWhen: ["include": ["specifiedFields"]]),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter("groupByFields", .string, "Fields to group by", help: "One item for each group; names with commas.", default: ""),
                    Parameter("disableDotNotation", .boolean, "No dot notation", default: false),
                    Parameter("mergeLists", .boolean, "Merge lists", default: false),
                    Parameter("includeBinaries", .boolean, "Include files", default: false),
                    Parameter("keepOnlyUnique", .boolean, "Keep only unique files", default: true),
                    Parameter("keepMissing", .boolean, "Keep missing values as null", default: false)
                ])
        ]
    }
}
