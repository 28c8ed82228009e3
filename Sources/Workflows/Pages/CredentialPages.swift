internal import HTTPSurface
internal import Kernel

/// The tenant's credentials. Secrets come in by a form and are on no page, also where the form is shown again.
struct CredentialPages {
    let credentials: Credentials
    let context: PageContext

    static let address = "/settings/credentials"
    private static let rowsPerPage = 50
    private static let write = Access.tenant(.credentialsWrite)

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.credentialsRead), summary: "Credentials") { call in try await list(call) },
            .page(.get, "\(Self.address)/new", access: Self.write, summary: "New credential") { call in
                let wanted = call.parameter(ofQuery: "type")
                if wanted.isEmpty { return try await types(call) }
                let named = FormFields(pairs: [("name", call.parameter(ofQuery: "name"))])
                return try await form(call, try type(wanted), named, nil)
            },
            .page(.post, Self.address, access: Self.write, summary: "Store a credential") { call in
                let form = try call.form()
                let type = try type(form["type"])
                do {
                    let made = try await credentials.create(
                        type: type.type, name: form["name"], fields: CredentialForm(type: type).values(form), by: call.principal)
                    return .redirect("\(Self.address)/\(made.id)?done=created")
                } catch let refusal as Refusal {
                    return try await self.form(call, type, form, refusal)
                }
            },
            .page(.get, "\(Self.address)/{id}", access: .tenant(.credentialsRead), summary: "Credential") { call in
                try await page(call, try await credentials.credential(try id(call), by: call.principal))
            },
            .page(.post, "\(Self.address)/{id}", access: Self.write, summary: "Change a credential") { call in
                let credential = try await credentials.credential(try id(call), by: call.principal)
                let form = try call.form()
                do {
                    let changes = CredentialForm(type: try type(credential.type)).changes(form)
                    _ = try await credentials.update(credential.id, name: form["name"], fields: changes, by: call.principal)
                    return .redirect("\(Self.address)/\(credential.id)?done=changed")
                } catch let refusal as Refusal where refusal.kind != .missing {
                    return try await page(call, credential, form: form, refusal: refusal)
                }
            },
            .page(.post, "\(Self.address)/{id}/test", access: Self.write, summary: "Try a credential") { call in
                let credential = try await credentials.credential(try id(call), by: call.principal)
                let url = try call.form()["url"]
                do {
                    let outcome = try await credentials.test(credential.id, url: url.isEmpty ? nil : url, by: call.principal)
                    return try await page(call, credential, url: url, outcome: outcome)
                } catch let refusal as Refusal where refusal.kind != .missing {
                    return try await page(call, credential, url: url, refusal: refusal)
                }
            },
            .page(.post, "\(Self.address)/{id}/deletion", access: Self.write, summary: "Delete a credential") { call in
                try await credentials.delete(try id(call), by: call.principal)
                return .redirect("\(Self.address)?done=deleted")
            }
        ]
    }

    private func id(_ call: EndpointCall) throws -> CredentialID { try call.id("id", noun: "credential") }

    private func type(_ name: String) throws -> CredentialType {
        guard let type = credentials.type(name) else { throw Refusal.missing("type of credential") }
        return type
    }

    private func list(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let cursor: CredentialID? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
        let rows = try await credentials.list(before: cursor, limit: Self.rowsPerPage + 1, by: call.principal)
        let shown = Page(rows, limit: Self.rowsPerPage) { Cursor([.string($0.id.description)]) }
        let columns: [(title: String, kind: String?)] = [
            (text("workflows.column.name"), nil), (text("workflows.column.type"), nil), (text("workflows.column.updated"), "optional")
        ]
        let table =
            shown.data.isEmpty
            ? Console.empty(text("workflows.credentials.empty"), text("workflows.credentials.empty.hint"))
            : Console.table(
                columns,
                shown.data.map { credential in
                    """
                    <tr><td class="name"><a href="\(Self.address)/\(credential.id.description)">\(credential.name)</a></td>
                    <td>\(credentials.type(credential.type)?.title ?? credential.type)</td>
                    <td class="time optional">\(Console.time(credential.updatedAt))</td></tr>
                    """
                })
        let add: HTML? =
            call.principal.may(.credentialsWrite)
            ? "<p><a class=\"button primary\" href=\"\(Self.address)/new\">\(text("workflows.credentials.add"))</a></p>" : nil
        return try await settings(
            call, text("workflows.settings.credentials"),
            """
            \(Console.workflowDone(call, ["deleted"]))<p class="lead">\(text("workflows.credentials.lead"))</p>\(add)
            <section class="card">\(table)\(Console.more(text, Self.address, cursor: shown.nextCursor))</section>
            """)
    }

    private func types(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let links: [HTML] = CredentialType.builtIn.filter { credentials.type($0.type) != nil }.map {
            "<li><a href=\"\(Self.address)/new?type=\($0.type)\">\($0.title)</a></li>"
        }
        return try await settings(
            call, text("workflows.credentials.add"), crumb: back(text),
            """
            <section class="card" aria-labelledby="types"><div class="title"><h2 id="types">\(text("workflows.credentials.choose"))</h2></div>
            <ul class="types">\(links)</ul></section>
            """)
    }

    private func form(_ call: EndpointCall, _ type: CredentialType, _ form: FormFields, _ refusal: Refusal?) async throws -> Answer {
        let text = call.localizer
        let known = ["name"] + type.fields.map { "fields.\($0.name)" }
        return try await settings(
            call, text("workflows.credentials.new", ["type": type.title]), crumb: back(text), status: refusal?.kind.status ?? 200,
            """
            \(Console.notice(refusal?.message(besides: known)))
            <section class="card stack"><form method="post" action="\(Self.address)" class="form">
            <input type="hidden" name="type" value="\(type.type)">
            \(Console.field("name", label: text("workflows.column.name"), value: form["name"], hint: text("workflows.credentials.name.hint"),
                fault: refusal?.message(for: "name")))
            \(CredentialForm(type: type).fields(form, refusal, text))
            <p class="buttons"><button class="button primary">\(text("workflows.credentials.save"))</button>
            <a class="button" href="\(Self.address)">\(text("http.console.keep"))</a></p></form></section>
            """)
    }

    private func page(
        _ call: EndpointCall, _ credential: Credential, form: FormFields = .empty, url: String = "", outcome: CredentialTest? = nil,
        refusal: Refusal? = nil
    ) async throws -> Answer {
        let text = call.localizer
        let type = credentials.type(credential.type)
        let facts: [HTML] = (type?.fields ?? []).map { field in
            let value: HTML =
                field.isSecret
                ? "<span class=\"status\">\(text("workflows.credentials.sealed"))</span>"
                : "\(credential.shownFields[field.name].map { $0.text ?? $0.serialized } ?? "–")"
            return "<div><dt>\(field.label)</dt><dd>\(value)</dd></div>"
        }
        let mayWrite = call.principal.may(.credentialsWrite) && credential.isUsable(by: call.principal)
        let typed = form.pairs.isEmpty ? type.map { CredentialForm(type: $0).filled(credential) } ?? .empty : form
        let change: HTML? = type.map { type in
            """
            <section class="card stack" aria-labelledby="change"><h2 id="change">\(text("workflows.credentials.change"))</h2>
            <form method="post" action="\(Self.address)/\(credential.id.description)" class="form">
            \(Console.field("name", label: text("workflows.column.name"), value: typed["name"], fault: refusal?.message(for: "name")))
            \(CredentialForm(type: type, isChange: true).fields(typed, refusal, text))
            <p class="buttons"><button class="button primary">\(text("workflows.credentials.save"))</button></p></form></section>
            """
        }
        return try await settings(
            call, credential.name, crumb: back(text), status: refusal?.kind.status ?? 200,
            """
            \(Console.workflowDone(call, ["created", "changed"]))\(Console.notice(outcome?.message, isBad: outcome?.isAccepted == false))
            \(Console.notice(refusal?.message(besides: ["url", "name"] + (type?.fields ?? []).map { "fields.\($0.name)" })))
            <section class="card"><dl class="facts"><div><dt>\(text("workflows.column.type"))</dt><dd>\(type?.title ?? credential.type)</dd></div>\(facts)
            <div><dt>\(text("workflows.column.updated"))</dt><dd>\(Console.time(credential.updatedAt))</dd></div></dl></section>
            \(mayWrite ? actions(text, credential, type, url: url, fault: refusal?.message(for: "url"), change: change) : .empty)
            """)
    }

    private func actions(_ text: Localizer, _ credential: Credential, _ type: CredentialType?, url: String, fault: String?, change: HTML?) -> HTML {
        let address = "\(Self.address)/\(credential.id)"
        let isSent = type.map { $0.test != nil || !$0.applications.isEmpty } ?? false
        let asked: HTML =
            type?.test == nil
            ? Console.field(
                "url", label: text("workflows.credentials.test.url"), type: "url", value: url, hint: text("workflows.credentials.test.url.hint"),
                fault: fault) : "<p class=\"lead\">\(text("workflows.credentials.test.hint"))</p>"
        let test: HTML =
            isSent
            ? """
            <form method="post" action="\(address)/test" class="form">\(asked)
            <p class="buttons"><button class="button">\(text("workflows.credentials.test"))</button></p></form>
            """ : "<p class=\"lead\">\(text("workflows.credentials.cannot_test"))</p>"
        let delete = Console.confirmed(
            text, id: "delete", action: "\(address)/deletion", label: text("workflows.credentials.delete"),
            question: text("workflows.credentials.delete.question", ["name": credential.name]), isSmall: false)
        return "<section class=\"card stack\">\(test)</section>\(change)<p>\(delete)</p>"
    }

    private func back(_ text: Localizer) -> HTML {
        "<p class=\"crumb\"><a href=\"\(Self.address)\">\(text("workflows.settings.credentials"))</a></p>"
    }

    private func settings(_ call: EndpointCall, _ title: String, crumb: HTML? = nil, status: Int = 200, _ main: HTML) async throws -> Answer {
        try await context.settingsPage(call, title: title, current: Self.address, crumb: crumb, status: status, main)
    }
}

