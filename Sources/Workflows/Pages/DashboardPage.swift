internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// The tenant's home: what ran, what failed, how long it took, and what is used of the plan.
struct DashboardPage {
    let figures: Figures
    let workflows: Workflows
    let context: PageContext

    static let address = "/dashboard"
    private static let workflowsShown = 10

    var endpoints: [Endpoint] {
        [
            .page(.get, "/", access: .public("It only leads on."), summary: "Home") { call in
                let principal = try await call.authenticated()
                if principal.actor == .anonymous { return .redirect("/sign-in") }
                if principal.may(.executionsRead) { return .redirect(Self.address) }
                return .redirect(principal.may(.workflowsRead) ? WorkflowPages.address : "/settings")
            },
            .page(.get, Self.address, access: .tenant(.executionsRead), summary: "Dashboard") { call in try await page(call) }
        ]
    }

    private func page(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let span = RunOverview.Span(rawValue: call.parameter(ofQuery: "span")) ?? .day
        let overview = try await figures.overview(span, by: call.principal)
        let title = text("workflows.dashboard.title")
        let usage = try await usage(call)
        if overview.total.runs == 0, overview.open.values.allSatisfy({ $0 == 0 }), try await isNew(call) {
            return try await context.page(
                call, title: title, current: Self.address,
                """
                <header><h1>\(title)</h1></header><section class="card"><div class="empty"><h2>\(text("workflows.dashboard.empty"))</h2>
                <p>\(text("workflows.dashboard.empty.hint"))</p><a class="button primary" href="\(WorkflowPages.address)">\(text("workflows.dashboard.empty.begin"))</a>
                </div></section>\(usage)
                """)
        }
        let chart = RunChart(overview: overview, text: text)
        return try await context.page(
            call, title: title, current: Self.address,
            """
            <header><h1>\(title)</h1>\(spans(text, span))</header>\(attention(text, overview))
            <section class="tiles" aria-label="\(text("workflows.dashboard.summary"))">\(tiles(text, overview))</section>
            <section class="charts"><div class="card">\(chart.runs)</div><div class="card">\(chart.latencies)</div></section>
            <section class="card" aria-labelledby="worst"><div class="title"><h2 id="worst">\(text("workflows.dashboard.workflows"))</h2></div>
            \(table(call, overview))</section>\(usage)<p class="lead">\(text("workflows.dashboard.hint"))</p>
            """)
    }

    /// Whether nothing was made yet that could run.
    private func isNew(_ call: EndpointCall) async throws -> Bool {
        guard call.principal.may(.workflowsRead) else { return false }
        return try await workflows.list(before: nil, limit: 1, by: call.principal).isEmpty
    }

    private func spans(_ text: Localizer, _ chosen: RunOverview.Span) -> HTML {
        let links: [HTML] = RunOverview.Span.allCases.map { span in
            let current: HTML = span == chosen ? " aria-current=\"true\"" : ""
            return "<li><a href=\"\(Self.address)?span=\(span.rawValue)\"\(current)>\(text("workflows.dashboard.span.\(span.rawValue)"))</a></li>"
        }
        return "<ul class=\"filters\" aria-label=\"\(text("workflows.dashboard.span"))\">\(links)</ul>"
    }

    /// Runs that wait for a person.
    private func attention(_ text: Localizer, _ overview: RunOverview) -> HTML? {
        guard let count = overview.open[.uncertain], count > 0 else { return nil }
        return """
            <p class="notice warn">\(text("workflows.dashboard.uncertain", ["count": "\(count)"])) \
            <a href="\(ExecutionPages.address)?status=uncertain">\(text("workflows.dashboard.look"))</a></p>
            """
    }

