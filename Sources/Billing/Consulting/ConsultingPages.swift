internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// Consulting for both sides: what can be booked, what was booked, and what others have booked here.
struct ConsultingPages {
    let billing: Billing
    let desk: ServiceDesk

    private var address: String { desk.consulting }
    private static let rowsShown = 50
    private static let offerFields = ["title", "about", "rate", "minimum", "approval_days"]

    var endpoints: [Endpoint] { desk.isPlatform ? offered : offered + bought }

    private var offered: [Endpoint] {
        [
            .page(.get, address, access: desk.read, summary: "Consulting") { call in try await overview(call) },
            .page(.post, "\(address)/offers", access: desk.write, summary: "Offer consulting") { call in
                let form = try call.form()
                let seller = desk.side(call)
                do {
                    let terms = try Self.terms(form)
                    _ = try await billing.saveOffer(nil, of: seller, by: call.principal) { id, now in try terms.offer(id, of: seller, at: now) }
                    return .redirect("\(address)?done=saved")
                } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) {
                    return try await overview(call, offer: form, refusal)
                }
            },
            .page(.post, "\(address)/offers/{id}/closure", access: desk.write, summary: "Close an offer") { call in
                _ = try await billing.closeOffer(try call.id("id", noun: "offer"), of: desk.side(call), by: call.principal)
                return .redirect("\(address)?done=saved")
            }
        ]
    }

    private var bought: [Endpoint] {
        [
            .page(.get, "\(address)/offers/{id}", access: .tenant(.servicesRead), summary: "An offer of consulting") { call in
                try await offer(call)
            },
            .page(.post, "\(address)/offers/{id}/bookings", access: .tenant(.billingWrite), summary: "Book hours") { call in
                let form = try call.form()
                let id: ConsultingOfferID = try call.id("id", noun: "offer")
                do {
                    guard let minutes = HoursText.minutes(form["hours"]) else { throw HoursText.refusal("hours") }
                    let seen = Int64(form["rate"]).map { Money(minorUnits: $0, currency: form["currency"]) }
                    let booking = try await billing.book(
                        id, minutes: minutes, wished: form["wished"], note: form["note"], for: call.tenant, seen: seen, by: call.principal)
                    return .redirect("\(address)/bookings/\(booking.id)?done=booked")
                } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) { return try await offer(call, form, refusal) }
            }
        ]
    }

    private static func terms(_ form: FormFields) throws -> ConsultingOfferBody {
        guard let rate = Money(decimal: form["rate"], currency: "USD"), let minimum = HoursText.minutes(form["minimum"]) else {
            throw Money(decimal: form["rate"], currency: "USD") == nil
                ? Refusal.invalid("rate", "out_of_range", "rate is an amount, as 250.00.") : HoursText.refusal("minimum")
        }
        return ConsultingOfferBody(
            title: form["title"], about: form["about"], rate: Int(rate.minorUnits), currency: nil, minimumMinutes: Int(minimum),
            approvalDays: Int(form["approval_days"]) ?? 0)
    }

    private func overview(_ call: EndpointCall, offer form: FormFields? = nil, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        let notice = Console.notice(call.parameter(ofQuery: "done") == "saved" ? text("billing.done.saved") : nil, isBad: false)
        let fault = Console.notice(refusal?.message(besides: form == nil ? [] : Self.offerFields))
        let seller = desk.side(call)
        let own = try await billing.offers(of: seller, before: nil, limit: Self.rowsShown)
        let orders = try await billing.orders(of: seller, before: nil, limit: Self.rowsShown)
        let mayOffer = desk.mayWrite(call)
        let orderList: HTML? =
            own.isEmpty && orders.isEmpty && !desk.isPlatform
            ? nil : "<h2>\(text("billing.consulting.orders"))</h2>\(try await bookings(text, orders, isOfBuyer: false))"
        let ownList: HTML? = own.isEmpty ? nil : offers(text, own, mayClose: mayOffer)
        let more: HTML? = mayOffer ? offerForm(text, form, refusal) : nil
        let offering: HTML? = own.isEmpty && !mayOffer ? nil : "<h2>\(text("billing.consulting.own"))</h2>\(ownList)\(more)"
        let buyers: HTML? = if desk.isPlatform { nil } else { try await buying(call) }
        return try await desk.page(
            call, title: text("billing.settings.consulting"), current: address, status: refusal?.kind.status ?? 200,
            """
            \(notice)\(fault)\(buyers)\(orderList)\(offering)
            """)
    }

    private func buying(_ call: EndpointCall) async throws -> HTML {
        let text = call.localizer
        let booked = try await billing.bookings(by: call.tenant, before: nil, limit: Self.rowsShown)
        return """
            <h2>\(text("billing.consulting.market"))</h2>\(try await market(call))
            <h2>\(text("billing.consulting.bookings"))</h2>\(try await bookings(text, booked, isOfBuyer: true))
            """
    }

    private func market(_ call: EndpointCall) async throws -> HTML {
        let text = call.localizer
        let cursor: ConsultingOfferID? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
        let found = try await billing.openOffers(before: cursor, limit: Self.rowsShown + 1)
        let page = Page(found, limit: Self.rowsShown) { Cursor([.string($0.id.description)]) }
        if page.data.isEmpty {
            return
                "<section class=\"card\">\(Console.empty(text("billing.consulting.market.empty"), text("billing.consulting.market.hint")))</section>"
        }
        let columns: [(title: String, kind: String?)] = [
            (text("billing.column.what"), nil), (text("billing.consulting.by"), nil), (text("billing.consulting.rate"), "number"),
            (text("billing.consulting.minimum"), "number")
        ]
        var rows: [HTML] = []
        for offer in page.data {
            let who = try await billing.serviceName(offer.seller)
            rows.append(
                """
                <tr><td class="name"><a href="\(href: "\(address)/offers/\(offer.id)")">\(offer.title)</a></td><td>\(who)</td>
                <td class="number" data-label="\(columns[2].title)">\(text.price(offer.rate, offer.currency))</td>
                <td class="number" data-label="\(columns[3].title)">\(HoursText.text(offer.minimumMinutes))</td></tr>
                """)
        }
        return "<section class=\"card\">\(Console.table(columns, rows))\(Console.more(text, address, cursor: page.nextCursor))</section>"
    }

    private func bookings(_ text: Localizer, _ all: [ConsultingBooking], isOfBuyer: Bool) async throws -> HTML {
        if all.isEmpty {
            let key = isOfBuyer ? "billing.consulting.bookings" : "billing.consulting.orders"
            return "<section class=\"card\">\(Console.empty(text("\(key).empty"), text("\(key).hint")))</section>"
        }
        let columns: [(title: String, kind: String?)] = [
            (text("billing.column.what"), nil), (text(isOfBuyer ? "billing.consulting.by" : "billing.consulting.for"), nil),
            (text("billing.consulting.booked"), "number"), (text("billing.consulting.approved"), "number"), (text("billing.column.status"), nil)
        ]
        var rows: [HTML] = []
        for booking in all {
            let who = try await billing.serviceName(isOfBuyer ? booking.seller : booking.buyer)
            rows.append(
                """
                <tr><td class="name"><a href="\(href: "\(address)/bookings/\(booking.id)")">\(booking.title)</a></td><td>\(who)</td>
                <td class="number" data-label="\(columns[2].title)">\(HoursText.text(booking.minutes))</td>
                <td class="number" data-label="\(columns[3].title)">\(HoursText.text(booking.approvedMinutes))</td>
                <td>\(ConsultingBookingPages.status(text, booking))</td></tr>
                """)
        }
        return "<section class=\"card\">\(Console.table(columns, rows))</section>"
    }

    private func offers(_ text: Localizer, _ all: [ConsultingOffer], mayClose: Bool) -> HTML {
        let columns: [(title: String, kind: String?)] = [
            (text("billing.column.what"), nil), (text("billing.consulting.rate"), "number"), (text("billing.column.status"), nil), ("", "actions")
        ]
        let rows: [HTML] = all.map { offer in
            let close: HTML? =
                offer.isOpen && mayClose
                ? Console.confirmed(
                    text, id: "close-\(offer.id)", action: "\(address)/offers/\(offer.id)/closure", label: text("billing.consulting.close"),
                    question: text("billing.consulting.close.question")) : nil
            return """
                <tr><td class="name">\(offer.title)</td><td class="number" data-label="\(columns[1].title)">\(text.price(offer.rate, offer.currency))</td>
                <td>\(text(offer.isOpen ? "billing.consulting.open" : "billing.consulting.closed"))</td><td class="actions">\(close)</td></tr>
                """
        }
        return "<section class=\"card\">\(Console.table(columns, rows))</section>"
    }

    private func offerForm(_ text: Localizer, _ form: FormFields?, _ refusal: Refusal?) -> HTML {
        func fault(_ name: String, _ field: String? = nil) -> String? { form == nil ? nil : refusal?.message(for: field ?? name) }
        return """
            <section class="card stack"><h3>\(text("billing.consulting.offer"))</h3><form method="post" action="\(address)/offers" class="form">
            \(Console.field("title", label: text("billing.consulting.title"), value: form?["title"] ?? "", hint: text("billing.consulting.title.hint"), fault: fault("title")))
            \(Console.area("about", label: text("billing.consulting.about"), value: form?["about"] ?? "", fault: fault("about"), isRequired: false))
            \(Console.field("rate", label: text("billing.consulting.rate.usd"), value: form?["rate"] ?? Money(minorUnits: ConsultingOffer.usualRate, currency: "USD").decimalText, hint: text("billing.consulting.rate.hint"), fault: fault("rate")))
            \(Console.field("minimum", label: text("billing.consulting.minimum"), value: form?["minimum"] ?? "1:00", hint: text("billing.consulting.hours.hint"), fault: fault("minimum", "minimum_minutes") ?? fault("minimum")))
            \(Console.field("approval_days", label: text("billing.consulting.approval_days"), type: "number", value: form?["approval_days"] ?? String(ConsultingOffer.usualApprovalDays), hint: text("billing.consulting.approval_days.hint"), fault: fault("approval_days")))
            <p class="buttons"><button class="button primary">\(text("billing.consulting.offer.save"))</button></p></form></section>
            """
    }

    private func offer(_ call: EndpointCall, _ form: FormFields? = nil, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        let offer = try await billing.offer(try call.id("id", noun: "offer"), for: call.tenant)
        let fields = ["hours", "wished", "note"]
        let hoursFault = form == nil ? nil : refusal?.message(for: "minutes") ?? refusal?.message(for: "hours")
        let fault = Console.notice(refusal?.message(besides: fields + ["minutes"]))
        let mayBook = call.principal.may(.billingWrite) && offer.isOpen && offer.seller != call.tenant
        let book: HTML? =
            mayBook
            ? """
            <h2>\(text("billing.consulting.book"))</h2><section class="card stack"><form method="post" action="\(href: "\(address)/offers/\(offer.id)/bookings")" class="form">
            <input type="hidden" name="rate" value="\(offer.rate)"><input type="hidden" name="currency" value="\(offer.currency)">
            \(Console.field("hours", label: text("billing.consulting.hours"), value: form?["hours"] ?? HoursText.text(offer.minimumMinutes), hint: text("billing.consulting.hours.hint"), fault: hoursFault))
            \(Console.field("wished", label: text("billing.consulting.wished"), value: form?["wished"] ?? "", hint: text("billing.consulting.wished.hint"), fault: refusal?.message(for: "wished"), isRequired: false))
            \(Console.area("note", label: text("billing.consulting.note"), value: form?["note"] ?? "", fault: refusal?.message(for: "note"), isRequired: false))
            <p class="sub">\(text("billing.consulting.book.hint", ["days": String(offer.approvalDays)]))</p>
            <p class="buttons"><button class="button primary">\(text("billing.consulting.book.send"))</button></p></form></section>
            """ : nil
        let about: HTML? = offer.about.isEmpty ? nil : "<section class=\"card stack\"><p class=\"lines\">\(offer.about)</p></section>"
        return try await desk.page(
            call, title: offer.title, current: address, crumb: desk.back(text, to: address, "billing.settings.consulting"),
            status: refusal?.kind.status ?? 200,
            """
            \(fault)<section class="card"><dl class="facts"><div><dt>\(text("billing.consulting.by"))</dt><dd>\(try await billing.serviceName(offer.seller))</dd></div>
            <div><dt>\(text("billing.consulting.rate"))</dt><dd>\(text.price(offer.rate, offer.currency))</dd></div>
            <div><dt>\(text("billing.consulting.minimum"))</dt><dd>\(HoursText.text(offer.minimumMinutes))</dd></div></dl></section>\(about)\(book)
            """)
    }
}

