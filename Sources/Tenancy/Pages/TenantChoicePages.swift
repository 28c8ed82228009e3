package import HTTPSurface
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
                return .redirect(Self.local(try call.form()["back"]))
            }
        ]
    }

    /// An address of our own to go back to; the start where it is none.
    static func local(_ address: String) -> String {
        let isPlain = address.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }
        return isPlain && address.hasPrefix("/") && !address.hasPrefix("//") ? address : "/"
    }

    /// The path of the page that sent a request.
    static func sender(_ head: RequestHead) -> String {
        let parts = (head.header("Referer") ?? "").split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count == 4 ? local("/" + parts[3].prefix { $0 != "?" && $0 != "#" }) : "/"
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

extension Console {
    /// A form of a page of one tenant, sent while the browser is in another one: nothing of it was done, and both ways on are offered.
    package func otherTenant(_ problem: ErrorPage) -> Answer {
        guard let tenant = problem.pageTenant else { return self.problem(problem) }
        let text = problem.localizer
        let page = TenantChoicePages.sender(problem.head)
        return self.problem(
            problem,
            ways: """
                <form class="form" method="post" action="\(TenantChoicePages.address)/\(tenant.description)/choice">\
                <input type="hidden" name="back" value="\(page)"><p class="buttons"><button class="button primary">\(text("tenancy.choice.back"))</button>
                <a class="button" href="\(href: page)">\(text("tenancy.choice.again"))</a></p></form>
                """)
    }
}