    private func tiles(_ text: Localizer, _ overview: RunOverview) -> [HTML] {
        let total = overview.total
        func shown(_ time: Duration?) -> String { time.map(Console.duration) ?? "–" }
        func counted(_ status: RunStatus) -> String {
            let count = overview.open[status] ?? 0
            return count >= Figures.countedMaximum ? "\(text.figure(Figures.countedMaximum))+" : text.figure(count)
        }
        let now = text(
            "workflows.dashboard.now",
            ["running": counted(.running), "waiting": counted(.waiting), "queued": counted(.queued)])
        return [
            tile(text("workflows.dashboard.tile.runs"), text.figure(total.runs), now),
            tile(
                text("workflows.dashboard.tile.failed"), text.figure(total.failed),
                text("workflows.dashboard.share", ["share": Self.share(total.failed, of: total.runs)]), kind: total.failed > 0 ? "bad" : ""),
            tile(text("workflows.dashboard.median"), shown(total.latencies.quantile(0.5)), text("workflows.dashboard.median.hint")),
            tile(text("workflows.dashboard.high"), shown(total.latencies.quantile(0.95)), text("workflows.dashboard.high.hint"))
        ]
    }

    private func tile(_ title: String, _ figure: String, _ note: String, kind: String = "") -> HTML {
        "<div class=\"card tile \(kind)\"><h2>\(title)</h2><p class=\"figure\">\(figure)</p><p class=\"note\">\(note)</p></div>"
    }

    /// A part in percent: `0`, `0.4`, `12`.
    static func share(_ part: Int, of whole: Int) -> String {
        guard whole > 0 else { return "0" }
        let tenths = (part * 1_000 + whole / 2) / whole
        return tenths < 100 && !tenths.isMultiple(of: 10) ? "\(tenths / 10).\(tenths % 10)" : "\((tenths + 5) / 10)"
    }

    private func table(_ call: EndpointCall, _ overview: RunOverview) -> HTML {
        let text = call.localizer
        guard !overview.workflows.isEmpty else {
            return Console.empty(text("workflows.dashboard.quiet"), text("workflows.dashboard.quiet.hint"))
        }
        let columns: [(title: String, kind: String?)] = [
            (text("workflows.column.workflow"), nil), (text("workflows.dashboard.tile.runs"), "number"),
            (text("workflows.dashboard.tile.failed"), "number"), (text("workflows.dashboard.median"), "number optional"),
            (text("workflows.dashboard.high"), "number optional")
        ]
        let rows: [HTML] = overview.workflows.prefix(Self.workflowsShown).map { one in
            let name = one.name ?? text("workflows.deleted")
            let place: HTML =
                one.name != nil && call.principal.may(.workflowsRead)
                ? "<a href=\"\(WorkflowPages.address)/\(one.id.description)\">\(name)</a>" : "\(name)"
            let failed: HTML =
                one.tally.failed == 0
                ? "0"
                : """
                <a class="bad" href="\(ExecutionPages.address)?status=failed&amp;workflow=\(one.id.description)">\(text.figure(one.tally.failed)) \
                (\(Self.share(one.tally.failed, of: one.tally.runs)) %)</a>
                """
            func shown(_ share: Double) -> String { one.tally.latencies.quantile(share).map(Console.duration) ?? "–" }
            return """
                <tr><td class="name">\(place)</td><td class="number" data-label="\(columns[1].title)">\(text.figure(one.tally.runs))</td>\
                <td class="number" data-label="\(columns[2].title)">\(failed)</td>\
                <td class="number optional" data-label="\(columns[3].title)">\(shown(0.5))</td>\
                <td class="number optional" data-label="\(columns[4].title)">\(shown(0.95))</td></tr>
                """
        }
        return Console.table(columns, rows)
    }

    private func usage(_ call: EndpointCall) async throws -> HTML? {
        guard call.principal.may("usage.read") else { return nil }
        let text = call.localizer
        let lines: [HTML] = try await context.usage(call.tenant).map { UsageLine($0, text).html }
        return """
            <section class="card usage" aria-labelledby="usage"><div class="title"><h2 id="usage">\(text("workflows.dashboard.usage"))</h2>\
            <a href="/settings/usage">\(text("workflows.dashboard.plan"))</a></div><div class="lines">\(lines)</div></section>
            """
    }
}
