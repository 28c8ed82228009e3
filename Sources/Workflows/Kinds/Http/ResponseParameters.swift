/// Parameters of webhook answers.
enum ResponseParameters {
    static var headerEntries: Parameter {
        Parameter(
            "entries", .list, "Headers", fields: [Parameter("name", .string, "Name", default: ""), Parameter("value", .string, "Value", default: "")])
    }
}
