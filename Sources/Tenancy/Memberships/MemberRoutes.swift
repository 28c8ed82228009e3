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

struct InvitationView: Codable, Sendable {
    var email: String
    var role: String
    var expiresAt: Timestamp

    init(_ invitation: Invitation) {
        email = invitation.email
        role = invitation.role.rawValue
        expiresAt = invitation.expiresAt
    }
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

    var endpoints: [Endpoint] { members + invitations }

    private var members: [Endpoint] {
        [
            Endpoint.list("/v1/members", access: .tenant("members.read"), summary: "List the members", tag: "Members", of: MemberView.self) {
                call, page in
                let last = try page.cursor.map { text in
                    let cursor = try Cursor(text, keys: 2)
                    return (at: try cursor.timestamp(at: 0), user: try cursor.id(at: 1, of: UserTag.self))
                }
                let rows = try await tenancy.members(of: call.tenant, after: last, limit: page.limit + 1)
                return Page(rows.map(MemberView.init), limit: page.limit) {
                    Cursor([.string($0.createdAt.description), .string($0.userID.description)])
                }
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
            }
        ]
    }

    private var invitations: [Endpoint] {
        [
            Endpoint.list(
                "/v1/invitations", access: .tenant("members.write"), summary: "List the invitations that are open", tag: "Members",
                of: InvitationView.self
            ) { call, _ in Page(data: try await tenancy.invitations(to: call.tenant).map(InvitationView.init), nextCursor: nil) },
            Endpoint(
                .post, "/v1/invitations", access: .tenant("members.write"), summary: "Invite somebody by mail", tag: "Members",
                body: InvitationBody.self, returns: .noContent, errors: [ErrorDeclaration(.conflict, "already_member", "They belong already.")]
            ) { call, body in
                try await tenancy.invite(email: body.email, role: try Tenancy.role(body.role), to: call.tenant, by: call.principal)
            },
            Endpoint(
                .delete, "/v1/invitations/{email}", access: .tenant("members.write"), summary: "Revoke an invitation", tag: "Members",
                returns: .noContent
            ) { call in
                try await tenancy.revokeInvitation(of: try call.parameter("email"), to: call.tenant, by: call.principal)
            },
            Endpoint(
                .post, "/v1/invitation-acceptances", access: .public("The token is the proof."), summary: "Join a tenant", tag: "Members",
                body: AcceptanceBody.self, returns: .created(AccountView.self), errors: [AccountRoutes.stale]
            ) { call, body in
                try tenancy.limitAttempts("link", call.clientAddress)
                let session = tenancy.session(of: call.head)
                let signedIn = try await tenancy.acceptInvitation(
                    token: body.token, name: body.name, password: body.password, session: session, from: call.clientAddress)
                try await tenancy.endSession(of: call.head)
                call.addHeader("Set-Cookie", SessionCookie.set(signedIn.token, isSecure: tenancy.usesTLS))
                return AccountView(signedIn.user)
            }
        ]
    }
}
