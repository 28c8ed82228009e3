internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// A booking as either side sees it, with what it may do.
struct ConsultingBookingPages {
    let billing: Billing
    let desk: ServiceDesk

    private var address: String { "\(desk.consulting)/bookings" }
    private static let rowsAtLeast = 4
    private static let rowsMore = 3

    var endpoints: [Endpoint] {
        let worked: [Endpoint] = [
            .page(.get, "\(address)/{id}", access: desk.read, summary: "A booking") { call in try await show(call) },
            .page(.post, "\(address)/{id}/consultant", access: desk.write, summary: "Act on a booking as who works") { call in
                try await act(call, asSeller)
            }
        ]
        if desk.isPlatform { return worked }
        return worked + [
            .page(.post, "\(address)/{id}/customer", access: .tenant(.billingWrite), summary: "Act on a booking as the customer") { call in
                try await act(call, asBuyer)
            }
        ]
    }

    private func act(_ call: EndpointCall, _ work: (EndpointCall, ConsultingBooking, FormFields) async throws -> Void) async throws -> Answer {
        let id: ConsultingBookingID = try call.id("id", noun: "booking")
        let form = try call.form()
        let (booking, _) = try await billing.booking(id, for: desk.side(call))
        do {
            try await work(call, booking, form)
            return .redirect("\(address)/\(id)?done=saved")
        } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) { return try await show(call, form, refusal) }
    }

    private func sheetID(_ form: FormFields) throws -> ConsultingSheetID {
        guard let id = ConsultingSheetID(form["sheet"]) else { throw Refusal.missing("time sheet") }
        return id
    }

    private func asBuyer(_ call: EndpointCall, _ booking: ConsultingBooking, _ form: FormFields) async throws {
        let (tenant, principal) = (call.tenant, call.principal)
        guard booking.buyer == tenant else { throw Refusal.missing("booking") }
        switch form["do"] {
        case "withdraw": _ = try await billing.withdraw(booking.id, of: tenant, by: principal)
        case "agree", "refuse":
            _ = try await billing.answer(
                booking.id, minutes: Int64(form["minutes"]) ?? 0, isAgreed: form["do"] == "agree", of: tenant, by: principal)
        case "approve": _ = try await billing.approve(try sheetID(form), of: tenant, by: principal)
        case "dispute": _ = try await billing.dispute(try sheetID(form), reason: form["reason"], of: tenant, by: principal)
        default: throw Refusal.missing("action")
        }
    }

    private func asSeller(_ call: EndpointCall, _ booking: ConsultingBooking, _ form: FormFields) async throws {
        let (tenant, principal) = (desk.side(call), call.principal)
        guard booking.seller == tenant else { throw Refusal.missing("booking") }
        switch form["do"] {
        case "accept": _ = try await billing.decide(booking.id, isAccepted: true, reason: "", of: tenant, by: principal)
        case "decline": _ = try await billing.decide(booking.id, isAccepted: false, reason: form["reason"], of: tenant, by: principal)
        case "more":
            guard let minutes = HoursText.minutes(form["more"]) else { throw HoursText.refusal("more") }
            _ = try await billing.ask(booking.id, minutes: minutes, reason: form["more_reason"], of: tenant, by: principal)
        case "write":
            let entries = try Self.entries(form)
            if form["sheet"].isEmpty {
                _ = try await billing.writeSheet(entries, for: booking.id, of: tenant, by: principal)
            } else {
                _ = try await billing.rewrite(try sheetID(form), entries, of: tenant, by: principal)
            }
        case "submit":
            // What was typed since it was saved counts.
            let (id, entries) = (try sheetID(form), try Self.entries(form))
            if try await billing.sheet(id, for: tenant).sheet.entries != entries {
                _ = try await billing.rewrite(id, entries, of: tenant, by: principal)
            }
            _ = try await billing.submit(id, of: tenant, by: principal)
        case "invoice": _ = try await billing.invoiceSheets(booking.id, of: tenant, by: principal)
        case "complete": _ = try await billing.complete(booking.id, of: tenant, by: principal)
        default: throw Refusal.missing("action")
        }
    }

    /// The rows of a form in which something was filled in.
    private static func entries(_ form: FormFields) throws -> [ConsultingEntry] {
        try (0..<ConsultingEntry.maximum).compactMap { place in
            let (day, hours, what) = (form["day-\(place)"], form["hours-\(place)"], form["what-\(place)"])
            if hours.isEmpty && what.isEmpty { return nil }
            guard let minutes = HoursText.minutes(hours) else { throw HoursText.refusal("hours") }
            return ConsultingEntry(day: day, minutes: minutes, what: what)
        }
    }

    static func status(_ text: Localizer, _ booking: ConsultingBooking) -> HTML {
        let kinds: [ConsultingBooking.Status: String] = [
            .asked: "waiting", .accepted: "running", .declined: "failed", .withdrawn: "cancelled", .completed: "succeeded"
        ]
        return "<span class=\"status \(kinds[booking.status] ?? "")\">\(text("billing.consulting.status.\(booking.status.rawValue)"))</span>"
    }

    private func show(_ call: EndpointCall, _ form: FormFields? = nil, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        let (booking, sheets) = try await billing.booking(try call.id("id", noun: "booking"), for: desk.side(call))
        let isSeller = booking.seller == desk.side(call)
        let mayAct = isSeller ? desk.mayWrite(call) : call.principal.may(.billingWrite)
        let done = ["saved": "billing.done.saved", "booked": booking.status == .asked ? "billing.consulting.done.booked" : nil][
            call.parameter(ofQuery: "done")]
        let notice = Console.notice(done.flatMap { $0 }.map { text($0) }, isBad: false)
        let fault = Console.notice(refusal?.message(besides: []))
        let actions: HTML? = mayAct ? (isSeller ? sellerActions(text, booking, sheets) : buyerActions(text, booking)) : nil
        let lists: [HTML] = sheets.map { sheet in
            sheetCard(text, sheet, booking, isSeller: isSeller, mayAct: mayAct, form: form?["sheet"] == sheet.id.description ? form : nil)
        }
        let none: HTML? =
            sheets.isEmpty && booking.status == .accepted
            ? "<section class=\"card\">\(Console.empty(text("billing.consulting.sheets.empty"), text(isSeller ? "billing.consulting.sheets.hint.seller" : "billing.consulting.sheets.hint")))</section>"
            : nil
        let heading: HTML? = sheets.isEmpty && booking.status != .accepted ? nil : "<h2>\(text("billing.consulting.sheets"))</h2>"
        let new: HTML? =
            isSeller && mayAct && booking.status == .accepted
            ? """
            <h2>\(text("billing.consulting.sheet.new"))</h2><section class="card stack">\(sheetForm(text, booking, nil, form?["sheet"].isEmpty == true && form?["do"] == "write" ? form : nil))</section>
            """ : nil
        return try await desk.page(
            call, title: booking.title, current: desk.consulting, crumb: desk.back(text, to: desk.consulting, "billing.settings.consulting"),
            status: refusal?.kind.status ?? 200,
            "\(notice)\(fault)\(try await facts(text, booking, isSeller: isSeller))\(actions)\(heading)\(lists)\(none)\(new)")
    }

    private func facts(_ text: Localizer, _ booking: ConsultingBooking, isSeller: Bool) async throws -> HTML {
        func row(_ key: String, _ value: HTML?) -> HTML? { value.map { "<div><dt>\(text(key))</dt><dd>\($0)</dd></div>" } }
        func said(_ text: String) -> HTML? { text.isEmpty ? nil : "\(text)" }
        let who = try await billing.serviceName(isSeller ? booking.buyer : booking.seller)
        return """
            <section class="card"><dl class="facts">\(row("billing.column.status", Self.status(text, booking)))
            \(row(isSeller ? "billing.consulting.for" : "billing.consulting.by", "\(who)"))
            \(row("billing.consulting.rate", "\(text.price(booking.rate, booking.currency))"))
            \(row("billing.consulting.booked", "\(HoursText.text(booking.minutes))"))
            \(row("billing.consulting.most", "\(text.price(Fraction.halfUp(booking.rate, booking.minutes, over: 60), booking.currency))"))
            \(row("billing.consulting.approved", "\(HoursText.text(booking.approvedMinutes))"))
            \(row("billing.consulting.wished", said(booking.wished)))\(row("billing.consulting.note", said(booking.note)))
            \(row("billing.consulting.reason", said(booking.reason)))</dl></section>
            """
    }

    private func opening(_ booking: ConsultingBooking, isSeller: Bool) -> HTML {
        "<form method=\"post\" action=\"\(href: "\(address)/\(booking.id)/\(isSeller ? "consultant" : "customer")")\" class=\"form\">"
    }

    private func buyerActions(_ text: Localizer, _ booking: ConsultingBooking) -> HTML? {
        if booking.status == .asked {
            return """
                <section class="card stack"><p>\(text("billing.consulting.asked.buyer"))</p>\(opening(booking, isSeller: false))
                <p class="buttons"><button class="button" name="do" value="withdraw">\(text("billing.consulting.withdraw"))</button></p></form></section>
                """
        }
        guard booking.moreMinutes > 0 else { return nil }
        let price = Fraction.halfUp(booking.rate, booking.moreMinutes, over: 60)
        let lead = text(
            "billing.consulting.more.lead", ["hours": HoursText.text(booking.moreMinutes), "amount": text.price(price, booking.currency)])
        return """
            <section class="card stack"><h2>\(text("billing.consulting.more"))</h2><p>\(lead)</p><p class="sub">\(booking.moreReason)</p>
            \(opening(booking, isSeller: false))<input type="hidden" name="minutes" value="\(booking.moreMinutes)">
            <p class="buttons"><button class="button primary" name="do" value="agree">\(text("billing.consulting.more.agree"))</button>
            <button class="button" name="do" value="refuse">\(text("billing.consulting.more.refuse"))</button></p></form></section>
            """
    }

    private func sellerActions(_ text: Localizer, _ booking: ConsultingBooking, _ sheets: [ConsultingSheet]) -> HTML? {
        switch booking.status {
        case .asked:
            return """
                <section class="card stack"><p>\(text("billing.consulting.asked.seller"))</p>\(opening(booking, isSeller: true))
                <p class="buttons"><button class="button primary" name="do" value="accept">\(text("billing.consulting.accept"))</button></p></form>
                \(opening(booking, isSeller: true))\(Console.field("reason", label: text("billing.consulting.decline.reason")))
                <p class="buttons"><button class="button" name="do" value="decline">\(text("billing.consulting.decline"))</button></p></form></section>
                """
        case .accepted:
            let asked: HTML? =
                booking.moreMinutes > 0
                ? "<p class=\"sub\">\(text("billing.consulting.more.waits", ["hours": HoursText.text(booking.moreMinutes)]))</p>" : nil
            let invoice: HTML? =
                sheets.contains { $0.status == .approved }
                ? "<button class=\"button primary\" name=\"do\" value=\"invoice\">\(text("billing.consulting.invoice"))</button>" : nil
            return """
                <section class="card stack">\(opening(booking, isSeller: true))<p class="buttons">\(invoice)
                <button class="button" name="do" value="complete">\(text("billing.consulting.complete"))</button></p></form>
                <details><summary>\(text("billing.consulting.more.ask"))</summary>\(asked)\(opening(booking, isSeller: true))
                \(Console.field("more", label: text("billing.consulting.hours"), hint: text("billing.consulting.hours.hint")))
                \(Console.field("more_reason", label: text("billing.consulting.more.reason")))
                <p class="buttons"><button class="button" name="do" value="more">\(text("billing.consulting.more.send"))</button></p></form></details></section>
                """
        default: return nil
        }
    }

    private func sheetCard(
        _ text: Localizer, _ sheet: ConsultingSheet, _ booking: ConsultingBooking, isSeller: Bool, mayAct: Bool, form: FormFields?
    ) -> HTML {
        let kinds: [ConsultingSheet.Status: String] = [
            .draft: "cancelled", .submitted: "waiting", .disputed: "failed", .approved: "running", .invoiced: "succeeded"
        ]
        let amount = text.price(sheet.amount > 0 ? sheet.amount : booking.price(of: sheet.minutes), booking.currency)
        let columns: [(title: String, kind: String?)] = [
            (text("billing.consulting.day"), nil), (text("billing.consulting.hours"), "number"), (text("billing.column.what"), nil)
        ]
        let rows: [HTML] = sheet.entries.map { entry in
            """
            <tr><td class="name">\(entry.day)</td><td class="number" data-label="\(columns[1].title)">\(HoursText.text(entry.minutes))</td><td>\(entry.what)</td></tr>
            """
        }
        let due: HTML? = sheet.dueAt.map {
            "<p class=\"sub\">\(text("billing.consulting.due.\(sheet.status.rawValue)")) \(Console.time($0))</p>"
        }
        let automatic: HTML? = sheet.isAutomatic ? "<p class=\"sub\">\(text("billing.consulting.automatic"))</p>" : nil
        let reason: HTML? =
            sheet.reason.isEmpty ? nil : "<p class=\"notice bad\">\(text("billing.consulting.disputed", ["reason": sheet.reason]))</p>"
        let invoice: HTML? =
            isSeller
            ? nil
            : sheet.invoice.map {
                "<p><a href=\"\(href: "\(BillingPages.address)/invoices/\($0)")\">\(text("billing.consulting.see_invoice"))</a></p>"
            }
        let edits = isSeller && mayAct && sheet.isEditable
        let table: HTML? = edits ? nil : "\(Console.table(columns, rows))"
        let editor: HTML? = edits ? sheetForm(text, booking, sheet, form) : nil
        let decide: HTML? =
            !isSeller && mayAct && sheet.status == .submitted
            ? """
            \(opening(booking, isSeller: false))<input type="hidden" name="sheet" value="\(sheet.id.description)">
            <p class="buttons"><button class="button primary" name="do" value="approve">\(text("billing.consulting.approve"))</button></p></form>
            <details><summary>\(text("billing.consulting.dispute.open"))</summary>\(opening(booking, isSeller: false))<input type="hidden" name="sheet" value="\(sheet.id.description)">
            <div class="field"><label for="reason-\(sheet.number)">\(text("billing.consulting.dispute.reason"))</label><input id="reason-\(sheet.number)" name="reason" required autocomplete="off"></div>
            <p class="buttons"><button class="button" name="do" value="dispute">\(text("billing.consulting.dispute"))</button></p></form></details>
            """ : nil
        return """
            <section class="card stack" aria-labelledby="sheet-\(sheet.number)"><h3 id="sheet-\(sheet.number)">\(text("billing.consulting.sheet", ["number": String(sheet.number)]))
            <span class="status \(kinds[sheet.status] ?? "")">\(text("billing.consulting.sheet.\(sheet.status.rawValue)"))</span></h3>
            <p>\(text("billing.consulting.sheet.sum", ["hours": HoursText.text(sheet.minutes), "amount": amount]))</p>\(due)\(automatic)\(reason)\(invoice)\(table)\(editor)\(decide)</section>
            """
    }

    /// The rows of a sheet as fields, with some that are empty; what is left empty is no entry.
    private func sheetForm(_ text: Localizer, _ booking: ConsultingBooking, _ sheet: ConsultingSheet?, _ form: FormFields?) -> HTML {
        let known = sheet?.entries ?? []
        let count = min(max(known.count + Self.rowsMore, Self.rowsAtLeast), ConsultingEntry.maximum)
        let today = String(billing.clock.now().description.prefix(10))
        let titles = ["billing.consulting.day", "billing.consulting.hours", "billing.column.what"].map { text($0) }
        let rows: [HTML] = (0..<count).map { place in
            let entry = place < known.count ? known[place] : nil
            func value(_ name: String, _ stored: String?) -> String { form?["\(name)-\(place)"] ?? stored ?? "" }
            return """
                <tr><td data-label="\(titles[0])"><input type="date" name="day-\(place)" value="\(value("day", entry?.day ?? today))" aria-label="\(titles[0]) \(place + 1)"></td>
                <td data-label="\(titles[1])"><input name="hours-\(place)" value="\(value("hours", entry.map { HoursText.text($0.minutes) }))" autocomplete="off" size="6" aria-label="\(titles[1]) \(place + 1)"></td>
                <td data-label="\(titles[2])"><input name="what-\(place)" value="\(value("what", entry?.what))" autocomplete="off" maxlength="500" aria-label="\(titles[2]) \(place + 1)"></td></tr>
                """
        }
        let submit: HTML? = sheet.map { _ in
            "<button class=\"button primary\" name=\"do\" value=\"submit\">\(text("billing.consulting.submit"))</button>"
        }
        return """
            \(opening(booking, isSeller: true))<input type="hidden" name="sheet" value="\(sheet?.id.description ?? "")">
            <div class="sheet-rows">\(Console.table(titles.map { ($0, nil) }, rows))</div><p class="hint">\(text("billing.consulting.rows.hint"))</p>
            <p class="buttons"><button class="button" name="do" value="write">\(text("billing.save"))</button>\(submit)</p></form>
            """
    }
}
