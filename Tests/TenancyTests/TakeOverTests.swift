import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

/// A stranger signed up with Ben's address and made a tenant; then Ben takes the account over.
@Suite struct TakeOverTests {
    static let email = "ben@example.com"
    static let password = "the owner's own words"

    /// How the owner of the address takes the account over that a stranger made with it.
    enum Way: CaseIterable { case invitation, reset, link, tenant, platform }

    /// - Returns: a session, where the way opens one.
    @discardableResult
    private func takeOver(_ world: TenancyHarness, by way: Way, session: String? = nil) async throws -> String? {
        let tenancy = world.tenancy
        switch way {
        case .invitation:
            try await tenancy.invite(email: Self.email, role: .viewer, to: world.acme.id, by: TenancyHarness.owner)
            let token = try #require(try await world.mailedTokens("invitation").last)
            return try await tenancy.acceptInvitation(token: token, name: nil, password: Self.password, session: session).token
        case .reset:
            try await tenancy.requestPasswordReset(email: Self.email)
            let token = try #require(try await world.mailedTokens("reset_password").last)
            try await tenancy.resetPassword(token: token, password: Self.password, session: session)
            return nil
        case .link:
            let token = String(try #require(try await tenancy.makeSignInLink(email: Self.email).split(separator: "=").last))
            return try await tenancy.signIn(token: token, session: session).token
        case .tenant:
            let new = NewTenant(name: "New", subdomain: "new", plan: .starter)
            _ = try await tenancy.createTenant(new, owner: Self.email, by: TenancyHarness.owner)
            return nil
        case .platform:
            #expect(try await tenancy.setOperator(true, email: Self.email, by: TenancyHarness.owner))
            return nil
        }
    }

    /// The stranger's tenant with a key, a member and an open invitation.
    private struct Left {
        var user: UserID
        var tenant: TenantID
        var key: String
        /// Of the member.
        var session: String
        /// Of the invitation that is open.
        var invitation: String
    }

    private func leaveDoors(_ world: TenancyHarness) async throws -> Left {
        let tenancy = world.tenancy
        let made = try await world.signUpBen()
        let id = made.tenant.id
        let principal = Principal(
            actor: .user(made.user.id), tenant: id, role: .owner, permissions: tenancy.permissions.permissions(of: .owner))
        let key = try await tenancy.createKey(name: "Mine", scopes: [], expiresAt: nil, in: id, by: principal).secret
        try await tenancy.invite(email: "friend@example.com", role: .owner, to: id, by: principal)
        let joined = try #require(try await world.mailedTokens("invitation").last)
        let friend = try await tenancy.acceptInvitation(token: joined, name: nil, password: TenancyHarness.password)
        try await tenancy.invite(email: "other@example.com", role: .admin, to: id, by: principal)
        let open = try #require(try await world.mailedTokens("invitation").last)
        world.lease.clock.advance(by: .seconds(60))
        return Left(user: made.user.id, tenant: id, key: key, session: friend.token, invitation: open)
    }

    @Test(arguments: Way.allCases) func `a key that the stranger made ends`(way: Way) async throws {
        try await withTenancy(.sqlite) { world in
            let left = try await leaveDoors(world)
            let shown = Presented(bearer: left.key, session: nil, tenant: nil)
            #expect(try await world.tenancy.principal(shown).tenant == left.tenant)
            try await takeOver(world, by: way)
            #expect(try await refusal { try await world.tenancy.principal(shown) } == "bad_key")
            // Those of other tenants stay.
            let acme = Presented(bearer: world.acmeKey, session: nil, tenant: nil)
            #expect(try await world.tenancy.principal(acme).tenant == world.acme.id)
        }
    }

    @Test(arguments: Way.allCases) func `whom the stranger brought in is out, and an invitation that is open lets nobody in`(way: Way) async throws {
        try await withTenancy(.sqlite) { world in
            let (tenancy, left) = (world.tenancy, try await leaveDoors(world))
            try await takeOver(world, by: way)
            #expect(try await tenancy.members(of: left.tenant).map(\.user) == [left.user])
            #expect(try await tenancy.quotas(of: left.tenant).first { $0.key == .users }?.used == 1)
            let friend = Presented(bearer: nil, session: left.session, tenant: left.tenant)
            #expect(try await refusal { try await tenancy.principal(friend) } == "not_found")
            #expect(try await tenancy.invitations(to: left.tenant).isEmpty)
            let attempt = { try await tenancy.acceptInvitation(token: left.invitation, name: nil, password: TenancyHarness.password) }
            #expect(try await refusal(of: attempt) == "link_expired")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `other modules close what they keep in the same transaction, and it is on record`(
        engine: DatabaseEngine
    ) async throws {
        try await withTenancy(engine) { world in
            let left = try await leaveDoors(world)
            world.tenancy.strangersDoors.add("tests") { tx, principal in
                try tx.audit(principal, "test.close", "tenant:\(tx.tenant.id)")
                return 3
            }
            try await takeOver(world, by: .invitation)
            let noted = ["api_key.revoke", "invitation.revoke", "member.remove", "test.close"]
            let actions = try await world.actions(of: left.tenant)
            #expect(Array(actions.suffix(4)) == noted)
            #expect(try await world.actions(of: world.acme.id) == ["tenant.create", "invitation.create", "member.join"])
        }
    }

    @Test(arguments: Way.allCases) func `the owner is told what was closed, and nothing where nothing was`(way: Way) async throws {
        try await withTenancy(.sqlite) { world in
            let left = try await leaveDoors(world)
            world.tenancy.strangersDoors.add("tests") { _, _ in 3 }
            try await takeOver(world, by: way)
            let told = try await takeOvers(world)
            let expected: JSON = [
                "owner": .string(left.user.description), "closed": ["invitations": 1, "keys": 1, "members": 1, "tests": 3]
            ]
            #expect(told == [expected])
        }
        try await withTenancy(.sqlite) { world in
            _ = try await world.signUpBen()
            try await takeOver(world, by: way)
            #expect(try await takeOvers(world).isEmpty)
        }
    }

    private func takeOvers(_ world: TenancyHarness) async throws -> [JSON] {
        let payloads: [String] = try await world.database.readSystem { tx in
            try tx.all("SELECT payload FROM outbox_events WHERE name = \(AccountTakenOver.name) ORDER BY id") { try $0.column(0) }
        }
        return try payloads.map { try JSON(parsing: $0) }
    }

    @Test(arguments: [Way.invitation, .reset, .link])
    func `whoever shows the account's own session made it, and loses nothing`(way: Way) async throws {
        try await withTenancy(.sqlite) { world in
            let (tenancy, left) = (world.tenancy, try await leaveDoors(world))
            let session = try await tenancy.signIn(email: Self.email, password: TenancyHarness.password).token
            try await takeOver(world, by: way, session: session)
            #expect(try await tenancy.user(left.user)?.emailVerifiedAt == world.lease.clock.now)
            #expect(try await tenancy.principal(Presented(bearer: left.key, session: nil, tenant: nil)).tenant == left.tenant)
            #expect(try await tenancy.members(of: left.tenant).count == 2)
            #expect(try await tenancy.memberships(of: left.user).allSatisfy { !$0.membership.isDoubted })
            let own = way == .reset ? Self.password : TenancyHarness.password
            _ = try await tenancy.signIn(email: Self.email, password: own)
        }
    }

    @Test func `another person's session shows nothing of the account`() async throws {
        try await withTenancy(.sqlite) { world in
            let left = try await leaveDoors(world)
            try await takeOver(world, by: .reset, session: left.session)
            #expect(try await refusal { try await world.tenancy.principal(Presented(bearer: left.key, session: nil, tenant: nil)) } == "bad_key")
        }
    }

    @Test func `whoever accepts an invitation with the account's password made it, and loses nothing`() async throws {
        try await withTenancy(.sqlite) { world in
            let (tenancy, left) = (world.tenancy, try await leaveDoors(world))
            try await tenancy.invite(email: Self.email, role: .viewer, to: world.acme.id, by: TenancyHarness.owner)
            let token = try #require(try await world.mailedTokens("invitation").last)
            _ = try await tenancy.acceptInvitation(token: token, name: nil, password: TenancyHarness.password)
            #expect(try await tenancy.principal(Presented(bearer: left.key, session: nil, tenant: nil)).tenant == left.tenant)
            _ = try await tenancy.signIn(email: Self.email, password: TenancyHarness.password)
        }
    }
}
