internal import HTTPSurface
internal import Kernel

/// The first plain console: list the workflows, import and start one, watch its run step by step.
struct WorkflowPages {
    let workflows: Workflows
    let executions: Executions
    let console: Console
    let person: @Sendable (Principal) async throws -> String

    var endpoints: [Endpoint] { [home] + lists + acts + watching }

    private static let read = Access.tenant("workflows.read")

    private var home: Endpoint {
        .page(.get, "/", access: .public("It only leads on."), summary: "Home") { call in
            let principal = try await call.authenticated()
            return .redirect(principal.actor == .anonymous ? "/sign-in" : "/workflows")
        }
    }

    private var lists: [Endpoint] {
        [
            .page(.get, "/workflows", access: Self.read, summary: "Workflows") { call in try await workflowList(call, notice: nil) },
            .page(.get, "/executions", access: .tenant("executions.read"), summary: "Executions") { call in
                let text = call.localizer
                let rows = try await executions.list(workflow: nil, before: nil, limit: 100, by: call.principal)
                let body: HTML =
                    rows.isEmpty
                    ? "<div class=\"empty\"><h2>\(text("workflows.executions.empty"))</h2><p>\(text("workflows.executions.empty.hint"))</p></div>"
                    : """
                    <div class="table-scroll"><table class="list"><thead><tr><th>\(text("workflows.column.status"))</th>
                    <th>\(text("workflows.column.started"))</th><th class="optional">\(text("workflows.column.mode"))</th>
                    <th class="number optional">\(text("workflows.column.took"))</th></tr></thead><tbody>
                    \(rows.map { row(call, $0) })</tbody></table></div>
                    """
                return try await page(
                    call, title: text("workflows.executions.title"), current: "/executions",
                    "<header><h1>\(text("workflows.executions.title"))</h1></header><section class=\"card\">\(body)</section>")
            },
        ]
    }

    private func workflowList(_ call: EndpointCall, notice: String?, status: Int = 200) async throws -> Answer {
        let text = call.localizer
        let rows = try await workflows.list(before: nil, limit: 200, by: call.principal)
        let mayWrite = call.principal.may("workflows.write")
        let list: HTML =
            rows.isEmpty
            ? "<div class=\"empty\"><h2>\(text("workflows.list.empty"))</h2><p>\(text("workflows.list.empty.hint"))</p></div>"
            : """
            <div class="table-scroll"><table class="list"><thead><tr><th>\(text("workflows.column.name"))</th>
            <th>\(text("workflows.column.status"))</th><th class="optional">\(text("workflows.column.updated"))</th><th></th></tr></thead>
            <tbody>\(rows.map { row(call, $0) })</tbody></table></div>
            """
        let form: HTML? =
            mayWrite
            ? """
            <section class="card stack" aria-labelledby="import"><h2 id="import">\(text("workflows.import.title"))</h2>
            <form method="post" action="/workflows/imports" class="stack-form">
            <div class="field"><label for="document">\(text("workflows.import.label"))</label>
            <textarea id="document" name="document" rows="7" required spellcheck="false" aria-describedby="document-hint"></textarea>
            <span class="hint" id="document-hint">\(text("workflows.import.hint"))</span></div>
            <p><button class="button primary">\(text("workflows.import.submit"))</button></p></form></section>
            """ : nil
        return try await page(
            call, title: text("workflows.list.title"), current: "/workflows", status: status,
            "<header><h1>\(text("workflows.list.title"))</h1></header>\(Console.notice(notice))<section class=\"card\">\(list)</section>\(form)")
    }

    private func row(_ call: EndpointCall, _ workflow: Workflow) -> HTML {
        let text = call.localizer
        let isPublished = workflow.publishedVersion != nil
        let status: HTML =
            isPublished
            ? "<span class=\"status published\">\(text("workflows.status.published", ["version": String(workflow.publishedVersion ?? 0)]))</span>"
            : "<span class=\"status\">\(text("workflows.status.draft"))</span>"
        let act: HTML? =
            isPublished && call.principal.may("executions.write")
            ? "<form method=\"post\" action=\"/workflows/\(workflow.id.description)/runs\"><button class=\"button small\">\(text("workflows.run"))</button></form>"
            : !isPublished && call.principal.may("workflows.publish")
                ? "<form method=\"post\" action=\"/workflows/\(workflow.id.description)/publications\"><button class=\"button small\">\(text("workflows.publish"))</button></form>"
                : nil
        return """
            <tr><td class="name">\(workflow.name)</td><td>\(status)</td><td class="optional">\(time(workflow.updatedAt))</td><td class="actions">\(act)</td></tr>
            """
    }

    private func row(_ call: EndpointCall, _ run: Run) -> HTML {
        let took = run.finishedAt.map { "\((($0 - run.createdAt).microseconds + 500) / 1_000) ms" } ?? ""
        return """
            <tr><td>\(badge(call, run.status.rawValue))</td><td><a href="/executions/\(run.id.description)">\(time(run.createdAt))</a></td>
            <td class="optional">\(run.mode)</td><td class="number optional">\(took)</td></tr>
            """
    }