/// The form of a type's fields.
struct CredentialForm {
    let type: CredentialType
    /// Of one that is stored: a secret left empty stays.
    var isChange = false

    private func name(_ field: CredentialType.Field) -> String { "field-\(field.name)" }

    /// What was filled in, as the type's fields have it; what does not fit stays a text, and the type's check says so.
    func values(_ form: FormFields) -> JSONObject {
        var values = JSONObject()
        for field in type.fields {
            let text = field.isSecret ? form.verbatim(name(field)) : form[name(field)]
            switch field.kind {
            case .boolean: values[field.name] = .bool(!text.isEmpty)
            case .number where !text.isEmpty: values[field.name] = Double(text).map { .number($0) } ?? .string(text)
            case .text where !text.isEmpty, .json where !text.isEmpty: values[field.name] = .string(text)
            default: break
            }
        }
        return values
    }

    /// The values to change: secrets that were typed, and all others, null where one was emptied.
    func changes(_ form: FormFields) -> JSONObject {
        var values = values(form)
        for field in type.fields where !field.isSecret && values[field.name] == nil { values[field.name] = .null }
        return values
    }

    /// A stored credential as its form would send it, without its secrets.
    func filled(_ credential: Credential) -> FormFields {
        let fields = type.fields.compactMap { field -> (name: String, value: String)? in
            guard let value = credential.shownFields[field.name], value != false else { return nil }
            return (name(field), value.text ?? value.serialized)
        }
        return FormFields(pairs: [("name", credential.name)] + fields)
    }

    /// Inputs in the type's order; a secret is never filled in again.
    func fields(_ form: FormFields, _ refusal: Refusal?, _ text: Localizer) -> [HTML] {
        type.fields.map { field in
            let fault = refusal?.message(for: "fields.\(field.name)")
            let isRequired = field.isRequired && field.defaultValue == nil && !(isChange && field.isSecret)
            let hint = field.isSecret ? text(isChange ? "workflows.credentials.secret.kept" : "workflows.credentials.secret") : nil
            let isSent = form.pairs.contains { $0.name == name(field) } || isChange
            let given = isSent ? form[name(field)] : field.defaultValue ?? ""
            return switch field.kind {
            case .boolean: Console.tick(name(field), value: "true", label: field.label, isTicked: !given.isEmpty)
            case .json:
                Console.area(
                    name(field), label: field.label, value: field.isSecret ? "" : given, hint: hint, fault: fault, isRequired: isRequired)
            case .text, .number:
                Console.field(
                    name(field), label: field.label, type: field.isSecret ? "password" : field.kind == .number ? "number" : "text",
                    value: field.isSecret ? "" : given, autocomplete: field.isSecret ? "new-password" : "off", hint: hint, fault: fault,
                    isRequired: isRequired)
            }
        }
    }
}
