internal import HTTPSurface
internal import Kernel

/// The runs of a workflow, or of all; both pages that show them page through them by the query of their own address.
struct ExecutionList {
    let address: String
    let workflow: WorkflowID?
    let executions: Executions
    let workflows: Workflows
    let form: ExecutionQueryForm

    private static let rowsPerPage = 50
    private static let statuses: [RunStatus] = [.succeeded, .failed, .running, .waiting, .uncertain, .cancelled]

    /// Links that choose a status.
    func filters(_ call: EndpointCall) -> HTML {
        let text = call.localizer
        let chosen = form.search.status
        let choices: [(title: String, href: String, isChosen: Bool)] =
            [(text("workflows.executions.all"), form.address(address, with: "status", nil), chosen == nil)]
            + Self.statuses.map { (text("workflows.run.\($0.rawValue)"), form.address(address, with: "status", $0.rawValue), $0 == chosen) }
        let links: [HTML] = choices.map { choice in
            let current: HTML = choice.isChosen ? " aria-current=\"true\"" : ""
            return "<li><a href=\"\(href: choice.href)\"\(current)>\(choice.title)</a></li>"
        }
        return "<ul class=\"filters\" aria-label=\"\(text("workflows.executions.filter"))\">\(links)</ul>"
    }

    func html(_ call: EndpointCall) async throws -> HTML {
        let text = call.localizer
        var wanted = form.search
        if let workflow { wanted.workflow = workflow }
        let cursor: RunID? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
        let rows =
            form.fault == nil
            ? try await executions.search(wanted, after: cursor, limit: Self.rowsPerPage + 1, by: call.principal) : []
        let shown = Page(rows, limit: Self.rowsPerPage) { Cursor([.string($0.id.description)]) }
        guard !shown.data.isEmpty else {
            let isNarrow = wanted.status != nil || workflow == nil && (wanted.isNarrow || form.fault != nil)
            let key = !isNarrow ? "empty" : wanted.status != nil ? "none" : "unfound"
            return Console.empty(text("workflows.executions.\(key)"), text("workflows.executions.\(key).hint"))
        }
        let mayName = workflow == nil && call.principal.may(.workflowsRead)
        let names = mayName ? try await workflows.names(of: Set(shown.data.map(\.workflow)), by: call.principal) : nil
        let marks = try await executions.marks(of: shown.data.map(\.id), by: call.principal)
        let picks = workflow == nil && call.principal.may(.executionsWrite)
        var columns: [(title: String, kind: String?)] = picks ? [("", "pick")] : []
        columns.append((text("workflows.column.status"), nil))
        if names != nil { columns.append((text("workflows.column.workflow"), nil)) }
        columns += [
            (text("workflows.column.started"), nil), (text("workflows.column.mode"), "optional"), (text("workflows.column.took"), "number optional")
        ]
        let isAll = call.parameter(ofQuery: "chosen") == "all"
        let list = Console.table(
            columns, shown.data.map { row(text, $0, names, marks[$0.id] ?? [], picks: picks, isPicked: isAll) })
        let here = form.address(address, with: "", nil)
        let more = Console.more(text, here, cursor: shown.nextCursor)
        guard picks else { return "\(list)\(more)" }
        let joint = here.contains("?") ? "&" : "?"
        let part = call.parameter(ofQuery: "cursor")
        let all = "\(here)\(joint)chosen=\(isAll ? "none" : "all")\(part.isEmpty ? "" : "&cursor=\(Percent.encode(part))")"
        return """
            <form method="post" action="\(ExecutionBulkPages.reviews)" class="bulk"><div class="acts">\
            <a href="\(href: all)">\(text(isAll ? "workflows.bulk.choose_none" : "workflows.bulk.choose_all"))</a>\
            <button class="button small" name="act" value="retry">\(text("workflows.bulk.retry.chosen"))</button>\
            <button class="button small" name="act" value="cancel">\(text("workflows.bulk.cancel.chosen"))</button></div>\(list)</form>\(more)
            """
    }

    private func row(
        _ text: Localizer, _ run: Run, _ names: [WorkflowID: String]?, _ marks: [RunMark], picks: Bool, isPicked: Bool
    ) -> HTML {
        let href = "/executions/\(run.id)"
        let took = run.finishedAt.map { Console.duration($0 - run.createdAt) } ?? ""
        let started = Console.time(run.createdAt, isExact: true)
        let values: HTML? =
            marks.isEmpty ? nil : "<span class=\"sub\">\(marks.map { "\($0.name): \($0.value)" }.joined(separator: " · "))</span>"
        let name = names.map { $0[run.workflow] ?? text("workflows.deleted") }
        let place: HTML =
            if let name {
                "<td class=\"name\"><a href=\"\(href)\">\(name)</a>\(values)</td><td class=\"time\">\(started)</td>"
            } else { "<td class=\"name\"><a href=\"\(href)\">\(started)</a>\(values)</td>" }
        let moment = "\(text.day(run.createdAt)), \(run.createdAt.description.dropFirst(11).prefix(8)) UTC"
        let label = text("workflows.bulk.choose", ["name": name.map { "\($0), \(moment)" } ?? moment])
        let pick: HTML? =
            picks
            ? """
            <td class="pick"><input type="checkbox" name="run" value="\(run.id.description)" aria-label="\(label)"\("checked", if: isPicked)></td>
            """ : nil
        return """
            <tr>\(pick)<td>\(Console.badge(text, run.status.rawValue))</td>\(place)<td class="optional">\(text("workflows.mode.\(run.mode)"))</td>
            <td class="number optional">\(took)</td></tr>
            """
    }
}
