internal import HTTPSurface
internal import Kernel

/// One workflow: where it stands, what starts it, its versions and its runs.
struct WorkflowPage {
    let workflows: Workflows
    let organising: Organising
    let executions: Executions
    let context: PageContext

    private static let versionsShown = 20
    private static let done = ["imported", "published", "unpublished", "mapped", "not_mapped", "placed", "restored"]

    var endpoints: [Endpoint] {
        [
            .page(.get, "/workflows/{id}", access: .tenant(.workflowsRead), summary: "Workflow") { call in try await page(call, try id(call)) },
            .page(.post, "/workflows/{id}/publications", access: .tenant(.workflowsPublish), summary: "Publish") { call in
                try await act(call) { id in
                    _ = try await workflows.publish(id, by: call.principal)
                    return .redirect("/workflows/\(id)?done=published")
                }
            },
            .page(.post, "/workflows/{id}/unpublication", access: .tenant(.workflowsPublish), summary: "Unpublish") { call in
                try await act(call) { id in
                    _ = try await workflows.unpublish(id, by: call.principal)
                    return .redirect("/workflows/\(id)?done=unpublished")
                }
            },
            .page(.post, "/workflows/{id}/credentials", access: .tenant(.workflowsWrite), summary: "Use the credentials of these names") { call in
                try await act(call) { id in
                    let isMapped = try await workflows.mapCredentials(of: id, by: call.principal)
                    return .redirect("/workflows/\(id)?done=\(isMapped ? "mapped" : "not_mapped")")
                }
            },
            .page(.post, "/workflows/{id}/deletion", access: .tenant(.workflowsWrite), summary: "Delete") { call in
                try await act(call) { id in
                    try await workflows.delete(id, by: call.principal)
                    return .redirect("/workflows?done=deleted")
                }
            },
            .page(.post, "/workflows/{id}/archival", access: .tenant(.workflowsWrite), summary: "Archive") { call in
                try await act(call) { id in
                    _ = try await workflows.archive(id, by: call.principal)
                    return .redirect("/workflows?done=archived")
                }
            },
            .page(.post, "/workflows/{id}/restoration", access: .tenant(.workflowsWrite), summary: "Take out of the archive") { call in
                try await act(call) { id in
                    _ = try await workflows.restore(id, by: call.principal)
                    return .redirect("/workflows/\(id)?done=restored")
                }
            },
            .page(.post, "/workflows/{id}/place", access: .tenant(.workflowsWrite), summary: "Put into a folder and mark with tags") { call in
                try await act(call) { id in
                    let form = try call.form()
                    try await organising.move([id], to: FolderID(form["folder"]), by: call.principal)
                    let tags = form.pairs.filter { $0.name == "tag" }.compactMap { LabelID($0.value) }
                    try await organising.mark(id, with: tags, by: call.principal)
                    return .redirect("/workflows/\(id)?done=placed")
                }
            },
            .page(.post, "/workflows/{id}/runs", access: .tenant(.executionsWrite), summary: "Run") { call in
                try await act(call) { id in
                    let handle = try await executions.start(id, items: [], idempotencyKey: nil, by: call.principal)
                    return .redirect("/executions/\(handle.run)")
                }
            }
        ]
    }

    private func id(_ call: EndpointCall) throws -> WorkflowID { try call.id("id", noun: "workflow") }

    private func act(_ call: EndpointCall, _ work: (WorkflowID) async throws -> Answer) async throws -> Answer {
        let id = try id(call)
        do {
            return try await work(id)
        } catch let refusal as Refusal where refusal.kind != .missing {
            return try await page(call, id, refusal)
        }
    }

    private func page(_ call: EndpointCall, _ id: WorkflowID, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        let (workflow, draft) = try await workflows.workflow(id, by: call.principal)
        let note: HTML? = draft.nodes.isEmpty ? nil : faults(call, workflow, draft)
        var isChanged = workflow.publishedVersion == nil
        if let version = workflow.publishedVersion { isChanged = try await workflows.document(of: id, version: version, by: call.principal) != draft }
        let changed: HTML? =
            isChanged && workflow.publishedVersion != nil ? " <span class=\"status waiting\">\(text("workflows.status.changed"))</span>" : nil
        return try await context.page(
            call, title: workflow.name, current: "/workflows", status: refusal?.kind.status ?? 200,
            """
            <header><div><p class="crumb"><a href="/workflows">\(text("workflows.list.title"))</a></p><h1>\(workflow.name)</h1></div>
            <div class="buttons">\(buttons(call, workflow, isChanged: isChanged))</div></header>
            \(Console.workflowDone(call, Self.done))\(Console.notice(refusal?.message(besides: [])))\(refusal == nil ? note : nil)
            <section class="card"><dl class="facts">
            <div><dt>\(text("workflows.column.status"))</dt><dd>\(Console.badge(text, workflow))\(changed)</dd></div>
            <div><dt>\(text("workflows.column.version"))</dt><dd>\(workflow.publishedVersion.map(String.init) ?? "–")</dd></div>
            <div><dt>\(text("workflows.column.steps"))</dt><dd>\(draft.nodes.count)</dd></div>
            <div><dt>\(text("workflows.column.updated"))</dt><dd>\(Console.time(workflow.updatedAt))</dd></div></dl></section>
            \(try await place(call, workflow))\(credentials(call, id, draft))\(try await webhooks(call, id))\(try await runs(call, id))\(try await versions(call, workflow))
            """)
    }

