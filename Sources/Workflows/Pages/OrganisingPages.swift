internal import HTTPSurface
internal import Kernel

/// Where folders and tags are made, renamed and removed.
struct OrganisingPages {
    let organising: Organising
    let context: PageContext

    static let address = "/workflows/organising"
    private static let done = ["organised"]
    private static let write = Access.tenant(.workflowsWrite)

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.workflowsRead), summary: "Folders and tags") { call in try await page(call) },
            .page(.post, "\(Self.address)/folders", access: Self.write, summary: "Create a folder") { call in
                try await act(call) { form in
                    _ = try await organising.createFolder(form["name"], in: FolderID(form["parent"]), by: call.principal)
                }
            },
            .page(.post, "\(Self.address)/folders/{id}", access: Self.write, summary: "Rename a folder") { call in
                let id: FolderID = try call.id("id", noun: "folder")
                return try await act(call, of: id.description) { form in
                    _ = try await organising.renameFolder(id, to: form["name"], by: call.principal)
                }
            },
            .page(.post, "\(Self.address)/folders/{id}/deletion", access: Self.write, summary: "Delete a folder") { call in
                try await organising.deleteFolder(try call.id("id", noun: "folder"), by: call.principal)
                return .redirect("\(Self.address)?done=organised")
            },
            .page(.post, "\(Self.address)/tags", access: Self.write, summary: "Create a tag") { call in
                try await act(call, of: "tags") { form in
                    _ = try await organising.createTag(form["tag_name"], colour: form["colour"], by: call.principal)
                }
            },
            .page(.post, "\(Self.address)/tags/{id}", access: Self.write, summary: "Change a tag") { call in
                let id: LabelID = try call.id("id", noun: "tag")
                return try await act(call, of: id.description) { form in
                    _ = try await organising.updateTag(id, name: form["name"], colour: form["colour"], by: call.principal)
                }
            },
            .page(.post, "\(Self.address)/tags/{id}/deletion", access: Self.write, summary: "Delete a tag") { call in
                try await organising.deleteTag(try call.id("id", noun: "tag"), by: call.principal)
                return .redirect("\(Self.address)?done=organised")
            }
        ]
    }

    /// - Parameter subject: the form that the fault belongs to: `folders` and `tags` for those of new ones.
    private func act(_ call: EndpointCall, of subject: String = "folders", _ work: (FormFields) async throws -> Void) async throws -> Answer {
        let form = try call.form()
        do {
            try await work(form)
            return .redirect("\(Self.address)?done=organised")
        } catch let refusal as Refusal where refusal.kind != .missing {
            return try await page(call, form, refusal, of: subject)
        }
    }

    private func page(_ call: EndpointCall, _ form: FormFields = .empty, _ refusal: Refusal? = nil, of subject: String = "") async throws -> Answer {
        let text = call.localizer
        let arrangement = try await organising.arrangement(by: call.principal)
        let mayWrite = call.principal.may(.workflowsWrite)
        let shown =
            ["folders", "tags"].contains(subject) ? refusal?.message(besides: ["name"]) : refusal.map { $0.message(for: "name") ?? $0.message }
        let newFolder: HTML? = mayWrite ? self.newFolder(text, arrangement, form, subject == "folders" ? refusal : nil) : nil
        let newTag: HTML? = mayWrite ? self.newTag(text, form, subject == "tags" ? refusal : nil) : nil
        return try await context.page(
            call, title: text("workflows.organise"), current: WorkflowPages.address, status: refusal?.kind.status ?? 200,
            """
            <header><div><p class="crumb"><a href="\(WorkflowPages.address)">\(text("workflows.list.title"))</a></p><h1>\(text("workflows.organise"))</h1></div></header>
            \(Console.workflowDone(call, Self.done))\(Console.notice(shown))
            <section class="card" aria-labelledby="folders"><div class="title"><h2 id="folders">\(text("workflows.folders"))</h2></div>
            \(folders(text, arrangement, mayWrite))\(newFolder)</section>
            <section class="card" aria-labelledby="tags"><div class="title"><h2 id="tags">\(text("workflows.tags"))</h2></div>
            \(tags(text, arrangement, mayWrite))\(newTag)</section>
            """)
    }

    private func folders(_ text: Localizer, _ arrangement: Arrangement, _ mayWrite: Bool) -> HTML {
        let all = arrangement.sortedFolders
        guard !all.isEmpty else { return Console.empty(text("workflows.folders.empty"), text("workflows.folders.empty.hint")) }
        let rows: [HTML] = all.map { folder in
            let id = folder.id.description
            let count = arrangement.places.values.count { arrangement.folders[$0]?.isWithin(folder) == true }
            let name: HTML =
                mayWrite
                ? """
                <form method="post" action="\(Self.address)/folders/\(id)"><input class="inline-select" name="name" value="\(folder.name)" maxlength="60" \
                required aria-label="\(text("workflows.folder.name_of", ["name": folder.path]))"> <button class="button small">\(text("workflows.rename"))</button></form>
                """ : "\(folder.name)"
            let remove: HTML? =
                mayWrite
                ? Console.confirmed(
                    text, id: "remove-\(id)", action: "\(Self.address)/folders/\(id)/deletion", label: text("workflows.delete"),
                    question: text("workflows.folder.delete.question", ["name": folder.path, "count": String(count)])) : nil
            return """
                <tr><td class="name\(folder.isTop ? "" : " inner")">\(name)</td>
                <td class="number"><a href="\(WorkflowPages.address)?folder=\(id)">\(text("workflows.count", ["count": String(count)]))</a></td>
                <td class="actions">\(remove)</td></tr>
                """
        }
        return Console.table([(text("workflows.folder"), nil), (text("workflows.list.title"), "number"), ("", "actions")], rows)
    }

    private func newFolder(_ text: Localizer, _ arrangement: Arrangement, _ form: FormFields, _ refusal: Refusal?) -> HTML {
        let parents =
            [(value: "", title: text("workflows.folder.top"))] + arrangement.sortedFolders.filter(\.isTop).map { ($0.id.description, $0.path) }
        return """
            <form method="post" action="\(Self.address)/folders" class="row-form stack-form">
            \(Console.field("name", label: text("workflows.folder.new"), value: refusal == nil ? "" : form["name"], fault: refusal?.message(for: "name")))
            \(Console.choice("parent", label: text("workflows.folder.parent"), options: parents, chosen: refusal == nil ? "" : form["parent"]))
            <button class="button primary">\(text("workflows.folder.create"))</button></form>
            """
    }

    private func tags(_ text: Localizer, _ arrangement: Arrangement, _ mayWrite: Bool) -> HTML {
        let all = arrangement.sortedTags
        guard !all.isEmpty else { return Console.empty(text("workflows.tags.empty"), text("workflows.tags.empty.hint")) }
        let rows: [HTML] = all.map { tag in
            let id = tag.id.description
            let count = arrangement.marks.values.count { $0.contains(tag.id) }
            let options: [HTML] = colours(text).map {
                "<option value=\"\($0.value)\"\("selected", if: $0.value == tag.colour.rawValue)>\($0.title)</option>"
            }
            let change: HTML? =
                mayWrite
                ? """
                <form method="post" action="\(Self.address)/tags/\(id)"><input class="inline-select" name="name" value="\(tag.name)" maxlength="60" required \
                aria-label="\(text("workflows.tag.name_of", ["name": tag.name]))"> <select name="colour" class="inline-select" \
                aria-label="\(text("workflows.tag.colour_of", ["name": tag.name]))">\(options)</select> <button class="button small">\(text("workflows.save"))</button></form>
                """ : nil
            let remove: HTML? =
                mayWrite
                ? Console.confirmed(
                    text, id: "remove-\(id)", action: "\(Self.address)/tags/\(id)/deletion", label: text("workflows.delete"),
                    question: text("workflows.tag.delete.question", ["name": tag.name, "count": String(count)])) : nil
            return """
                <tr><td class="name">\(tag.badge)</td><td>\(change)</td>
                <td class="number"><a href="\(WorkflowPages.address)?tag=\(id)">\(text("workflows.count", ["count": String(count)]))</a></td>
                <td class="actions">\(remove)</td></tr>
                """
        }
        return Console.table(
            [(text("workflows.tag"), nil), (text("workflows.tag.change"), nil), (text("workflows.list.title"), "number"), ("", "actions")], rows)
    }

    private func newTag(_ text: Localizer, _ form: FormFields, _ refusal: Refusal?) -> HTML {
        """
        <form method="post" action="\(Self.address)/tags" class="row-form stack-form">
        \(Console.field("tag_name", label: text("workflows.tag.new"), value: refusal == nil ? "" : form["tag_name"], fault: refusal?.message(for: "name")))
        \(Console.choice("colour", label: text("workflows.tag.colour"), options: colours(text), chosen: refusal == nil ? "blue" : form["colour"]))
        <button class="button primary">\(text("workflows.tag.create"))</button></form>
        """
    }

    private func colours(_ text: Localizer) -> [(value: String, title: String)] {
        Label.Colour.allCases.map { ($0.rawValue, text("workflows.colour.\($0.rawValue)")) }
    }
}
