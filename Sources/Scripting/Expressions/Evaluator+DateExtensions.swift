/// n8n's methods on DateTimes and Dates. A Date (or a text that is one) gives back a Date where a DateTime gives a DateTime.
extension Evaluator {
    func dateExtension(_ value: DateTime, _ name: String, _ arguments: [Value], isDate: Bool) throws -> Value? {
        func moment(_ result: DateTime) -> Value { isDate ? .date(result.milliseconds) : .dateTime(result) }
        switch name {
        case "isEmpty": return .bool(false)
        case "isNotEmpty": return .bool(true)
        case "toInt", "toFloat": return .number(value.milliseconds)
        case "toBoolean": return .undefined
        case "toDateTime": return .dateTime(value)
        default: break
        }
        guard value.isValid else { throw Interruption.sandbox }
        switch name {
        case "plus", "minus":
            let duration = try amount(arguments)
            return moment(name == "plus" ? value.plus(duration) : value.minus(duration))
        case "beginningOf": return moment(value.start(of: try arguments.isEmpty ? .weeks : shortUnit(arguments[0])))
        case "endOfMonth": return moment(value.end(of: .months))
        case "format":
            guard arguments.count == 1, case .string(let format) = arguments[0], let text = value.formatted(format) else {
                throw Interruption.sandbox
            }
            return .string(text)
        case "extract": return .number(try part(value, arguments.first))
        case "isWeekend": return .bool(value.weekday > 5)
        case "isDst": return .bool(value.isInDST)
        case "isInLast":
            let past = now.minus(try amount(arguments)).milliseconds
            return .bool(past <= value.milliseconds && value.milliseconds <= now.milliseconds)
        case "isBetween": return try isBetween(value, arguments)
        case "diffTo" where !isDate: return try difference(value, arguments.first, arguments.count > 1 ? arguments[1] : nil)
        case "diffToNow" where !isDate: return try difference(value, .dateTime(now), arguments.first)
        default: throw Interruption.sandbox
        }
    }

    /// `(7, 'days')`, `(7)` milliseconds, or `({days: 7})`.
    private func amount(_ arguments: [Value]) throws -> CalendarDuration {
        if arguments.count == 1 { return try duration(arguments[0]) }
        guard arguments.count == 2, case .number(let count) = arguments[0], count.isFinite else { throw Interruption.sandbox }
        return CalendarDuration([try shortUnit(arguments[1]): count])
    }

    private func shortUnit(_ value: Value) throws -> CalendarDuration.Unit {
        guard case .string(let name) = value else { throw Interruption.sandbox }
        switch name {
        case "ms": return .milliseconds
        case "sec", "secs": return .seconds
        case "min", "mins": return .minutes
        case "hr", "hrs": return .hours
        default: return try unit(value)
        }
    }

    private func part(_ value: DateTime, _ name: Value?) throws -> Double {
        let name: String = if let name, !name.isNullish { try name.text() } else { "week" }
        switch name {
        case "year", "years": return Double(value.year)
        case "month", "months": return Double(value.month)
        case "week", "weekNumber": return Double(value.week.number)
        case "day", "days": return Double(value.day)
        case "hour", "hours": return Double(value.hour)
        case "minute", "minutes": return Double(value.minute)
        case "second", "seconds": return Double(value.second)
        case "millisecond", "milliseconds": return Double(value.millisecond)
        case "weekday": return Double(value.weekday)
        default: throw Interruption.sandbox
        }
    }

    private func isBetween(_ value: DateTime, _ arguments: [Value]) throws -> Value {
        guard arguments.count == 2 else { throw Interruption.raised("isBetween(): expected exactly two args") }
        let bounds = try arguments.map { argument -> Double in
            switch argument {
            case .string(let text): return try Evaluator.parsedDate(text)
            case .date(let milliseconds): return milliseconds
            case .dateTime(let value): return value.milliseconds
            default: throw Interruption.sandbox
            }
        }
        return .bool(min(bounds[0], bounds[1]) < value.milliseconds && value.milliseconds < max(bounds[0], bounds[1]))
    }

    private func difference(_ value: DateTime, _ other: Value?, _ unit: Value?) throws -> Value {
        let moment: DateTime
        switch other {
        case .dateTime(let value): moment = value
        case .date(let milliseconds): moment = DateTime(milliseconds: milliseconds, zone: zone)
        case .string(let text): moment = try stringToDateTime(text, [])
        default: throw Interruption.sandbox
        }
        let isMissing: Bool = if case .undefined? = unit { true } else { unit == nil }
        var units = isMissing ? [.days] : try units(unit)
        if units.isEmpty { units = [.days] }
        let found = value.difference(from: moment, in: units)
        return units.count > 1 ? object(found) : .number(found.value(in: units[0]))
    }
}
