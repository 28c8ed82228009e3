import Kernel
import Testing

@testable import Workflows

@Suite struct KindsScheduleTests {
    func next(_ rule: Schedule.Rule, _ zone: String, after time: String) -> String? {
        Schedule(rules: [rule], timeZone: zone).next(after: Timestamp(time)!).map { String($0.description.prefix(19)) }
    }

    func cron(_ text: String) throws -> Schedule.Rule { .cron(try CronExpression(text)) }

    @Test func `cron lines find their next slot`() throws {
        #expect(next(try cron("0 9 * * 1"), "UTC", after: "2026-03-10T12:00:00Z") == "2026-03-16T09:00:00")
        #expect(next(try cron("*/15 * * * *"), "UTC", after: "2026-03-10T12:15:00Z") == "2026-03-10T12:30:00")
        #expect(next(try cron("30 0 8 * * 1-5"), "UTC", after: "2026-03-13T08:00:30Z") == "2026-03-16T08:00:30")
        #expect(next(try cron("0 0 29 feb *"), "UTC", after: "2026-03-10T12:00:00Z") == "2028-02-29T00:00:00")
        #expect(next(try cron("0 0 13 * 5"), "UTC", after: "2026-03-10T12:00:00Z") == "2026-03-13T00:00:00")
        #expect(next(try cron("0 0 30 2 *"), "UTC", after: "2026-03-10T12:00:00Z") == nil)
        #expect(next(try cron("0 0 * * 7"), "UTC", after: "2026-03-10T12:00:00Z") == "2026-03-15T00:00:00")
    }

