package import HTTPSurface
package import Kernel
internal import Tenancy

/// What the module's pages ask of the rest of the program.
package struct BillingPageContext: Sendable {
    let console: Console
    /// Of those who run the platform.
    let operators: Console
    /// How the bar names who is signed in.
    let person: @Sendable (Principal) async throws -> Visitor

    package init(console: Console, operators: Console, person: @escaping @Sendable (Principal) async throws -> Visitor) {
        self.console = console
        self.operators = operators
        self.person = person
    }

    func page(
        _ call: EndpointCall, title: String, current: String = BillingPages.address, crumb: HTML? = nil, status: Int = 200, _ main: HTML
    ) async throws -> Answer {
        console.settingsPage(
            call, title: title, current: current, person: try await person(call.principal), crumb: crumb, status: status, main)
    }
}

/// The plan, its price, who is invoiced, and the invoices.
struct BillingPages {
    let billing: Billing
    let context: BillingPageContext

    static let address = "/settings/billing"
    private static let profileFields = ["name", "street", "postal_code", "city", "country", "vat_id", "email"]
    private static let invoicesShown = 24

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.billingRead), summary: "Plan and billing") { call in try await overview(call) },
            .page(.post, "\(Self.address)/profile", access: .tenant(.billingWrite), summary: "Say who is invoiced") { call in
                let form = try call.form()
                do {
                    let party = Party(
                        name: form["name"], street: form["street"], postalCode: form["postal_code"], city: form["city"],
                        country: form["country"].uppercased(), vatId: form["vat_id"].isEmpty ? nil : form["vat_id"],
                        email: form["email"].isEmpty ? nil : form["email"])
                    guard !party.name.isEmpty else { throw Refusal.invalid("name", "required", "A name is needed.") }
                    _ = try await billing.setProfile(party, of: call.tenant, by: call.principal)
                    return .redirect("\(Self.address)?done=saved")
                } catch let refusal as Refusal where refusal.kind == .invalid {
                    return try await overview(call, profile: form, refusal)
                }
            },
            .page(.post, "\(Self.address)/previews", access: .tenant(.billingWrite), summary: "See what a change would come to") { call in
                let form = try call.form()
                do {
                    return try await preview(
                        call, form, try await billing.preview(try request(form), coupon: coupon(form), of: call.tenant))
                } catch let refusal as Refusal where [.invalid, .conflict, .missing].contains(refusal.kind) {
                    return try await overview(call, refusal)
                }
            },
            .page(.post, "\(Self.address)/changes", access: .tenant(.billingWrite), summary: "Change the subscription") { call in
                do {
                    let form = try call.form()
                    // Who followed an affiliate's link and agreed was brought by it, where the rules let it be so.
                    if form["action"] == "start", let click = ReferralCookie.read(call.head.cookie(ReferralCookie.name)) {
                        do {
                            try await billing.refer(call.tenant, code: click.code, clickedAt: click.at, by: call.principal)
                        } catch is Refusal {}
                    }
                    _ = try await billing.perform(try request(form), coupon: coupon(form), of: call.tenant, by: call.principal)
                    return .redirect("\(Self.address)?done=changed")
                } catch let refusal as Refusal where [.invalid, .conflict, .missing].contains(refusal.kind) {
                    return try await overview(call, refusal)
                }
            },
            .page(.get, "\(Self.address)/invoices/{id}", access: .tenant(.billingRead), summary: "An invoice") { call in
                let text = call.localizer
                let invoice = try await billing.invoice(try call.id("id", noun: "invoice"), of: call.tenant)
                let sheet = InvoiceSheet(invoice: invoice, corrected: try await billing.corrected(by: invoice, of: call.tenant), text: text)
                return try await context.page(
                    call, title: text("billing.invoice.title.\(invoice.kind.rawValue)", ["number": invoice.numberText]), crumb: Self.back(text),
                    "\(sheet.html)\(try await PaymentForms(billing: billing, text: text).buttons(invoice, call))"
                )
            }
        ] + PaymentForms.endpoints(billing, context) + WalletForms.endpoints(billing, context)
    }

    private func request(_ form: FormFields) throws -> SubscriptionRequest {
        let (plan, period) = (form["plan"], form["period"])
        return try SubscriptionPreviewBody(
            action: form["action"], plan: plan.isEmpty ? nil : plan, period: period.isEmpty ? nil : period, trial: form["trial"] == "yes",
            overageCap: Int(form["overage_cap"]), addOn: form["add_on"].isEmpty ? nil : form["add_on"], quantity: Int(form["quantity"])
        ).request()
    }

    private func coupon(_ form: FormFields) -> String? {
        let code = form["coupon"].filter { !$0.isWhitespace }
        return code.isEmpty ? nil : code
    }

    static func back(_ text: Localizer) -> HTML { "<p class=\"crumb\"><a href=\"\(Self.address)\">\(text("billing.settings.billing"))</a></p>" }

    private func overview(_ call: EndpointCall, profile form: FormFields? = nil, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        let subscription = try await billing.subscription(of: call.tenant)
        let mayWrite = call.principal.may(.billingWrite)
        let done = ["saved", "changed"].first { $0 == call.parameter(ofQuery: "done") }
        let notice = Console.notice(done.map { text("billing.done.\($0)") }, isBad: false)
        let fault = Console.notice(refusal?.message(besides: form == nil ? [] : Self.profileFields))
        let wallet = try await billing.wallet(of: call.tenant).filter { $0.minorUnits > 0 }
        let forms = SubscriptionForms(text: text, prices: try await billing.prices(), addons: try await billing.addons())
        let change: HTML? = mayWrite ? forms.html(subscription) : nil
        let pieces: HTML? = mayWrite ? forms.pieces(subscription) : nil
        let credit = try await WalletForms(billing: billing, text: text).html(of: call.tenant, wallet: wallet, mayWrite: mayWrite)
        let methods = try await PaymentForms(billing: billing, text: text).methods(of: call.tenant, mayWrite: mayWrite)
        let party = try await billing.profile(of: call.tenant)
        let who: HTML? = mayWrite ? profile(text, party, form, refusal) : nil
        return try await context.page(
            call, title: text("billing.settings.billing"), status: refusal?.kind.status ?? 200,
            """
            \(notice)\(fault)\(forms.facts(subscription, wallet: wallet))\(change)\(pieces)\(methods)\(credit)\(who)
            <h2>\(text("billing.invoices"))</h2>\(try await list(call))
            """)
    }

    private func profile(_ text: Localizer, _ party: Party?, _ form: FormFields?, _ refusal: Refusal?) -> HTML {
        let known = [
            "name": party?.name, "street": party?.street, "postal_code": party?.postalCode, "city": party?.city, "country": party?.country,
            "vat_id": party?.vatId, "email": party?.email
        ]
        let fields: [HTML] = Self.profileFields.map { name in
            Console.field(
                name, label: text("billing.profile.\(name)"), value: form?[name] ?? (known[name] ?? nil) ?? "",
                fault: form == nil ? nil : refusal?.message(for: name), isRequired: ["name", "country"].contains(name))
        }
        return """
            <h2>\(text("billing.profile"))</h2><section class="card stack"><form method="post" action="\(Self.address)/profile" class="form">\(fields)
            <p class="buttons"><button class="button">\(text("billing.save"))</button></p></form></section>
            """
    }

    private func list(_ call: EndpointCall) async throws -> HTML {
        let text = call.localizer
        let cursor: InvoiceID? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
        let rows = try await billing.invoices(of: call.tenant, before: cursor, limit: Self.invoicesShown + 1)
        let shown = Page(rows, limit: Self.invoicesShown) { Cursor([.string($0.id.description)]) }
        if shown.data.isEmpty {
            return "<section class=\"card\">\(Console.empty(text("billing.invoices.empty"), text("billing.invoices.empty.hint")))</section>"
        }
        let columns: [(title: String, kind: String?)] = [
            (text("billing.column.number"), nil), (text("billing.column.issued"), nil), (text("billing.column.total"), "number"),
            (text("billing.column.due"), "number"), (text("billing.column.status"), nil)
        ]
        let lines: [HTML] = shown.data.map { invoice in
            let total = Money(minorUnits: invoice.total, currency: invoice.currency)
            let due = Money(minorUnits: invoice.kind == .invoice ? invoice.due : 0, currency: invoice.currency)
            let address = "\(Self.address)/invoices/\(invoice.id)"
            return """
                <tr><td class="name"><a href="\(href: address)">\(invoice.numberText)</a></td><td>\(Console.time(invoice.issuedAt))</td>
                <td class="number" data-label="\(columns[2].title)">\(text.price(total))</td>\
                <td class="number" data-label="\(columns[3].title)">\(text.price(due))</td>
                <td>\(text("billing.invoice.status.\(invoice.status.rawValue)"))</td></tr>
                """
        }
        return "<section class=\"card\">\(Console.table(columns, lines))\(Console.more(text, Self.address, cursor: shown.nextCursor))</section>"
    }

    private func preview(_ call: EndpointCall, _ form: FormFields, _ outcome: SubscriptionOutcome) async throws -> Answer {
        let text = call.localizer
        let fields: [HTML] = ["action", "plan", "period", "trial", "overage_cap", "coupon", "add_on", "quantity"].filter { !form[$0].isEmpty }.map {
            "<input type=\"hidden\" name=\"\($0)\" value=\"\(form[$0])\">"
        }
        let sheets: [HTML] = outcome.invoices.map { invoice in
            let head: HTML? = invoice.kind == .creditNote ? "<h2>\(text("billing.sum.credited"))</h2>" : nil
            return "\(head)\(InvoiceSheet(invoice: invoice, text: text).figures)"
        }
        let next: [HTML] = outcome.upcoming.map { InvoiceSheet(invoice: $0, text: text).figures }
        let later: HTML? = next.isEmpty ? nil : "<h2>\(text("billing.preview.upcoming"))</h2>\(next)"
        let free: HTML? = sheets.isEmpty ? "<p class=\"lead\">\(text("billing.preview.nothing"))</p>" : nil
        return try await context.page(
            call, title: text("billing.preview.title"), crumb: Self.back(text),
            """
            \(SubscriptionForms(text: text, addons: try await billing.addons()).facts(outcome.subscription, wallet: []))\(sheets)\(free)\(later)
            <form method="post" action="\(Self.address)/changes">\(fields)<p class="buttons"><button class="button primary">\(text("billing.preview.confirm"))</button>
            <a class="button" href="\(Self.address)">\(text("billing.preview.leave"))</a></p></form>
            """)
    }
}
