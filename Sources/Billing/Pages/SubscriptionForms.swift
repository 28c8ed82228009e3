internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// A subscription as people see it, and what they may do with it. Everything is shown to the cent before it happens.
struct SubscriptionForms {
    let text: Localizer
    var prices: [PlanPrice] = []
    var addons: [Addon] = []

    func facts(_ subscription: Subscription?, wallet: [Money]) -> HTML {
        let prepaid: [HTML] = wallet.map { row("billing.wallet", text.price($0)) }
        guard let subscription else {
            return "<section class=\"card\"><dl class=\"facts\">\(row("billing.plan", text("billing.plan.none")))\(prepaid)</dl></section>"
        }
        let plan = text(
            "billing.plan.in", ["plan": text("tenancy.plan.\(subscription.plan.rawValue)"), "period": text(period(subscription.interval))])
        let end: HTML = """
            <div><dt>\(text(subscription.cancelsAtPeriodEnd ? "billing.ends" : "billing.renews"))</dt><dd>\(Console.time(subscription.period.end))</dd></div>
            """
        let next: HTML? = subscription.pending.map { pending in
            row(
                "billing.next",
                text("billing.plan.in", ["plan": text("tenancy.plan.\(pending.plan.rawValue)"), "period": text(period(pending.interval))]))
        }
        let more: [HTML] = subscription.addons.map { item in
            let name = addons.first { $0.code == item.code }?.name ?? item.code
            let next = item.pending.map { text("billing.addon.next", ["quantity": String($0)]) } ?? ""
            return "<div><dt>\(name)</dt><dd>\(item.quantity) \(next)</dd></div>"
        }
        let beyond: HTML? = subscription.overageCap > 0 ? row("billing.overage", text.figure(subscription.overageCap)) : nil
        return """
            <section class="card"><dl class="facts">\(row("billing.plan", plan))
            \(row("billing.status", text("billing.subscription.\(subscription.status.rawValue)")))\(subscription.isGranted ? end : nil)\(next)\(more)\(beyond)\(prepaid)</dl></section>
            """
    }

    func html(_ subscription: Subscription?) -> HTML {
        guard let subscription, subscription.status != .cancelled else {
            return choice("start", chosen: .starter, .month, isFirst: subscription == nil)
        }
        switch subscription.status {
        case .paused: return "<section class=\"card stack\"><div class=\"buttons\">\(press("resume"))\(press("cancel"))</div></section>"
        case .active, .trialing, .pastDue, .cancelled:
            let pause: HTML? = subscription.status == .active && !subscription.cancelsAtPeriodEnd ? press("pause") : nil
            return """
                \(choice("change", chosen: subscription.plan, subscription.interval, isFirst: false))
                <section class="card stack"><div class="buttons">\(press(subscription.cancelsAtPeriodEnd ? "keep" : "cancel"))\(pause)</div></section>
                """
        }
    }

    private func choice(_ action: String, chosen: PlanName, _ interval: BillingInterval, isFirst: Bool) -> HTML {
        let plans = prices.map { ($0.plan.rawValue, title($0)) }
        let periods = BillingInterval.allCases.map { ($0.rawValue, text(period($0))) }
        let trial: HTML? = isFirst ? Console.tick("trial", value: "yes", label: text("billing.trial")) : nil
        return """
            <section class="card stack"><form method="post" action="\(BillingPages.address)/previews" class="form">
            <input type="hidden" name="action" value="\(action)">
            \(Console.choice("plan", label: text("billing.plan"), options: plans, chosen: chosen.rawValue))
            \(Console.choice("period", label: text("billing.period"), options: periods, chosen: interval.rawValue))
            \(Console.field("coupon", label: text("billing.coupon"), hint: text("billing.coupon.hint"), isRequired: false))\(trial)
            <p class="buttons"><button class="button primary">\(text("billing.preview"))</button></p></form></section>
            """
    }

    /// A form for each add-on: how many there are to be.
    func pieces(_ subscription: Subscription?) -> HTML? {
        guard let subscription, subscription.status == .active || subscription.status == .trialing else { return nil }
        let shown = addons.filter { addon in !addon.isWithdrawn || subscription.addons.contains { $0.code == addon.code } }
        guard !shown.isEmpty else { return nil }
        let rows: [HTML] = shown.map { addon in
            let had = subscription.addons.first { $0.code == addon.code }
            let price = text.price(addon.price(subscription.interval), addon.currency)
            return """
                <tr><td class="name">\(addon.name)</td><td class="number">\(price)</td>
                <td><form method="post" action="\(BillingPages.address)/previews"><input type="hidden" name="action" value="addon">
                <input type="hidden" name="add_on" value="\(addon.code)"><input type="number" name="quantity" min="0" max="\(addon.quantityMaximum)"
                value="\(had.map { $0.pending ?? $0.quantity } ?? 0)" aria-label="\(text("billing.addon.quantity", ["name": addon.name]))">
                <button class="button small">\(text("billing.preview"))</button></form></td></tr>
                """
        }
        let columns: [(title: String, kind: String?)] = [
            (text("billing.addon"), nil), (text("billing.addon.price.\(subscription.interval.rawValue)"), "number"),
            (text("billing.column.quantity"), nil)
        ]
        return "<h2>\(text("billing.addons"))</h2><section class=\"card\">\(Console.table(columns, rows))</section>"
    }