    private var acts: [Endpoint] {
        [
            .page(.post, "/workflows/imports", access: .tenant("workflows.write"), summary: "Import", bodyLimit: WorkflowRoutes.documentBytes) { call in
                do {
                    let json = try JSON(parsing: try call.form().verbatim("document"))
                    let mayPublish = call.principal.may("workflows.publish")
                    _ = try await workflows.importN8n(json, publish: mayPublish, by: call.principal)
                    return .redirect("/workflows")
                } catch let error as JSON.ParseError {
                    return try await workflowList(call, notice: call.localizer("workflows.import.malformed", ["reason": error.description]), status: 422)
                } catch let refusal as Refusal {
                    return try await workflowList(call, notice: refusal.message, status: 422)
                }
            },
            .page(.post, "/workflows/{id}/publications", access: .tenant("workflows.publish"), summary: "Publish") { call in
                do {
                    _ = try await workflows.publish(try call.id("id", noun: "workflow"), by: call.principal)
                    return .redirect("/workflows")
                } catch let refusal as Refusal where refusal.kind != .missing {
                    let faults = refusal.faults.prefix(5).map(\.message).joined(separator: " ")
                    return try await workflowList(call, notice: "\(refusal.message) \(faults)", status: 422)
                }
            },
            .page(.post, "/workflows/{id}/runs", access: .tenant("executions.write"), summary: "Run") { call in
                do {
                    let handle = try await executions.start(try call.id("id", noun: "workflow"), items: [], idempotencyKey: nil, by: call.principal)
                    return .redirect("/executions/\(handle.run)")
                } catch let refusal as Refusal where refusal.kind != .missing {
                    return try await workflowList(call, notice: refusal.message, status: 422)
                }
            },
        ]
    }

    private var watching: [Endpoint] {
        [
            .page(.get, "/executions/{id}", access: .tenant("executions.read"), summary: "Execution") { call in
                let text = call.localizer
                let found = try await executions.execution(try call.id("id", noun: "execution"), by: call.principal)
                let run = found.run
                let took = run.finishedAt.map { "\((($0 - run.createdAt).microseconds + 500) / 1_000) ms" } ?? "–"
                let steps = found.steps.map { step(call, $0) }
                let live: HTML? = run.status.isOver ? nil : " data-live=\"/v1/executions/\(run.id.description)/events\""
                return try await page(
                    call, title: found.workflowName, current: "/executions", scripts: ["pages/execution.js"],
                    """
                    <header><div><p class="crumb"><a href="/executions">\(text("workflows.executions.title"))</a></p><h1>\(found.workflowName)</h1></div></header>
                    <section class="card" id="run"\(live)><dl class="facts">
                    <div><dt>\(text("workflows.column.status"))</dt><dd>\(badge(call, run.status.rawValue))</dd></div>
                    <div><dt>\(text("workflows.column.started"))</dt><dd>\(time(run.createdAt))</dd></div>
                    <div><dt>\(text("workflows.column.took"))</dt><dd>\(took)</dd></div>
                    <div><dt>\(text("workflows.column.version"))</dt><dd>\(run.version)</dd></div></dl></section>
                    \(Console.notice(run.failure?.message))
                    <section class="card" aria-label="\(text("workflows.steps"))"><ol class="steps">\(steps)</ol></section>
                    """)
            }
        ]
    }

    private func step(_ call: EndpointCall, _ step: Execution.Step) -> HTML {
        let text = call.localizer
        let took: String =
            if let started = step.startedAt, let finished = step.finishedAt { "\(Double((finished - started).microseconds) / 1_000) ms" } else { "" }
        let fault: HTML? = step.error.map { "<div class=\"fault\">\(Console.notice($0["message"]?.text ?? $0.serialized))</div>" }
        return """
            <li><details><summary><span class="node">\(step.node)</span><span class="took">\(took)</span>\(badge(call, step.status))</summary>
            <div class="data">\(fault)<div><h3>\(text("workflows.step.input"))</h3><pre tabindex="0">\(shown(step.input))</pre></div>
            <div><h3>\(text("workflows.step.output"))</h3><pre tabindex="0">\(shown(step.output))</pre></div></div></details></li>
            """
    }

    /// The most characters of a step's data on a page; the API gives all of it.
    private static let shownMaximum = 20_000

    private func shown(_ lists: [[JSON]]) -> String {
        let whole = lists.map { JSON.array($0.map { $0["json"] ?? $0 }).pretty() }.joined(separator: "\n")
        return whole.count > Self.shownMaximum ? String(whole.prefix(Self.shownMaximum)) + "\n…" : whole
    }

    private func badge(_ call: EndpointCall, _ status: String) -> HTML {
        "<span class=\"status \(status)\">\(call.localizer("workflows.run.\(status)"))</span>"
    }

    private func time(_ time: Timestamp) -> HTML {
        let text = time.description
        return "<time datetime=\"\(text)\">\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC</time>"
    }

    private func page(
        _ call: EndpointCall, title: String, current: String, scripts: [String] = [], status: Int = 200, _ main: HTML
    ) async throws -> Answer {
        console.page(
            call, title: title, current: current, person: try await person(call.principal), scripts: scripts, status: status, main)
    }
}
