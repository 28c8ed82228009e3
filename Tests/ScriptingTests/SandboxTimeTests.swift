import Kernel
import Scripting
import Testing

/// DateTime, Duration and Interval in Luxon's manner; values follow Luxon's documentation and ISO 8601.
struct SandboxTimeTests {
    @Test(arguments: [
        ("$now.plus({months: 1}).toISO()", "2026-04-01T13:30:15.250+02:00"), ("$now.plus(1, 'days').toISODate()", "2026-03-02"),
        ("$now.toFormat('EEEE, d LLLL yyyy, h:mm a ZZ z')", "Sunday, 1 March 2026, 1:30 PM +01:00 Europe/Berlin"),
        ("$now.setZone('America/New_York').toISO()", "2026-03-01T07:30:15.250-05:00"), ("$now.setLocale('de').toFormat('cccc LLLL')", "Sonntag März"),
        ("$now.startOf('week').toISODate()", "2026-02-23"), ("$now.endOf('month').toISO()", "2026-03-31T23:59:59.999+02:00"),
        ("DateTime.fromISO('2025-03-30T02:30').toISO()", "2025-03-30T03:30:00.000+02:00"),
        ("DateTime.fromISO('2025-10-26T01:30:00Z').toISO()", "2025-10-26T02:30:00.000+01:00"),
        ("DateTime.fromISO('2025-W10-3').toISODate()", "2025-03-05"), ("DateTime.local(2025, 1, 31).plus({months: 1}).toISODate()", "2025-02-28"),
        ("DateTime.fromFormat('03/14/2025 2:05 PM', 'MM/dd/yyyy h:mm a').toISO()", "2025-03-14T14:05:00.000+01:00"),
        ("DateTime.fromRFC2822('Tue, 01 Nov 2016 13:23:12 +0630').toUTC().toISO()", "2016-11-01T06:53:12.000Z"),
        ("$now.toUTC().toRFC2822()", "Sun, 01 Mar 2026 12:30:15 +0000"), ("$now.toLocaleString(DateTime.DATE_MED)", "Mar 1, 2026"),
        ("$now.minus({days: 3}).toRelative()", "3 days ago"),
        ("'2025-01-01'.toDateTime().format('dd.MM.yyyy')", "01.01.2025"), ("new Date('2024-01-01').format('yyyy')", "2024"),
        ("'2024-03-05T10:20:30+02:00'.toDateTime().toISO()", "2024-03-05T10:20:30.000+02:00"),
        ("$now.plus(90, 'mins').minus(2, 'hrs').beginningOf('min').toISO()", "2026-03-01T13:00:00.000+01:00"),
        ("'2024-03-05T23:30:00.000Z'.format('yyyy-MM-dd HH:mm')", "2024-03-06 00:30"),
        ("'2024-03-05T23:30:00.000Z'.plus(1, 'days')", "2024-03-06T23:30:00.000Z"),
        ("Duration.fromMillis(3723000).toFormat('hh:mm:ss')", "01:02:03"),
        ("Duration.fromObject({days: 1, hours: 2}).toISO()", "P1DT2H")
    ])
    func `times as text`(source: String, expected: String) async throws {
        #expect(try await evaluate(source) == .json(.string(expected)))
    }

    @Test(arguments: [
        ("$now.weekNumber", 9.0), ("$now.ordinal", 60), ("$now.quarter", 1), ("$now.daysInMonth", 31), ("$now.weekday", 7),
        ("DateTime.fromISO('2024-01-01').diff(DateTime.fromISO('2023-01-01'), 'days').days", 365), ("Duration.fromISO('P1DT2H').as('hours')", 26),
        ("DateTime.fromISO('2024-03-01').diff(DateTime.fromISO('2024-01-31'), 'months').months * 31", 32),
        ("Interval.fromDateTimes('2025-01-01', '2025-01-03').length('days')", 2),
        ("Interval.fromDateTimes('2025-01-01', '2025-01-03').splitBy({days: 1}).length", 2),
        ("Math.round('2024-03-30T18:49:07.234'.toDateTime().diffTo('2025-01-01', 'days') * 100)", -27622),
        ("$now.diffTo('2026-02-27T12:30:15.250Z', ['days']).round(6)", 2)
    ])
    func `times as numbers`(source: String, expected: Double) async throws {
        #expect(try await evaluate(source) == .json(.number(expected)))
    }

    @Test func `an unreadable time is invalid and has no text`() async throws {
        #expect(try await evaluate("[DateTime.fromISO('x').isValid, DateTime.fromISO('x').toISO()]") == .json([false, nil]))
    }
}
