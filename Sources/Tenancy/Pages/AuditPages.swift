internal import HTTPSurface
internal import Kernel

/// Who changed what and when.
struct AuditPages: SettingsPage {
    let tenancy: Tenancy
    let console: Console

    static let address = "/settings/audit-log"
    static let titleKey = "tenancy.settings.audit_log"

    private static let rowsPerPage = 50

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant("audit.read"), summary: "Audit log") { call in
                try await tenancy.sealAuditLog(of: call.tenant)
                let text = call.localizer
                let cursor: ID<AuditEntry>? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await tenancy.auditLog(of: call.tenant, before: cursor, limit: Self.rowsPerPage + 1)
                let shown = Page(rows, limit: Self.rowsPerPage) { Cursor([.string($0.id.description)]) }
                let names = try await tenancy.names(of: Set(shown.data.flatMap { [$0.actor, $0.subject] }), in: call.tenant)
                let columns: [(title: String, kind: String?)] = [
                    (text("tenancy.audit.what"), nil), (text("tenancy.audit.who"), nil), (text("tenancy.audit.when"), nil)
                ]
                let table =
                    shown.data.isEmpty
                    ? Console.empty(text("tenancy.audit.empty"), text("tenancy.audit.empty.hint"))
                    : Console.table(columns, shown.data.map { row($0, names, text) })
                return try await page(
                    call,
                    """
                    <p class="lead">\(text("tenancy.audit.lead"))</p>
                    <section class="card">\(table)\(Console.more(text, Self.address, cursor: shown.nextCursor))</section>
                    """)
            }
        ]
    }

    private func row(_ entry: AuditEntry, _ names: [String: String], _ text: Localizer) -> HTML {
        let action = text.strings.text("audit.\(entry.action)", language: text.language) ?? entry.action
        let details: [HTML] = (entry.details.object ?? [:]).map { key, value in
            "<div><dt>\(key)</dt><dd>\(value.text ?? value.serialized)</dd></div>"
        }
        let list: HTML? = details.isEmpty ? nil : "<dl class=\"details\">\(details)</dl>"
        let about: HTML? = subject(entry, names).map { "<span class=\"sub\">\($0)</span>" }
        return """
            <tr><td class="name">\(action)\(about)\(list)</td>
            <td>\(actor(entry.actor, names, text))</td><td class="time">\(Console.time(entry.at, isExact: true))</td></tr>
            """
    }

    private func actor(_ actor: String, _ names: [String: String], _ text: Localizer) -> HTML {
        let kind = actor.prefix { $0 != ":" }
        switch kind {
        case "key": return "\(names[actor] ?? actor)<span class=\"sub\">\(text("tenancy.audit.by_key"))</span>"
        case "operator": return "\(names[actor] ?? actor)<span class=\"sub\">\(text("tenancy.audit.by_operator"))</span>"
        case "system": return "\(text("tenancy.audit.by_\(kind)"))"
        default: return "\(names[actor] ?? actor)"
        }
    }

    /// What was changed: by name where it has one, with a link where it has a page and was not deleted; nil for the tenant itself.
    private func subject(_ entry: AuditEntry, _ names: [String: String]) -> HTML? {
        if let name = names[entry.subject] { return "\(name)" }
        let parts = entry.subject.split(separator: ":", maxSplits: 1)
        if parts.first == "tenant" { return nil }
        guard parts.count == 2, !entry.action.hasSuffix(".delete"), let address = console.subjects[String(parts[0])] else {
            return "<code>\(entry.subject)</code>"
        }
        return "<a href=\"\(href: "\(address)\(parts[1])")\"><code>\(entry.subject)</code></a>"
    }
}
