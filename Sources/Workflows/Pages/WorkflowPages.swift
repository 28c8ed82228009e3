internal import HTTPSurface
internal import Kernel

/// The list of the workflows, with the import below it.
struct WorkflowPages {
    let workflows: Workflows
    let executions: Executions
    let context: PageContext

    static let address = "/workflows"
    private static let rowsPerPage = 100

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.workflowsRead), summary: "Workflows") { call in try await list(call) },
            .page(
                .post, "\(Self.address)/imports", access: .tenant(.workflowsWrite), summary: "Import", bodyLimit: WorkflowRoutes.documentBytes
            ) { call in
                let written = try call.form().verbatim("document")
                do {
                    let mayPublish = call.principal.may(.workflowsPublish)
                    let made = try await workflows.importN8n(try JSON(parsing: written), publish: mayPublish, by: call.principal)
                    return .redirect("\(Self.address)/\(made.workflow.id)?done=imported")
                } catch let error as JSON.ParseError {
                    return try await list(call, written, fault: call.localizer("workflows.import.malformed", ["reason": error.description]))
                } catch let refusal as Refusal {
                    return try await list(call, written, fault: refusal.message(besides: []) ?? refusal.message)
                }
            }
        ]
    }

    private func list(_ call: EndpointCall, _ written: String = "", fault: String? = nil) async throws -> Answer {
        let text = call.localizer
        let cursor: WorkflowID? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
        let rows = try await workflows.list(before: cursor, limit: Self.rowsPerPage + 1, by: call.principal)
        let shown = Page(rows, limit: Self.rowsPerPage) { Cursor([.string($0.id.description)]) }
        let columns: [(title: String, kind: String?)] = [
            (text("workflows.column.name"), nil), (text("workflows.column.status"), nil), (text("workflows.column.updated"), "optional"),
            ("", "actions")
        ]
        let table =
            shown.data.isEmpty
            ? gallery(call) ?? Console.empty(text("workflows.list.empty"), text("workflows.list.empty.hint"))
            : Console.table(columns, shown.data.map { row(call, $0) })
        let form: HTML? =
            call.principal.may(.workflowsWrite)
            ? """
            <section class="card stack" aria-labelledby="import"><h2 id="import">\(text("workflows.import.title"))</h2>
            <file-drop data-into="document" data-label="\(text("workflows.import.file"))" data-done="\(text("workflows.import.taken", ["name": "{name}"]))">
            <form method="post" action="\(Self.address)/imports" class="form wide">
            \(Console.area("document", label: text("workflows.import.label"), value: written, rows: 7, hint: text("workflows.import.hint"), fault: fault))
            <p class="buttons"><button class="button primary">\(text("workflows.import.submit"))</button></p></form></file-drop></section>
            """ : nil
        let new: HTML? =
            call.principal.may(.workflowsWrite)
            ? "<div class=\"buttons\">\(Console.button("\(Self.address)/drafts", text("workflows.new"), kind: "primary"))</div>" : nil
        return try await context.page(
            call, title: text("workflows.list.title"), current: Self.address, scripts: form == nil ? [] : ["components/file-drop.js"],
            status: fault == nil ? 200 : 422,
            """
            <header><h1>\(text("workflows.list.title"))</h1>\(new)</header>\(Console.workflowDone(call, ["deleted"]))
            <section class="card">\(table)\(Console.more(text, Self.address, cursor: shown.nextCursor))</section>\(form)
            """)
    }

    /// What a tenant without workflows may begin with.
    private func gallery(_ call: EndpointCall) -> HTML? {
        guard call.principal.may(.workflowsWrite), let templates = try? EditorTemplates.all.get() else { return nil }
        let text = call.localizer
        let cards: [HTML] = templates.map { template in
            let title = text("workflows.template.\(template.key)")
            return """
                <li>\(WorkflowPreview(document: template.document).svg(label: text("workflows.preview", ["name": title])))
                <h3>\(title)</h3><p>\(text("workflows.template.\(template.key).hint"))</p>
                <form method="post" action="\(Self.address)/drafts"><input type="hidden" name="template" value="\(template.key)">
                <button class="button small" aria-label="\(text("workflows.template.use", ["name": title]))">\(text("workflows.template.begin"))</button></form></li>
                """
        }
        return """
            <div class="gallery"><div class="first"><div><h2>\(text("workflows.guide.title"))</h2><p>\(text("workflows.guide.hint"))</p></div>
            <form method="post" action="\(Self.address)/drafts"><input type="hidden" name="template" value="\(EditorPage.guide)">
            <button class="button primary">\(text("workflows.guide.begin"))</button></form></div>
            <h2>\(text("workflows.gallery"))</h2><p>\(text("workflows.gallery.hint"))</p><ul>\(cards)</ul></div>
            """
    }

    private func row(_ call: EndpointCall, _ workflow: Workflow) -> HTML {
        let text = call.localizer
        let address = "\(Self.address)/\(workflow.id)"
        let version: HTML? = workflow.publishedVersion.map { "<span class=\"sub\">\(text("workflows.column.version")) \($0)</span>" }
        let act: HTML? =
            if workflow.publishedVersion != nil {
                call.principal.may(.executionsWrite) ? Console.button("\(address)/runs", text("workflows.run")) : nil
            } else {
                call.principal.may(.workflowsPublish) ? Console.button("\(address)/publications", text("workflows.publish")) : nil
            }
        return """
            <tr><td class="name"><a href="\(address)">\(workflow.name)</a>\(version)</td><td>\(Console.badge(text, workflow))</td>
            <td class="time optional">\(Console.time(workflow.updatedAt))</td><td class="actions">\(act)</td></tr>
            """
    }
}
