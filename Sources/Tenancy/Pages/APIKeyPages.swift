internal import HTTPSurface
internal import Kernel

/// The tenant's API keys. A new key's secret is on the page that answers its form, and on no other.
struct APIKeyPages: SettingsPage {
    let tenancy: Tenancy
    let console: Console

    static let address = "/settings/api-keys"
    static let titleKey = "tenancy.settings.api_keys"

    /// Days a key may be good for; 0 is for ever.
    private static let lifetimes = [30, 90, 365, 0]
    private static let lifetimeDefault = 90
    private static let rowsPerPage = 50
    private static let fields = ["name", "expires_at"]

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant("api_keys.read"), summary: "API keys") { call in try await list(call) },
            .page(.post, Self.address, access: .tenant("api_keys.write"), summary: "Create an API key") { call in
                let form = try call.form()
                do {
                    let made = try await tenancy.createKey(
                        name: form["name"], scopes: form.pairs.filter { $0.name == "scope" }.map(\.value), expiresAt: try expiry(form["expires"]),
                        in: call.tenant, by: call.principal)
                    return try await list(call, secret: made.secret, status: 201)
                } catch let refusal as Refusal {
                    return try await list(call, form, refusal, status: refusal.kind.status)
                }
            },
            .page(.post, "\(Self.address)/{id}/revocation", access: .tenant("api_keys.write"), summary: "Revoke an API key") { call in
                try await tenancy.revokeKey(try call.id("id", noun: "API key"), of: call.tenant, by: call.principal)
                return .redirect("\(Self.address)?done=key_revoked")
            }
        ]
    }

    private func expiry(_ text: String) throws -> Timestamp? {
        guard let days = Int(text), Self.lifetimes.contains(days) else {
            throw Refusal.invalid("expires_at", "unknown_lifetime", "Choose how long the key is good for.")
        }
        return days == 0 ? nil : tenancy.clock.now() + .seconds(days * 86_400)
    }

    private func list(
        _ call: EndpointCall, _ form: FormFields = .empty, _ refusal: Refusal? = nil, secret: String? = nil, status: Int = 200
    ) async throws -> Answer {
        let text = call.localizer
        let cursor: APIKeyID? = secret == nil ? try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) } : nil
        let rows = try await tenancy.keys(of: call.tenant, before: cursor, limit: Self.rowsPerPage + 1)
        let shown = Page(rows, limit: Self.rowsPerPage) { Cursor([.string($0.id.description)]) }
        let columns: [(title: String, kind: String?)] = [
            (text("tenancy.column.name"), nil), (text("tenancy.column.scopes"), "optional"), (text("tenancy.column.expires"), nil), ("", "actions")
        ]
        let now = tenancy.clock.now()
        let table =
            shown.data.isEmpty
            ? Console.empty(text("tenancy.keys.empty"), text("tenancy.keys.empty.hint"))
            : Console.table(columns, shown.data.map { row(call, $0, now: now) })
        let once: HTML? = secret.map { secret in
            """
            <section class="card stack secret" role="status"><h2>\(text("tenancy.keys.made"))</h2><p>\(text("tenancy.keys.made.hint"))</p>
            \(Console.copyable(text, id: "secret", secret))</section>
            """
        }
        let form: HTML? = call.principal.may("api_keys.write") ? self.form(call, form, refusal) : nil
        return try await page(
            call, status: status,
            """
            \(done(call, ["key_revoked"]))\(once)\(Console.notice(refusal?.message(besides: Self.fields)))
            <section class="card">\(table)\(Console.more(text, Self.address, cursor: shown.nextCursor))</section>\(form)
            """)
    }

    private func row(_ call: EndpointCall, _ key: APIKey, now: Timestamp) -> HTML {
        let text = call.localizer
        let id = key.id.description
        let isOver = key.expiresAt.map { $0 <= now } ?? false
        let expiry: HTML =
            if key.revokedAt != nil { "<span class=\"status failed\">\(text("tenancy.keys.revoked"))</span>" } else if isOver {
                "<span class=\"status\">\(text("tenancy.keys.expired"))</span>"
            } else { key.expiresAt.map { Console.time($0) } ?? "\(text("tenancy.keys.never_expires"))" }
        let revoke: HTML? =
            key.revokedAt == nil && call.principal.may("api_keys.write")
            ? Console.confirmed(
                text, id: "revoke-\(id)", action: "\(Self.address)/\(id)/revocation", label: text("tenancy.keys.revoke"),
                question: text("tenancy.keys.revoke.question", ["name": key.name])) : nil
        let scopes =
            key.scopes.isEmpty ? text("tenancy.keys.all_of_role", ["role": role(key.role, text)]) : key.scopes.sorted().joined(separator: ", ")
        return """
            <tr><td class="name">\(key.name)<span class="sub"><code>\(key.hint)…</code> · \(text("tenancy.keys.created")) \(Console.time(key.createdAt))</span></td>
            <td class="optional"><span class="sub">\(scopes)</span></td><td class="time">\(expiry)</td><td class="actions">\(revoke)</td></tr>
            """
    }

    private func form(_ call: EndpointCall, _ form: FormFields, _ refusal: Refusal?) -> HTML {
        let text = call.localizer
        let ticked = Set(form.pairs.filter { $0.name == "scope" }.map(\.value))
        let scopes: [HTML] = tenancy.permissions.all.filter(call.principal.may).map(\.name).sorted().map { name in
            let meaning = text.strings.text("permission.\(name)", language: text.language)
            return Console.tick("scope", value: name, label: name, hint: meaning, isTicked: ticked.contains(name))
        }
        let lifetimes = Self.lifetimes.map { days in
            (value: String(days), title: days == 0 ? text("tenancy.keys.never") : text("tenancy.keys.days", ["days": String(days)]))
        }
        return """
            <section class="card stack" aria-labelledby="new-key"><h2 id="new-key">\(text("tenancy.keys.new"))</h2>
            <form method="post" action="\(Self.address)" class="form wide"><div class="row-form">
            \(Console.field("name", label: text("tenancy.column.name"), value: form["name"], hint: text("tenancy.keys.name.hint"),
                fault: refusal?.message(for: "name")))
            \(Console.choice("expires", label: text("tenancy.column.expires"), options: lifetimes,
                chosen: form["expires"].isEmpty ? String(Self.lifetimeDefault) : form["expires"], fault: refusal?.message(for: "expires_at")))</div>
            <fieldset class="ticks"><legend>\(text("tenancy.column.scopes"))</legend><p class="hint">\(text("tenancy.keys.scopes.hint"))</p>
            <div class="grid">\(scopes)</div></fieldset>
            <p class="buttons"><button class="button primary">\(text("tenancy.keys.submit"))</button></p></form></section>
            """
    }
}
