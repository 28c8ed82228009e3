internal import Kernel
internal import OrderedCollections

/// Luxon's `DateTime` and `Duration` (https://moment.github.io/luxon/api-docs/) in English.
extension Evaluator {
    func dateTimeCall(_ name: String, _ arguments: [Value]) throws -> Value {
        let now = now
        let text: String? = if case .string(let text)? = arguments.first { text } else { nil }
        let number: Double? = if case .number(let value)? = arguments.first { value } else { nil }
        switch name {
        case "now" where arguments.isEmpty, "local" where arguments.isEmpty: return .dateTime(now)
        case "utc" where arguments.isEmpty: return .dateTime(now.inZone(.utc))
        case "fromMillis": return .dateTime(DateTime(milliseconds: try required(number), zone: try options(arguments, at: 1) ?? now.zone))
        case "fromSeconds": return .dateTime(DateTime(milliseconds: try required(number) * 1_000, zone: try options(arguments, at: 1) ?? now.zone))
        case "fromISO":
            let zone = try options(arguments, at: 1) ?? now.zone
            guard let value = DateTime.parse(iso: try required(text), zone: zone, now: now.milliseconds) else { throw Interruption.sandbox }
            return .dateTime(value)
        case "fromFormat" where arguments.count >= 2:
            guard case .string(let format) = arguments[1] else { throw Interruption.sandbox }
            let zone = try options(arguments, at: 2) ?? now.zone
            guard let value = DateTime.parse(try required(text), format: format, zone: zone, now: now.milliseconds) else {
                throw Interruption.sandbox
            }
            return .dateTime(value)
        case "fromJSDate" where arguments.count == 1:
            guard case .date(let milliseconds) = arguments[0] else { throw Interruption.sandbox }
            return .dateTime(DateTime(milliseconds: milliseconds, zone: now.zone))
        case "isDateTime":
            let isOne: Bool = if case .dateTime? = arguments.first { true } else { false }
            return .bool(isOne)
        default: throw Interruption.sandbox
        }
    }

    private func required<Wrapped>(_ value: Wrapped?) throws -> Wrapped {
        guard let value else { throw Interruption.sandbox }
        return value
    }

    /// `{zone: 'Europe/Berlin'}`, the only option read natively.
    private func options(_ arguments: [Value], at index: Int) throws -> Zone? {
        guard index < arguments.count else { return nil }
        guard let members = arguments[index].members, members.count == 1, case .string(let name)? = members["zone"], let zone = Zone(named: name)
        else {
            throw Interruption.sandbox
        }
        return zone
    }

    func dateTimeMember(_ value: DateTime, _ name: String) throws -> Value {
        if Syntax.deniedNames.contains(name) { throw denied(name) }
        if name == "isValid" { return .bool(value.isValid) }
        guard value.isValid else { throw Interruption.sandbox }
        switch name {
        case "year": return .number(Double(value.year))
        case "quarter": return .number(Double(value.quarter))
        case "month": return .number(Double(value.month))
        case "day": return .number(Double(value.day))
        case "hour": return .number(Double(value.hour))
        case "minute": return .number(Double(value.minute))
        case "second": return .number(Double(value.second))
        case "millisecond": return .number(Double(value.millisecond))
        case "weekday": return .number(Double(value.weekday))
        case "weekNumber": return .number(Double(value.week.number))
        case "weekYear": return .number(Double(value.week.year))
        case "ordinal": return .number(Double(value.ordinal))
        case "offset": return .number(value.offset)
        case "zoneName": return .string(value.zone.name)
        case "daysInMonth": return .number(Double(DateTime.days(inMonth: value.month, ofYear: value.year)))
        case "daysInYear": return .number(DateTime.isLeap(value.year) ? 366 : 365)
        case "isInLeapYear": return .bool(DateTime.isLeap(value.year))
        case "isInDST": return .bool(value.isInDST)
        case "monthLong": return .string(DateTime.monthNames[value.month - 1])
        case "monthShort": return .string(String(DateTime.monthNames[value.month - 1].prefix(3)))
        case "weekdayLong": return .string(DateTime.weekdayNames[value.weekday - 1])
        case "weekdayShort": return .string(String(DateTime.weekdayNames[value.weekday - 1].prefix(3)))
        default: throw Interruption.sandbox
        }
    }

