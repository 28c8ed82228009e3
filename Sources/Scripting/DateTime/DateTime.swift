internal import Kernel

/// A moment seen in a time zone, with the behaviour of Luxon's `DateTime` (https://moment.github.io/luxon/api-docs/):
/// immutable, proleptic Gregorian, English names, precise to the millisecond.
final class DateTime: Sendable {
    /// Since 1970-01-01T00:00:00Z; NaN where the value is invalid.
    let milliseconds: Double
    let zone: Zone
    /// Minutes east of UTC at this moment.
    let offset: Double
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int
    let millisecond: Int

    init(milliseconds: Double, zone: Zone) {
        let isUsable = milliseconds.isFinite && abs(milliseconds) <= 8.64e15
        self.milliseconds = isUsable ? milliseconds.rounded(.towardZero) : .nan
        self.zone = zone
        offset = isUsable ? zone.offset(at: milliseconds) : 0
        let local = isUsable ? Int64((milliseconds.rounded(.towardZero) + offset * 60_000).rounded(.down)) : 0
        let days = local.flooringDivision(86_400_000)
        let rest = Int(local - days * 86_400_000)
        let date = Timestamp.civil(fromDays: days)
        (year, month, day) = (Int(date.year), Int(date.month), Int(date.day))
        hour = rest / 3_600_000
        minute = rest / 60_000 % 60
        second = rest / 1_000 % 60
        millisecond = rest % 1_000
    }

    static func invalid(_ zone: Zone = .utc) -> DateTime { DateTime(milliseconds: .nan, zone: zone) }

    var isValid: Bool { !milliseconds.isNaN }
    var weekday: Int { Int((Timestamp.days(fromCivil: Int64(year), Int64(month), Int64(day)) + 3) % 7 + 7) % 7 + 1 }
    var quarter: Int { (month + 2) / 3 }
    var ordinal: Int {
        Int(Timestamp.days(fromCivil: Int64(year), Int64(month), Int64(day)) - Timestamp.days(fromCivil: Int64(year), 1, 1)) + 1
    }

    /// ISO 8601 week: the year it belongs to and its number.
    var week: (year: Int, number: Int) {
        let number = (ordinal - weekday + 10) / 7
        if number < 1 { return (year - 1, DateTime.weeks(inYear: year - 1)) }
        if number > DateTime.weeks(inYear: year) { return (year + 1, 1) }
        return (year, number)
    }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    /// ISO years of 53 weeks begin on a Thursday, or are leap years that begin on a Wednesday.
    static func weeks(inYear year: Int) -> Int {
        let first = (Timestamp.days(fromCivil: Int64(year), 1, 1) % 7 + 10) % 7 + 1
        return first == 4 || (first == 3 && isLeap(year)) ? 53 : 52
    }

    static func days(inMonth month: Int, ofYear year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Whether daylight saving moves the clock at this moment.
    var isInDST: Bool {
        guard !zone.isFixed else { return false }
        return offset > set(month: 1, day: 1).offset || offset > set(month: 5).offset
    }

    func inZone(_ zone: Zone) -> DateTime { DateTime(milliseconds: milliseconds, zone: zone) }

    // MARK: From local fields

    /// Milliseconds of a local date and time as if it were UTC; fields may overflow, as in `Date.UTC`.
    static func localMilliseconds(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0, millisecond: Int = 0) -> Double {
        let months = Int64(year) * 12 + Int64(month - 1)
        let days = Timestamp.days(fromCivil: months.flooringDivision(12), months - months.flooringDivision(12) * 12 + 1, 1) + Int64(day - 1)
        return Double(days) * 86_400_000 + Double(hour) * 3_600_000 + Double(minute) * 60_000 + Double(second) * 1_000 + Double(millisecond)
    }

    /// The moment of a local time, given a guess of the offset. A time that the clock skips moves forward,
    /// a time that it repeats is the first one where the guess says so.
    static func moment(ofLocal local: Double, guess: Double, zone: Zone) -> Double {
        var moment = local - guess * 60_000
        let second = zone.offset(at: moment)
        if second == guess { return moment }
        moment -= (second - guess) * 60_000
        let third = zone.offset(at: moment)
        if second == third { return moment }
        return local - min(second, third) * 60_000
    }

    static func local(
        year: Int, month: Int = 1, day: Int = 1, hour: Int = 0, minute: Int = 0, second: Int = 0, millisecond: Int = 0, zone: Zone, guess: Double
    ) -> DateTime {
        let local = localMilliseconds(year: year, month: month, day: day, hour: hour, minute: minute, second: second, millisecond: millisecond)
        return DateTime(milliseconds: moment(ofLocal: local, guess: guess, zone: zone), zone: zone)
    }

    /// Replaces fields; a day past the month's end becomes its last one unless the day is given.
    func set(
        year: Int? = nil, month: Int? = nil, day: Int? = nil, hour: Int? = nil, minute: Int? = nil, second: Int? = nil, millisecond: Int? = nil
    ) -> DateTime {
        guard isValid else { return self }
        let newYear = year ?? self.year
        let newMonth = month ?? self.month
        let kept = min(self.day, DateTime.days(inMonth: newMonth, ofYear: newYear))
        return DateTime.local(
            year: newYear, month: newMonth, day: day ?? kept, hour: hour ?? self.hour, minute: minute ?? self.minute, second: second ?? self.second,
            millisecond: millisecond ?? self.millisecond, zone: zone, guess: offset)
    }
}
