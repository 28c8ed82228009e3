internal import HTTPSurface
internal import Kernel

/// Who belongs to the tenant, and who is invited.
struct MemberPages: SettingsPage {
    let tenancy: Tenancy
    let console: Console

    static let address = "/settings/members"
    static let titleKey = "tenancy.settings.members"

    private static let write = Access.tenant("members.write")
    private static let fields = ["email", "role"]

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant("members.read"), summary: "Members") { call in try await list(call) },
            .page(.post, "/settings/invitations", access: Self.write, summary: "Invite somebody") { call in
                let form = try call.form()
                do {
                    try await tenancy.invite(email: form["email"], role: try Tenancy.role(form["role"]), to: call.tenant, by: call.principal)
                    return .redirect("\(Self.address)?done=invited")
                } catch let refusal as Refusal where refusal.kind != .missing {
                    return try await list(call, form, refusal)
                }
            },
            .page(.post, "/settings/invitations/revocation", access: Self.write, summary: "Revoke an invitation") { call in
                do {
                    try await tenancy.revokeInvitation(of: try call.form()["email"], to: call.tenant, by: call.principal)
                } catch let refusal as Refusal where refusal.kind == .missing {
                    // Accepted or expired in between: what the list shows now.
                }
                return .redirect("\(Self.address)?done=revoked")
            },
            .page(.post, "/settings/members/{user}/role", access: Self.write, summary: "Give a member another role") { call in
                try await change(call, "changed") { user in
                    try await tenancy.setRole(try Tenancy.role(try call.form()["role"]), of: user, in: call.tenant, by: call.principal)
                }
            },
            .page(.post, "/settings/members/{user}/removal", access: Self.write, summary: "Remove a member") { call in
                try await change(call, "removed") { user in try await tenancy.removeMember(user, from: call.tenant, by: call.principal) }
            }
        ]
    }

    private func change(_ call: EndpointCall, _ done: String, _ work: (UserID) async throws -> Void) async throws -> Answer {
        do {
            try await work(try call.id("user", noun: "member"))
            return .redirect("\(Self.address)?done=\(done)")
        } catch let refusal as Refusal where refusal.kind != .missing {
            return try await list(call, .empty, refusal, isOfInvitation: false)
        }
    }

    private func list(
        _ call: EndpointCall, _ form: FormFields = .empty, _ refusal: Refusal? = nil, isOfInvitation: Bool = true
    ) async throws -> Answer {
        let text = call.localizer
        let members = try await tenancy.members(of: call.tenant)
        let mayWrite = call.principal.may("members.write")
        let owners = members.count { $0.role == .owner }
        let rows = members.map { row(call, $0, mayChange: mayWrite && mayChange($0, call.principal, owners: owners)) }
        let columns: [(title: String, kind: String?)] = [
            (text("tenancy.column.person"), nil), (text("tenancy.column.role"), nil), (text("tenancy.column.joined"), "optional"), ("", "actions")
        ]
        let general = refusal?.message(besides: isOfInvitation ? Self.fields : [])
        var main: HTML = """
            \(done(call, ["invited", "revoked", "changed", "removed"]))\(Console.notice(general))
            """
        if mayWrite {
            main = main + invitationForm(call, form, isOfInvitation ? refusal : nil)
        }
        main = main + "<section class=\"card\">\(Console.table(columns, rows))</section>"
        if mayWrite { main = main + (try await invitations(call)) }
        return try await page(call, status: refusal?.kind.status ?? 200, main)
    }

    private func invitationForm(_ call: EndpointCall, _ form: FormFields, _ refusal: Refusal?) -> HTML {
        let text = call.localizer
        let chosen = form["role"].isEmpty ? Role.editor.rawValue : form["role"]
        return """
            <section class="card stack" aria-labelledby="invite"><h2 id="invite">\(text("tenancy.members.invite"))</h2>
            <form method="post" action="/settings/invitations" class="row-form">
            \(Console.field("email", label: text("tenancy.field.email"), type: "email", value: form["email"], fault: refusal?.message(for: "email")))
            \(Console.choice("role", label: text("tenancy.column.role"), options: roles(call), chosen: chosen, fault: refusal?.message(for: "role")))
            <button class="button primary">\(text("tenancy.members.invite.submit"))</button></form>
            <p class="lead">\(text("tenancy.members.invite.hint"))</p></section>
            """
    }

    /// Only an owner changes owners, and nobody the last one.
    private func mayChange(_ member: Member, _ principal: Principal, owners: Int) -> Bool {
        member.role != .owner || (principal.role == .owner && owners > 1)
    }

    private func row(_ call: EndpointCall, _ member: Member, mayChange: Bool) -> HTML {
        let text = call.localizer
        let isSelf = call.principal.actor == .user(member.user) || call.principal.actor == .platformOperator(member.user)
        let id = member.user.description
        let options: [HTML] = roles(call).map {
            "<option value=\"\($0.value)\"\("selected", if: $0.value == member.role.rawValue)>\($0.title)</option>"
        }
        let chooser: HTML = """
            <form method="post" action="\(Self.address)/\(id)/role"><select name="role" class="inline-select" \
            aria-label="\(text("tenancy.members.role_of", ["person": member.email]))">\(options)</select>\
            <button class="button small">\(text("tenancy.save"))</button></form>
            """
        let remove: HTML? =
            mayChange
            ? Console.confirmed(
                text, id: "remove-\(id)", action: "\(Self.address)/\(id)/removal", label: text("tenancy.members.remove"),
                question: text("tenancy.members.remove.question", ["person": member.email])) : nil
        let you: HTML? = isSelf ? " <span class=\"status\">\(text("tenancy.members.you"))</span>" : nil
        return """
            <tr><td class="name">\(member.name)\(you)<span class="sub">\(member.email)</span></td>
            <td>\(mayChange ? chooser : "\(role(member.role, text))")</td><td class="time optional">\(Console.time(member.createdAt))</td>
            <td class="actions">\(remove)</td></tr>
            """
    }

    private func invitations(_ call: EndpointCall) async throws -> HTML {
        let text = call.localizer
        let open = try await tenancy.invitations(to: call.tenant)
        guard !open.isEmpty else { return .empty }
        let rows: [HTML] = open.enumerated().map { index, invitation in
            let revoke = Console.confirmed(
                text, id: "revoke-\(index)", action: "/settings/invitations/revocation", label: text("tenancy.members.revoke"),
                question: text("tenancy.members.revoke.question", ["email": invitation.email]),
                fields: "<input type=\"hidden\" name=\"email\" value=\"\(invitation.email)\">")
            return """
                <tr><td class="name">\(invitation.email)</td><td>\(role(invitation.role, text))</td>
                <td class="time optional">\(Console.time(invitation.expiresAt))</td><td class="actions">\(revoke)</td></tr>
                """
        }
        let columns: [(title: String, kind: String?)] = [
            (text("tenancy.field.email"), nil), (text("tenancy.column.role"), nil), (text("tenancy.column.expires"), "optional"), ("", "actions")
        ]
        return """
            <section class="card" aria-labelledby="pending"><div class="title"><h2 id="pending">\(text("tenancy.members.pending"))</h2></div>
            \(Console.table(columns, rows))</section>
            """
    }

    /// Those that this person may give.
    private func roles(_ call: EndpointCall) -> [(value: String, title: String)] {
        Role.allCases.filter { $0 != .owner || call.principal.role == .owner }.map { ($0.rawValue, role($0, call.localizer)) }
    }
}