    func dateTimeMethod(_ value: DateTime, _ name: String, _ arguments: [Value]) throws -> Value {
        switch name {
        case "toMillis", "valueOf": return .number(value.milliseconds)
        case "toSeconds": return .number(value.milliseconds / 1_000)
        case "toUnixInteger": return .number((value.milliseconds / 1_000).rounded(.down))
        case "toJSDate": return .date(value.milliseconds)
        case "plus", "minus":
            guard arguments.count == 1 else { throw Interruption.sandbox }
            let duration = try duration(arguments[0])
            return .dateTime(name == "plus" ? value.plus(duration) : value.minus(duration))
        case "startOf": return .dateTime(value.start(of: try unit(arguments.first)))
        case "endOf": return .dateTime(value.end(of: try unit(arguments.first)))
        case "set": return .dateTime(try set(value, arguments))
        case "get" where arguments.count == 1: return try dateTimeMember(value, try arguments[0].text())
        case "toUTC" where arguments.isEmpty: return .dateTime(value.inZone(.utc))
        case "toLocal": return .dateTime(value.inZone(zone))
        case "setZone":
            guard arguments.count == 1, case .string(let name) = arguments[0], let zone = Zone(named: name) else { throw Interruption.sandbox }
            return .dateTime(value.inZone(zone))
        case "setLocale":
            guard case .string(let locale)? = arguments.first, locale == "en" || locale == "en-US" else { throw Interruption.sandbox }
            return .dateTime(value)
        case "diff":
            guard case .dateTime(let other)? = arguments.first, arguments.count <= 2 else { throw Interruption.sandbox }
            return .duration(value.difference(from: other, in: try units(arguments.count > 1 ? arguments[1] : nil)))
        case "diffNow": return .duration(value.difference(from: now, in: try units(arguments.first)))
        default: return try dateTimeText(value, name, arguments)
        }
    }

    private func dateTimeText(_ value: DateTime, _ name: String, _ arguments: [Value]) throws -> Value {
        guard value.isValid else { throw Interruption.sandbox }
        switch name {
        case "toFormat":
            guard arguments.count == 1, case .string(let format) = arguments[0], let text = value.formatted(format) else {
                throw Interruption.sandbox
            }
            return .string(text)
        case "toISODate" where arguments.isEmpty, "toSQLDate" where arguments.isEmpty: return .string(value.isoDate())
        case "toISOTime" where arguments.isEmpty: return .string(value.isoTime())
        case "toString", "toJSON": return .string(value.iso())
        case "toISO":
            guard let options = arguments.first else { return .string(value.iso()) }
            guard let members = options.members,
                members.keys.allSatisfy({ ["suppressMilliseconds", "suppressSeconds", "includeOffset"].contains($0) })
            else {
                throw Interruption.sandbox
            }
            func option(_ name: String, _ fallback: Bool) -> Bool { members[name]?.isTrue ?? fallback }
            return .string(
                value.iso(
                    suppressMilliseconds: option("suppressMilliseconds", false), suppressSeconds: option("suppressSeconds", false),
                    offset: option("includeOffset", true)))
        default: throw Interruption.sandbox
        }
    }

    func unit(_ value: Value?) throws -> CalendarDuration.Unit {
        guard case .string(let name)? = value, let unit = CalendarDuration.Unit(name) else { throw Interruption.sandbox }
        return unit
    }

    func units(_ value: Value?) throws -> [CalendarDuration.Unit] {
        guard let value else { return [.milliseconds] }
        if let elements = value.elements { return try elements.map { try unit($0) } }
        return [try unit(value)]
    }

    /// A number of milliseconds, an object of units, or a duration.
    func duration(_ value: Value) throws -> CalendarDuration {
        switch value {
        case .number(let milliseconds) where milliseconds.isFinite: return CalendarDuration([.milliseconds: milliseconds])
        case .duration(let duration): return duration
        case .data(.object(_)), .object:
            var values: [CalendarDuration.Unit: Double] = [:]
            for (name, count) in value.members ?? [:] where !count.isNullish {
                guard let unit = CalendarDuration.Unit(name) else { throw Interruption.thrown("Invalid unit \(name)") }
                switch count {
                case .number(let number) where number.isFinite: values[unit] = number
                default: throw Interruption.sandbox
                }
            }
            return CalendarDuration(values)
        default: throw Interruption.sandbox
        }
    }

    private func set(_ value: DateTime, _ arguments: [Value]) throws -> DateTime {
        guard arguments.count == 1, let members = arguments[0].members else { throw Interruption.sandbox }
        var fields: [CalendarDuration.Unit: Int] = [:]
        for (name, count) in members {
            guard let unit = CalendarDuration.Unit(name), unit != .quarters, unit != .weeks, case .number(let number) = count,
                number.rounded() == number,
                abs(number) < 1e6
            else { throw Interruption.sandbox }
            fields[unit] = Int(number)
        }
        return value.set(
            year: fields[.years], month: fields[.months], day: fields[.days], hour: fields[.hours], minute: fields[.minutes],
            second: fields[.seconds],
            millisecond: fields[.milliseconds])
    }

    // MARK: Durations

    func durationMember(_ value: CalendarDuration, _ name: String) throws -> Value {
        if Syntax.deniedNames.contains(name) { throw denied(name) }
        guard let unit = CalendarDuration.Unit(name), name == unit.name else { throw Interruption.sandbox }
        return .number(value[unit])
    }

    func durationMethod(_ value: CalendarDuration, _ name: String, _ arguments: [Value]) throws -> Value {
        switch name {
        case "as": return .number(value.value(in: try unit(arguments.first)))
        case "toMillis", "valueOf": return .number(value.milliseconds)
        case "toObject" where arguments.isEmpty: return object(value)
        default: throw Interruption.sandbox
        }
    }

    func object(_ value: CalendarDuration) -> Value {
        .object(Value.Record(uniqueKeysWithValues: value.values.map { ($0.unit.name, .number($0.count)) }))
    }
}
