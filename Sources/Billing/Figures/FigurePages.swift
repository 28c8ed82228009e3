internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// The figures of the business for those who run the platform, each with its definition and the rows behind it.
struct FigurePages {
    let billing: Billing
    let context: BillingPageContext

    static let address = "/operator/figures"
    static let read = Access.platform("operator.figures.read")
    static let write = Access.platform("operator.figures.write")
    private static let monthsShown = 12
    private static let stepsShown = 6
    private static let answersShown = 20

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: Self.read, summary: "Figures") { call in try await overview(call) },
            .page(.get, "\(Self.address)/months/{month}", access: Self.read, summary: "A month's figures") { call in try await month(call) },
            .page(.get, "\(Self.address)/answers", access: Self.read, summary: "What people answered") { call in try await answers(call) }
        ] + FigureForms(billing: billing, pages: self).endpoints
    }

    func page(_ call: EndpointCall, _ title: String, crumb: HTML? = nil, status: Int = 200, _ main: HTML) async throws -> Answer {
        context.operators.page(
            call, title: title, current: Self.address, person: try await context.person(call.principal), status: status,
            "<header><div>\(crumb)<h1>\(title)</h1></div></header>\(main)")
    }

    static func back(_ text: Localizer) -> HTML { "<p class=\"crumb\"><a href=\"\(Self.address)\">\(text("billing.operator.figures"))</a></p>" }

    static func currency(_ call: EndpointCall) throws -> String {
        let asked = call.parameter(ofQuery: "currency")
        return try AmountBounds.checkedCurrency(asked.isEmpty ? "USD" : asked)
    }

    private func overview(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let currency = try Self.currency(call)
        let report = try await billing.figures(months: Self.monthsShown, currency)
        let now = billing.clock.now()
        let tally = try await billing.satisfaction(from: now - SatisfactionAnswer.pause, to: now)
        var (forecast, why): (Forecast?, String?) = (nil, nil)
        do { forecast = try report.forecast() } catch let refusal as Refusal { why = refusal.message }
        let chart = FigureChart(report: report, text: text)
        let reason: HTML? = why.map { "<p class=\"stack sub\">\(text("billing.figures.forecast.none")) \($0)</p>" }
        return try await page(
            call, text("billing.operator.figures"),
            """
            \(currencies(text, currency))\(tiles(text, report, tally))
            <div class="charts"><div class="card">\(chart.revenue(forecast, steps: Self.stepsShown))\(reason)</div><div class="card">\(chart.moves)</div></div>
            <section class="card" aria-labelledby="by-month"><div class="title"><h2 id="by-month">\(text("billing.figures.by_month"))</h2>
            <a class="button small" href="\(Self.address)/inputs?currency=\(currency)">\(text("billing.figures.inputs"))</a></div>\(months(text, report))</section>
            <section class="card" aria-labelledby="cohorts"><div class="title"><h2 id="cohorts">\(text("billing.figures.cohorts"))</h2></div>\(cohorts(text, report))</section>
            <section class="card" aria-labelledby="targets"><div class="title"><h2 id="targets">\(text("billing.figures.targets"))</h2></div>\(targets(text, report))</section>
            \(definitions(text))
            """)
    }

    private func currencies(_ text: Localizer, _ chosen: String) -> HTML {
        let known = Set(["USD", "EUR", chosen]).sorted().map { (value: $0, title: $0) }
        return """
            <form method="get" action="\(Self.address)" class="row-form narrow">\(Console.choice("currency", label: text("billing.figures.currency"), options: known, chosen: chosen))
            <button class="button">\(text("billing.figures.show"))</button></form>
            """
    }

    private func tiles(_ text: Localizer, _ report: FigureReport, _ tally: SatisfactionTally) -> HTML {
        let month = report.months[report.months.count - 1]
        let move = month.movement
        func money(_ units: Int64?) -> String { units.map { text.amount($0, report.currency) } ?? "–" }
        let figures: [(String, String)] = [
            ("recurring", money(move.end)), ("annual", money(month.annual)), ("growth", Self.share(move.growth)),
            ("net_retention", Self.share(move.netRetention)), ("gross_retention", Self.share(move.grossRetention)),
            ("customer_churn", Self.share(move.customerChurn)), ("revenue_churn", Self.share(move.revenueChurn)),
            ("customers", text.figure(move.customersAtEnd)), ("average_revenue", money(month.averageRevenue)),
            ("lifetime_value", money(month.lifetimeValue)), ("acquisition_cost", money(month.acquisitionCost)),
            ("payback", month.payback.map { Money(minorUnits: $0, currency: "USD").decimalText } ?? "–"), ("collected", money(month.collected)),
            ("satisfaction", tally.score.map { String($0) } ?? "–")
        ]
        let cards: [HTML] = figures.map { name, value in
            let link =
                name == "satisfaction" ? "\(Self.address)/answers" : "\(Self.address)/months/\(month.month.text)?currency=\(report.currency)"
            return """
                <section class="card tile"><h2><a href="\(href: link)">\(text("billing.figures.\(name)"))</a></h2><p class="figure">\(value)</p>\
                <p class="note">\(text("billing.figures.\(name).note"))</p></section>
                """
        }
        return "<div class=\"tiles\">\(cards)</div>"
    }

    private func months(_ text: Localizer, _ report: FigureReport) -> HTML {
        func money(_ units: Int64?) -> String { units.map { text.amount($0, report.currency) } ?? "–" }
        let names = ["recurring", "growth", "net_retention", "gross_retention", "customer_churn", "customers", "collected", "acquisition_cost"]
        let columns: [(title: String, kind: String?)] =
            [(text("billing.figures.month"), nil)] + names.map { (text("billing.figures.\($0)"), "number") }
        let rows: [HTML] = report.months.reversed().map { month in
            let move = month.movement
            let values = [
                money(move.end), Self.share(move.growth), Self.share(move.netRetention), Self.share(move.grossRetention),
                Self.share(move.customerChurn), text.figure(move.customersAtEnd), money(month.collected), money(month.acquisitionCost)
            ]
            let cells: [HTML] = zip(columns.dropFirst(), values).map { "<td class=\"number\" data-label=\"\($0.title)\">\($1)</td>" }
            let link = "\(Self.address)/months/\(month.month.text)?currency=\(report.currency)"
            return "<tr><td class=\"name\"><a href=\"\(href: link)\">\(month.month.text)</a></td>\(cells)</tr>"
        }
        return Console.table(columns, rows)
    }

    private func cohorts(_ text: Localizer, _ report: FigureReport) -> HTML {
        guard !report.cohorts.isEmpty else {
            return Console.empty(text("billing.figures.cohorts.empty"), text("billing.figures.cohorts.empty.hint"))
        }
        let oldest = report.cohorts.map(\.ages.count).max() ?? 0
        let heads: [HTML] = (0..<oldest).map { "<th scope=\"col\" class=\"number\">\($0)</th>" }
        let rows: [HTML] = report.cohorts.map { cohort in
            let first = cohort.ages.first?.monthly ?? 0
            let cells: [HTML] = (0..<oldest).map { age in
                guard age < cohort.ages.count else { return "<td></td>" }
                let found = cohort.ages[age]
                let kept = Int(found.customers * 4 / max(cohort.customers, 1))
                let share = first > 0 ? Self.share(Fraction.halfUp(found.monthly, 10_000, over: first)) : "–"
                let money = text.amount(found.collected, report.currency)
                return """
                    <td class="number kept-\(kept)">\(found.customers)<span class="sub">\(share)</span><span class="sub">\(money)</span></td>
                    """
            }
            let link = "\(Self.address)/months/\(cohort.month.text)?currency=\(report.currency)"
            return """
                <tr><th scope="row"><a href="\(href: link)">\(cohort.month.text)</a></th><td class="number">\(cohort.customers)</td>\(cells)</tr>
                """
        }
        let title = text("billing.figures.cohorts.region")
        return """
            <p class="stack sub">\(text("billing.figures.cohorts.note"))</p><div class="table-scroll" tabindex="0" role="region" aria-label="\(title)"><table class="list cohorts">
            <thead><tr><th scope="col">\(text("billing.figures.cohort"))</th><th scope="col" class="number">\(text("billing.figures.customers"))</th>\(heads)</tr></thead>\
            <tbody>\(rows)</tbody></table></div>
            """
    }

    private func targets(_ text: Localizer, _ report: FigureReport) -> HTML {
        guard !report.targets.isEmpty else {
            return Console.empty(text("billing.figures.targets.empty"), text("billing.figures.targets.empty.hint"))
        }
        let names = ["figure", "target", "actual", "difference", "reached"]
        let columns: [(title: String, kind: String?)] =
            [(text("billing.figures.month"), nil)] + names.map { (text("billing.figures.\($0)"), $0 == "figure" ? nil : "number") }
        let rows: [HTML] = report.targets.map { target in
            func shown(_ value: Int64) -> String {
                target.figure.isMoney ? text.amount(value, report.currency) : text.figure(value)
            }
            let actual = report.actual(target)
            let values = [
                shown(target.value), actual.map(shown) ?? "–", actual.map { shown($0 - target.value) } ?? "–",
                Self.share(actual.map { Fraction.halfUp($0, 10_000, over: target.value) })
            ]
            let cells: [HTML] = zip(columns.dropFirst(2), values).map { "<td class=\"number\" data-label=\"\($0.title)\">\($1)</td>" }
            return """
                <tr><td class="name">\(target.month.text)</td><td>\(text("billing.figures.\(target.figure.rawValue)"))</td>\(cells)</tr>
                """
        }
        return Console.table(columns, rows)
    }

    private static let defined = [
        "recurring", "annual", "growth", "net_retention", "gross_retention", "customer_churn", "revenue_churn", "customers", "average_revenue",
        "lifetime_value", "acquisition_cost", "payback", "collected", "satisfaction", "cohorts", "forecast", "new", "reactivation", "expansion",
        "contraction", "churn"
    ]

    private func definitions(_ text: Localizer) -> HTML {
        let list: [HTML] = Self.defined.map { "<dt>\(text("billing.figures.\($0)"))</dt><dd>\(text("billing.figures.\($0).meaning"))</dd>" }
        return """
            <section class="card stack" aria-labelledby="meanings"><h2 id="meanings">\(text("billing.figures.meanings"))</h2><dl class="meanings">\(list)</dl></section>
            """
    }

    /// Basis points as people read them.
    static func share(_ points: Int64?) -> String { points.map { "\(Money(minorUnits: $0, currency: "USD").decimalText) %" } ?? "–" }

    // MARK: The rows behind

    private func month(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let currency = try Self.currency(call)
        guard let month = Month(try call.parameter("month")) else { throw Refusal.missing("page") }
        let detail = try await billing.detail(of: month, currency)
        var names: [TenantID: String] = [:]
        for id in Set(detail.figures.movement.moves.map(\.tenant) + detail.collections.map(\.tenant)) {
            names[id] = try await billing.tenancy.tenant(id)?.name
        }
        func tenant(_ id: TenantID) -> HTML {
            "<a href=\"\(href: "/operator/tenants/\(id)")\">\(names[id] ?? id.description)</a>"
        }
        func money(_ units: Int64) -> String { text.amount(units, currency) }
        func sum(_ title: String, _ span: Int, _ units: Int64) -> HTML {
            "<tr class=\"sum\"><th scope=\"row\" colspan=\"\(span)\">\(title)</th><td class=\"number\">\(money(units))</td></tr>"
        }
        let move = detail.figures.movement
        let moves: [HTML] =
            [sum(text("billing.figures.at_start"), 3, move.start)]
            + move.moves.map { one in
                let sign = one.kind == .churn || one.kind == .contraction ? -one.amount : one.amount
                return """
                    <tr><td class="name">\(tenant(one.tenant))</td><td>\(text("billing.figures.\(one.kind.rawValue)"))</td><td>\(Console.time(one.at))</td>
                    <td class="number">\(money(sign))</td></tr>
                    """
            } + [sum(text("billing.figures.at_end"), 3, move.end)]
        let collected: [HTML] =
            detail.collections.map { one in
                """
                <tr><td class="name">\(tenant(one.tenant))</td><td>\(text("billing.figures.posting.\(one.kind)"))<span class="sub">\(one.subject)</span></td>
                <td>\(Console.time(one.at))</td><td class="number">\(money(one.amount))</td></tr>
                """
            } + [sum(text("billing.figures.collected"), 3, detail.figures.collected)]
        let spent: [HTML] =
            detail.spend.map { "<tr><td class=\"name\">\($0.source)</td><td class=\"number\">\(money($0.amount))</td></tr>" }
            + [sum(text("billing.figures.spend"), 1, detail.figures.spend)]
        let (who, kind, at, amount) = (
            text("billing.figures.customer"), text("billing.figures.kind"), text("billing.figures.at"),
            "\(text("billing.column.amount")), \(currency)"
        )
        func card(_ name: String, _ columns: [(title: String, kind: String?)], _ rows: [HTML]) -> HTML {
            """
            <section class="card" aria-labelledby="\(name)"><div class="title"><h2 id="\(name)">\(text("billing.figures.\(name)"))</h2></div>\(Console.table(columns, rows))</section>
            """
        }
        return try await page(
            call, text("billing.figures.of_month", ["month": month.text]), crumb: Self.back(text),
            """
            \(card("moves", [(who, nil), (kind, nil), (at, nil), (amount, "number")], moves))
            \(card("collected", [(who, nil), (kind, nil), (at, nil), (amount, "number")], collected))
            \(card("spend", [(text("billing.figures.source"), nil), (amount, "number")], spent))
            """)
    }

    private func answers(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let cursor: SatisfactionID? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
        let found = try await billing.satisfactionAnswers(before: cursor, limit: Self.answersShown + 1)
        let shown = Page(found, limit: Self.answersShown) { Cursor([.string($0.id.description)]) }
        var rows: [HTML] = []
        for one in shown.data {
            let name = try await billing.tenancy.tenant(one.tenant)?.name ?? one.tenant.description
            rows.append(
                """
                <tr><td class="name"><a href="\(href: "/operator/tenants/\(one.tenant)")">\(name)</a></td><td>\(Console.time(one.at))</td>
                <td class="number" data-label="\(text("billing.figures.score"))">\(one.score.map { String($0) } ?? "–")</td><td>\(one.comment)</td></tr>
                """)
        }
        let now = billing.clock.now()
        let tally = try await billing.satisfaction(from: now - SatisfactionAnswer.pause, to: now)
        let facts: [HTML] = [
            ("satisfaction", tally.score.map { String($0) } ?? "–"), ("promoters", "\(tally.promoters)"), ("passives", "\(tally.passives)"),
            ("detractors", "\(tally.detractors)")
        ].map { "<div><dt>\(text("billing.figures.\($0.0)"))</dt><dd>\($0.1)</dd></div>" }
        let table =
            rows.isEmpty
            ? Console.empty(text("billing.figures.answers.empty"), text("billing.figures.answers.empty.hint"))
            : Console.table(
                [
                    (text("billing.figures.customer"), nil), (text("billing.figures.at"), nil), (text("billing.figures.score"), "number"),
                    (text("billing.figures.comment"), nil)
                ], rows)
        return try await page(
            call, text("billing.figures.answers"), crumb: Self.back(text),
            """
            <section class="card"><dl class="facts">\(facts)</dl></section>
            <section class="card">\(table)\(Console.more(text, "\(Self.address)/answers", cursor: shown.nextCursor))</section>
            """)
    }
}
