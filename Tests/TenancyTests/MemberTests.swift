import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

@Suite struct MemberTests {
    let password = TenancyHarness.password

    func owner(of world: TenancyHarness) async throws -> (user: UserID, principal: Principal) {
        let ana = try #require(try await world.tenancy.members(of: world.acme.id).first { $0.role == .owner }).user
        return (ana, Principal(actor: .user(ana), tenant: world.acme.id, role: .owner, permissions: world.tenancy.permissions.all))
    }

    func join(_ world: TenancyHarness, _ email: String, _ role: Role) async throws -> UserID {
        try await world.tenancy.invite(email: email, role: role, to: world.acme.id, by: TenancyHarness.owner)
        let token = try #require(try await world.mailedTokens("invitation").last)
        return try await world.tenancy.acceptInvitation(token: token, name: nil, password: password).user.id
    }

    @Test(arguments: DatabaseEngine.allCases) func `an invitation is accepted by a new person and by a known one`(engine: DatabaseEngine) async throws
    {
        try await withTenancy(engine) { world in
            let ben = try await world.signUpBen().user
            _ = try await world.signIn("ben@example.com")
            for email in ["ben@example.com", "eve@example.com"] {
                try await world.tenancy.invite(email: email, role: .editor, to: world.acme.id, by: TenancyHarness.owner)
            }
            let tokens = try await world.mailedTokens("invitation")
            #expect(try await world.tenancy.acceptInvitation(token: tokens[0], name: nil, password: nil).user.id == ben.id)
            #expect(try await refusal { try await world.tenancy.acceptInvitation(token: tokens[1], name: "Eve", password: nil) } == "required")
            let eve = try await world.tenancy.acceptInvitation(token: tokens[1], name: "Eve", password: password)
            let who = try await world.tenancy.principal(Presented(bearer: nil, session: eve.token, tenant: nil))
            #expect(who.role == .editor && who.tenant == world.acme.id && eve.user.name == "Eve" && eve.user.emailVerifiedAt != nil)
            #expect(try await refusal { try await world.tenancy.acceptInvitation(token: tokens[1], name: nil, password: nil) } == "link_expired")
            let again = { try await world.tenancy.invite(email: "eve@example.com", role: .viewer, to: world.acme.id, by: TenancyHarness.owner) }
            #expect(try await refusal(of: again) == "already_member")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `an invitation is listed until it is revoked or replaced`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let (tenancy, acme, by) = (world.tenancy, world.acme.id, TenancyHarness.owner)
            try await tenancy.invite(email: "eve@example.com", role: .viewer, to: acme, by: by)
            let again = { try await tenancy.invite(email: "Eve@example.com", role: .editor, to: acme, by: by) }
            #expect(try await refusal(of: again) == "invited_just_now")
            world.lease.clock.advance(by: Tenancy.invitationPause)
            try await again()
            let open = try await tenancy.invitations(to: acme)
            #expect(open.map(\.email) == ["eve@example.com"] && open.map(\.role) == [.editor])
            let tokens = try await world.mailedTokens("invitation")
            #expect(try await refusal { try await tenancy.acceptInvitation(token: tokens[0], name: nil, password: password) } == "link_expired")
            let other = try await world.makeTenant("other").tenant.id
            #expect(try await tenancy.invitations(to: other).isEmpty)
            #expect(try await refusal { try await tenancy.revokeInvitation(of: "eve@example.com", to: other, by: by) } == "not_found")
            try await tenancy.revokeInvitation(of: "eve@example.com", to: acme, by: by)
            #expect(try await tenancy.invitations(to: acme).isEmpty)
            #expect(try await refusal { try await tenancy.acceptInvitation(token: tokens[1], name: nil, password: password) } == "link_expired")
            #expect(try await world.actions(of: acme).suffix(3) == ["invitation.create", "invitation.create", "invitation.revoke"])
        }
    }