    private func buttons(_ call: EndpointCall, _ workflow: Workflow, isChanged: Bool) -> HTML {
        let text = call.localizer
        let address = "/workflows/\(workflow.id)"
        let isPublished = workflow.publishedVersion != nil
        if workflow.status == .archived {
            return call.principal.may(.workflowsWrite) ? Console.button("\(address)/restoration", text("workflows.restore"), kind: "primary") : .empty
        }
        var buttons: [HTML] = ["<a class=\"button\" href=\"\(address)/editor\">\(text("workflows.edit"))</a>"]
        if isPublished, call.principal.may(.executionsWrite) {
            buttons.append(Console.button("\(address)/runs", text("workflows.run"), kind: "primary"))
        }
        if call.principal.may(.workflowsPublish) {
            if isChanged { buttons.append(Console.button("\(address)/publications", text("workflows.publish"), kind: isPublished ? "" : "primary")) }
            if isPublished {
                buttons.append(
                    Console.confirmed(
                        text, id: "unpublish", action: "\(address)/unpublication", label: text("workflows.unpublish"),
                        question: text("workflows.unpublish.question", ["name": workflow.name]), isSmall: false))
            }
        }
        buttons.append("<a class=\"button\" href=\"/v1\(address)/export\" download=\"workflow.json\">\(text("workflows.export"))</a>")
        let mayDelete = call.principal.may(.workflowsWrite) && (!isPublished || call.principal.may(.workflowsPublish))
        if mayDelete {
            buttons.append(Console.button("\(address)/archival", text("workflows.archive"), kind: ""))
            buttons.append(
                Console.confirmed(
                    text, id: "delete", action: "\(address)/deletion", label: text("workflows.delete"),
                    question: text("workflows.delete.question", ["name": workflow.name]), isSmall: false))
        }
        return "\(buttons)"
    }

    /// Folder and tags, to be changed where the reader may and there are any.
    private func place(_ call: EndpointCall, _ workflow: Workflow) async throws -> HTML? {
        let text = call.localizer
        let arrangement = try await organising.arrangement(by: call.principal)
        guard !arrangement.folders.isEmpty || !arrangement.tags.isEmpty else { return nil }
        let marks = Set(arrangement.marks[workflow.id] ?? [])
        guard call.principal.may(.workflowsWrite) else {
            let folder = arrangement.folder(of: workflow.id)?.path ?? text("workflows.folder.none")
            let tags: [HTML] = arrangement.tags(of: workflow.id).map { "\($0.badge) " }
            return
                "<section class=\"card\"><dl class=\"facts\"><div><dt>\(text("workflows.folder"))</dt><dd>\(folder) \(tags)</dd></div></dl></section>"
        }
        let folders = [(value: "", title: text("workflows.folder.none"))] + arrangement.sortedFolders.map { ($0.id.description, $0.path) }
        let ticks: [HTML] = arrangement.sortedTags.map { tag in
            "<label class=\"tick\"><input type=\"checkbox\" name=\"tag\" value=\"\(tag.id.description)\"\("checked", if: marks.contains(tag.id))><span>\(tag.badge)</span></label>"
        }
        let tags: HTML? =
            ticks.isEmpty
            ? nil : "<fieldset class=\"ticks\"><legend>\(text("workflows.tags"))</legend><div class=\"line-of-ticks\">\(ticks)</div></fieldset>"
        return """
            <section class="card stack" aria-labelledby="place"><h2 id="place">\(text("workflows.place"))</h2>
            <form method="post" action="/workflows/\(workflow.id.description)/place" class="form">
            \(Console.choice("folder", label: text("workflows.folder"), options: folders, chosen: arrangement.places[workflow.id]?.description ?? ""))\(tags)
            <p class="buttons"><button class="button">\(text("workflows.save"))</button></p></form></section>
            """
    }