extension Billing {
    /// How people call who offers or buys a service.
    func serviceName(_ tenant: TenantID) async throws -> String {
        if tenant == Tenancy.platformLog { return seller.party.name }
        return try await tenancy.tenant(tenant)?.name ?? "–"
    }
}

/// Hours as people write them: `1:30`, `1.5` or `2`.
enum HoursText {
    private static let wholeMaximum: Int64 = 10_000

    /// Nil where it is none; fractions are of an hour, to the minute, halves up.
    static func minutes(_ text: String) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let hours = number(parts[0]), parts[1].count == 2, let minutes = number(parts[1]), minutes < 60 else { return nil }
            return hours * 60 + minutes
        }
        let halves = text.replacing(",", with: ".").split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count <= 2, let hours = number(halves[0]) else { return nil }
        guard halves.count == 2 else { return hours * 60 }
        guard (1...2).contains(halves[1].count), let digits = number(halves[1]) else { return nil }
        let hundredths = halves[1].count == 1 ? digits * 10 : digits
        return hours * 60 + Fraction.halfUp(hundredths, 60, over: 100)
    }

    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(text), number <= wholeMaximum else { return nil }
        return number
    }

    static func text(_ minutes: Int64) -> String { "\(minutes / 60):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60)" }

    static func refusal(_ field: String) -> Refusal { Refusal.invalid(field, "out_of_range", "\(field) is hours, as 1:30 or 1.5.") }
}
