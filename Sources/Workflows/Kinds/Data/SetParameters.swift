internal import Kernel

enum SetParameters {
    /// The value of a field of `fields.values` that is left out.
    static func typedDefault(_ type: String) -> JSON {
        switch type {
        case "numberValue", "stringValue": ""
        case "booleanValue": true
        case "arrayValue": []
        case "objectValue": [:]
        default: .null
        }
    }

    static var all: [Parameter] { current + legacy }

    private static var current: [Parameter] {
        let modern: Parameter.ShowWhen = ["@version": [">=3"]]
        return [
            Parameter(
                "mode", .options, "Mode", default: "manual", options: [.init("manual", "Fields"), .init("raw", "JSON")], showWhen: modern),
            Parameter(
                "jsonOutput", .json, "JSON", default: "{\n  \"my_field_1\": \"value\",\n  \"my_field_2\": 1\n}",
                showWhen: ["@version": [">=3"], "mode": ["raw"]]),
            Parameter(
                "fields", .collection, "Fields", default: .init([:]), fields: [Parameter("values", .list, "Fields", fields: valueFields)],
                showWhen: ["@version": ["3", "3.1", "3.2"], "mode": ["manual"]]),
            Parameter(
                "assignments", .assignments, "Fields", default: .init([:]), showWhen: ["@version": [">=3.3"], "mode": ["manual"]]),
            Parameter("includeOtherFields", .boolean, "Keep other fields", default: false, showWhen: ["@version": [">=3.3"]]),
            Parameter(
                "include", .options, "Keep", default: "all",
                options: [.init("all", "All"), .init("selected", "Selected"), .init("except", "All but"), .init("none", "None")],
                showWhen: ["@version": ["3", "3.1", "3.2"]]),
            Parameter(
                "include", .options, "Keep", default: "all",
                options: [.init("all", "All"), .init("selected", "Selected"), .init("except", "All but")],
                showWhen: ["@version": [">=3.3"], "includeOtherFields": [true]]),
            Parameter("includeFields", .string, "Fields to keep", default: "", showWhen: ["include": ["selected"]]),
            Parameter("excludeFields", .string, "Fields to drop", default: "", showWhen: ["include": ["except"]]),
            Parameter("options", .collection, "Options", default: .init([:]), fields: options)
        ]
    }

    private static var valueFields: [Parameter] {
        let types = ["stringValue", "numberValue", "booleanValue", "arrayValue", "objectValue"]
        return [
            Parameter("name", .string, "Name", default: ""),
            Parameter("type", .options, "Type", default: "stringValue", options: types.map { .init(.init(.string($0)), $0) })
        ]
            + types.map { type in
                Parameter(type, .string, "Value", default: .init(typedDefault(type)), showWhen: ["type": [.init(.string(type))]])
            }
    }

    private static var options: [Parameter] {
        [
            Parameter("dotNotation", .boolean, "Support dot notation", default: true),
            Parameter("ignoreConversionErrors", .boolean, "Ignore type conversion errors", default: false, showWhen: ["@version": [">=3"]]),
            Parameter("includeBinary", .boolean, "Include files", default: true, showWhen: ["@version": ["3", "3.1", "3.2", "3.3"]]),
            Parameter("stripBinary", .boolean, "Drop files", default: true, showWhen: ["@version": [">=3.4"]])
        ]
    }

    private static var legacy: [Parameter] {
        let old: Parameter.ShowWhen = ["@version": ["<3"]]
        func list(_ name: String, _ kind: Parameter.Kind, _ value: JSONText) -> Parameter {
            Parameter(
                name, .list, name,
                fields: [Parameter("name", .string, "Name", default: "propertyName"), Parameter("value", kind, "Value", default: value)])
        }
        return [
            Parameter("keepOnlySet", .boolean, "Keep only set", default: false, showWhen: old),
            Parameter(
                "values", .collection, "Values", default: .init([:]),
                fields: [list("boolean", .boolean, false), list("number", .number, 0), list("string", .string, "")], showWhen: old)
        ]
    }
}
