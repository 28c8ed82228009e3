internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// A subscription as people see it, and what they may do with it. Everything is shown to the cent before it happens.
struct SubscriptionForms {
    let text: Localizer
    var prices: [PlanPrice] = []

    func facts(_ subscription: Subscription?, wallet: [Money]) -> HTML {
        let prepaid: [HTML] = wallet.map { row("billing.wallet", "\($0.decimalText) \($0.currency)") }
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
        let beyond: HTML? = subscription.overageCap > 0 ? row("billing.overage", String(subscription.overageCap)) : nil
        return """
            <section class="card"><dl class="facts">\(row("billing.plan", plan))
            \(row("billing.status", text("billing.subscription.\(subscription.status.rawValue)")))\(subscription.isGranted ? end : nil)\(next)\(beyond)\(prepaid)</dl></section>
            """
    }

    func html(_ subscription: Subscription?) -> HTML {
        guard let subscription, subscription.status != .cancelled else {
            return choice("start", chosen: .starter, .month, isFirst: subscription == nil)
        }
        switch subscription.status {
        case .paused: return "<div class=\"stack\"><div class=\"buttons\">\(press("resume"))\(press("cancel"))</div></div>"
        case .active, .trialing, .pastDue, .cancelled:
            let pause: HTML? = subscription.status == .active && !subscription.cancelsAtPeriodEnd ? press("pause") : nil
            return """
                \(choice("change", chosen: subscription.plan, subscription.interval, isFirst: false))
                <div class="stack"><div class="buttons">\(press(subscription.cancelsAtPeriodEnd ? "keep" : "cancel"))\(pause)</div></div>
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
            \(Console.choice("period", label: text("billing.period"), options: periods, chosen: interval.rawValue))\(trial)
            <p class="buttons"><button class="button primary">\(text("billing.preview"))</button></p></form></section>
            """
    }

    private func title(_ price: PlanPrice) -> String {
        func amount(_ interval: BillingInterval) -> String { Money(minorUnits: price.price(interval), currency: price.currency).decimalText }
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
    let text: Localizer

    var html: HTML {
        let reverse: HTML? = invoice.treatment == .reverseCharge ? "<p>\(text("billing.invoice.reverse_charge"))</p>" : nil
        let ubl = "/v1/invoices/\(invoice.id)/ubl"
        return """
            <section class="card"><dl class="facts"><div><dt>\(text("billing.invoice.seller"))</dt><dd>\(address(invoice.seller))</dd></div>
            <div><dt>\(text("billing.invoice.buyer"))</dt><dd>\(address(invoice.buyer))</dd></div>
            <div><dt>\(text("billing.column.issued"))</dt><dd>\(Console.time(invoice.issuedAt))</dd></div>
            <div><dt>\(text("billing.invoice.due_at"))</dt><dd>\(Console.time(invoice.dueAt))</dd></div>
            <div><dt>\(text("billing.column.status"))</dt><dd>\(text("billing.invoice.status.\(invoice.status.rawValue)"))</dd></div></dl></section>
            \(figures)\(reverse)<p class="buttons"><a class="button" href="\(href: ubl)">\(text("billing.invoice.ubl"))</a></p>
            """
    }

    var figures: HTML {
        let columns: [(title: String, kind: String?)] = [
            (text("billing.column.what"), nil), (text("billing.column.quantity"), "number"), (text("billing.column.amount"), "number"),
            (text("billing.column.tax"), "number"), (text("billing.column.total"), "number")
        ]
        let rows: [HTML] = invoice.lines.map { line in
            let what = text("billing.line.\(line.charge.kind.rawValue)", ["plan": text("tenancy.plan.\(line.charge.plan.rawValue)")])
            return """
                <tr><td class="name">\(what)<span class="sub">\(Console.time(line.charge.period.start)) – \(Console.time(line.charge.period.end))</span></td>
                <td class="number">\(line.charge.quantity)</td><td class="number">\(money(line.net))</td><td class="number">\(money(line.tax))</td>
                <td class="number">\(money(line.total))</td></tr>
                """
        }
        let sums: [(String, Int64)] = [
            ("billing.sum.subtotal", invoice.subtotal), ("billing.sum.discount", -invoice.discount), ("billing.sum.tax", invoice.tax),
            ("billing.sum.total", invoice.total), ("billing.sum.paid", -invoice.paid), ("billing.sum.credited", -invoice.credited)
        ]
        let shown: [HTML] = sums.filter { $0.1 != 0 || $0.0 == "billing.sum.total" }.map {
            "<div><dt>\(text($0.0))</dt><dd>\(money($0.1)) \(invoice.currency)</dd></div>"
        }
        return "<section class=\"card\">\(Console.table(columns, rows))<dl class=\"facts\">\(shown)</dl></section>"
    }

    private func money(_ units: Int64) -> String { Money(minorUnits: units, currency: invoice.currency).decimalText }

    private func address(_ party: Party) -> HTML {
        let lines = [party.name, party.street, "\(party.postalCode) \(party.city)", party.country, party.vatId ?? ""].filter {
            $0.contains { !$0.isWhitespace }
        }
        let shown: [HTML] = lines.enumerated().map { place, line in place == 0 ? "\(line)" : "<br>\(line)" }
        return "\(shown)"
    }
}
