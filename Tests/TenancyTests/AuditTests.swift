import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

@Suite struct AuditTests {
    @Test(arguments: DatabaseEngine.allCases) func `every verb that changes a tenant leaves one row`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let tenancy = world.tenancy
            let acme = world.acme.id
            let by = TenancyHarness.owner
            var expected = ["tenant.create"]
            func check(_ action: String?) async throws {
                if let action { expected.append(action) }
                #expect(try await world.actions(of: acme) == expected)
            }
            try await check(nil)
            _ = try await tenancy.updateTenant(acme, TenantChange(name: "Acme Ltd", features: ["white_label"], timeZone: "Europe/Berlin"), by: by)
            try await check("tenant.update")
            let key = try await tenancy.createKey(name: "Deploy", scopes: [], expiresAt: nil, in: acme, by: by).key
            try await check("api_key.create")
            try await tenancy.revokeKey(key.id, of: acme, by: by)
            try await check("api_key.revoke")
            try await tenancy.invite(email: "ben@example.com", role: .viewer, to: acme, by: by)
            try await check("invitation.create")
            let token = try #require(try await world.mailedTokens("invitation").last)
            let ben = try await tenancy.acceptInvitation(token: token, name: nil, password: TenancyHarness.password)
            try await check("member.join")
            try await tenancy.setRole(.editor, of: ben.user.id, in: acme, by: by)
            try await check("member.set_role")
            try await tenancy.removeMember(ben.user.id, from: acme, by: by)
            try await check("member.remove")
            // A person's own affairs are no change of the tenant.
            _ = try await tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password)
            try await tenancy.signOut(token: ben.token)
            try await tenancy.requestPasswordReset(email: "ben@example.com")
            _ = try await tenancy.makeSignInLink(email: "ana@example.com")
            try await check(nil)
            let signedUp = try await world.signUpCleo()
            #expect(try await world.actions(of: signedUp) == ["tenant.create"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a refused change leaves no row`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            _ = try await refusal { try await world.tenancy.revokeKey(world.lease.ids.next(), of: world.acme.id, by: TenancyHarness.owner) }
            let change = TenantChange(timeZone: "Mars/Olympus")
            #expect(
                try await refusal { try await world.tenancy.updateTenant(world.acme.id, change, by: TenancyHarness.owner) } == "unknown_time_zone")
            #expect(try await world.actions(of: world.acme.id) == ["tenant.create"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `sealers at once make one chain, and a changed row breaks it`(engine: DatabaseEngine) async throws
    {
        try await withTenancy(engine) { world in
            let acme = world.acme.id
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        try await world.database.write(in: acme) { tx in
                            try tx.audit(.system(in: acme), "test.act", "thing:\(index)", ["n": .number(Double(index))])
                        }
                        try await world.tenancy.sealAuditLog(of: acme)
                    }
                }
                try await group.waitForAll()
            }
            try await world.tenancy.sealAuditLog(of: acme)
            let entries = try await world.tenancy.auditLog(of: acme, before: nil, limit: 100)
            #expect(entries.compactMap(\.sequence).sorted() == Array(1...21))
            #expect(try await world.tenancy.sealAuditLog(of: acme) == 0)
            #expect(try await world.tenancy.firstBrokenAuditEntry(of: acme) == nil)
            _ = try await world.database.write(in: acme) { tx in
                try tx.execute("UPDATE audit_log SET actor = \("user:somebody-else") WHERE tenant_id = \(tx.tenant) AND sequence = \(7)")
            }
            #expect(try await world.tenancy.firstBrokenAuditEntry(of: acme) == 7)
            _ = try await world.database.write(in: acme) { tx in
                try tx.execute("DELETE FROM audit_log WHERE tenant_id = \(tx.tenant) AND sequence = \(3)")
            }
            #expect(try await world.tenancy.firstBrokenAuditEntry(of: acme) == 3)
        }
    }
}

extension TenancyHarness {
    /// Signs somebody up who is new.
    fileprivate func signUpCleo() async throws -> TenantID {
        let new = NewTenant(name: "Cleo's", subdomain: "cleos", plan: .starter)
        return try await tenancy.signUp(name: "Cleo", email: "cleo@example.com", password: Self.password, tenant: new).tenant.id
    }
}
