package import Kernel

/// When a workflow starts by itself: the rules of a schedule node, in a time zone. Slots are computed from the schedule and never
/// from now, so that two schedulers find the same ones.
package struct Schedule: Sendable, Hashable {
    package enum Rule: Sendable, Hashable {
        case cron(CronExpression)
        /// Every so many seconds, minutes or hours, counted from midnight of 1970-01-01 UTC (seconds) or from the local hour or day.
        case seconds(Int)
        case minutes(Int)
        case hours(Int, minute: Int)
        /// Every so many days, counted from 1970-01-01.
        case days(Int, hour: Int, minute: Int)
        /// Every so many weeks, counted from the one with 1970-01-04 (a Sunday); days from Sunday, 0.
        case weeks(Int, days: Set<Int>, hour: Int, minute: Int)
        /// Every so many months, counted from January 1970; a day that the month lacks is its last.
        case months(Int, day: Int, hour: Int, minute: Int)
    }

    package var rules: [Rule]
    /// IANA name.
    package var timeZone: String

    package init(rules: [Rule], timeZone: String) {
        self.rules = rules
        self.timeZone = timeZone
    }

    /// The first slot strictly after `time`; nil where there is none within eight years (30 February).
    package func next(after time: Timestamp) -> Timestamp? {
        let search = ScheduleSearch(zone: ZoneOffsets(timeZone))
        return rules.compactMap { search.next($0, after: time) }.min()
    }
}