    @Test func `an address has ten open invitations of new tenants at most, whoever sends them`() async throws {
        try await withTenancy(.sqlite) { world in
            func invite(_ index: Int) async throws {
                let tenant = try await world.makeTenant("team\(index)").tenant.id
                try await world.tenancy.invite(email: "eve@example.com", role: .viewer, to: tenant, by: TenancyHarness.owner)
            }
            for index in 0..<Standing.new.places { try await invite(index) }
            #expect(try await refusal { try await invite(99) } == "too_many_invitations")
            world.lease.clock.advance(by: OneTimeToken.Purpose.invitation.lifetime)
            #expect(try await refusal { try await invite(100) } == nil)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `an invitation that is revoked was a mail all the same`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let (tenancy, by) = (world.tenancy, TenancyHarness.owner)
            func invite(to tenant: TenantID) async throws {
                try await tenancy.invite(email: "eve@example.com", role: .viewer, to: tenant, by: by)
            }
            for index in 0..<Standing.new.places {
                let tenant = try await world.makeTenant("team\(index)").tenant.id
                try await invite(to: tenant)
                try await tenancy.revokeInvitation(of: "eve@example.com", to: tenant, by: by)
                #expect(try await refusal { try await invite(to: tenant) } == "invited_just_now")
                #expect(try await tenancy.invitations(to: tenant).isEmpty)
            }
            #expect(try await refusal { try await tenancy.revokeInvitation(of: "eve@example.com", to: world.acme.id, by: by) } == "not_found")
            #expect(try await refusal { try await invite(to: world.acme.id) } == "too_many_invitations")
            #expect(try await world.mailedTokens("invitation").count == Standing.new.places)
        }
    }

