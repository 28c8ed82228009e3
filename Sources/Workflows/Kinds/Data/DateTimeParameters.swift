internal import Kernel

enum DateTimeParameters {
    /// What a date can be rounded to, and what can be taken out of it.
    static let units = ["year", "month", "week", "day", "hour", "minute", "second"]
    static let durationUnits = ["years", "quarters", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds"]

    static var all: [Parameter] { current + legacy }

    private static func options(_ values: [String]) -> [Parameter.Option] { values.map { .init(.init(.string($0)), $0) } }

    private static var current: [Parameter] {
        func shown(_ operations: JSONText...) -> Parameter.ShowWhen { ["@version": [">=2"], "operation": operations] }
        func output(_ name: JSONText, _ operations: JSONText...) -> Parameter {
            Parameter("outputFieldName", .string, "Put into", default: name, showWhen: ["@version": [">=2"], "operation": operations])
        }
        let keep = Parameter("includeInputFields", .boolean, "Keep other fields", default: false)
        return [
            Parameter(
                "operation", .options, "Operation", default: "getCurrentDate",
                options: [
                    .init("addToDate", "Add to a date"), .init("extractDate", "Take a part of a date"), .init("formatDate", "Write a date"),
                    .init("getCurrentDate", "Current date"), .init("getTimeBetweenDates", "Time between dates"), .init("roundDate", "Round a date"),
                    .init("subtractFromDate", "Subtract from a date")
                ], showWhen: ["@version": [">=2"]]),
            Parameter("includeTime", .boolean, "With the time", default: true, showWhen: shown("getCurrentDate")),
            Parameter("magnitude", .string, "Date", default: "", required: true, showWhen: shown("addToDate", "subtractFromDate")),
            Parameter(
                "timeUnit", .options, "Unit", default: "days", options: options(durationUnits), showWhen: shown("addToDate", "subtractFromDate")),
            Parameter("duration", .number, "Duration", default: 0, showWhen: shown("addToDate", "subtractFromDate")),
            Parameter("date", .string, "Date", default: "", showWhen: shown("formatDate", "roundDate", "extractDate")),
            Parameter(
                "format", .options, "Format", default: "MM/dd/yyyy",
                options: options(["custom", "MM/dd/yyyy", "yyyy/MM/dd", "MMMM dd yyyy", "MM-dd-yyyy", "yyyy-MM-dd", "X", "x"]),
                showWhen: shown("formatDate")),
            Parameter(
                "customFormat", .string, "Luxon format", default: "",
                showWhen: ["@version": [">=2"], "operation": ["formatDate"], "format": ["custom"]]),
            Parameter(
                "mode", .options, "Mode", default: "roundDown", options: [.init("roundDown", "Down"), .init("roundUp", "Up")],
                showWhen: shown("roundDate")),
            Parameter(
                "toNearest", .options, "To nearest", default: "month", options: options(units),
                showWhen: ["@version": [">=2"], "operation": ["roundDate"], "mode": ["roundDown"]]),
            Parameter(
                "to", .options, "To", default: "month", options: options(["month"]),
                showWhen: ["@version": [">=2"], "operation": ["roundDate"], "mode": ["roundUp"]]),
            Parameter("startDate", .string, "Start", default: "", showWhen: shown("getTimeBetweenDates")),
            Parameter("endDate", .string, "End", default: "", showWhen: shown("getTimeBetweenDates")),
            Parameter("units", .json, "Units", default: .init(["day"]), showWhen: shown("getTimeBetweenDates")),
            Parameter("part", .options, "Part", default: "month", options: options(units), showWhen: shown("extractDate")),
            output("currentDate", "getCurrentDate"), output("newDate", "addToDate", "subtractFromDate"), output("formattedDate", "formatDate"),
            output("roundedDate", "roundDate"), output("timeDifference", "getTimeBetweenDates"), output("datePart", "extractDate"),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    keep, Parameter("timezone", .string, "Time zone", default: ""), Parameter("fromFormat", .string, "Format it is in", default: ""),
                    Parameter("isoString", .boolean, "As ISO 8601", default: false)
                ], showWhen: ["@version": [">=2"]])
        ]
    }

    private static var legacy: [Parameter] {
        let old: Parameter.ShowWhen = ["@version": ["<2"]]
        let formats: Parameter.ShowWhen = ["@version": ["<2"], "action": ["format"]]
        let calculates: Parameter.ShowWhen = ["@version": ["<2"], "action": ["calculate"]]
        return [
            Parameter(
                "action", .options, "Action", default: "format", options: [.init("calculate", "Calculate"), .init("format", "Write")], showWhen: old),
            Parameter("value", .string, "Date", default: "", required: true, showWhen: old),
            Parameter("dataPropertyName", .string, "Put into", default: "data", required: true, showWhen: old),
            Parameter("custom", .boolean, "Own format", default: false, showWhen: formats),
            Parameter("toFormat", .string, "Moment format", default: "", showWhen: formats.merging(["custom": [true]]) { $1 }),
            Parameter("toFormat", .string, "Moment format", default: "MM/DD/YYYY", showWhen: formats.merging(["custom": [false]]) { $1 }),
            Parameter(
                "operation", .options, "Operation", default: "add", options: [.init("add", "Add"), .init("subtract", "Subtract")],
                showWhen: calculates),
            Parameter("duration", .number, "Duration", default: 0, required: true, showWhen: calculates),
            Parameter("timeUnit", .options, "Unit", default: "days", options: options(durationUnits), showWhen: calculates),
            Parameter("noticeDateTime", .notice, "", default: "", showWhen: old),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter("fromFormat", .string, "Format it is in", default: ""),
                    Parameter("fromTimezone", .string, "Time zone it is in", default: "UTC"),
                    Parameter("toTimezone", .string, "Time zone to write", default: "UTC")
                ], showWhen: old)
        ]
    }
}
