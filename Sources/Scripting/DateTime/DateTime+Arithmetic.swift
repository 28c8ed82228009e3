internal import Kernel
internal import OrderedCollections

extension DateTime {
    typealias Unit = CalendarDuration.Unit

    /// Calendar units move the local date (the day clamped to the month's end), time units the moment.
    func plus(_ duration: CalendarDuration) -> DateTime {
        guard isValid else { return self }
        guard duration.values.allSatisfy({ $0.count.isFinite && abs($0.count) < 1e15 }) else { return .invalid(zone) }
        func whole(_ unit: Unit) -> Int { Int(duration[unit].rounded(.towardZero)) }
        var rest: [Unit: Double] = [:]
        for unit in [Unit.years, .quarters, .months, .weeks, .days] {
            let fraction = duration[unit] - duration[unit].rounded(.towardZero)
            if fraction != 0 { rest[unit] = fraction }
        }
        for unit in [Unit.hours, .minutes, .seconds, .milliseconds] where duration[unit] != 0 { rest[unit] = duration[unit] }
        var moment = milliseconds
        if [Unit.years, .quarters, .months, .weeks, .days].contains(where: { whole($0) != 0 }) {
            let months = (year + whole(.years)) * 12 + month - 1 + whole(.months) + whole(.quarters) * 3
            let newYear = Int(Int64(months).flooringDivision(12))
            let newMonth = months - newYear * 12 + 1
            let newDay = min(day, DateTime.days(inMonth: newMonth, ofYear: newYear)) + whole(.days) + whole(.weeks) * 7
            let local = DateTime.localMilliseconds(
                year: newYear, month: newMonth, day: newDay, hour: hour, minute: minute, second: second, millisecond: millisecond)
            moment = DateTime.moment(ofLocal: local, guess: offset, zone: zone)
        }
        return DateTime(milliseconds: moment + CalendarDuration(rest).milliseconds, zone: zone)
    }

    func minus(_ duration: CalendarDuration) -> DateTime { plus(duration.negated) }

    func start(of unit: Unit) -> DateTime {
        switch unit {
        case .years: set(month: 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0)
        case .quarters: set(month: (quarter - 1) * 3 + 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0)
        case .months: set(day: 1, hour: 0, minute: 0, second: 0, millisecond: 0)
        case .weeks: set(day: day - weekday + 1, hour: 0, minute: 0, second: 0, millisecond: 0)
        case .days: set(hour: 0, minute: 0, second: 0, millisecond: 0)
        case .hours: set(minute: 0, second: 0, millisecond: 0)
        case .minutes: set(second: 0, millisecond: 0)
        case .seconds: set(millisecond: 0)
        case .milliseconds: self
        }
    }

    func end(of unit: Unit) -> DateTime {
        plus(CalendarDuration([unit: 1])).start(of: unit).minus(CalendarDuration([.milliseconds: 1]))
    }

    /// The time from `other` to this, in the units asked for; the last one takes the fraction.
    func difference(from other: DateTime, in units: [Unit]) -> CalendarDuration {
        guard isValid, other.isValid else { return CalendarDuration(Dictionary(uniqueKeysWithValues: Set(units).map { ($0, Double.nan) })) }
        let isOtherLater = other.milliseconds > milliseconds
        let found = DateTime.difference(earlier: isOtherLater ? self : other, later: isOtherLater ? other : self, units: Set(units))
        return isOtherLater ? found.negated : found
    }

    /// Counts the large units one after the other from the earlier moment, never past the later one; what is left goes
    /// to the time units, or as a fraction to the smallest large unit.
    private static func difference(earlier: DateTime, later: DateTime, units: Set<Unit>) -> CalendarDuration {
        var results: [Unit: Double] = [:]
        var cursor = earlier
        var highWater = earlier
        var lowest: Unit?
        for unit in [Unit.years, .quarters, .months, .weeks, .days] where units.contains(unit) {
            lowest = unit
            results[unit] = estimate(unit, cursor, later)
            highWater = earlier.plus(CalendarDuration(results))
            if highWater.milliseconds > later.milliseconds {
                results[unit]! -= 1
                cursor = earlier.plus(CalendarDuration(results))
                if cursor.milliseconds > later.milliseconds {
                    highWater = cursor
                    results[unit]! -= 1
                    cursor = earlier.plus(CalendarDuration(results))
                }
            } else {
                cursor = highWater
            }
        }
        let remaining = later.milliseconds - cursor.milliseconds
        let small = units.filter { $0 >= .hours }.sorted()
        guard !small.isEmpty else {
            guard let lowest else { return CalendarDuration(results) }
            if highWater.milliseconds < later.milliseconds { highWater = cursor.plus(CalendarDuration([lowest: 1])) }
            if highWater.milliseconds != cursor.milliseconds {
                results[lowest, default: 0] += remaining / (highWater.milliseconds - cursor.milliseconds)
            }
            return CalendarDuration(results)
        }
        var rest = remaining
        for unit in small.dropLast() {
            let whole = (rest / unit.casualMilliseconds).rounded(.towardZero)
            results[unit] = whole
            rest -= whole * unit.casualMilliseconds
        }
        results[small[small.count - 1]] = rest / small[small.count - 1].casualMilliseconds
        return CalendarDuration(results)
    }

    private static func estimate(_ unit: Unit, _ earlier: DateTime, _ later: DateTime) -> Double {
        let days = (localDay(later) - localDay(earlier)) / 86_400_000
        switch unit {
        case .years: return Double(later.year - earlier.year)
        case .quarters: return Double(later.quarter - earlier.quarter + (later.year - earlier.year) * 4)
        case .months: return Double(later.month - earlier.month + (later.year - earlier.year) * 12)
        case .weeks: return (days - days.truncatingRemainder(dividingBy: 7)) / 7
        default: return days
        }
    }

    private static func localDay(_ value: DateTime) -> Double { localMilliseconds(year: value.year, month: value.month, day: value.day) }
}
