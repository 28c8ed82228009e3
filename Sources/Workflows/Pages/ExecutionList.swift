internal import HTTPSurface
internal import Kernel

/// The runs of a workflow, or of all, by status; both pages that show them page through them by the query of their own address.
struct ExecutionList {
    let address: String
    let workflow: WorkflowID?
    let executions: Executions
    let workflows: Workflows

    private static let rowsPerPage = 50
    private static let statuses: [RunStatus] = [.succeeded, .failed, .running, .waiting, .uncertain, .cancelled]

    /// Links that choose a status.
    func filters(_ call: EndpointCall) -> HTML {
        let text = call.localizer
        let chosen = wanted(call)
        let choices: [(title: String, href: String, isChosen: Bool)] =
            [(text("workflows.executions.all"), address, chosen == nil)]
            + Self.statuses.map { (text("workflows.run.\($0.rawValue)"), "\(address)?status=\($0.rawValue)", $0 == chosen) }
        let links: [HTML] = choices.map { choice in
            let current: HTML = choice.isChosen ? " aria-current=\"true\"" : ""
            return "<li><a href=\"\(href: choice.href)\"\(current)>\(choice.title)</a></li>"
        }
        return "<ul class=\"filters\" aria-label=\"\(text("workflows.executions.filter"))\">\(links)</ul>"
    }

    func html(_ call: EndpointCall) async throws -> HTML {
        let text = call.localizer
        let status = wanted(call)
        let cursor: RunID? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
        let rows = try await executions.list(workflow: workflow, status: status, before: cursor, limit: Self.rowsPerPage + 1, by: call.principal)
        let shown = Page(rows, limit: Self.rowsPerPage) { Cursor([.string($0.id.description)]) }
        guard !shown.data.isEmpty else {
            let key = status == nil ? "empty" : "none"
            return Console.empty(text("workflows.executions.\(key)"), text("workflows.executions.\(key).hint"))
        }
        let mayName = workflow == nil && call.principal.may(.workflowsRead)
        let names = mayName ? try await workflows.names(of: Set(shown.data.map(\.workflow)), by: call.principal) : nil
        var columns: [(title: String, kind: String?)] = [(text("workflows.column.status"), nil)]
        if names != nil { columns.append((text("workflows.column.workflow"), nil)) }
        columns += [
            (text("workflows.column.started"), nil), (text("workflows.column.mode"), "optional"), (text("workflows.column.took"), "number optional")
        ]
        let here = status.map { "\(address)?status=\($0.rawValue)" } ?? address
        return """
            \(Console.table(columns, shown.data.map { row(text, $0, names) }))\(Console.more(text, here, cursor: shown.nextCursor))
            """
    }

    private func wanted(_ call: EndpointCall) -> RunStatus? { RunStatus(rawValue: call.parameter(ofQuery: "status")) }

    private func row(_ text: Localizer, _ run: Run, _ names: [WorkflowID: String]?) -> HTML {
        let href = "/executions/\(run.id)"
        let took = run.finishedAt.map { Console.duration($0 - run.createdAt) } ?? ""
        let started = Console.time(run.createdAt, isExact: true)
        let place: HTML =
            if let names {
                """
                <td class="name"><a href="\(href)">\(names[run.workflow] ?? text("workflows.deleted"))</a></td><td class="time">\(started)</td>
                """
            } else { "<td class=\"name\"><a href=\"\(href)\">\(started)</a></td>" }
        return """
            <tr><td>\(Console.badge(text, run.status.rawValue))</td>\(place)<td class="optional">\(text("workflows.mode.\(run.mode)"))</td>
            <td class="number optional">\(took)</td></tr>
            """
    }
}
