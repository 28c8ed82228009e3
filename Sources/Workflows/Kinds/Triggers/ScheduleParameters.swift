internal import Kernel

enum ScheduleParameters {
    private static func options(_ values: [String]) -> [Parameter.Option] { values.map { .init(.init(.string($0)), $0) } }

    static var interval: [Parameter] {
        let daily: Parameter.ShowWhen = ["field": ["days", "weeks", "months"]]
        return [
            Parameter(
                "field", .options, "Every", default: "days",
                options: options(["seconds", "minutes", "hours", "days", "weeks", "months", "cronExpression"])),
            Parameter("secondsInterval", .number, "Seconds between", default: 30, showWhen: ["field": ["seconds"]]),
            Parameter("minutesInterval", .number, "Minutes between", default: 5, showWhen: ["field": ["minutes"]]),
            Parameter("hoursInterval", .number, "Hours between", default: 1, showWhen: ["field": ["hours"]]),
            Parameter("daysInterval", .number, "Days between", default: 1, showWhen: ["field": ["days"]]),
            Parameter("weeksInterval", .number, "Weeks between", default: 1, showWhen: ["field": ["weeks"]]),
            Parameter("monthsInterval", .number, "Months between", default: 1, showWhen: ["field": ["months"]]),
            Parameter("triggerAtDayOfMonth", .number, "Day of month", default: 1, showWhen: ["field": ["months"]]),
            Parameter("triggerAtDay", .list, "Days of week", help: "0 is Sunday.", default: .init([0]), showWhen: ["field": ["weeks"]]),
            Parameter("triggerAtHour", .number, "Hour", default: 0, showWhen: daily),
            Parameter("triggerAtMinute", .number, "Minute", default: 0, showWhen: ["field": ["hours", "days", "weeks", "months"]]),
            Parameter(
                "expression", .string, "Cron line", help: "[second] minute hour day-of-month month day-of-week", default: "",
                showWhen: ["field": ["cronExpression"]])
        ]
    }

    static var cron: [Parameter] {
        let daily: Parameter.ShowWhen = ["mode": ["everyDay", "everyWeek", "everyMonth"]]
        return [
            Parameter(
                "mode", .options, "Mode", default: "everyDay",
                options: options(["everyMinute", "everyHour", "everyDay", "everyWeek", "everyMonth", "everyX", "custom"])),
            Parameter("hour", .number, "Hour", default: 14, showWhen: daily),
            Parameter("minute", .number, "Minute", default: 0, showWhen: ["mode": ["everyHour", "everyDay", "everyWeek", "everyMonth"]]),
            Parameter("dayOfMonth", .number, "Day of month", default: 1, showWhen: ["mode": ["everyMonth"]]),
            Parameter("weekday", .string, "Day of week", help: "0 is Sunday.", default: "1", showWhen: ["mode": ["everyWeek"]]),
            Parameter("cronExpression", .string, "Cron line", default: "* * * * * *", showWhen: ["mode": ["custom"]]),
            Parameter("value", .number, "Every", default: 2, showWhen: ["mode": ["everyX"]]),
            Parameter("unit", .options, "Unit", default: "hours", options: options(["minutes", "hours"]), showWhen: ["mode": ["everyX"]])
        ]
    }
}
