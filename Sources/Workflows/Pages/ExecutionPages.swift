internal import HTTPSurface
internal import Kernel

/// The runs of all workflows, and one run step by step.
struct ExecutionPages {
    let workflows: Workflows
    let executions: Executions
    let context: PageContext

    static let address = "/executions"

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.executionsRead), summary: "Executions") { call in
                try await list(call)
            },
            .page(.get, "\(Self.address)/{id}", access: .tenant(.executionsRead), summary: "Execution") { call in
                try await page(call, try await executions.execution(try id(call), itemsMaximum: Self.itemsShown, by: call.principal))
            },
            act("cancellation", "Cancel an execution") { id, call in try await executions.cancel(id, by: call.principal) },
            act("pause", "Pause an execution") { id, call in try await executions.pause(id, by: call.principal) },
            act("resumption", "Resume an execution") { id, call in try await executions.unpause(id, by: call.principal) },
            act("repetition", "Repeat uncertain steps") { id, call in try await executions.repeatUncertain(id, by: call.principal) },
            .page(.post, "\(Self.address)/{id}/replays", access: .tenant(.executionsWrite), summary: "Execute again from a step") { call in
                let form = try call.form()
                let node = form["node"]
                let point = node.isEmpty ? nil : ReplayPoint(node: node, runIndex: Int(form["run_index"]) ?? 0)
                let handle = try await executions.replay(
                    try id(call), from: point, isCurrent: form["version"] == "published",
                    keys: form["keys"].isEmpty ? nil : try ReplayKeys.named(form["keys"]), by: call.principal)
                return .redirect("\(Self.address)/\(handle.run)")
            },
            .page(.post, "\(Self.address)/{id}/deletion", access: .tenant(.executionsWrite), summary: "Delete an execution") { call in
                try await executions.delete(try id(call), by: call.principal)
                return .redirect(Self.address)
            }
        ]
    }

    private static let workflowsListed = 500
    /// Items of a list on a page; the API gives all of them.
    private static let itemsShown = 200
    private static let done = ["retry", "cancel", "nothing"]

    private func list(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let title = text("workflows.executions.title")
        let form = ExecutionQueryForm(call, timeZone: try await executions.timeZone(call.tenant))
        if let run = form.run, (try? await executions.search(ExecutionSearch(), after: run.next, limit: 1, by: call.principal))?.first?.id == run {
            return .redirect("\(Self.address)/\(run)")
        }
        let names = call.principal.may(.workflowsRead) ? try await workflows.titles(limit: Self.workflowsListed, by: call.principal) : []
        let list = ExecutionList(address: Self.address, workflow: nil, executions: executions, workflows: workflows, form: form)
        let word = call.parameter(ofQuery: "done")
        let counts = ["count": call.parameter(ofQuery: "count"), "left": call.parameter(ofQuery: "left")]
        let done = Self.done.contains(word) ? text("workflows.bulk.done.\(word)", counts) : nil
        return try await context.page(
            call, title: title, current: Self.address, status: form.fault == nil ? 200 : 422,
            """
            <header><h1>\(title)</h1>\(list.filters(call))</header>\(Console.notice(done, isBad: word == "nothing"))
            <section class="card stack">\(form.html(Self.address, workflows: names))</section>
            <section class="card">\(try await list.html(call))</section>
            """)
    }

    private func act(
        _ path: String, _ summary: String, _ work: @escaping @Sendable (RunID, EndpointCall) async throws -> Void
    ) -> Endpoint {
        .page(.post, "\(Self.address)/{id}/\(path)", access: .tenant(.executionsWrite), summary: summary) { call in
            let id = try id(call)
            try await work(id, call)
            return .redirect("\(Self.address)/\(id)")
        }
    }

    private func id(_ call: EndpointCall) throws -> RunID { try call.id("id", noun: "execution") }

    private func page(_ call: EndpointCall, _ found: Execution) async throws -> Answer {
        let text = call.localizer
        let run = found.run
        let live: HTML? = run.status.isOver ? nil : " data-live=\"run:\(run.id.description)\""
        let name: HTML =
            call.principal.may(.workflowsRead)
            ? "<a href=\"/workflows/\(run.workflow.description)\">\(found.workflowName)</a>" : "\(found.workflowName)"
        let mayWrite = call.principal.may(.executionsWrite)
        let acts = mayWrite ? self.acts(text, run) : []
        let buttons: HTML? = acts.isEmpty ? nil : "<div class=\"buttons\">\(acts)</div>"
        let origin: HTML? = run.replayOf.map {
            "<div><dt>\(text("workflows.execution.replay_of"))</dt><dd><a href=\"\(href: "\(Self.address)/\($0)")\">\($0.description)</a></dd></div>"
        }
        let until = run.status == .waiting ? run.resumeAt : nil
        let resumes: HTML? = until.map { "<div><dt>\(text("workflows.column.resumes"))</dt><dd>\(Console.time($0, isExact: true))</dd></div>" }
        return try await context.page(
            call, title: found.workflowName, current: Self.address, scripts: ["pages/execution.js"],
            """
            <header><div><p class="crumb"><a href="\(Self.address)">\(text("workflows.executions.title"))</a></p><h1>\(found.workflowName)</h1></div>
            \(buttons)</header>
            <section class="card" id="run"\(live)><dl class="facts">
            <div><dt>\(text("workflows.column.status"))</dt><dd>\(Console.badge(text, run.shownStatus))</dd></div>
            <div><dt>\(text("workflows.column.started"))</dt><dd>\(Console.time(run.createdAt, isExact: true))</dd></div>
            <div><dt>\(text("workflows.column.took"))</dt><dd>\(run.finishedAt.map { Console.duration($0 - run.createdAt) } ?? "–")</dd></div>\(resumes)
            <div><dt>\(text("workflows.column.mode"))</dt><dd>\(text("workflows.mode.\(run.mode)"))</dd></div>
            <div><dt>\(text("workflows.column.workflow"))</dt><dd>\(name)</dd></div>
            <div><dt>\(text("workflows.column.version"))</dt><dd>\(run.version > 0 ? String(run.version) : text("workflows.status.draft"))</dd></div>\(origin)</dl></section>
            \(Console.notice(explanation(text, run)))
            \(TimelineChart(timeline: found.timeline, text: text, now: executions.engine.clock.now()).html)
            <section class="card" aria-label="\(text("workflows.steps"))"><ol class="steps">\(steps(text, found, mayReplay: mayWrite))</ol></section>
            """)
    }

    private func explanation(_ text: Localizer, _ run: Run) -> String? {
        if run.status == .uncertain { return text("workflows.execution.uncertain") }
        return run.failure?.message
    }

    private func acts(_ text: Localizer, _ run: Run) -> [HTML] {
        func button(_ act: String, _ label: String, fields: HTML = .empty, isPrimary: Bool = false) -> HTML {
            """
            <form method="post" action="\(href: "\(Self.address)/\(run.id)/\(act)")">\(fields)\
            <button class="button\(isPrimary ? " primary" : "")">\(text("workflows.execution.\(label)"))</button></form>
            """
        }
        func confirmed(_ act: String, _ label: String) -> HTML {
            Console.confirmed(
                text, id: label, action: "\(Self.address)/\(run.id)/\(act)", label: text("workflows.execution.\(label)"),
                question: text("workflows.execution.\(label).question"),
                keep: label == "cancel" ? text("workflows.execution.cancel.keep") : nil, isSmall: false)
        }
        if run.status == .uncertain { return [confirmed("repetition", "repeat"), confirmed("cancellation", "cancel")] }
        if run.status.isOver {
            let current: HTML = "<input type=\"hidden\" name=\"version\" value=\"published\">"
            let isDone = run.status == .succeeded
            return [
                button("replays", isDone ? "again" : "retry", isPrimary: !isDone),
                button("replays", isDone ? "again_current" : "retry_current", fields: current), confirmed("deletion", "delete")
            ]
        }
        return [
            run.pausedAt == nil ? button("pause", "pause") : button("resumption", "resume", isPrimary: true), confirmed("cancellation", "cancel")
        ]
    }

    private func steps(_ text: Localizer, _ found: Execution, mayReplay: Bool) -> [HTML] {
        let isOver = found.run.status.isOver || found.run.status == .uncertain
        return found.steps.map { one in
            let replay: HTML? =
                isOver && mayReplay
                ? """
                <form method="post" action="\(href: "\(Self.address)/\(found.run.id)/replays")"><input type="hidden" name="node" value="\(one.node)">\
                <input type="hidden" name="run_index" value="\(one.runIndex)">\(keys(text))\
                <button class="button small">\(text("workflows.execution.from_here"))</button></form>
                """ : nil
            return step(text, one, replay)
        }
    }

    /// Which idempotency keys the steps name outside.
    private func keys(_ text: Localizer) -> HTML {
        let options: [HTML] = [("", "usual"), ("kept", "kept"), ("new", "new")].map { value, name in
            "<option value=\"\(value)\">\(text("workflows.execution.keys.\(name)"))</option>"
        }
        return "<select name=\"keys\" class=\"inline-select\" aria-label=\"\(text("workflows.execution.keys"))\">\(options)</select> "
    }

    private func step(_ text: Localizer, _ step: Execution.Step, _ replay: HTML?) -> HTML {
        let took: String = if let started = step.startedAt, let finished = step.finishedAt { Console.duration(finished - started) } else { "" }
        let output: HTML? =
            step.output.isEmpty ? nil : "<div><h3>\(text("workflows.step.output"))</h3><pre tabindex=\"0\">\(shown(step.output))</pre></div>"
        let fault: HTML? = step.error.map { "<div class=\"fault\">\(Console.notice($0["message"]?.text ?? $0.serialized))</div>" }
        return """
            <li><details\("open", if: step.status == "failed")><summary><span class="node">\(step.node)</span><span class="took">\(took)</span>\
            \(Console.badge(text, step.status))</summary>
            <div class="data">\(fault)<div><h3>\(text("workflows.step.input"))</h3><pre tabindex="0">\(shown(step.input))</pre></div>
            \(output)\(replay)</div></details></li>
            """
    }

    /// The most characters of a step's data on a page; the API gives all of it.
    private static let shownMaximum = 20_000

    private func shown(_ lists: [[JSON]]) -> String {
        let whole = lists.map { JSON.array($0.map { $0["json"] ?? $0 }).pretty() }.joined(separator: "\n")
        return whole.count > Self.shownMaximum ? String(whole.prefix(Self.shownMaximum)) + "\n…" : whole
    }
}