    /// What stands in the way of publishing a draft that never was.
    private func faults(_ call: EndpointCall, _ workflow: Workflow, _ draft: WorkflowDocument) -> HTML? {
        guard workflow.publishedVersion == nil, call.principal.may(.workflowsPublish) else { return nil }
        let faults = workflows.faults(in: draft)
        guard !faults.isEmpty else { return nil }
        let list: [HTML] = faults.map { "<li>\($0.fault.message)</li>" }
        return "<div class=\"notice warn\"><p>\(call.localizer("workflows.not_publishable"))</p><ul>\(list)</ul></div>"
    }

    /// What its nodes want that the tenant does not have, with the way to it.
    private func credentials(_ call: EndpointCall, _ id: WorkflowID, _ draft: WorkflowDocument) -> HTML? {
        let missing = draft.missingCredentials
        guard !missing.isEmpty, call.principal.may(.workflowsWrite) else { return nil }
        let text = call.localizer
        let rows: [HTML] = missing.map { wanted in
            let type = CredentialType.named(wanted.type)
            let name = Percent.encode(wanted.name)
            let add: HTML? = type.map { _ in
                """
                <a class="button small" href="\(href: "\(CredentialPages.address)/new?type=\(wanted.type)&name=\(name)")">\(text("workflows.credentials.add"))</a>
                """
            }
            return """
                <tr><td class="name">\(wanted.name)<span class="sub">\(type?.title ?? wanted.type)</span></td><td class="actions">\(add)</td></tr>
                """
        }
        return """
            <section class="card" aria-labelledby="credentials"><div class="title"><h2 id="credentials">\(text("workflows.needs"))</h2>
            \(Console.button("/workflows/\(id)/credentials", text("workflows.needs.map")))</div>
            \(Console.table([(text("workflows.column.name"), nil), ("", "actions")], rows))</section>
            """
    }

    private func webhooks(_ call: EndpointCall, _ id: WorkflowID) async throws -> HTML? {
        let text = call.localizer
        let routes = try await workflows.webhooks(of: id, by: call.principal)
        guard !routes.isEmpty else { return nil }
        let hooks = try await context.hooks(call.tenant)
        let forms = try await context.forms(call.tenant)
        let rows: [HTML] = routes.enumerated().map { index, route in
            let base = route.method == WebhookRoute.form ? forms : hooks
            return "<li><span class=\"method\">\(route.method)</span>\(Console.copyable(text, id: "hook-\(index)", "\(base)/\(route.path)"))</li>"
        }
        return """
            <section class="card" aria-labelledby="webhooks"><div class="title"><h2 id="webhooks">\(text("workflows.webhooks"))</h2></div>
            <ul class="endpoints">\(rows)</ul></section>
            """
    }

    private func runs(_ call: EndpointCall, _ id: WorkflowID) async throws -> HTML? {
        guard call.principal.may(.executionsRead) else { return nil }
        let list = ExecutionList(
            address: "/workflows/\(id)", workflow: id, executions: executions, workflows: workflows, form: ExecutionQueryForm(call, timeZone: "UTC"))
        return """
            <section class="card" aria-labelledby="runs"><div class="title"><h2 id="runs">\(call.localizer("workflows.executions.title"))</h2>
            \(list.filters(call))</div>\(try await list.html(call))</section>
            """
    }

    private func versions(_ call: EndpointCall, _ workflow: Workflow) async throws -> HTML {
        let text = call.localizer
        let versions = try await workflows.versions(of: workflow.id, below: nil, limit: Self.versionsShown, by: call.principal)
        let names = try await context.names(Set(versions.map(\.publishedBy)), call.tenant)
        let rows: [HTML] = versions.map { version in
            let current: HTML? =
                version.number == workflow.publishedVersion
                ? " <span class=\"status published\">\(text("workflows.versions.current"))</span>" : nil
            let name: HTML? = version.name.map { " <strong>\($0)</strong>" }
            let note: HTML? = version.note.map { "<span class=\"sub\">\($0)</span>" }
            return """
                <tr><td class="name">\(version.number)\(name)\(current)\(note)</td><td>\(names[version.publishedBy] ?? version.publishedBy)</td>
                <td class="time">\(Console.time(version.publishedAt))</td></tr>
                """
        }
        let columns: [(title: String, kind: String?)] = [
            (text("workflows.column.version"), nil), (text("workflows.column.by"), nil), (text("workflows.column.published"), nil)
        ]
        let list =
            versions.isEmpty
            ? Console.empty(text("workflows.versions.empty"), text("workflows.versions.empty.hint")) : Console.table(columns, rows)
        return """
            <section class="card" aria-labelledby="versions"><div class="title"><h2 id="versions">\(text("workflows.versions"))</h2></div>
            \(list)</section>
            """
    }
}
