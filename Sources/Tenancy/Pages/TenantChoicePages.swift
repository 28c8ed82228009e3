internal import HTTPSurface
internal import Kernel

/// The tenants of a person who belongs to several, and the way from one to another. At a tenant's own host they are in that one, whatever they chose.
struct TenantChoicePages {
    let tenancy: Tenancy
    let console: Console

    static let address = "/tenants"

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .signedIn, summary: "Tenants of one's own") { call in try await list(call) },
            .page(.post, "\(Self.address)/{id}/choice", access: .signedIn, summary: "Go to another tenant") { call in
                let id: TenantID = try call.id("id", noun: "tenant")
                guard try await own(call).contains(where: { $0.tenant.id == id }) else { throw Refusal.missing("tenant") }
                call.addHeader("Set-Cookie", TenantCookie.set(id, isSecure: tenancy.usesTLS))
                return .redirect("/")
            }
        ]
    }

    /// None of a key, and none of an operator in a tenant that is not theirs.
    private func own(_ call: EndpointCall) async throws -> [(membership: Membership, tenant: Tenant)] {
        guard let user = call.principal.person, call.principal.impersonation == nil else { return [] }
        return try await tenancy.memberships(of: user)
    }

    private func list(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let columns: [(title: String, kind: String?)] = [
            (text("tenancy.column.name"), nil), (text("tenancy.column.role"), nil), ("", "actions")
        ]
        let rows: [HTML] = try await own(call).map { row(call, $0.membership, $0.tenant) }
        let title = text("tenancy.choice.title")
        return console.page(
            call, title: title, current: Self.address, person: try await tenancy.visitor(call.principal),
            """
            <header><h1>\(title)</h1></header><section class="card">\(Console.table(columns, rows))</section>
            """)
    }

    private func row(_ call: EndpointCall, _ membership: Membership, _ tenant: Tenant) -> HTML {
        let text = call.localizer
        let label = text("tenancy.choice.enter_named", ["tenant": tenant.name])
        let form: HTML = """
            <form method="post" action="\(Self.address)/\(tenant.id.description)/choice">\
            <button class="button small" aria-label="\(label)">\(text("tenancy.choice.enter"))</button></form>
            """
        let here: HTML = "<span class=\"status\">\(text("tenancy.choice.here"))</span>"
        return """
            <tr><td class="name">\(tenant.name)<span class="sub">\(tenant.subdomain.text)</span></td>
            <td>\(text("tenancy.role.\(membership.role.rawValue)"))</td>
            <td class="actions">\(call.principal.tenant == tenant.id ? here : form)</td></tr>
            """
    }
}
