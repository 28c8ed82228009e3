internal import Kernel

extension Schedule {
    /// The schedule of a `schedule`, `cron` or `interval` node.
    /// - Throws: a refusal for a rule that cannot be read.
    package init(_ node: WorkflowNode, kind: NodeKind, timeZone: String) throws {
        let entries: [JSON]
        if node.kind == "interval" {
            let unit = node.config["unit"]?.text ?? "seconds"
            let entry: JSON = ["field": .string(unit), "\(unit)Interval": node.config["interval"] ?? 1]
            guard ["seconds", "minutes", "hours"].contains(unit) else {
                throw Refusal.invalid("unit", "invalid_schedule", "'\(unit)' is no unit of an interval.")
            }
            self.init(rules: [try Schedule.rule(entry)], timeZone: timeZone)
        } else if node.kind == "cron" {
            // Newer forms of the node were written with the schedule node's rules.
            let own = node.config["triggerTimes"]?["item"]?.array
            entries = own ?? node.config["rule"]?["interval"]?.array ?? []
            self.init(rules: try entries.map { own == nil ? try Schedule.rule($0) : try Schedule.cronRule($0) }, timeZone: timeZone)
        } else {
            entries = node.config["rule"]?["interval"]?.array ?? [[:]]
            self.init(rules: try entries.map(Schedule.rule), timeZone: timeZone)
        }
    }

    /// One entry of `rule.interval`: `{field, daysInterval?, triggerAtHour?, …}`; what is left out has n8n's default.
    static func rule(_ entry: JSON) throws -> Rule {
        let hour = try number(entry, "triggerAtHour", 0, 0...23)
        let minute = try number(entry, "triggerAtMinute", 0, 0...59)
        switch entry["field"]?.text ?? "days" {
        case "seconds": return .seconds(try number(entry, "secondsInterval", 30, 1...86_400))
        case "minutes": return .minutes(try number(entry, "minutesInterval", 5, 1...1_440))
        case "hours": return .hours(try number(entry, "hoursInterval", 1, 1...8_784), minute: minute)
        case "days": return .days(try number(entry, "daysInterval", 1, 1...3_660), hour: hour, minute: minute)
        case "weeks":
            let days = entry["triggerAtDay"]?.array?.compactMap { Int($0.displayText) } ?? [0]
            // A list without days means all of them, as in n8n.
            let wanted: Set<Int> = days.isEmpty ? Set(0...6) : Set(days.map { $0 % 7 })
            return .weeks(try number(entry, "weeksInterval", 1, 1...522), days: wanted, hour: hour, minute: minute)
        case "months":
            let day = try number(entry, "triggerAtDayOfMonth", 1, 1...31)
            return .months(try number(entry, "monthsInterval", 1, 1...120), day: day, hour: hour, minute: minute)
        case "cronExpression": return .cron(try CronExpression(entry["expression"]?.text ?? ""))
        case let field: throw Refusal.invalid("rule", "invalid_schedule", "'\(field)' is no interval of a schedule.")
        }
    }

    /// One entry of the old cron node's `triggerTimes.item`: `{mode, hour, minute, …}`.
    static func cronRule(_ entry: JSON) throws -> Rule {
        let hour = try number(entry, "hour", 14, 0...23)
        let minute = try number(entry, "minute", 0, 0...59)
        switch entry["mode"]?.text ?? "everyDay" {
        case "everyMinute": return .minutes(1)
        case "everyHour": return .hours(1, minute: minute)
        case "everyDay": return .days(1, hour: hour, minute: minute)
        case "everyWeek":
            let day = Int(entry["weekday"]?.displayText ?? "1") ?? 1
            return .weeks(1, days: [day % 7], hour: hour, minute: minute)
        case "everyMonth": return .months(1, day: try number(entry, "dayOfMonth", 1, 1...31), hour: hour, minute: minute)
        case "everyX":
            let count = try number(entry, "value", 2, 1...1_000)
            return entry["unit"]?.text == "minutes" ? .minutes(count) : .hours(count, minute: 0)
        case "custom": return .cron(try CronExpression(entry["cronExpression"]?.text ?? "* * * * * *"))
        case let mode: throw Refusal.invalid("triggerTimes", "invalid_schedule", "'\(mode)' is no mode of a cron node.")
        }
    }

    private static func number(_ entry: JSON, _ name: String, _ fallback: Int, _ range: ClosedRange<Int>) throws -> Int {
        guard let value = entry[name], !value.isNull else { return fallback }
        let number = value.coercedNumber
        guard number >= Double(range.lowerBound), number <= Double(range.upperBound) else {
            throw Refusal.invalid("rule", "invalid_schedule", "\(name) must lie between \(range.lowerBound) and \(range.upperBound).")
        }
        return Int(number)
    }
}
