internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// The tenant's disk: a folder at a time, and for each file its facts, its content, another name or its end.
struct DiskPages {
    let disk: Disk
    let context: PageContext

    static let address = "/settings/files"
    private static let filesPerPage = 100
    private static let write = Access.tenant(.filesWrite)

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.filesRead), summary: "Files") { call in
                try await folder(call, call.parameter(ofQuery: "folder"), nil)
            },
            .page(.post, Self.address, access: Self.write, summary: "Upload files", bodyLimit: Limits.diskUploadBytes + (1 << 16)) { call in
                let form = try SubmittedForm(call)
                let folder = form.all("folder").last ?? ""
                do {
                    let files = form.files(of: "files")
                    guard !files.isEmpty else { throw Refusal.invalid("files", "required", call.localizer("workflows.files.none_chosen")) }
                    for file in files { _ = try await disk.put("\(folder)/\(file.name)", file.bytes, type: file.type, by: call.principal) }
                    return .redirect(Self.link(to: try DiskPath.folder(folder), done: "uploaded"))
                } catch let refusal as Refusal where refusal.kind != .missing {
                    return try await self.folder(call, call.parameter(ofQuery: "folder"), refusal, written: folder)
                }
            },
            .page(.get, "\(Self.address)/{id}", access: .tenant(.filesRead), summary: "File") { call in
                let file = try await disk.file(try DiskRoutes.id(call), by: call.principal)
                return try await self.file(call, file, file.path.shown, nil)
            },
            .page(.get, "\(Self.address)/{id}/content", access: .tenant(.filesRead), summary: "Download a file") { call in
                try await DiskRoutes.download(try DiskRoutes.id(call), disk, call)
            },
            .page(.post, "\(Self.address)/{id}", access: Self.write, summary: "Move a file") { call in
                let id = try DiskRoutes.id(call)
                let path = try call.form()["path"]
                do {
                    _ = try await disk.move(id, to: path, by: call.principal)
                    return .redirect("\(Self.address)/\(id)?done=set")
                } catch let refusal as Refusal where refusal.kind != .missing {
                    return try await file(call, try await disk.file(id, by: call.principal), path, refusal)
                }
            },
            .page(.post, "\(Self.address)/{id}/deletion", access: Self.write, summary: "Delete a file") { call in
                let id = try DiskRoutes.id(call)
                let file = try await disk.file(id, by: call.principal)
                try await disk.delete(id, by: call.principal)
                return .redirect(Self.link(to: file.path.folder, done: "deleted"))
            }
        ]
    }

    /// The page of a folder.
    private static func link(to folder: String, done: String? = nil) -> String {
        let parts = [folder.isEmpty ? nil : "folder=\(Percent.encode(folder))", done.map { "done=\($0)" }].compactMap { $0 }
        return parts.isEmpty ? address : "\(address)?\(parts.joined(separator: "&"))"
    }

    // MARK: A folder

    private func folder(_ call: EndpointCall, _ path: String, _ refusal: Refusal?, written: String? = nil) async throws -> Answer {
        let text = call.localizer
        let last = try call.page().cursor.map { try Cursor($0, keys: 1).text(at: 0) } ?? ""
        let folder = try await disk.folder(path, after: last, limit: Self.filesPerPage + 1, by: call.principal)
        let page = Page(folder.files, limit: Self.filesPerPage) { Cursor([.string($0.path.text)]) }
        let children: [HTML] = last.isEmpty ? folder.children.map { row(text, folder, $0) } : []
        let rows = children + page.data.map { row(text, $0) }
        let columns: [(title: String, kind: String?)] = [
            (text("workflows.column.name"), nil), (text("workflows.files.size"), "number"), (text("workflows.files.type"), "optional"),
            (text("workflows.column.updated"), "optional")
        ]
        let listed =
            rows.isEmpty ? Console.empty(text("workflows.files.empty"), text("workflows.files.empty.hint")) : Console.table(columns, rows)
        let upload: HTML? = call.principal.may(.filesWrite) ? self.upload(text, folder, written ?? "/" + folder.path, refusal) : nil
        return try await context.settingsPage(
            call, title: text("workflows.settings.files"), current: Self.address, status: refusal?.kind.status ?? 200,
            """
            \(Console.workflowDone(call, ["uploaded", "deleted"]))\(Console.notice(refusal?.message(besides: ["path", "files"])))
            <p class="lead">\(text("workflows.files.lead"))</p>\(trail(text, folder.path))
            <section class="card">\(listed)\(Console.more(text, Self.link(to: folder.path), cursor: page.nextCursor))</section>
            \(try await use(call, folder))\(upload)
            """)
    }

    /// The folders above, each a link; nothing at the root.
    private func trail(_ text: Localizer, _ path: String) -> HTML? {
        guard !path.isEmpty else { return nil }
        let names = path.split(separator: "/")
        let links: [HTML] = names.indices.map { index in
            let here = names[...index].joined(separator: "/")
            return " / <a href=\"\(href: Self.link(to: here))\"\("aria-current=\"page\"", if: index == names.count - 1)>\(names[index])</a>"
        }
        return "<nav class=\"crumb\" aria-label=\"\(text("workflows.files.above"))\">\(home(text))\(links)</nav>"
    }

    private func root(_ text: Localizer) -> HTML { "<nav class=\"crumb\" aria-label=\"\(text("workflows.files.above"))\">\(home(text))</nav>" }

    private func home(_ text: Localizer) -> HTML { "<a href=\"\(Self.address)\">\(text("workflows.files.root"))</a>" }

    private func row(_ text: Localizer, _ folder: DiskFolder, _ child: DiskFolder.Child) -> HTML {
        let path = folder.path.isEmpty ? child.name : "\(folder.path)/\(child.name)"
        return """
            <tr><td class="name"><a href="\(href: Self.link(to: path))">\(child.name)/</a></td><td class="number">\(UsageLine.size(child.byteCount))</td>
            <td class="optional">\(text("workflows.files.count", ["count": "\(child.fileCount)"]))</td><td class="time optional"></td></tr>
            """
    }

    private func row(_ text: Localizer, _ file: DiskFile) -> HTML {
        """
        <tr><td class="name"><a href="\(Self.address)/\(file.id.description)">\(file.path.name)</a></td><td class="number">\(UsageLine.size(file.byteCount))</td>
        <td class="optional">\(file.mediaType)</td><td class="time optional">\(Console.time(file.updatedAt))</td></tr>
        """
    }

    /// How much lies here, and what the plan leaves.
    private func use(_ call: EndpointCall, _ folder: DiskFolder) async throws -> HTML {
        let text = call.localizer
        let uses = try await call.principal.may("usage.read") ? context.usage(call.tenant) : []
        let quota = uses.first { $0.key == .storageBytes }
        let line: HTML? = quota.map { "<div class=\"usage\">\(UsageLine($0, text).html)</div>" }
        let sum = text("workflows.files.sum", ["count": "\(folder.diskFileCount)", "size": UsageLine.size(folder.diskByteCount)])
        return
            "<section class=\"card stack\" aria-labelledby=\"use\"><h2 id=\"use\">\(text("workflows.files.use"))</h2><p>\(sum)</p>\(line)</section>"
    }

    private func upload(_ text: Localizer, _ folder: DiskFolder, _ written: String, _ refusal: Refusal?) -> HTML {
        let fault = refusal?.message(for: "files")
        let faultHTML: HTML? = fault.map { "<span class=\"fault\" id=\"files-fault\" role=\"alert\">\($0)</span>" }
        return """
            <section class="card stack" aria-labelledby="upload"><h2 id="upload">\(text("workflows.files.upload"))</h2>
            <form method="post" action="\(href: Self.link(to: folder.path))" enctype="multipart/form-data" class="form">
            <div class="field"><label for="files">\(text("workflows.files.choose"))</label>\
            <input id="files" name="files" type="file" multiple required aria-describedby="files-hint\(fault == nil ? "" : " files-fault")">\
            <span class="hint" id="files-hint">\(text("workflows.files.choose.hint"))</span>\(faultHTML)</div>
            \(Console.field("folder", label: text("workflows.files.folder"), value: written, hint: text("workflows.files.folder.hint"),
                fault: refusal?.message(for: "path"), isRequired: false))
            <p class="buttons"><button class="button primary">\(text("workflows.files.upload.submit"))</button></p></form></section>
            """
    }

    // MARK: A file

    private func file(_ call: EndpointCall, _ file: DiskFile, _ written: String, _ refusal: Refusal?) async throws -> Answer {
        let text = call.localizer
        let address = "\(Self.address)/\(file.id)"
        let edits: HTML? =
            call.principal.may(.filesWrite)
            ? """
            <section class="card stack" aria-labelledby="move"><h2 id="move">\(text("workflows.files.move"))</h2>
            <form method="post" action="\(address)" class="form">
            \(Console.field("path", label: text("workflows.files.path"), value: written, hint: text("workflows.files.path.hint"),
                fault: refusal?.message(for: "path")))
            <p class="buttons"><button class="button primary">\(text("workflows.files.move.submit"))</button></p></form>
            <p>\(Console.confirmed(text, id: "delete", action: "\(address)/deletion", label: text("workflows.files.delete"),
                question: text("workflows.files.delete.question", ["name": file.path.name])))</p></section>
            """ : nil
        return try await context.settingsPage(
            call, title: file.path.name, current: Self.address, crumb: trail(text, file.path.folder) ?? root(text),
            status: refusal?.kind.status ?? 200,
            """
            \(Console.workflowDone(call, ["set"]))\(Console.notice(refusal?.message(besides: ["path"])))
            <section class="card stack"><dl class="facts">
            <div><dt>\(text("workflows.files.path"))</dt><dd>\(file.path.shown)</dd></div>
            <div><dt>\(text("workflows.files.size"))</dt><dd>\(UsageLine.size(file.byteCount))</dd></div>
            <div><dt>\(text("workflows.files.type"))</dt><dd>\(file.mediaType)</dd></div>
            <div><dt>\(text("workflows.column.updated"))</dt><dd>\(Console.time(file.updatedAt))</dd></div></dl>
            <p class="buttons"><a class="button" href="\(address)/content" download>\(text("workflows.files.download"))</a></p></section>\(edits)
            """)
    }
}
