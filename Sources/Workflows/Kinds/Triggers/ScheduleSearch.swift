internal import Kernel

/// Finds the slots of one rule. In a gap of the clock (set forward) a slot is the first local time that exists; in an overlap (set
/// back) it comes once, the first time.
struct ScheduleSearch: Sendable {
    let zone: ZoneOffsets

    func next(_ rule: Schedule.Rule, after time: Timestamp) -> Timestamp? {
        switch rule {
        case .seconds(let count):
            let step = Int64(max(1, count))
            return Timestamp(seconds: (time.seconds.flooringDivision(step) + 1) * step)
        case .minutes(let count): return nextMinute(every: Int64(max(1, count)), after: time)
        default: return nextOnDays(rule, after: time)
        }
    }

    /// Counted from the local hour, as a step in a cron line's minute field; more than an hour from local midnight.
    private func nextMinute(every count: Int64, after time: Timestamp) -> Timestamp? {
        let offset = zone.offset(at: time)
        let (local, step) = (time.seconds + offset, min(count, 1_440) * 60)
        guard count > 60 else {
            let hour = local.flooringDivision(3_600) * 3_600
            let next = hour + ((local - hour).flooringDivision(step) + 1) * step
            return Timestamp(seconds: min(next, hour + 3_600) - offset)
        }
        // The clock may be set between now and the slot, so that the offset of now is not that of the slot.
        let midnight = local.flooringDivision(86_400) * 86_400
        let times: [Int64] = Array(stride(from: midnight, to: midnight + 86_400, by: Int(step))) + [midnight + 86_400, midnight + 2 * 86_400]
        return times.lazy.map { Timestamp(seconds: instant($0)) }.first { $0 > time }
    }

    private func nextOnDays(_ rule: Schedule.Rule, after time: Timestamp) -> Timestamp? {
        let local = time.seconds + zone.offset(at: time)
        let today = local.flooringDivision(86_400)
        for day in (today - 1)...(today + Int64(KindLimits.scheduleSearchDays)) where isDay(day, of: rule) {
            let found = times(of: rule).compactMap { times -> Timestamp? in
                firstSlot(onDay: day, times, after: time)
            }
            if let first = found.min() { return first }
        }
        return nil
    }

    /// The times of a day that a rule has, as sets of hours, minutes and seconds.
    private struct Times {
        var hours: [Int]
        var minutes: [Int]
        var seconds: [Int]
    }

    private func times(of rule: Schedule.Rule) -> [Times] {
        switch rule {
        case .cron(let cron): [Times(hours: cron.hours.sorted(), minutes: cron.minutes.sorted(), seconds: cron.seconds.sorted())]
        case .hours(let count, let minute):
            [Times(hours: count < 24 ? Array(stride(from: 0, to: 24, by: max(1, count))) : [0], minutes: [minute], seconds: [0])]
        case .days(_, let hour, let minute), .weeks(_, _, let hour, let minute), .months(_, _, let hour, let minute):
            [Times(hours: [hour], minutes: [minute], seconds: [0])]
        case .seconds, .minutes: []
        }
    }

    private func firstSlot(onDay day: Int64, _ times: Times, after time: Timestamp) -> Timestamp? {
        for hour in times.hours {
            let hourStart = day * 86_400 + Int64(hour) * 3_600
            // An hour that lies wholly before the time asked for has no slot; two hours cover every change of the clock.
            guard hourStart + 3_600 + 7_200 > time.seconds + zone.offset(at: time) else { continue }
            for minute in times.minutes {
                for second in times.seconds {
                    let slot = Timestamp(seconds: instant(hourStart + Int64(minute) * 60 + Int64(second)))
                    if slot > time { return slot }
                }
            }
        }
        return nil
    }

    /// The instant of a wall-clock time; in a gap the instant at which the clock was set forward.
    private func instant(_ local: Int64) -> Int64 {
        if let instant = zone.instant(ofLocalSeconds: local) { return instant }
        var low = local - zone.offset(atUTCSeconds: local - 86_400) - 86_400
        var high = low + 2 * 86_400
        let before = zone.offset(atUTCSeconds: low)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if zone.offset(atUTCSeconds: middle) == before { low = middle } else { high = middle }
        }
        return high
    }

    private func isDay(_ day: Int64, of rule: Schedule.Rule) -> Bool {
        let (year, month, dayOfMonth) = Timestamp.civil(fromDays: day)
        let dayOfWeek = Int((day + 4) % 7 + 7) % 7
        switch rule {
        case .cron(let cron): return cron.includes(month: Int(month), day: Int(dayOfMonth), dayOfWeek: dayOfWeek)
        case .hours(let count, _): return count < 24 || day % Int64(max(1, count / 24)) == 0
        case .days(let count, _, _): return day % Int64(max(1, count)) == 0
        case .weeks(let count, let days, _, _): return days.contains(dayOfWeek) && (day - 3).flooringDivision(7) % Int64(max(1, count)) == 0
        case .months(let count, let wanted, _, _):
            guard ((year - 1970) * 12 + month - 1) % Int64(max(1, count)) == 0 else { return false }
            let next = month == 12 ? Timestamp.days(fromCivil: year + 1, 1, 1) : Timestamp.days(fromCivil: year, month + 1, 1)
            let last = next - Timestamp.days(fromCivil: year, month, 1)
            return dayOfMonth == min(Int64(wanted), last)
        case .seconds, .minutes: return false
        }
    }
}
