internal import HTTPSurface
internal import Kernel

/// Retrying and cancelling many runs: first a page that says what will happen, then the act.
struct ExecutionBulkPages {
    let executions: Executions
    let workflows: Workflows
    let context: PageContext

    static let reviews = "\(ExecutionPages.address)/reviews"
    static let acts = "\(ExecutionPages.address)/bulk-acts"

    var endpoints: [Endpoint] {
        [
            .page(.post, Self.reviews, access: .tenant(.executionsWrite), summary: "See what a bulk act will do") { call in
                let form = try call.form()
                guard let act = BulkAct(rawValue: form["act"]), case let ids = Self.runs(form), !ids.isEmpty else {
                    return .redirect("\(ExecutionPages.address)?done=nothing")
                }
                return try await page(call, try await executions.review(act, of: ids, by: call.principal))
            },
            .page(.post, Self.acts, access: .tenant(.executionsWrite), summary: "Retry or cancel many executions") { call in
                let form = try call.form()
                guard let act = BulkAct(rawValue: form["act"]) else { throw Refusal.invalid("act", "unknown_act", "act is retry or cancel.") }
                let outcome = try await executions.perform(act, on: Self.runs(form), by: call.principal)
                guard outcome.refused.isEmpty else { return try await page(call, act, outcome) }
                return .redirect("\(ExecutionPages.address)?done=\(act.rawValue)&count=\(outcome.done)&left=\(outcome.left)")
            }
        ]
    }

    private static func runs(_ form: FormFields) -> [RunID] { form.pairs.filter { $0.name == "run" }.compactMap { RunID($0.value) } }

    private func page(_ call: EndpointCall, _ review: BulkReview) async throws -> Answer {
        let text = call.localizer
        let act = review.act.rawValue
        let title = text("workflows.bulk.\(act).title", ["count": "\(review.runs.count)"])
        var lines: [HTML] = RunStatus.allCases.compactMap { status in
            review.counts[status].map { "<li>\(text("workflows.bulk.\(act).\(status.rawValue)", ["count": "\($0)"]))</li>" }
        }
        if review.left > 0 { lines.append("<li>\(text("workflows.bulk.\(act).left", ["count": "\(review.left)"]))</li>") }
        let fields: [HTML] = review.runs.map { "<input type=\"hidden\" name=\"run\" value=\"\($0.description)\">" }
        let submit: HTML? =
            review.runs.isEmpty
            ? nil
            : """
            <form method="post" action="\(Self.acts)"><input type="hidden" name="act" value="\(act)">\(fields)\
            <button class="button \(review.act == .cancel ? "danger" : "primary")">\(text("workflows.bulk.\(act)", ["count": "\(review.runs.count)"]))</button></form>
            """
        return try await context.page(
            call, title: title, current: ExecutionPages.address,
            """
            <header><div><p class="crumb"><a href="\(ExecutionPages.address)">\(text("workflows.executions.title"))</a></p><h1>\(title)</h1></div></header>
            <section class="card stack"><h2>\(text("workflows.bulk.happens"))</h2><ul class="words">\(lines)</ul>\(try await steps(call, review))
            <div class="buttons">\(submit)<a class="button" href="\(ExecutionPages.address)">\(text("workflows.bulk.leave"))</a></div></section>
            """)
    }

    /// What became of them, where some were refused.
    private func page(_ call: EndpointCall, _ act: BulkAct, _ outcome: BulkOutcome) async throws -> Answer {
        let text = call.localizer
        let title = text("workflows.bulk.refused", ["count": "\(outcome.refused.count)"])
        let done = text("workflows.bulk.done.\(act.rawValue)", ["count": "\(outcome.done)", "left": "\(outcome.left)"])
        let rows: [HTML] = outcome.refused.map { one -> HTML in
            let run = one.run.description
            return "<tr><td class=\"name\"><a href=\"\(ExecutionPages.address)/\(run)\">\(run)</a></td><td>\(one.reason.message)</td></tr>"
        }
        return try await context.page(
            call, title: title, current: ExecutionPages.address,
            """
            <header><div><p class="crumb"><a href="\(ExecutionPages.address)">\(text("workflows.executions.title"))</a></p><h1>\(title)</h1></div></header>
            \(Console.notice(done, isBad: false))
            <section class="card stack">\(Console.table([(text("workflows.executions.title"), nil), (text("workflows.bulk.reason"), nil)], rows))
            <div class="buttons"><a class="button" href="\(ExecutionPages.address)">\(text("workflows.bulk.back"))</a></div></section>
            """)
    }

    private func steps(_ call: EndpointCall, _ review: BulkReview) async throws -> HTML? {
        guard !review.steps.isEmpty else { return nil }
        let text = call.localizer
        let ids = Set(review.steps.map(\.step.workflow))
        let names = call.principal.may(.workflowsRead) ? try await workflows.names(of: ids, by: call.principal) : [:]
        let rows: [HTML] = review.steps.map { step, count in
            """
            <tr><td class="name">\(step.node)<span class="sub">\(names[step.workflow] ?? text("workflows.deleted"))</span></td>\
            <td class="number" data-label="\(text("workflows.dashboard.tile.runs"))">\(count)</td>\
            <td>\(text(step.reachesOutside ? "workflows.bulk.outside" : "workflows.bulk.inside"))</td></tr>
            """
        }
        return "<h2>\(text("workflows.bulk.steps"))</h2>"
            + Console.table(
                [(text("workflows.bulk.step"), nil), (text("workflows.dashboard.tile.runs"), "number"), (text("workflows.bulk.effect"), nil)], rows)
    }
}