    @Test(arguments: ["", "* * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "a * * * *"])
    func `a malformed cron line is refused`(_ text: String) {
        #expect(throws: Refusal.self) { try CronExpression(text) }
    }

    @Test func `a slot in the gap of the clock comes at the first time that exists`() throws {
        // Berlin, 29 March 2026: 02:00 becomes 03:00.
        #expect(next(.days(1, hour: 2, minute: 30), "Europe/Berlin", after: "2026-03-28T12:00:00Z") == "2026-03-29T01:00:00")
        #expect(next(.days(1, hour: 2, minute: 30), "Europe/Berlin", after: "2026-03-29T01:00:00Z") == "2026-03-30T00:30:00")
    }

    @Test func `a slot in the overlap of the clock comes once`() throws {
        // Berlin, 25 October 2026: 03:00 becomes 02:00.
        #expect(next(.days(1, hour: 2, minute: 30), "Europe/Berlin", after: "2026-10-24T12:00:00Z") == "2026-10-25T00:30:00")
        #expect(next(.days(1, hour: 2, minute: 30), "Europe/Berlin", after: "2026-10-25T00:30:00Z") == "2026-10-26T01:30:00")
    }

    /// Each zone changes its clock in its own way: by half an hour, at midnight, in autumn of the southern half.
    @Test(arguments: [
        ("America/New_York", 2, 30, "2026-03-07T12:00:00Z", "2026-03-08T07:00:00"),
        ("Australia/Lord_Howe", 2, 15, "2026-10-02T20:00:00Z", "2026-10-03T15:30:00"),
        ("America/Santiago", 0, 0, "2026-09-05T12:00:00Z", "2026-09-06T04:00:00"),
        ("Europe/London", 1, 30, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00"),
        ("Asia/Kolkata", 2, 30, "2026-03-28T12:00:00Z", "2026-03-28T21:00:00")
    ])
    func `a daily slot keeps its wall clock in every zone`(_ zone: String, _ hour: Int, _ minute: Int, _ after: String, _ slot: String) throws {
        #expect(next(.days(1, hour: hour, minute: minute), zone, after: after) == slot)
        let cron = try CronExpression("\(minute) \(hour) * * *")
        #expect(next(.cron(cron), zone, after: after) == slot)
    }

    @Test func `minutes and hours go on over a change of the clock`() throws {
        // Berlin, 25 October 2026, 03:00 becomes 02:00 at 01:00 UTC.
        #expect(next(.minutes(20), "Europe/Berlin", after: "2026-10-25T00:50:00Z") == "2026-10-25T01:00:00")
        #expect(next(.minutes(20), "Europe/Berlin", after: "2026-10-25T01:00:00Z") == "2026-10-25T01:20:00")
        #expect(next(.hours(1, minute: 0), "Europe/Berlin", after: "2026-03-29T00:00:00Z") == "2026-03-29T01:00:00")
        #expect(next(.hours(1, minute: 0), "Europe/Berlin", after: "2026-03-29T01:00:00Z") == "2026-03-29T02:00:00")
    }

    @Test func `steps of more than an hour keep their wall clock over a change of the clock`() throws {
        // 01:30 of the day that has no 02:00 is followed by 03:00, and 02:00 of the day that has two by 04:00.
        #expect(next(.minutes(90), "Europe/Berlin", after: "2026-03-29T00:30:00Z") == "2026-03-29T01:00:00")
        #expect(next(.minutes(90), "Europe/Berlin", after: "2026-03-29T01:00:00Z") == "2026-03-29T02:30:00")
        #expect(next(.minutes(120), "Europe/Berlin", after: "2026-10-25T00:00:00Z") == "2026-10-25T03:00:00")
        #expect(next(.minutes(60), "Europe/Berlin", after: "2026-10-25T00:00:00Z") == "2026-10-25T01:00:00")
        #expect(next(.minutes(90), "Europe/Berlin", after: "2026-10-25T22:00:00Z") == "2026-10-25T23:00:00", "and again from midnight")
        #expect(next(.minutes(5_000), "UTC", after: "2026-03-10T12:00:00Z") == "2026-03-11T00:00:00")
    }

    @Test func `intervals are counted from the schedule and not from now`() throws {
        #expect(next(.minutes(5), "UTC", after: "2026-03-10T12:03:10Z") == "2026-03-10T12:05:00")
        #expect(next(.seconds(30), "UTC", after: "2026-03-10T12:03:10Z") == "2026-03-10T12:03:30")
        #expect(next(.hours(6, minute: 10), "UTC", after: "2026-03-10T12:10:00Z") == "2026-03-10T18:10:00")
        #expect(next(.weeks(1, days: [1, 3], hour: 8, minute: 0), "UTC", after: "2026-03-09T08:00:00Z") == "2026-03-11T08:00:00")
        #expect(next(.months(1, day: 31, hour: 0, minute: 0), "UTC", after: "2026-02-01T00:00:00Z") == "2026-02-28T00:00:00")
        let first = try #require(next(.days(3, hour: 0, minute: 0), "UTC", after: "2026-03-10T12:00:00Z"))
        #expect(next(.days(3, hour: 0, minute: 0), "UTC", after: "2026-03-08T00:00:00Z") == first)
        #expect(next(.days(3, hour: 0, minute: 0), "UTC", after: "2026-03-11T00:00:00Z") == "2026-03-14T00:00:00")
    }

    @Test func `nodes give their schedules`() throws {
        let schedule = try #require(KindRegistry.builtIn.kind("schedule"))
        let every = try Schedule(
            .make("schedule", 1.2, ["rule": ["interval": [["field": "hours", "hoursInterval": 4]]]]), kind: schedule, timeZone: "UTC")
        #expect(every.rules == [.hours(4, minute: 0)])
        #expect(try Schedule(.make("schedule", 1.2, [:]), kind: schedule, timeZone: "UTC").rules == [.days(1, hour: 0, minute: 0)])
        let weekly = try Schedule(
            .make("schedule", 1.2, ["rule": ["interval": [["field": "weeks", "triggerAtDay": []], ["field": "weeks", "triggerAtDay": ["7"]]]]]),
            kind: schedule, timeZone: "UTC")
        #expect(weekly.rules == [.weeks(1, days: [0, 1, 2, 3, 4, 5, 6], hour: 0, minute: 0), .weeks(1, days: [0], hour: 0, minute: 0)])
        let cron = try #require(KindRegistry.builtIn.kind("cron"))
        let old = try Schedule(
            .make("cron", 1, ["triggerTimes": ["item": [["mode": "everyX", "unit": "minutes", "value": 5], ["hour": 7]]]]), kind: cron,
            timeZone: "UTC")
        #expect(old.rules == [.minutes(5), .days(1, hour: 7, minute: 0)])
        #expect(throws: Refusal.self) {
            try Schedule(.make("schedule", 1.2, ["rule": ["interval": [["field": "moons"]]]]), kind: schedule, timeZone: "UTC")
        }
    }
}