    private func title(_ price: PlanPrice) -> String {
        func amount(_ interval: BillingInterval) -> String { text.amount(price.price(interval), price.currency) }
        return text(
            "billing.plan.priced",
            [
                "plan": text("tenancy.plan.\(price.plan.rawValue)"), "month": amount(.month), "year": amount(.year), "currency": price.currency
            ])
    }

    private func press(_ action: String) -> HTML {
        """
        <form method="post" action="\(BillingPages.address)/previews"><input type="hidden" name="action" value="\(action)">\
        <button class="button">\(text("billing.action.\(action)"))</button></form>
        """
    }

    private func period(_ interval: BillingInterval) -> String { "billing.period.\(interval.rawValue)" }
    private func row(_ key: String, _ value: String) -> HTML { "<div><dt>\(text(key))</dt><dd>\(value)</dd></div>" }
}

/// An invoice as a sheet.
struct InvoiceSheet {
    let invoice: Invoice
    /// What a credit note takes back from.
    var corrected: Invoice?
    let text: Localizer

    var html: HTML {
        let reverse: HTML? = invoice.treatment == .reverseCharge ? "<p>\(text("billing.invoice.reverse_charge"))</p>" : nil
        let corrects: HTML? = corrected.map { other -> HTML in
            let address = "\(BillingPages.address)/invoices/\(other.id)"
            return "<div><dt>\(text("billing.invoice.corrects"))</dt><dd><a href=\"\(href: address)\">\(other.numberText)</a></dd></div>"
        }
        let ubl = "/v1/invoices/\(invoice.id)/ubl"
        return """
            <section class="card"><dl class="facts"><div><dt>\(text("billing.invoice.seller"))</dt><dd>\(address(invoice.seller))</dd></div>
            <div><dt>\(text("billing.invoice.buyer"))</dt><dd>\(address(invoice.buyer))</dd></div>
            <div><dt>\(text("billing.column.issued"))</dt><dd>\(Console.time(invoice.issuedAt))</dd></div>
            <div><dt>\(text("billing.invoice.due_at"))</dt><dd>\(Console.time(invoice.dueAt))</dd></div>
            <div><dt>\(text("billing.column.status"))</dt><dd>\(text("billing.invoice.status.\(invoice.status.rawValue)"))</dd></div>\(corrects)</dl></section>
            \(figures)\(reverse)<p class="buttons"><a class="button" href="\(href: "/v1/invoices/\(invoice.id)/pdf")">\(text("billing.invoice.pdf"))</a>
            <a class="button" href="\(href: ubl)">\(text("billing.invoice.ubl"))</a></p>
            """
    }

    var figures: HTML {
        let columns: [(title: String, kind: String?)] = [
            (text("billing.column.what"), nil), (text("billing.column.quantity"), "number"), (text("billing.column.amount"), "number"),
            (text("billing.column.tax"), "number"), (text("billing.column.total"), "number")
        ]
        let rows: [HTML] = invoice.lines.map { line in
            let name = line.charge.item?.name ?? text("tenancy.plan.\(line.charge.plan.rawValue)")
            let kind = line.charge.item != nil && line.charge.kind == .overage ? "plan" : line.charge.kind.rawValue
            let what = text("billing.line.\(kind)", ["plan": name])
            return """
                <tr><td class="name">\(what)<span class="sub">\(Console.time(line.charge.period.start)) – \(Console.time(line.charge.period.end))</span></td>
                <td class="number" data-label="\(columns[1].title)">\(text.figure(line.charge.quantity))</td>\
                <td class="number" data-label="\(columns[2].title)">\(money(line.net))</td>\
                <td class="number" data-label="\(columns[3].title)">\(money(line.tax))</td>\
                <td class="number" data-label="\(columns[4].title)">\(money(line.total))</td></tr>
                """
        }
        let sums: [(String, Int64)] = [
            ("billing.sum.subtotal", invoice.subtotal), ("billing.sum.discount", -invoice.discount), ("billing.sum.tax", invoice.tax),
            ("billing.sum.total", invoice.total), ("billing.sum.paid", -invoice.paid), ("billing.sum.credited", -invoice.credited)
        ]
        let shown: [HTML] = sums.filter { $0.1 != 0 || $0.0 == "billing.sum.total" }.map { key, units -> HTML in
            let title = key == "billing.sum.tax" ? invoice.taxTitle(text) : text(key)
            return "<div><dt>\(title)</dt><dd>\(money(units)) \(invoice.currency)</dd></div>"
        }
        return "<section class=\"card\">\(Console.table(columns, rows))<dl class=\"facts\">\(shown)</dl></section>"
    }

    private func money(_ units: Int64) -> String { text.amount(units, invoice.currency) }

    private func address(_ party: Party) -> HTML {
        let lines = [party.name, party.street, "\(party.postalCode) \(party.city)", party.country, party.vatId ?? ""].filter {
            $0.contains { !$0.isWhitespace }
        }
        let shown: [HTML] = lines.enumerated().map { place, line in place == 0 ? "\(line)" : "<br>\(line)" }
        return "\(shown)"
    }
}
