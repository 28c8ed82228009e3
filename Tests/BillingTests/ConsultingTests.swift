import HTTPSurface
import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// Consulting by the hour: what was agreed is what is worked, approved, invoiced and earned, to the cent, and never more than was booked.
@Suite(.timeLimit(.minutes(5))) struct ConsultingTests {
    private func offer(_ harness: BillingHarness, _ seller: TenantID, rate: Int64 = 25_000) async throws -> ConsultingOffer {
        try await harness.billing.saveOffer(nil, of: seller, by: harness.ana) { id, now in
            ConsultingOffer(
                id: id, seller: seller, title: "Workflow review", about: "", currency: "USD", rate: rate, minimumMinutes: 60, approvalDays: 3,
                isOpen: true, madeAt: now)
        }
    }

    private func booked(_ harness: BillingHarness, _ seller: TenantID, minutes: Int64, rate: Int64 = 25_000) async throws -> ConsultingBooking {
        let offer = try await offer(harness, seller, rate: rate)
        let booking = try await harness.billing.book(offer.id, minutes: minutes, wished: "Tuesday", note: "", for: harness.id, by: harness.ana)
        return try await harness.billing.decide(booking.id, isAccepted: true, reason: "", of: seller, by: harness.ana)
    }

    private func entries(_ harness: BillingHarness, _ minutes: Int64...) -> [ConsultingEntry] {
        let day = String(harness.lease.clock.now.description.prefix(10))
        return minutes.map { ConsultingEntry(day: day, minutes: $0, what: "Looked at it") }
    }

    private func submitted(_ harness: BillingHarness, _ booking: ConsultingBooking, _ minutes: Int64) async throws -> ConsultingSheet {
        let sheet = try await harness.billing.writeSheet(entries(harness, minutes), for: booking.id, of: booking.seller, by: harness.ana)
        return try await harness.billing.submit(sheet.id, of: booking.seller, by: harness.ana)
    }

    @Test(arguments: DatabaseEngine.allCases) func `hours are booked, worked, disputed, approved, invoiced and earned`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            let billing = harness.billing
            let seller = try await harness.seller("sel")
            let offer = try await offer(harness, seller)
            func book(_ minutes: Int64) async throws -> ConsultingBooking {
                try await billing.book(offer.id, minutes: minutes, wished: "", note: "", for: harness.id, by: harness.ana)
            }
            #expect(try await refusal { try await book(240) } == "profile_required")
            try await harness.profile("DE")
            #expect(try await refusal { try await book(59) } == "below_minimum")
            #expect(
                try await refusal { try await billing.book(offer.id, minutes: 60, wished: "", note: "", for: seller, by: harness.ana) } == "own_offer"
            )
            let declined = try await billing.decide(try await book(60).id, isAccepted: false, reason: "On leave", of: seller, by: harness.ana)
            #expect(declined.status == .declined && declined.reason == "On leave")
            #expect(
                try await refusal { try await billing.decide(declined.id, isAccepted: true, reason: "", of: seller, by: harness.ana) }
                    == "booking_decided")
            let booking = try await book(240)
            #expect(
                try await refusal {
                    try await billing.writeSheet(entries(harness, 60), for: booking.id, of: seller, by: harness.ana)
                } == "booking_not_accepted")
            _ = try await billing.decide(booking.id, isAccepted: true, reason: "", of: seller, by: harness.ana)
            #expect(try await refusal { try await billing.withdraw(booking.id, of: harness.id, by: harness.ana) } == "booking_decided")

            // A draft is the seller's; what was submitted is changed only after it was disputed.
            let draft = try await billing.writeSheet(entries(harness, 60, 40), for: booking.id, of: seller, by: harness.ana)
            #expect(try await billing.booking(booking.id, for: harness.id).sheets.isEmpty)
            #expect(try await refusal { try await billing.approve(draft.id, of: harness.id, by: harness.ana) } == "not_found")
            _ = try await billing.submit(draft.id, of: seller, by: harness.ana)
            #expect(
                try await refusal { try await billing.rewrite(draft.id, entries(harness, 1), of: seller, by: harness.ana) } == "sheet_not_editable")
            _ = try await billing.dispute(draft.id, reason: "It was less", of: harness.id, by: harness.ana)
            _ = try await billing.rewrite(draft.id, entries(harness, 95), of: seller, by: harness.ana)
            _ = try await billing.submit(draft.id, of: seller, by: harness.ana)
            let approved = try await billing.approve(draft.id, of: harness.id, by: harness.ana)
            // 95 minutes of 250.00: 395.83.
            #expect(approved.status == .approved && approved.amount == 39_583)
            #expect(try await refusal { try await billing.approve(draft.id, of: harness.id, by: harness.ana) } == "sheet_not_submitted")

            // No more than was booked, unless the customer agrees to more.
            let long = try await billing.writeSheet(entries(harness, 185), for: booking.id, of: seller, by: harness.ana)
            #expect(try await refusal { try await billing.submit(long.id, of: seller, by: harness.ana) } == "exceeds_booking")
            _ = try await billing.ask(booking.id, minutes: 40, reason: "More to see", of: seller, by: harness.ana)
            #expect(
                try await refusal { try await billing.answer(booking.id, minutes: 20, isAgreed: true, of: harness.id, by: harness.ana) }
                    == "nothing_asked")
            let more = try await billing.answer(booking.id, minutes: 40, isAgreed: true, of: harness.id, by: harness.ana)
            #expect(more.minutes == 280 && more.moreMinutes == 0)
            _ = try await billing.submit(long.id, of: seller, by: harness.ana)
            try await billing.collectDue()
            #expect(try await billing.sheet(long.id, for: seller).sheet.status == .submitted)
            harness.days(4)
            try await billing.collectDue()
            let second = try await billing.sheet(long.id, for: seller).sheet
            #expect(second.status == .approved && second.isAutomatic)
            // Both are the price of all 280 minutes, to the cent.
            #expect(approved.amount + second.amount == Fraction.halfUp(25_000, 280, over: 60))

            _ = try await billing.complete(booking.id, of: seller, by: harness.ana)
            let sheets = try await billing.booking(booking.id, for: seller).sheets
            #expect(sheets.map(\.status) == [.invoiced, .invoiced] && Set(sheets.compactMap(\.invoice)).count == 1)
            let invoice = try await billing.invoice(try #require(sheets[0].invoice), of: harness.id)
            #expect(invoice.lines.map(\.charge.amount) == sheets.map(\.amount))
            #expect(invoice.lines.reduce(0) { $0 + $1.total } == invoice.total && invoice.subtotal == 116_667)
            #expect(invoice.tax == 22_167 && invoice.lines[0].charge.item?.name.contains("1:35 h at 250.00 USD") == true)
            #expect(
                try await refusal { try await billing.invoiceSheets(booking.id, of: seller, by: harness.ana) } == "nothing_to_invoice")
            // The seller has its part when it is paid, and gives it back with what goes back.
            _ = try await harness.pay(invoice.total, reference: "B1", for: invoice)
            func earned() async throws -> Int64 { try await billing.earnings(of: seller).first?.sales ?? 0 }
            #expect(try await earned() == sheets.reduce(0) { $0 + BasisPoints.percent(70).of($1.amount) })
            _ = try await billing.credit(invoice.id, invoice.total, to: .wallet, of: harness.id, by: harness.ana)
            #expect(try await earned() == 0)
            try await harness.check("at the end")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `of two at once one is done, and no more than was booked is submitted or invoiced`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let billing = harness.billing
            let booking = try await booked(harness, try await harness.seller("sel"), minutes: 240)
            let (one, sela) = (entries(harness, 150), harness.ana)
            let drafts = try await withThrowingTaskGroup(of: ConsultingSheet.self) { group in
                for _ in 0..<2 {
                    group.addTask { try await billing.writeSheet(one, for: booking.id, of: booking.seller, by: sela) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(drafts.map(\.number)) == [1, 2])
            func outcomes(_ count: Int, _ work: @escaping @Sendable (Int) async throws -> Void) async throws -> [String] {
                try await withThrowingTaskGroup(of: String.self) { group in
                    for place in 0..<count {
                        group.addTask { try await refusal { try await work(place) } ?? "done" }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }.sorted()
                }
            }
            let ana = harness.ana
            #expect(
                try await outcomes(2) { _ = try await billing.submit(drafts[$0].id, of: booking.seller, by: ana) } == ["done", "exceeds_booking"])
            let waiting = try #require(try await billing.booking(booking.id, for: harness.id).sheets.first)
            let buyer = harness.id
            #expect(
                try await outcomes(4) { _ in _ = try await billing.approve(waiting.id, of: buyer, by: ana) }
                    == ["done", "sheet_not_submitted", "sheet_not_submitted", "sheet_not_submitted"])
            #expect(
                try await outcomes(4) { _ in _ = try await billing.invoiceSheets(booking.id, of: booking.seller, by: ana) }.filter { $0 == "done" }
                    .count == 1)
            #expect(try await billing.invoices(of: buyer, before: nil, limit: 9).map(\.subtotal) == [62_500])
            try await harness.check("at the end")
        }
    }

    @Test func `the sheets of a booking add up to the price of its hours, whatever their lengths`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let booking = try await booked(harness, Tenancy.platformLog, minutes: 100, rate: 33_333)
            var sum: Int64 = 0
            for minutes in [1, 1, 1, 7, 13, 1, 29, 47] as [Int64] {
                let sheet = try await submitted(harness, booking, minutes)
                sum += try await harness.billing.approve(sheet.id, of: harness.id, by: harness.ana).amount
            }
            #expect(sum == Fraction.halfUp(33_333, 100, over: 60))
            // Approved sheets are invoiced by themselves after a week, by the platform's own consulting without a seller's part.
            harness.days(8)
            try await harness.billing.collectDue()
            let invoice = try #require(try await harness.billing.invoices(of: harness.id, before: nil, limit: 9).first)
            #expect(invoice.subtotal == sum)
            #expect(try await harness.billing.invoice(invoice.id, of: harness.id).lines.count == 8)
            try await harness.check("at the end")
        }
    }

    @Test func `sheets that cannot be moved on keep no other from it, however many they are`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let booking = try await booked(harness, Tenancy.platformLog, minutes: 100)
            let (ids, early) = (harness.lease.ids, harness.lease.clock.now)
            // More than are looked for at once, due before the other, and of a booking that is gone.
            try await harness.database.writePlatform { tx in
                let gone: ConsultingBookingID = ids.next()
                for number in 1...Int64(201) {
                    var sheet = ConsultingSheet(id: ids.next(), booking: gone, number: number, madeAt: early)
                    (sheet.status, sheet.dueAt) = (.submitted, early)
                    try SheetStore(tx: tx).save(sheet)
                }
            }
            let sheet = try await submitted(harness, booking, 60)
            harness.days(4)
            try await harness.billing.moveSheetsOn()
            #expect(try await harness.billing.booking(booking.id, for: harness.id).sheets.first { $0.id == sheet.id }?.status == .approved)
        }
    }

    @Test func `a day is a day that there is, within the booking's time, and no longer than a day`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let booking = try await booked(harness, try await harness.seller("sel"), minutes: 6_000)
            let today = String(harness.lease.clock.now.description.prefix(10))
            for (day, minutes) in [("2026-02-30", 60), ("1999-01-01", 60), ("2999-01-01", 60), ("tomorrow!!", 60), (today, 0), (today, 1_441)] {
                let entry = ConsultingEntry(day: day, minutes: Int64(minutes), what: "x")
                #expect(
                    try await refusal {
                        try await harness.billing.writeSheet([entry], for: booking.id, of: booking.seller, by: harness.ana)
                    } == "out_of_range", "\(day) \(minutes)")
            }
            // A booking that is full takes no more, whatever both sides agree to.
            let full = try await booked(harness, booking.seller, minutes: ConsultingBooking.minutesMaximum)
            #expect(
                try await refusal { try await harness.billing.ask(full.id, minutes: 1, reason: "More", of: full.seller, by: harness.ana) }
                    == "out_of_range")
            // Nobody is asked without end.
            let offer = try await offer(harness, booking.seller)
            func book() async throws -> ConsultingBooking {
                try await harness.billing.book(offer.id, minutes: 60, wished: "", note: "", for: harness.id, by: harness.ana)
            }
            for _ in 0..<ConsultingBooking.askedMaximum { _ = try await book() }
            #expect(try await refusal { try await book() } == "too_many_bookings")
            #expect(
                try await refusal {
                    try await harness.billing.writeSheet(
                        entries(harness, 1_000, 441), for: booking.id, of: booking.seller, by: harness.ana)
                } == "out_of_range")
        }
    }

    @Test func `hours are booked at the price that was seen, or not`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let seller = try await harness.seller("sel")
            let offer = try await offer(harness, seller)
            _ = try await harness.billing.saveOffer(offer.id, of: seller, by: harness.ana) { _, _ in
                var dearer = offer
                dearer.rate = 1_000_000
                return dearer
            }
            func book(_ rate: Int64, _ currency: String = "USD") async throws -> ConsultingBooking {
                try await harness.billing.book(
                    offer.id, minutes: 60, wished: "", note: "", for: harness.id, seen: Money(minorUnits: rate, currency: currency), by: harness.ana)
            }
            #expect(try await refusal { try await book(25_000) } == "price_changed")
            #expect(try await refusal { try await book(1_000_000, "EUR") } == "price_changed")
            #expect(try await book(1_000_000).rate == 1_000_000)
            // The page shows what there is now, and asks again.
            let answer = try await harness.surface(as: harness.ana).answer(
                LocalRequest(
                    "POST", "/settings/consulting/offers/\(offer.id)/bookings", headers: [("Content-Type", "application/x-www-form-urlencoded")],
                    body: Array("hours=1:00&rate=25000&currency=USD".utf8)))
            #expect(answer.status == 409 && answer.text.contains(#"name="rate" value="1000000""#), "\(answer.text)")
        }
    }

    @Test(arguments: [("1:30", 90), ("1.5", 90), ("0,75", 45), ("2", 120), ("0.33", 20)] as [(String, Int64)])
    func `hours are read as people write them`(text: String, minutes: Int64) {
        #expect(HoursText.minutes(text) == minutes)
        #expect(HoursText.minutes(HoursText.text(minutes)) == minutes)
        for bad in ["", "x", "1:60", "1:5", "-1", "1.234", "1:30:00", "99999", "1h", ":30", "1."] { #expect(HoursText.minutes(bad) == nil, "\(bad)") }
    }

    @Test(arguments: DatabaseEngine.allCases) func `each side does its own part, and a third sees nothing`(engine: DatabaseEngine) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let seller = try await harness.seller("sel")
            let booking = try await booked(harness, seller, minutes: 240)
            let sheet = try await submitted(harness, booking, 60)
            let sela = try await BillingHarness.owner(of: try #require(try await harness.tenancy.tenant(seller)), harness.tenancy)
            let other = try await harness.tenancy.createTenant(
                NewTenant(name: "Other", subdomain: "other", plan: .starter), owner: "oscar@example.com", by: .system(in: nil)
            ).tenant
            let oscar = try await BillingHarness.owner(of: other, harness.tenancy)
            let bodies = BillingRouteTests.bodies
            var seen = 0
            for endpoint in try harness.endpoints() where endpoint.path.description.contains("consulting-") {
                let template = endpoint.path.description
                guard endpoint.path.parameters == ["id"], endpoint.access != .platformOperator, !template.contains("offers"),
                    !template.contains("market")
                else { continue }
                let id = template.contains("sheets/") ? sheet.id.description : booking.id.description
                let isOfBuyer = template.contains("bookings") || template.hasSuffix("approval") || template.hasSuffix("dispute")
                let body = ["POST", "PUT"].contains(endpoint.method.rawValue) ? bodies[template] ?? "" : ""
                // The other side sees a booking, and does nothing of the one's part.
                let isRead = endpoint.method == .get
                for person in [oscar] + (isRead ? [] : [isOfBuyer ? sela : harness.ana]) {
                    let answer = try await harness.surface(as: person).answer(
                        LocalRequest(
                            endpoint.method.rawValue, template.replacing("{id}", with: id), headers: [("Content-Type", "application/json")],
                            body: Array(body.utf8)))
                    #expect(answer.status == 404, "\(endpoint.method.rawValue) \(template): \(answer.status) \(answer.text)")
                    seen += 1
                }
            }
            #expect(seen >= 18)
            #expect(try await harness.billing.booking(booking.id, for: seller).booking == booking)
            #expect(try await harness.billing.sheet(sheet.id, for: seller).sheet == sheet)
            let surface = try harness.surface(as: harness.ana)
            let market = try await surface.answer(LocalRequest("GET", "/v1/consulting-market"))
            #expect(market.status == 200 && market.text.contains("Workflow review"))
            let shown = try await surface.answer(LocalRequest("GET", "/v1/consulting-bookings/\(booking.id)"))
            #expect(shown.status == 200 && shown.text.contains(#""amount":25000"#) && shown.text.contains("Looked at it"))
        }
    }
}
