internal import Foundation
package import Kernel

/// From its start to before its end.
package struct BillingPeriod: Sendable, Hashable {
    package var start: Timestamp
    package var end: Timestamp

    package func contains(_ time: Timestamp) -> Bool { start <= time && time < end }
    var seconds: Int64 { end.seconds - start.seconds }
}

/// How often a subscription is paid.
package enum BillingInterval: String, Sendable, Hashable, Codable, CaseIterable {
    case month, year
    var months: Int64 { self == .month ? 1 : 12 }
}

/// Periods anchored to a moment in a time zone: the same day of the month and time of the day, or the month's last day where it is shorter.
struct BillingCalendar {
    private let zone: TimeZone

    /// A zone that is not known counts as UTC.
    init(zone identifier: String) { zone = TimeZone(identifier: identifier) ?? .gmt }

    /// The period number `index` after the anchor, from 0.
    func period(_ index: Int64, of interval: BillingInterval, anchor: Timestamp) -> BillingPeriod {
        BillingPeriod(
            start: moment(months: index * interval.months, after: anchor), end: moment(months: (index + 1) * interval.months, after: anchor))
    }

    /// The anchor itself for no months: periods never drift, since each is counted from the anchor and not from the one before.
    func moment(months: Int64, after anchor: Timestamp) -> Timestamp {
        guard months != 0 else { return anchor }
        let local = anchor.seconds + offset(at: anchor.seconds)
        let day = local.flooringDivision(86_400)
        let timeOfDay = local - day * 86_400
        let (year, month, dayOfMonth) = Timestamp.civil(fromDays: day)
        let count = year * 12 + month - 1 + months
        let (newYear, newMonth) = (count.flooringDivision(12), count - count.flooringDivision(12) * 12 + 1)
        let clamped = min(dayOfMonth, Self.days(in: newMonth, of: newYear))
        let wanted = Timestamp.days(fromCivil: newYear, newMonth, clamped) * 86_400 + timeOfDay
        return Timestamp(microseconds: utc(local: wanted) * 1_000_000 + anchor.microseconds - anchor.seconds * 1_000_000)
    }

    /// The moment at which clocks of the zone show a time: the first of two where they are put back; where they skip it, as much later.
    private func utc(local: Int64) -> Int64 {
        let before = local - offset(at: local - 86_400)
        let after = local - offset(at: local + 86_400)
        let fits = [before, after].filter { $0 + offset(at: $0) == local }
        return fits.min() ?? max(before, after)
    }

    private func offset(at seconds: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds))))
    }

    static func days(in month: Int64, of year: Int64) -> Int64 {
        let next = month == 12 ? Timestamp.days(fromCivil: year + 1, 1, 1) : Timestamp.days(fromCivil: year, month + 1, 1)
        return next - Timestamp.days(fromCivil: year, month, 1)
    }
}

/// What a part of a paid period is worth.
enum Proration {
    /// The price of what is left of the period at a moment, to the second, halves up. Amounts between two moments are differences of two such
    /// values, so that parts always sum to the whole.
    static func unused(_ price: Int64, of period: BillingPeriod, at moment: Timestamp) -> Int64 {
        guard period.seconds > 0 else { return 0 }
        let left = min(max(period.end.seconds - moment.seconds, 0), period.seconds)
        return Fraction.halfUp(price, left, over: period.seconds)
    }

    /// What a change of price costs now: a credit for what is unused, never more than was paid for the period and not yet credited, and the
    /// charge for the same time at the new price.
    static func change(from old: Int64, to new: Int64, of period: BillingPeriod, at moment: Timestamp, creditable: Int64) -> (
        credit: Int64, charge: Int64
    ) {
        (min(unused(old, of: period, at: moment), max(creditable, 0)), unused(new, of: period, at: moment))
    }
}