    @Test func `one address gets five invitations of one tenant in a week, and takes the others no places`() async throws {
        try await withTenancy(.sqlite) { world in
            let (tenancy, by) = (world.tenancy, TenancyHarness.owner)
            func invite(_ email: String, to tenant: TenantID) async throws -> String? {
                defer { world.lease.clock.advance(by: Tenancy.invitationPause) }
                return try await refusal { try await tenancy.invite(email: email, role: .viewer, to: tenant, by: by) }
            }
            for _ in 0..<Standing.invitationsToOne { #expect(try await invite("eve@example.com", to: world.acme.id) == nil) }
            #expect(try await invite("eve@example.com", to: world.acme.id) == "too_many_invitations")
            #expect(try await invite("ben@example.com", to: world.acme.id) == nil)
            for index in 1..<Standing.new.places {
                let tenant = try await world.makeTenant("team\(index)").tenant.id
                #expect(try await invite("eve@example.com", to: tenant) == nil)
            }
            world.lease.clock.advance(by: OneTimeToken.Purpose.invitation.lifetime)
            #expect(try await invite("eve@example.com", to: world.acme.id) == nil)
        }
    }

    @Test func `a new tenant sends fifty invitations in a week, whether it revokes them or not`() async throws {
        try await withTenancy(.sqlite) { world in
            let (tenancy, acme, by) = (world.tenancy, world.acme.id, TenancyHarness.owner)
            func invite(_ index: Int) async throws -> String? {
                try await refusal { try await tenancy.invite(email: "p\(index)@example.com", role: .viewer, to: acme, by: by) }
            }
            for index in 0..<Standing.new.invitations {
                #expect(try await invite(index) == nil)
                if index.isMultiple(of: 2) { try await tenancy.revokeInvitation(of: "p\(index)@example.com", to: acme, by: by) }
            }
            #expect(try await invite(99) == "too_many_invitations")
            // Whoever accepts makes room.
            let token = try #require(try await world.mailedTokens("invitation").last)
            _ = try await tenancy.acceptInvitation(token: token, name: nil, password: password)
            #expect(try await invite(99) == nil)
            #expect(try await invite(100) == "too_many_invitations")
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `an invitation ends with the right of whoever sent it`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let (tenancy, acme) = (world.tenancy, world.acme.id)
            let ana = try await owner(of: world)
            let ben = try await join(world, "ben@example.com", .owner)
            func principal(_ role: Role) -> Principal {
                Principal(actor: .user(ben), tenant: acme, role: role, permissions: tenancy.permissions.permissions(of: role))
            }
            try await tenancy.invite(email: "o@example.com", role: .owner, to: acme, by: principal(.owner))
            try await tenancy.invite(email: "v@example.com", role: .viewer, to: acme, by: principal(.owner))
            try await tenancy.invite(email: "a@example.com", role: .owner, to: acme, by: ana.principal)
            let key = try await tenancy.createKey(name: "Ben's", scopes: [], expiresAt: nil, in: acme, by: principal(.owner)).secret
            let keyed = try await tenancy.principal(Presented(bearer: key, session: nil, tenant: nil))
            try await tenancy.invite(email: "k@example.com", role: .owner, to: acme, by: keyed)
            func open() async throws -> Set<String> { Set(try await tenancy.invitations(to: acme).map(\.email)) }
            try await tenancy.setRole(.admin, of: ben, in: acme, by: ana.principal)
            #expect(try await open() == ["v@example.com", "a@example.com"])
            try await tenancy.setRole(.editor, of: ben, in: acme, by: ana.principal)
            #expect(try await open() == ["a@example.com"])
            try await tenancy.setRole(.admin, of: ben, in: acme, by: ana.principal)
            try await tenancy.invite(email: "w@example.com", role: .viewer, to: acme, by: principal(.admin))
            try await tenancy.removeMember(ben, from: acme, by: ana.principal)
            #expect(try await open() == ["a@example.com"])
            #expect(try await world.actions(of: acme).suffix(2) == ["member.remove", "invitation.revoke"])
        }
    }

    @Test func `who was invited while the clock was ahead is invited again when it is set back`() async throws {
        try await withTenancy(.sqlite) { world in
            let invite = {
                try await world.tenancy.invite(email: "eve@example.com", role: .viewer, to: world.acme.id, by: TenancyHarness.owner)
            }
            try await invite()
            #expect(try await refusal(of: invite) == "invited_just_now")
            world.lease.clock.advance(by: .seconds(-3_600))
            #expect(try await refusal(of: invite) == nil)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `tenants that anybody can make take no places from those that are old or pay, nor do those that are suspended`(engine: DatabaseEngine)
        async throws
    {
        try await withTenancy(engine) { world in
            let by = TenancyHarness.owner
            func invite(to tenant: TenantID) async throws {
                try await world.tenancy.invite(email: "eve@example.com", role: .viewer, to: tenant, by: by)
            }
            let paying = try await world.makeTenant("paying", plan: .professional).tenant.id
            let late = try await world.makeTenant("late").tenant.id
            world.lease.clock.advance(by: Standing.newFor)
            var throwaway: [TenantID] = []
            for index in 0..<Standing.new.places { throwaway.append(try await world.makeTenant("team\(index)").tenant.id) }
            for tenant in throwaway { try await invite(to: tenant) }
            let other = try await world.makeTenant("other").tenant.id
            #expect(try await refusal { try await invite(to: other) } == "too_many_invitations")
            for tenant in [world.acme.id, late, paying] { #expect(try await refusal { try await invite(to: tenant) } == nil) }
            _ = try await world.tenancy.updateTenant(throwaway[0], TenantChange(status: .suspended), by: by)
            #expect(try await refusal { try await invite(to: other) } == nil)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `people who join at once never pass the plan's three`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            for index in 0..<6 {
                try await world.tenancy.invite(email: "p\(index)@example.com", role: .viewer, to: world.acme.id, by: TenancyHarness.owner)
            }
            let tokens = try await world.mailedTokens("invitation")
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for token in tokens {
                    group.addTask { try await refusal { try await world.tenancy.acceptInvitation(token: token, name: nil, password: password) } }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == nil } == 2 && codes.count { $0 == "limit_reached" } == 4)
            #expect(try await world.tenancy.members(of: world.acme.id).count == 3)
        }
    }

    @Test func `only an owner makes owners, and the last one stays`() async throws {
        try await withTenancy(.sqlite) { world in
            let ana = try await owner(of: world)
            let ben = try await join(world, "ben@example.com", .admin)
            let admin = Principal(
                actor: .user(ben), tenant: world.acme.id, role: .admin, permissions: world.tenancy.permissions.permissions(of: .admin))
            let tenancy = world.tenancy
            let acme = world.acme.id
            #expect(try await refusal { try await tenancy.setRole(.owner, of: ben, in: acme, by: admin) } == "owner_only")
            #expect(try await refusal { try await tenancy.setRole(.viewer, of: ana.user, in: acme, by: admin) } == "owner_only")
            #expect(try await refusal { try await tenancy.removeMember(ana.user, from: acme, by: admin) } == "owner_only")
            #expect(try await refusal { try await tenancy.invite(email: "x@example.com", role: .owner, to: acme, by: admin) } == "owner_only")
            #expect(try await refusal { try await tenancy.setRole(.editor, of: ana.user, in: acme, by: ana.principal) } == "last_owner")
            #expect(try await refusal { try await tenancy.removeMember(ana.user, from: acme, by: ana.principal) } == "last_owner")
            try await tenancy.setRole(.owner, of: ben, in: acme, by: ana.principal)
            try await tenancy.setRole(.editor, of: ana.user, in: acme, by: ana.principal)
            #expect(try await tenancy.members(of: acme).first { $0.user == ana.user }?.role == .editor)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `two owners who leave at once leave one behind`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let ana = try await owner(of: world)
            let ben = try await join(world, "ben@example.com", .owner)
            await withTaskGroup { group in
                for user in [ana.user, ben] {
                    group.addTask { try? await world.tenancy.removeMember(user, from: world.acme.id, by: ana.principal) }
                }
            }
            #expect(try await world.tenancy.members(of: world.acme.id).count == 1)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `of two owners who demote each other at once one stays`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let ana = try await owner(of: world)
            let ben = try await join(world, "ben@example.com", .owner)
            let other = Principal(actor: .user(ben), tenant: world.acme.id, role: .owner, permissions: world.tenancy.permissions.all)
            await withTaskGroup { group in
                for (user, principal) in [(ana.user, other), (ben, ana.principal)] {
                    group.addTask { try? await world.tenancy.setRole(.admin, of: user, in: world.acme.id, by: principal) }
                }
            }
            #expect(try await world.tenancy.members(of: world.acme.id).map(\.role).count { $0 == .owner } == 1)
        }
    }

    @Test func `who is removed is out with the next request and gives back the place`() async throws {
        try await withTenancy(.sqlite) { world in
            let ana = try await owner(of: world)
            let ben = try await world.signUpBen().user
            _ = try await join(world, "ben@example.com", .viewer)
            let session = try await world.tenancy.signIn(email: "ben@example.com", password: password).token
            let shown = Presented(bearer: nil, session: session, tenant: world.acme.id)
            #expect(try await world.tenancy.principal(shown).role == .viewer)
            try await world.tenancy.removeMember(ben.id, from: world.acme.id, by: ana.principal)
            #expect(try await refusal { try await world.tenancy.principal(shown) } == "not_found")
            #expect(try await world.tenancy.quotas(of: world.acme.id).first { $0.key == .users }?.used == 1)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `members are listed page by page, each once`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let tenant = try await world.makeTenant("crowd", plan: .custom)
            var expected = ["owner@crowd.example"]
            for number in 0..<5 {
                if number.isMultiple(of: 2) { world.lease.clock.advance(by: .seconds(1)) }
                try await world.tenancy.invite(email: "m\(number)@example.com", role: .viewer, to: tenant.tenant.id, by: TenancyHarness.owner)
                let token = try #require(try await world.mailedTokens("invitation").last)
                expected.append(try await world.tenancy.acceptInvitation(token: token, name: nil, password: password).user.email.text)
            }
            let surface = try world.surface()
            var seen: [String] = []
            var target: String? = "/v1/members?limit=2"
            while let now = target {
                let answer = try await surface.answer(LocalRequest("GET", now, headers: [("Authorization", "Bearer \(tenant.apiKey)")]))
                #expect(answer.status == 200)
                let page = try JSON(parsing: answer.body)
                #expect((page["data"]?.array?.count ?? 0) <= 2)
                seen += (page["data"]?.array ?? []).compactMap { $0["email"]?.text }
                target = page["next_cursor"]?.text.map { "/v1/members?limit=2&cursor=\($0)" }
            }
            #expect(seen == expected)
        }
    }
}
