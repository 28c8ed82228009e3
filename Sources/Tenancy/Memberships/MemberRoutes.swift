internal import HTTPSurface
internal import Kernel

struct MemberView: Codable, Sendable {
    var userID: UserID
    var email: String
    var name: String
    var role: String
    var createdAt: Timestamp

    init(_ member: Member) {
        userID = member.user
        email = member.email
        name = member.name
        role = member.role.rawValue
        createdAt = member.createdAt
    }
}

struct RoleBody: Codable, Sendable, Described {
    var role: String
    static let notes: [FieldNote] = [FieldNote("role", "owner, admin, editor, viewer or billing.", example: "editor", length: 1...20)]
}

struct InvitationBody: Codable, Sendable, Described {
    var email: String
    var role: String
    static let notes: [FieldNote] = [
        FieldNote("email", "Where the link is sent.", example: "ben@example.com", length: 3...254),
        FieldNote("role", "owner, admin, editor, viewer or billing.", example: "editor", length: 1...20)
    ]
}

struct AcceptanceBody: Codable, Sendable, Described {
    var token: String
    var name: String?
    var password: String?
    static let notes: [FieldNote] = [
        FieldNote("token", "From the link.", length: 1...200), FieldNote("name", "Of a person who is new here.", length: 1...80),
        FieldNote("password", "Of a person who is new here.", length: 10...256)
    ]
}

struct MemberRoutes {
    let tenancy: Tenancy

    var endpoints: [Endpoint] {
        [
            Endpoint.list("/v1/members", access: .tenant("members.read"), summary: "List the members", tag: "Members", of: MemberView.self) {
                call, _ in Page(data: try await tenancy.members(of: call.tenant).map(MemberView.init), nextCursor: nil)
            },
            Endpoint(
                .put, "/v1/members/{user}/role", access: .tenant("members.write"), summary: "Give a member another role", tag: "Members",
                body: RoleBody.self, returns: .noContent, errors: [ErrorDeclaration(.conflict, "last_owner", "A tenant needs an owner.")]
            ) { call, body in
                try await tenancy.setRole(
                    try Tenancy.role(body.role), of: try call.id("user", noun: "member"), in: call.tenant, by: call.principal)
            },
            Endpoint(
                .delete, "/v1/members/{user}", access: .tenant("members.write"), summary: "Remove a member", tag: "Members", returns: .noContent,
                errors: [ErrorDeclaration(.conflict, "last_owner", "A tenant needs an owner.")]
            ) { call in
                try await tenancy.removeMember(try call.id("user", noun: "member"), from: call.tenant, by: call.principal)
            },
            Endpoint(
                .post, "/v1/invitations", access: .tenant("members.write"), summary: "Invite somebody by mail", tag: "Members",
                body: InvitationBody.self, returns: .noContent, errors: [ErrorDeclaration(.conflict, "already_member", "They belong already.")]
            ) { call, body in
                try await tenancy.invite(email: body.email, role: try Tenancy.role(body.role), to: call.tenant, by: call.principal)
            },
            Endpoint(
                .post, "/v1/invitation-acceptances", access: .public("The token is the proof."), summary: "Join a tenant", tag: "Members",
                body: AcceptanceBody.self, returns: .created(AccountView.self), errors: [AccountRoutes.stale]
            ) { call, body in
                let signedIn = try await tenancy.acceptInvitation(token: body.token, name: body.name, password: body.password)
                call.addHeader("Set-Cookie", SessionCookie.set(signedIn.token, isSecure: tenancy.usesTLS))
                return AccountView(signedIn.user)
            }
        ]
    }
}
