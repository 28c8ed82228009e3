import Kernel
import Testing

@testable import Billing

@Suite struct CalendarTests {
    func time(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }

    @Test(arguments: [
        ("UTC", "2026-01-31T10:00:00Z", ["2026-02-28T10:00:00", "2026-03-31T10:00:00", "2026-04-30T10:00:00"]),
        ("UTC", "2028-01-30T00:00:00Z", ["2028-02-29T00:00:00", "2028-03-30T00:00:00"]),
        // Berlin puts its clocks forward on 29 March 2026 and back on 25 October: ten in the morning stays ten in the morning.
        ("Europe/Berlin", "2026-02-28T09:00:00Z", ["2026-03-28T09:00:00", "2026-04-28T08:00:00"]),
        // Half past two does not exist in Berlin on 29 March 2026.
        ("Europe/Berlin", "2026-01-29T01:30:00Z", ["2026-02-28T01:30:00", "2026-03-29T01:30:00", "2026-04-29T00:30:00"]),
        // Half past one happens twice in New York on 1 November 2026; the first counts.
        ("America/New_York", "2026-10-01T05:30:00Z", ["2026-11-01T05:30:00", "2026-12-01T06:30:00"]),
        // Already the first of the month in Auckland.
        ("Pacific/Auckland", "2026-01-31T12:00:00Z", ["2026-02-28T12:00:00", "2026-03-31T12:00:00", "2026-04-30T13:00:00"])
    ]) func `months keep the day and the hour of the anchor`(zone: String, anchor: String, wanted: [String]) throws {
        let calendar = BillingCalendar(zone: zone)
        for (index, text) in wanted.enumerated() {
            let moment = calendar.moment(months: Int64(index) + 1, after: try time(anchor))
            #expect(String(moment.description.prefix(19)) == text, "\(zone) \(anchor) + \(index + 1)")
        }
    }

    @Test func `a year from 29 February ends on the 28th, and four years later on the 29th again`() throws {
        let calendar = BillingCalendar(zone: "UTC")
        let anchor = try time("2028-02-29T12:00:00Z")
        #expect(calendar.period(0, of: .year, anchor: anchor).end == (try time("2029-02-28T12:00:00Z")))
        #expect(calendar.period(3, of: .year, anchor: anchor).end == (try time("2032-02-29T12:00:00Z")))
    }

    @Test(arguments: ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
    func `periods join without gap or overlap, from every day of four years`(zone: String) throws {
        let calendar = BillingCalendar(zone: zone)
        for day in stride(from: Int64(0), to: 1_461, by: 3) {
            let anchor = Timestamp(seconds: 1_767_225_600 + day * 86_400 + day * 61 % 86_400)
            var end = anchor
            for index in Int64(0)..<26 {
                let period = calendar.period(index, of: .month, anchor: anchor)
                #expect(period.start == end && period.end > period.start && (27...32).contains(period.seconds / 86_400))
                end = period.end
            }
        }
    }
}
