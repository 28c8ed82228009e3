internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// What a tenant earns as a seller, affiliate or partner; how it is paid; and the link by which it brings others.
struct EarningPages {
    let billing: Billing
    let context: BillingPageContext

    static let address = "/settings/earnings"
    private static let rowsShown = 20
    private static let payeeFields = ["provider", "destination", "schedule", "minimum", "form", "tax_name", "country", "tax_id"]
    private static let anyone = Access.public("A visitor follows an affiliate's link before an account is there.")

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.billingRead), summary: "Earnings") { call in try await overview(call) },
            .page(.post, "\(Self.address)/payee", access: .tenant(.billingWrite), summary: "Say how you are paid") { call in
                let form = try call.form()
                do {
                    guard let minimum = Money(decimal: form["minimum"], currency: "USD"), let schedule = Payee.Schedule(rawValue: form["schedule"])
                    else { throw Refusal.invalid("minimum", "out_of_range", "minimum is an amount, as 50.00.") }
                    try await billing.setPayee(
                        call.tenant, provider: form["provider"], destination: form["destination"],
                        tax: TaxForm(form: form["form"], name: form["tax_name"], country: form["country"], taxId: form["tax_id"]),
                        schedule: schedule, minimum: minimum.minorUnits, by: call.principal)
                    return .redirect("\(Self.address)?done=saved")
                } catch let refusal as Refusal where refusal.kind == .invalid { return try await overview(call, payee: form, refusal) }
            },
            .page(.post, "\(Self.address)/code", access: .tenant(.billingWrite), summary: "Become an affiliate") { call in
                do {
                    _ = try await billing.join(call.tenant, code: try call.form()["code"], by: call.principal)
                    return .redirect("\(Self.address)?done=saved")
                } catch let refusal as Refusal where [.invalid, .conflict].contains(refusal.kind) { return try await overview(call, refusal) }
            },
            .page(.get, "/r/{code}", access: Self.anyone, summary: "An affiliate's link") { call in
                let code = try call.parameter("code")
                guard try await billing.visit(code) else { throw Refusal.missing("page") }
                let text = call.localizer
                return context.console.door(
                    call, title: text("billing.referral.title"),
                    """
                    <p>\(text("billing.referral.lead"))</p><p class="sub">\(text("billing.referral.consent"))</p>
                    <form method="post" action="\(href: "/r/\(code)")"><p class="buttons"><button class="button primary" name="agree" value="yes">\(text("billing.referral.agree"))</button>
                    <button class="button" name="agree" value="no">\(text("billing.referral.refuse"))</button></p></form>
                    """)
            },
            .page(.post, "/r/{code}", access: Self.anyone, summary: "Go on from an affiliate's link") { call in
                var answer = Answer.redirect("/")
                if try call.form()["agree"] == "yes", let code = try? Coupon.checkedCode(try call.parameter("code")) {
                    answer.headers.append(("Set-Cookie", ReferralCookie.set(code, at: billing.clock.now(), isSecure: call.isSecure)))
                }
                return answer
            }
        ]
    }

    private func overview(_ call: EndpointCall, payee form: FormFields? = nil, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        let mayWrite = call.principal.may(.billingWrite)
        let notice = Console.notice(call.parameter(ofQuery: "done") == "saved" ? text("billing.done.saved") : nil, isBad: false)
        let fault = Console.notice(refusal?.message(besides: form == nil ? [] : Self.payeeFields))
        let balances = try await billing.earnings(of: call.tenant)
        let known = try await billing.payee(call.tenant)
        let account: HTML? = mayWrite ? payeeForm(text, known?.payee, known?.tax, form, refusal) : nil
        return try await context.page(
            call, title: text("billing.settings.earnings"), current: Self.address, status: refusal?.kind.status ?? 200,
            """
            \(notice)\(fault)\(facts(text, balances, known.map { ($0.payee, $0.tax, $0.destination) }))\(try await affiliate(text, call.tenant, mayWrite))
            <h2>\(text("billing.sales"))</h2>\(try await sales(text, call.tenant))
            <h2>\(text("billing.payouts"))</h2>\(try await payouts(text, call.tenant))\(account)
            """)
    }

    private func row(_ title: String, _ value: HTML) -> HTML { "<div><dt>\(title)</dt><dd>\(value)</dd></div>" }

    private func facts(_ text: Localizer, _ balances: [PayeeBalance], _ known: (Payee, TaxForm, String)?) -> HTML {
        let sums: [HTML] = balances.map { balance in
            let kinds: [(String, Int64)] = [
                ("billing.earnings.sales", balance.sales), ("billing.earnings.commissions", balance.commissions),
                ("billing.earnings.maturing", balance.maturingSales + balance.maturingCommissions), ("billing.earnings.held", balance.held)
            ]
            let rows: [HTML] = kinds.filter { $0.1 != 0 }.map { row(text($0.0), "\(text.price($0.1, balance.currency))") }
            return "\(row(text("billing.earnings.available"), "\(text.price(balance.available, balance.currency))"))\(rows)"
        }
        let none: HTML? = balances.isEmpty ? row(text("billing.earnings.available"), "\(text("billing.earnings.none"))") : nil
        let unsaid = row(text("billing.payee.to"), "\(text("billing.payee.none"))")
        let paid: HTML =
            known.map { payee, tax, destination -> HTML in
                let place = "\(text("billing.payee.provider.\(payee.provider)")) …\(destination.suffix(4))"
                return """
                    \(row(text("billing.payee.to"), "\(place)"))\(row(text("billing.payee.tax"), "\(tax.name), \(text("billing.payee.form.\(tax.form)")) \(tax.maskedID)"))
                    \(row(text("billing.payee.next"), "\(Console.time(payee.nextPayoutAt))"))
                    """
            } ?? unsaid
        return "<section class=\"card\"><dl class=\"facts\">\(sums)\(none)\(paid)</dl></section>"
    }

    private func affiliate(_ text: Localizer, _ tenant: TenantID, _ mayWrite: Bool) async throws -> HTML? {
        guard let found = try await billing.affiliate(tenant) else {
            guard mayWrite else { return nil }
            return """
                <h2>\(text("billing.affiliate"))</h2><section class="card stack"><form method="post" action="\(Self.address)/code" class="form">
                \(Console.field("code", label: text("billing.affiliate.code"), hint: text("billing.affiliate.hint")))
                <p class="buttons"><button class="button">\(text("billing.affiliate.join"))</button></p></form></section>
                """
        }
        let brought = try await billing.referrals(by: tenant, before: nil, limit: Self.rowsShown)
        let share = "\(Money(minorUnits: Int64(found.share.value), currency: "USD").decimalText) %"
        let bonus: HTML? =
            found.bonus > 0
            ? row(
                text("billing.affiliate.bonus"),
                "\(text("billing.affiliate.bonus.after", ["bonus": text.price(found.bonus, "USD"), "after": text.price(found.bonusAfter, "USD")]))"
            ) : nil
        let columns: [(title: String, kind: String?)] = [(text("billing.affiliate.since"), nil), (text("billing.affiliate.earned"), "number")]
        let rows: [HTML] = brought.map { referral, earned in
            "<tr><td class=\"name\">\(Console.time(referral.referredAt))</td><td class=\"number\">\(text.price(earned, "USD"))</td></tr>"
        }
        let table: HTML? = rows.isEmpty ? nil : "\(Console.table(columns, rows))"
        return """
            <h2>\(text("billing.affiliate"))</h2><section class="card stack"><dl class="facts">
            \(row(text("billing.affiliate.link"), Console.copyable(text, id: "affiliate-link", "\(billing.providers.publicURL)/r/\(found.code)")))
            \(row(text("billing.affiliate.share"), "\(share)"))\(row(text("billing.affiliate.window"), "\(text("billing.affiliate.days", ["days": String(found.windowDays)]))"))\(bonus)
            \(row(text("billing.affiliate.visits"), "\(found.visits)"))\(row(text("billing.affiliate.brought"), "\(brought.count)"))</dl>\(table)</section>
            """
    }

    private func sales(_ text: Localizer, _ tenant: TenantID) async throws -> HTML {
        let sold = try await billing.sales(of: tenant, before: nil, limit: Self.rowsShown)
        if sold.isEmpty { return "<section class=\"card\">\(Console.empty(text("billing.sales.empty"), text("billing.sales.empty.hint")))</section>" }
        let columns: [(title: String, kind: String?)] = [
            (text("billing.column.what"), nil), (text("billing.sales.at"), nil), (text("billing.column.amount"), "number"),
            (text("billing.sales.share"), "number"), (text("billing.sales.earned"), "number")
        ]
        let rows: [HTML] = sold.map { sale in
            """
            <tr><td class="name">\(sale.name)</td><td>\(Console.time(sale.soldAt))</td><td class="number" data-label="\(columns[2].title)">\(text.price(sale.amount, sale.currency))</td>
            <td class="number" data-label="\(columns[3].title)">\(Money(minorUnits: Int64(sale.share.value), currency: "USD").decimalText) %</td>
            <td class="number" data-label="\(columns[4].title)">\(text.price(sale.earned, sale.currency))</td></tr>
            """
        }
        return "<section class=\"card\">\(Console.table(columns, rows))</section>"
    }

    private func payouts(_ text: Localizer, _ tenant: TenantID) async throws -> HTML {
        let made = try await billing.payouts(of: tenant, before: nil, limit: Self.rowsShown)
        if made.isEmpty {
            return "<section class=\"card\">\(Console.empty(text("billing.payouts.empty"), text("billing.payouts.empty.hint")))</section>"
        }
        let columns: [(title: String, kind: String?)] = [
            (text("billing.sales.at"), nil), (text("billing.payee.to"), nil), (text("billing.column.amount"), "number"),
            (text("billing.column.status"), nil)
        ]
        let rows: [HTML] = made.map { payout in
            let reason: HTML? = payout.reason.map { "<span class=\"sub\">\($0)</span>" }
            return """
                <tr><td class="name">\(Console.time(payout.madeAt))</td><td>\(text("billing.payee.provider.\(payout.provider)"))</td>
                <td class="number">\(text.price(payout.amount, payout.currency))</td><td>\(text("billing.payout.\(payout.status.rawValue)"))\(reason)</td></tr>
                """
        }
        return "<section class=\"card\">\(Console.table(columns, rows))</section>"
    }

    private func payeeForm(_ text: Localizer, _ payee: Payee?, _ tax: TaxForm?, _ form: FormFields?, _ refusal: Refusal?) -> HTML {
        func value(_ name: String, _ known: String?) -> String { form?[name] ?? known ?? "" }
        func fault(_ name: String) -> String? { form == nil ? nil : refusal?.message(for: name) }
        let minimum = Money(minorUnits: payee?.minimum ?? 5_000, currency: "USD").decimalText
        return """
            <h2>\(text("billing.payee"))</h2><section class="card stack"><form method="post" action="\(Self.address)/payee" class="form">
            \(Console.choice("provider", label: text("billing.payee.by"), options: Payee.providers.map { ($0, text("billing.payee.provider.\($0)")) }, chosen: value("provider", payee?.provider ?? "bank"), fault: fault("provider")))
            \(Console.field("destination", label: text("billing.payee.destination"), value: form?["destination"] ?? "", hint: text("billing.payee.destination.hint"), fault: fault("destination")))
            \(Console.choice("schedule", label: text("billing.payee.schedule"), options: Payee.Schedule.allCases.map { ($0.rawValue, text("billing.payee.schedule.\($0.rawValue)")) }, chosen: value("schedule", payee?.schedule.rawValue ?? "monthly")))
            \(Console.field("minimum", label: text("billing.payee.minimum"), value: value("minimum", minimum), hint: text("billing.payee.minimum.hint"), fault: fault("minimum")))
            \(Console.choice("form", label: text("billing.payee.form"), options: TaxForm.forms.map { ($0, text("billing.payee.form.\($0)")) }, chosen: value("form", tax?.form ?? "w9"), fault: fault("form")))
            \(Console.field("tax_name", label: text("billing.payee.tax_name"), value: value("tax_name", tax?.name), fault: fault("tax_name")))
            \(Console.field("country", label: text("billing.profile.country"), value: value("country", tax?.country), fault: fault("country")))
            \(Console.field("tax_id", label: text("billing.payee.tax_id"), value: form?["tax_id"] ?? "", hint: text("billing.payee.tax_id.hint"), fault: fault("tax_id")))
            <p class="buttons"><button class="button">\(text("billing.save"))</button></p></form></section>
            """
    }
}
