import Kernel
import Scripting
import Testing

/// Values follow from Luxon's documentation and algorithms; now is Wednesday 31 January 2024, 12:34:56.789 UTC.
@Suite struct `Dates in expressions` {
    @Test(arguments: Case.dates)
    func `in UTC`(_ given: Case) throws { #expect(try native(given.text) == .value(given.value)) }

    @Test(arguments: Case.berlinDates)
    func `in Berlin`(_ given: Case) throws {
        var scope = FixtureScope()
        scope.facts.timeZone = "Europe/Berlin"
        #expect(try native(given.text, scope: scope) == .value(given.value))
    }

    @Test(arguments: [
        "$now.toLocaleString()", "$now.toRelative()", "$now.toFormat('D')", "$now.toFormat('ZZZZ')", "$now.setLocale('fr').toFormat('MMMM')", "DateTime.fromISO('2024-W05-3')", "DateTime.fromISO('nonsense')",
        "DateTime.fromFormat('5', 'kkkk')", "new Date('March 5, 2024')", "new Date('2024-03-05T10:00')", "new Date().getHours()", "new Date().toString()", "`${new Date()}`", "'' + new Date()", "$now.setZone('Nowhere/Else')",
    ])
    func `that depend on locale data or the machine go to the sandbox`(_ source: String) throws { #expect(try native(source) == .needsSandbox) }
}

extension Case {
    static let dates: [Case] = [
        Case("$now.toISO()", "2024-01-31T12:34:56.789Z"), Case("$now.toISODate()", "2024-01-31"), Case("$now.toISOTime()", "12:34:56.789Z"), Case("$now.toMillis()", 1706704496789), Case("$now.toSeconds()", 1706704496.789),
        Case("$now.toUnixInteger()", 1706704496), Case("$now.year", 2024), Case("$now.month", 1), Case("$now.day", 31), Case("$now.weekday", 3), Case("$now.hour", 12), Case("$now.minute", 34), Case("$now.second", 56),
        Case("$now.millisecond", 789), Case("$now.quarter", 1), Case("$now.ordinal", 31), Case("$now.weekNumber", 5), Case("$now.weekYear", 2024), Case("$now.daysInMonth", 31), Case("$now.isInLeapYear", true),
        Case("$now.zoneName", "UTC"), Case("$now.offset", 0), Case("$now.isValid", true), Case("$now.monthLong", "January"), Case("$now.weekdayShort", "Wed"),
        Case("$now.toFormat('yyyy-MM-dd HH:mm:ss.SSS')", "2024-01-31 12:34:56.789"), Case("$now.format('dd LLL yy')", "31 Jan 24"), Case("$now.toFormat('cccc, d MMMM y')", "Wednesday, 31 January 2024"),
        Case("$now.toFormat(\"HH 'hours and' m\")", "12 hours and 34"), Case("$now.toFormat('h:mm a')", "12:34 PM"), Case("$now.toFormat('EEE WW kkkk ooo q')", "Wed 05 2024 031 1"), Case("$now.toFormat('YYYY-MM')", "YYYY-01"),
        Case("$now.toFormat('X x')", "1706704496 1706704496789"), Case("$now.toFormat('yyyy年MM月dd日')", "2024年01月31日"), Case("$now.toFormat('Z ZZ ZZZ z')", "+0 +00:00 +0000 UTC"),
        Case("$now.plus({ days: 1 })", "2024-02-01T12:34:56.789Z"), Case("$now.plus({ months: 1 })", "2024-02-29T12:34:56.789Z"), Case("$now.plus({ years: 1, months: 1 }).toISODate()", "2025-02-28"),
        Case("$now.minus({ hours: 13 }).toISO()", "2024-01-30T23:34:56.789Z"), Case("$now.plus(7, 'days').toISODate()", "2024-02-07"), Case("$now.minus(1, 'week').toISODate()", "2024-01-24"), Case("$now.plus(1000).toMillis()", 1706704497789),
        Case("$now.plus({ days: 1.5 }).toISO()", "2024-02-02T00:34:56.789Z"), Case("$now.minus({ quarters: 1 }).toISODate()", "2023-10-31"), Case("$now.plus(90, 'mins').toISOTime()", "14:04:56.789Z"),
        Case("$now.startOf('month').toISO()", "2024-01-01T00:00:00.000Z"), Case("$now.endOf('month').toISO()", "2024-01-31T23:59:59.999Z"), Case("$now.startOf('week').toISODate()", "2024-01-29"),
        Case("$now.endOf('year').toISO()", "2024-12-31T23:59:59.999Z"), Case("$now.startOf('quarter').toISODate()", "2024-01-01"), Case("$now.startOf('hour').toISOTime()", "12:00:00.000Z"), Case("$today.toISO()", "2024-01-31T00:00:00.000Z"),
        Case("$now.beginningOf('month').toISODate()", "2024-01-01"), Case("$now.endOfMonth().toISODate()", "2024-01-31"), Case("$now.set({ month: 2 }).toISODate()", "2024-02-29"), Case("$now.set({ hour: 0, minute: 5 }).toISOTime()", "00:05:56.789Z"),
        Case("$now.setZone('America/New_York').toISO()", "2024-01-31T07:34:56.789-05:00"), Case("$now.setZone('Asia/Kolkata').toISO()", "2024-01-31T18:04:56.789+05:30"), Case("$now.setZone('utc+2').toISO()", "2024-01-31T14:34:56.789+02:00"),
        Case("$now.setZone('Europe/London').toISO()", "2024-01-31T12:34:56.789+00:00"), Case("$now.toISO({ suppressMilliseconds: true })", "2024-01-31T12:34:56.789Z"), Case("$today.toISO({ suppressMilliseconds: true, includeOffset: false })", "2024-01-31T00:00:00"),
        Case("DateTime.fromISO('2024-03-05').toISO()", "2024-03-05T00:00:00.000Z"), Case("DateTime.fromISO('2024-03-05T10:20:30+02:00').toISO()", "2024-03-05T08:20:30.000Z"), Case("DateTime.fromISO('2024-03').month", 3), Case("DateTime.fromISO('20240305').day", 5),
        Case("DateTime.fromISO('2024-13-01').isValid", false), Case("DateTime.fromISO('2024-02-30').isValid", false), Case("DateTime.fromISO('2024-03-05T10:20:30.123456Z').millisecond", 123), Case("DateTime.fromMillis(0).toISO()", "1970-01-01T00:00:00.000Z"),
        Case("DateTime.fromSeconds(1.5).toISO()", "1970-01-01T00:00:01.500Z"), Case("DateTime.fromFormat('05/03/2024', 'dd/MM/yyyy').toISODate()", "2024-03-05"), Case("DateTime.fromFormat('Mar 5 2024 3:07 PM', 'MMM d yyyy h:mm a').toISO()", "2024-03-05T15:07:00.000Z"),
        Case("DateTime.now().toISO()", "2024-01-31T12:34:56.789Z"), Case("DateTime.utc().year", 2024), Case("DateTime.fromISO('1900-02-28').plus({ days: 1 }).toISODate()", "1900-03-01"), Case("DateTime.fromISO('1969-12-31T23:59:59.999Z').toMillis()", -1),
        Case("DateTime.fromISO('2021-01-03').weekNumber", 53), Case("DateTime.fromISO('2024-12-30').toFormat(\"kkkk-'W'WW\")", "2025-W01"), Case("DateTime.fromISO('2024-01-01').weekday", 1), Case("DateTime.fromISO('2023-01-01').weekday", 7),
        Case("DateTime.fromISO('2024-03-01').diff(DateTime.fromISO('2024-01-31'), 'months').months", .number(1 + 1.0 / 31)), Case("$now.diff(DateTime.fromISO('2024-01-01'), 'days').days.toFixed(4)", "30.5243"),
        Case("DateTime.fromISO('2024-03-05').diff(DateTime.fromISO('2024-01-01'), ['months', 'days']).toObject()", ["months": 2, "days": 4]), Case("$today.diff(DateTime.fromISO('2024-02-02'), 'days').days", -2),
        Case("$now.diff($today, 'hours').hours.toFixed(3)", "12.582"), Case("$now.diff($today, ['hours', 'minutes']).toObject().hours", 12), Case("$now.diff($today).milliseconds", 45296789), Case("DateTime.fromISO('2024-01-10').diff($today, 'weeks').weeks", -3),
        Case("$now.diffTo('2024-01-01T00:00:00.000Z', 'days').toFixed(2)", "30.52"), Case("$today.diffTo($now, 'hours').toFixed(2)", "-12.58"), Case("DateTime.fromISO('2025-01-01').diff(DateTime.fromISO('2024-01-01'), 'years').years", 1),
        Case("$now > $today", true), Case("$now - $today", 45296789), Case("$now < DateTime.fromISO('2025-01-01')", true), Case("$now.isBetween('2024-01-01', '2024-02-01')", true), Case("$today.isWeekend()", false), Case("DateTime.fromISO('2024-02-03').isWeekend()", true),
        Case("$now.extract('month')", 1), Case("$now.extract()", 5), Case("$now.minus(10, 'minutes').isInLast(15, 'minutes')", true), Case("$now.toInt()", 1706704496789), Case("$now.isEmpty()", false), Case("`${$now}`", "2024-01-31T12:34:56.789Z"),
        Case("'2024-03-05'.toDateTime().toISODate()", "2024-03-05"), Case("'2024-03-05T10:20:30+02:00'.toDateTime().toISO()", "2024-03-05T10:20:30.000+02:00"), Case("'05.03.2024'.toDateTime('dd.MM.yyyy').toISODate()", "2024-03-05"), Case("'1700000000'.toDateTime('s').year", 2023),
        Case("new Date().toISOString()", "2024-01-31T12:34:56.789Z"), Case("new Date('2024-03-05').getTime()", 1709596800000), Case("new Date('2024-03-05T10:00:00Z').toISOString()", "2024-03-05T10:00:00.000Z"), Case("Date.now()", 1706704496789),
        Case("new Date(0)", "1970-01-01T00:00:00.000Z"), Case("new Date('2024-03-05T10:00:00+02:00').getUTCHours()", 8), Case("new Date($json.when) > new Date('2024-01-01')", true), Case("new Date('2024-03-05') - new Date('2024-03-04')", 86400000),
        Case("new Date($json.when).getUTCMonth() + 1", 3), Case("new Date($json.when).toISOString().split('T')[0]", "2024-03-05"), Case("Math.floor((Date.now() - new Date('2024-01-01').getTime()) / 86400000)", 30),
        Case("$json.when.toDateTime().toFormat('HH:mm')", "06:07"), Case("DateTime.fromISO($json.when).plus({ days: 1 }).toISODate()", "2024-03-06"), Case("$now.toUTC().toISO()", "2024-01-31T12:34:56.789Z"),
    ]

    static let berlinDates: [Case] = [
        Case("$now", "2024-01-31T13:34:56.789+01:00"), Case("$now.hour", 13), Case("$today.toISO()", "2024-01-31T00:00:00.000+01:00"), Case("$now.zoneName", "Europe/Berlin"), Case("$now.offset", 60), Case("$now.toUTC().toISO()", "2024-01-31T12:34:56.789Z"),
        Case("DateTime.fromISO('2024-07-01').toISO()", "2024-07-01T00:00:00.000+02:00"), Case("DateTime.fromISO('2024-07-01T10:00:00Z').toISO()", "2024-07-01T12:00:00.000+02:00"), Case("DateTime.fromISO('2024-07-01').isInDST", true), Case("$now.isInDST", false),
        // The clock skips 02:00 to 03:00 on 31 March and repeats it on 27 October.
        Case("DateTime.fromISO('2024-03-31T02:30').toISO()", "2024-03-31T03:30:00.000+02:00"), Case("DateTime.fromISO('2024-03-30T02:30').plus({ days: 1 }).toISO()", "2024-03-31T03:30:00.000+02:00"),
        Case("DateTime.fromISO('2024-03-30T12:00').plus({ days: 1 }).toISO()", "2024-03-31T12:00:00.000+02:00"), Case("DateTime.fromISO('2024-03-30T12:00').plus({ hours: 24 }).toISO()", "2024-03-31T13:00:00.000+02:00"),
        Case("DateTime.fromISO('2024-10-27').endOf('day').diff(DateTime.fromISO('2024-10-27'), 'hours').hours.round()", 25), Case("DateTime.fromISO('2024-04-01').diff(DateTime.fromISO('2024-03-30'), 'days').days", 2),
        Case("DateTime.fromISO('2024-10-27T02:30:00+02:00').plus({ hours: 1 }).toISO()", "2024-10-27T02:30:00.000+01:00"), Case("$now.toFormat('ZZ z')", "+01:00 Europe/Berlin"), Case("$now.setZone('UTC').toISO()", "2024-01-31T12:34:56.789Z"),
        Case("$now.startOf('day').toUTC().toISO()", "2024-01-30T23:00:00.000Z"), Case("'2024-03-05T23:30:00.000Z'.format('yyyy-MM-dd HH:mm')", "2024-03-06 00:30"), Case("new Date('2024-03-05').toISOString()", "2024-03-05T00:00:00.000Z"),
        Case("'2024-07-05'.toDateTime().toISO()", "2024-07-05T00:00:00.000+02:00"), Case("$now.set({ month: 7 }).toISO()", "2024-07-31T13:34:56.789+02:00"), Case("$json.when.plus(1, 'days')", "2024-03-06T06:07:08.009Z"),
    ]
}
