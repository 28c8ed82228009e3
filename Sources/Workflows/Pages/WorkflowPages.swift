internal import HTTPSurface
internal import Kernel

/// The list of the workflows, with the import below it.
struct WorkflowPages {
    let workflows: Workflows
    let organising: Organising
    let context: PageContext

    static let address = "/workflows"
    private static let rowsPerPage = 100
    private static let done = ["deleted", "moved", "archived"]

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
            },
            .page(.post, "\(Self.address)/moves", access: .tenant(.workflowsWrite), summary: "Put workflows into a folder") { call in
                let form = try call.form()
                let ids = form.pairs.filter { $0.name == "workflow" }.compactMap { WorkflowID($0.value) }
                guard !ids.isEmpty else { return try await list(call, notice: call.localizer("workflows.move.none")) }
                try await organising.move(ids, to: FolderID(form["folder"]), by: call.principal)
                return .redirect("\(Self.address)?done=moved")
            }
        ]
    }

    private func list(_ call: EndpointCall, _ written: String = "", fault: String? = nil, notice: String? = nil) async throws -> Answer {
        let text = call.localizer
        let query = WorkflowListForm(call)
        let (found, arrangement) = try await workflows.search(query.search, by: call.principal)
        let shown = try Page(of: found, PageRequest(cursor: call.head.method == "GET" ? try call.page().cursor : nil, limit: Self.rowsPerPage))
        let picks = call.principal.may(.workflowsWrite) && !arrangement.folders.isEmpty
        let columns: [(title: String, kind: String?)] =
            (picks ? [("", "pick")] : []) + [
                (text("workflows.column.name"), nil), (text("workflows.column.status"), nil), (text("workflows.column.updated"), "optional"),
                ("", "actions")
            ]
        let isNarrow = query.search.isNarrow
        let table =
            !shown.data.isEmpty
            ? Console.table(columns, shown.data.map { row(call, $0, arrangement, picks: picks) })
            : isNarrow
                ? Console.empty(text("workflows.list.none"), text("workflows.list.none.hint"))
                : gallery(call) ?? Console.empty(text("workflows.list.empty"), text("workflows.list.empty.hint"))
        let isSearched = isNarrow || !found.isEmpty
        let search: HTML? = isSearched ? "<section class=\"card stack\">\(query.html(Self.address, arrangement))</section>" : nil
        let move: HTML? =
            picks && !shown.data.isEmpty
            ? """
            <form method="post" action="\(Self.address)/moves" id="move" class="acts"><label for="target">\(text("workflows.move.label"))</label>\
            <select id="target" name="folder" class="inline-select"><option value="">\(text("workflows.folder.none"))</option>\
            \(arrangement.sortedFolders.map { "<option value=\"\($0.id.description)\">\($0.path)</option>" as HTML })</select>\
            <button class="button small">\(text("workflows.move.submit"))</button></form>
            """ : nil
        let form: HTML? =
            call.principal.may(.workflowsWrite)
            ? """
            <section class="card stack" aria-labelledby="import"><h2 id="import">\(text("workflows.import.title"))</h2>
            <file-drop data-into="document" data-label="\(text("workflows.import.file"))" data-done="\(text("workflows.import.taken", ["name": "{name}"]))" \
            data-failed="\(text("workflows.import.unreadable", ["name": "{name}"]))">
            <form method="post" action="\(Self.address)/imports" class="form wide">
            \(Console.area("document", label: text("workflows.import.label"), value: written, rows: 7, hint: text("workflows.import.hint"), fault: fault))
            <p class="buttons"><button class="button primary">\(text("workflows.import.submit"))</button></p></form></file-drop></section>
            """ : nil
        let new: HTML? =
            call.principal.may(.workflowsWrite)
            ? "<div class=\"buttons\"><a class=\"button\" href=\"\(OrganisingPages.address)\">\(text("workflows.organise"))</a>\(Console.button("\(Self.address)/drafts", text("workflows.new"), kind: "primary"))</div>"
            : nil
        return try await context.page(
            call, title: text("workflows.list.title"), current: Self.address, scripts: form == nil ? [] : ["components/file-drop.js"],
            status: fault == nil ? 200 : 422,
            """
            <header><h1>\(text("workflows.list.title"))</h1>\(new)</header>\(Console.workflowDone(call, Self.done))\(Console.notice(notice))
            \(search)<section class="card bulk">\(move)\(table)\(Console.more(text, query.address(Self.address), cursor: shown.nextCursor))</section>\(form)
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

    private func row(_ call: EndpointCall, _ workflow: Workflow, _ arrangement: Arrangement, picks: Bool) -> HTML {
        let text = call.localizer
        let address = "\(Self.address)/\(workflow.id)"
        let version: HTML? = workflow.publishedVersion.map { "<span class=\"sub\">\(text("workflows.column.version")) \($0)</span>" }
        let folder: HTML? = arrangement.folder(of: workflow.id).map { "<span class=\"sub\">\($0.path)</span>" }
        let tags: [HTML] = arrangement.tags(of: workflow.id).map { " \($0.badge)" }
        let pick: HTML? =
            picks
            ? """
            <td class="pick"><input type="checkbox" form="move" name="workflow" value="\(workflow.id.description)" \
            aria-label="\(text("workflows.bulk.choose", ["name": workflow.name]))"></td>
            """ : nil
        let act: HTML? =
            if workflow.status == .archived {
                call.principal.may(.workflowsWrite) ? Console.button("\(address)/restoration", text("workflows.restore")) : nil
            } else if workflow.publishedVersion != nil {
                call.principal.may(.executionsWrite) ? Console.button("\(address)/runs", text("workflows.run")) : nil
            } else {
                call.principal.may(.workflowsPublish) ? Console.button("\(address)/publications", text("workflows.publish")) : nil
            }
        return """
            <tr>\(pick)<td class="name"><a href="\(address)">\(workflow.name)</a>\(tags)\(folder)\(version)</td><td>\(Console.badge(text, workflow))</td>
            <td class="time optional">\(Console.time(workflow.updatedAt))</td><td class="actions">\(act)</td></tr>
            """
    }
}
