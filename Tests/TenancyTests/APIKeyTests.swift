import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

@Suite struct APIKeyTests {
    func principal(_ world: TenancyHarness, _ secret: String, at tenant: TenantID? = nil) async throws -> Principal {
        try await world.tenancy.principal(Presented(bearer: secret, session: nil, tenant: tenant))
    }

    @Test(arguments: DatabaseEngine.allCases) func `a key acts in its tenant until it is revoked or expires`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let first = try await principal(world, world.acmeKey)
            #expect(first.tenant == world.acme.id && first.permissions == world.tenancy.permissions.permissions(of: .owner))
            let expiry = world.lease.clock.now + .seconds(60)
            let short = try await world.tenancy.createKey(name: "Short", scopes: [], expiresAt: expiry, in: world.acme.id, by: first)
            let long = try await world.tenancy.createKey(name: "Long", scopes: [], expiresAt: nil, in: world.acme.id, by: first)
            _ = try await principal(world, short.secret)
            world.lease.clock.set(expiry)
            #expect(try await refusal { try await principal(world, short.secret) } == "bad_key")
            _ = try await principal(world, long.secret)
            try await world.tenancy.revokeKey(long.key.id, of: world.acme.id, by: first)
            #expect(try await refusal { try await principal(world, long.secret) } == "bad_key")
            #expect(try await refusal { try await world.tenancy.revokeKey(long.key.id, of: world.acme.id, by: first) } == "not_found")
            #expect(try await refusal { try await principal(world, "aias_unknown") } == "bad_key")
            let past = { try await world.tenancy.createKey(name: "Past", scopes: [], expiresAt: expiry, in: world.acme.id, by: first) }
            #expect(try await refusal(of: past) == "in_the_past")
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a tenant has a hundred keys at a time, and a place is free where one is revoked or expires`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let (tenancy, acme) = (world.tenancy, world.acme.id)
            let owner = try await principal(world, world.acmeKey)
            let expiry = world.lease.clock.now + .seconds(60)
            func make(_ end: Timestamp?) async throws -> APIKeyID {
                try await tenancy.createKey(name: "Key", scopes: [], expiresAt: end, in: acme, by: owner).key.id
            }
            // The tenant came with one.
            let first = try await make(nil)
            _ = try await make(expiry)
            for _ in 3..<Tenancy.keysMaximum { _ = try await make(nil) }
            #expect(try await refusal { try await make(nil) } == "too_many_keys")
            try await tenancy.revokeKey(first, of: acme, by: owner)
            _ = try await make(nil)
            #expect(try await refusal { try await make(nil) } == "too_many_keys")
            world.lease.clock.set(expiry)
            _ = try await make(nil)
            #expect(try await refusal { try await make(nil) } == "too_many_keys")
            let other = try await world.makeTenant("other").apiKey
            let others = try await principal(world, other)
            let theirs = try #require(others.tenant)
            _ = try await tenancy.createKey(name: "Theirs", scopes: [], expiresAt: nil, in: theirs, by: others)
        }
    }

    @Test func `a key can do no more than its scopes, nor make a key that can`() async throws {
        try await withTenancy(.sqlite) { world in
            let all = try await principal(world, world.acmeKey)
            let narrow = try await world.tenancy.createKey(
                name: "Narrow", scopes: ["api_keys.write", "tenant.read"], expiresAt: nil, in: world.acme.id, by: all)
            let narrowed = try await principal(world, narrow.secret)
            #expect(narrowed.permissions == ["api_keys.write", "tenant.read"])
            let child = try await world.tenancy.createKey(name: "Child", scopes: [], expiresAt: nil, in: world.acme.id, by: narrowed)
            #expect(try await principal(world, child.secret).permissions == narrowed.permissions)
            func make(_ scope: String) async throws -> String? {
                try await refusal {
                    try await world.tenancy.createKey(name: "More", scopes: [scope], expiresAt: nil, in: world.acme.id, by: narrowed)
                }
            }
            #expect(try await make("members.write") == "permission_denied")
            #expect(try await make("world.rule") == "unknown_scope")
        }
    }

    @Test func `a key with some permissions makes nobody who has the others`() async throws {
        try await withTenancy(.sqlite) { world in
            let (tenancy, acme) = (world.tenancy, world.acme.id)
            let all = try await principal(world, world.acmeKey)
            let narrow = try await tenancy.createKey(name: "People", scopes: ["members.write"], expiresAt: nil, in: acme, by: all)
            let narrowed = try await principal(world, narrow.secret)
            func invite(_ role: Role, by principal: Principal) async throws -> String? {
                try await refusal { try await tenancy.invite(email: "\(role.rawValue)@example.com", role: role, to: acme, by: principal) }
            }
            for role in [Role.owner, .admin] {
                #expect(try await invite(role, by: narrowed) == "key_too_narrow")
                #expect(try await invite(role, by: all) == nil)
            }
            for role in [Role.editor, .viewer, .billing] { #expect(try await invite(role, by: narrowed) == nil) }
            let ana = try #require(try await tenancy.members(of: acme).first).user
            #expect(try await refusal { try await tenancy.setRole(.viewer, of: ana, in: acme, by: narrowed) } == "key_too_narrow")
            #expect(try await refusal { try await tenancy.removeMember(ana, from: acme, by: narrowed) } == "key_too_narrow")
            try await tenancy.invite(email: "ben@example.com", role: .admin, to: acme, by: all)
            let token = try #require(try await world.mailedTokens("invitation").last)
            let ben = try await tenancy.acceptInvitation(token: token, name: nil, password: TenancyHarness.password).user.id
            #expect(try await refusal { try await tenancy.setRole(.viewer, of: ben, in: acme, by: narrowed) } == "key_too_narrow")
            #expect(try await refusal { try await tenancy.removeMember(ben, from: acme, by: narrowed) } == "key_too_narrow")
            try await tenancy.setRole(.viewer, of: ben, in: acme, by: all)
            try await tenancy.removeMember(ben, from: acme, by: narrowed)
        }
    }

    @Test func `a key that is made with another one does not outlive it`() async throws {
        try await withTenancy(.sqlite) { world in
            let first = try await principal(world, world.acmeKey)
            let end = world.lease.clock.now + .seconds(60)
            let short = try await world.tenancy.createKey(name: "Short", scopes: [], expiresAt: end, in: world.acme.id, by: first)
            let shown = try await principal(world, short.secret)
            func make(_ expiry: Timestamp?) async throws -> Timestamp? {
                try await world.tenancy.createKey(name: "Child", scopes: [], expiresAt: expiry, in: world.acme.id, by: shown).key.expiresAt
            }
            #expect(try await make(nil) == end)
            #expect(try await make(end + .seconds(-1)) == end + .seconds(-1))
            #expect(try await refusal { try await make(end + .seconds(1)) } == "outlives_key")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a key ends with the right of whoever made it`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let (tenancy, acme, by) = (world.tenancy, world.acme.id, TenancyHarness.owner)
            try await tenancy.invite(email: "ben@example.com", role: .owner, to: acme, by: by)
            let token = try #require(try await world.mailedTokens("invitation").last)
            let ben = try await tenancy.acceptInvitation(token: token, name: nil, password: TenancyHarness.password)
            func make(_ scopes: [String], with shown: Presented) async throws -> String {
                let maker = try await tenancy.principal(shown)
                return try await tenancy.createKey(name: "Key", scopes: scopes, expiresAt: nil, in: acme, by: maker).secret
            }
            let session = Presented(bearer: nil, session: ben.token, tenant: acme)
            let whole = try await make([], with: session)
            let child = try await make(["members.write"], with: Presented(bearer: whole, session: nil, tenant: nil))
            let narrow = try await make(["tenant.read"], with: session)
            let others = try await make([], with: Presented(bearer: world.acmeKey, session: nil, tenant: nil))
            func work(_ secrets: [String]) async throws -> [Bool] {
                var out: [Bool] = []
                for secret in secrets { out.append(try await refusal { try await principal(world, secret) } == nil) }
                return out
            }
            #expect(try await work([whole, child, narrow, others]) == [true, true, true, true])
            try await tenancy.setRole(.admin, of: ben.user.id, in: acme, by: by)
            #expect(try await work([whole, child, narrow, others]) == [false, false, true, true])
            let ofAdmin = try await make([], with: session)
            try await tenancy.setRole(.owner, of: ben.user.id, in: acme, by: by)
            try await tenancy.setRole(.admin, of: ben.user.id, in: acme, by: by)
            #expect(try await work([ofAdmin, narrow]) == [true, true])
            try await tenancy.removeMember(ben.user.id, from: acme, by: by)
            #expect(try await work([ofAdmin, narrow, others, world.acmeKey]) == [false, false, true, true])
            #expect(try await world.actions(of: acme).suffix(2) == ["member.remove", "api_key.revoke"])
        }
    }

    @Test func `a key at another tenant's address finds nothing`() async throws {
        try await withTenancy(.sqlite) { world in
            let other = try await world.makeTenant("other")
            #expect(try await refusal { try await principal(world, world.acmeKey, at: other.tenant.id) } == "not_found")
            let keys = try await world.tenancy.keys(of: other.tenant.id, before: nil, limit: 10)
            #expect(try await refusal { try await world.tenancy.revokeKey(keys[0].id, of: world.acme.id, by: TenancyHarness.owner) } == "not_found")
        }
    }

    @Test func `no secret is kept`() async throws {
        try await withTenancy(.sqlite) { world in
            let hash = Secrets.hash(world.acmeKey)
            let keys = try await world.tenancy.keys(of: world.acme.id, before: nil, limit: 10)
            #expect(keys.count == 1 && hash.count == 32 && keys[0].hint == String(world.acmeKey.prefix(9)))
        }
    }
}
