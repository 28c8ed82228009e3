import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

@Suite struct AccountTests {
    @Test(arguments: DatabaseEngine.allCases) func `who signs up owns a tenant and signs in with the password`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let ben = try await world.signUpBen()
            let signedIn = try await world.tenancy.signIn(email: "BEN@example.com", password: TenancyHarness.password)
            let who = try await world.tenancy.principal(Presented(bearer: nil, session: signedIn.token, tenant: nil))
            #expect(who.actor == .user(ben.user.id) && who.tenant == ben.tenant.id && who.role == .owner)
            #expect(try await refusal { try await world.tenancy.signIn(email: "ben@example.com", password: "wrong") } == "bad_credentials")
            #expect(try await refusal { try await world.tenancy.signIn(email: "nobody@example.com", password: "wrong") } == "bad_credentials")
            #expect(try await refusal { try await world.signUpBen() } == "email_taken")
            try await world.tenancy.signOut(token: signedIn.token)
            #expect(try await world.tenancy.principal(Presented(bearer: nil, session: signedIn.token, tenant: nil)).actor == .anonymous)
        }
    }

    @Test func `a session ends by itself`() async throws {
        try await withTenancy(.sqlite) { world in
            _ = try await world.signUpBen()
            let session = try await world.tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password).token
            world.lease.clock.advance(by: SessionStore.lifetime)
            #expect(try await world.tenancy.principal(Presented(bearer: nil, session: session, tenant: nil)).actor == .anonymous)
        }
    }

    @Test func `ten wrong passwords lock a person out for a quarter of an hour`() async throws {
        try await withTenancy(.sqlite) { world in
            _ = try await world.signUpBen()
            func attempt(_ password: String) async throws -> String? {
                try await refusal { try await world.tenancy.signIn(email: "ben@example.com", password: password) }
            }
            for _ in 0..<Tenancy.attemptsMaximum { #expect(try await attempt("wrong") == "bad_credentials") }
            #expect(try await attempt(TenancyHarness.password) == "locked_out")
            world.lease.clock.advance(by: Tenancy.lockOut - .microseconds(1))
            #expect(try await attempt(TenancyHarness.password) == "locked_out")
            world.lease.clock.advance(by: .microseconds(1))
            #expect(try await attempt(TenancyHarness.password) == nil)
        }
    }

    @Test func `who was locked out while the clock was ahead is not when it is set back`() async throws {
        try await withTenancy(.sqlite) { world in
            _ = try await world.signUpBen()
            func attempt(_ password: String) async throws -> String? {
                try await refusal { try await world.tenancy.signIn(email: "ben@example.com", password: password) }
            }
            for _ in 0..<Tenancy.attemptsMaximum { #expect(try await attempt("wrong") == "bad_credentials") }
            #expect(try await attempt(TenancyHarness.password) == "locked_out")
            world.lease.clock.advance(by: .seconds(-3_600))
            #expect(try await attempt(TenancyHarness.password) == nil)
        }
    }

    @Test func `who changes the address within a network gets no more attempts`() async throws {
        try await withTenancy(.sqlite) { world in
            let tenancy = world.tenancy
            for number in 1...Tenancy.attemptsPerSecond { try tenancy.limitAttempts("sign-in", "2001:db8:1:2::\(number)") }
            #expect(throws: Refusal.self) { try tenancy.limitAttempts("sign-in", "2001:db8:1:2:3::1") }
            try tenancy.limitAttempts("sign-in", "2001:db8:1:3::1")
        }
    }

    @Test func `attempts that are under way when a person is locked out come to nothing`() async throws {
        try await withTenancy(.sqlite) { world in
            let ben = try await world.signUpBen().user
            for _ in 0..<Tenancy.attemptsMaximum { #expect(try await world.tenancy.enter(ben, isRight: false) == nil) }
            #expect(try await world.tenancy.enter(ben, isRight: true) == nil)
            world.lease.clock.advance(by: Tenancy.lockOut)
            #expect(try await world.tenancy.enter(ben, isRight: true)?.user.id == ben.id)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a sign-in link works once and not after its time`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let path = try await world.tenancy.makeSignInLink(email: "ana@example.com")
            let token = String(try #require(path.split(separator: "=").last))
            #expect(try await world.tenancy.signIn(token: token).user.email.text == "ana@example.com")
            #expect(try await refusal { try await world.tenancy.signIn(token: token) } == "link_expired")
            let late = String(try #require(try await world.tenancy.makeSignInLink(email: "ana@example.com").split(separator: "=").last))
            world.lease.clock.advance(by: OneTimeToken.Purpose.signIn.lifetime)
            #expect(try await refusal { try await world.tenancy.signIn(token: late) } == "link_expired")
        }
    }

    @Test func `a mailed link proves the address, and fits no other purpose`() async throws {
        try await withTenancy(.sqlite) { world in
            let ben = try await world.signUpBen()
            #expect(ben.user.emailVerifiedAt == nil)
            let token = try #require(try await world.mailedTokens("verify_email").first)
            #expect(try await refusal { try await world.tenancy.signIn(token: token) } == "link_expired")
            let ana = try await world.signIn("ana@example.com")
            for (session, password) in [(nil, nil), (nil, "a wrong password"), (ana, nil)] as [(String?, String?)] {
                let attempt = { try await world.tenancy.verifyEmail(token: token, session: session, password: password) }
                #expect(try await refusal(of: attempt) == "password_needed")
                #expect(try await world.tenancy.user(ben.user.id)?.emailVerifiedAt == nil)
            }
            try await world.tenancy.verifyEmail(token: token, session: nil, password: TenancyHarness.password)
            #expect(try await world.tenancy.user(ben.user.id)?.emailVerifiedAt == world.lease.clock.now)
            let again = { try await world.tenancy.verifyEmail(token: token, session: nil, password: TenancyHarness.password) }
            #expect(try await refusal(of: again) == "link_expired")
        }
    }

    @Test func `the account's own session proves the address without the password`() async throws {
        try await withTenancy(.sqlite) { world in
            let ben = try await world.signUpBen()
            let session = try await world.tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password).token
            let token = try #require(try await world.mailedTokens("verify_email").first)
            #expect(try await world.tenancy.isOwn(token, session: session))
            try await world.tenancy.verifyEmail(token: token, session: session, password: nil)
            #expect(try await world.tenancy.user(ben.user.id)?.emailVerifiedAt != nil)
        }
    }

    /// Somebody signed up with Ben's address before Ben did, and nobody proved it.
    enum Gift: CaseIterable { case invitation, tenant, platform, link }

    @Test(arguments: Gift.allCases) func `what is given to an address goes to no stranger who signed up with it`(gift: Gift) async throws {
        try await withTenancy(.sqlite) { world in
            let (tenancy, password) = (world.tenancy, "the owner's own words")
            let account = try await world.signUpBen().user
            let stranger = try await tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password).token
            switch gift {
            case .invitation:
                try await tenancy.invite(email: "ben@example.com", role: .admin, to: world.acme.id, by: TenancyHarness.owner)
                let token = try #require(try await world.mailedTokens("invitation").last)
                #expect(try await refusal { try await tenancy.acceptInvitation(token: token, name: nil, password: nil) } == "required")
                let ben = try await tenancy.acceptInvitation(token: token, name: nil, password: password)
                #expect(ben.user.id == account.id && ben.joined == world.acme.id)
                _ = try await tenancy.signIn(email: "ben@example.com", password: password)
            case .tenant:
                let new = NewTenant(name: "New", subdomain: "new", plan: .starter)
                _ = try await tenancy.createTenant(new, owner: "ben@example.com", by: TenancyHarness.owner)
            case .platform: #expect(try await tenancy.setOperator(true, email: "ben@example.com", by: TenancyHarness.owner))
            case .link:
                let token = String(try #require(try await tenancy.makeSignInLink(email: "ben@example.com").split(separator: "=").last))
                #expect(try await tenancy.signIn(token: token).user.id == account.id)
            }
            #expect(try await tenancy.principal(Presented(bearer: nil, session: stranger, tenant: nil)).actor == .anonymous)
            let attempt = { try await tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password) }
            #expect(try await refusal(of: attempt) == "bad_credentials")
        }
    }

    /// How the owner of the address takes the account over that a stranger made with it.
    enum TakeOver: CaseIterable { case invitation, reset, link, tenant }

    @Test(arguments: TakeOver.allCases)
    func `nobody comes in at a tenant that a stranger made with the address, where there is another`(way: TakeOver) async throws {
        try await withTenancy(.sqlite) { world in
            let (tenancy, email, password) = (world.tenancy, "ben@example.com", "the owner's own words")
            let strangers = try await world.signUpBen().tenant.id
            world.lease.clock.advance(by: .seconds(60))
            func place(_ session: String) async throws -> TenantID? {
                try await tenancy.principal(Presented(bearer: nil, session: session, tenant: nil)).tenant
            }
            func join() async throws {
                try await tenancy.invite(email: email, role: .viewer, to: world.acme.id, by: TenancyHarness.owner)
                let token = try #require(try await world.mailedTokens("invitation").last)
                _ = try await tenancy.acceptInvitation(token: token, name: nil, password: password)
            }
            var expected = world.acme.id
            switch way {
            case .invitation: break
            case .reset:
                try await tenancy.requestPasswordReset(email: email)
                let token = try #require(try await world.mailedTokens("reset_password").last)
                try await tenancy.resetPassword(token: token, password: password)
                let session = try await tenancy.signIn(email: email, password: password).token
                // It may be their own all the same, and there is no other.
                #expect(try await place(session) == strangers)
            case .link: _ = try await world.signIn(email)
            case .tenant:
                let new = NewTenant(name: "New", subdomain: "new", plan: .starter)
                expected = try await tenancy.createTenant(new, owner: email, by: TenancyHarness.owner).tenant.id
                world.lease.clock.advance(by: .seconds(60))
            }
            try await join()
            #expect(try await place(try await world.signIn(email)) == expected)
            let all = try await tenancy.memberships(of: try await tenancy.signIn(email: email, password: password).user.id)
            #expect(all.filter { $0.membership.isDoubted }.map { $0.tenant.id } == [strangers])
        }
    }

    @Test func `who proved the address comes in at the oldest tenant`() async throws {
        try await withTenancy(.sqlite) { world in
            let tenancy = world.tenancy
            let own = try await world.signUpBen().tenant.id
            let proof = try #require(try await world.mailedTokens("verify_email").first)
            try await tenancy.verifyEmail(token: proof, session: nil, password: TenancyHarness.password)
            world.lease.clock.advance(by: .seconds(60))
            try await tenancy.invite(email: "ben@example.com", role: .viewer, to: world.acme.id, by: TenancyHarness.owner)
            let token = try #require(try await world.mailedTokens("invitation").last)
            let session = try await tenancy.acceptInvitation(token: token, name: nil, password: nil).token
            #expect(try await tenancy.principal(Presented(bearer: nil, session: session, tenant: nil)).tenant == own)
        }
    }

    @Test func `who proved the address keeps the password when rights are given`() async throws {
        try await withTenancy(.sqlite) { world in
            _ = try await world.signUpBen()
            let token = try #require(try await world.mailedTokens("verify_email").first)
            try await world.tenancy.verifyEmail(token: token, session: nil, password: TenancyHarness.password)
            let session = try await world.tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password).token
            let new = NewTenant(name: "New", subdomain: "new", plan: .starter)
            _ = try await world.tenancy.createTenant(new, owner: "ben@example.com", by: TenancyHarness.owner)
            #expect(try await world.tenancy.principal(Presented(bearer: nil, session: session, tenant: nil)).actor != .anonymous)
            // Who runs the platform signs in anew for it.
            _ = try await world.tenancy.setOperator(true, email: "ben@example.com", by: TenancyHarness.owner)
            #expect(try await world.tenancy.principal(Presented(bearer: nil, session: session, tenant: nil)).actor == .anonymous)
            _ = try await world.tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password)
        }
    }

    @Test func `a password that was replaced while it was compared opens no session`() async throws {
        try await withTenancy(.sqlite) { world in
            let ben = try await world.signUpBen().user
            try await world.tenancy.requestPasswordReset(email: "ben@example.com")
            let token = try #require(try await world.mailedTokens("reset_password").first)
            try await world.tenancy.resetPassword(token: token, password: "another good one")
            #expect(try await world.tenancy.enter(ben, isRight: true) == nil)
            let now = try #require(try await world.tenancy.user(ben.id))
            #expect(try await world.tenancy.enter(now, isRight: true)?.user.id == ben.id)
        }
    }

    @Test func `one address gets five links for a new password within an hour`() async throws {
        try await withTenancy(.sqlite) { world in
            for _ in 0..<8 { try await world.tenancy.requestPasswordReset(email: "ana@example.com") }
            #expect(try await world.mailedTokens("reset_password").count == Tenancy.openResetsMaximum)
            world.lease.clock.advance(by: OneTimeToken.Purpose.resetPassword.lifetime)
            try await world.tenancy.requestPasswordReset(email: "ana@example.com")
            #expect(try await world.mailedTokens("reset_password").count == Tenancy.openResetsMaximum + 1)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a password that was chosen ends all other links into the account`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let (tenancy, email) = (world.tenancy, "eve@example.com")
            try await tenancy.invite(email: email, role: .viewer, to: world.acme.id, by: TenancyHarness.owner)
            _ = try await tenancy.createTenant(NewTenant(name: "New", subdomain: "new", plan: .starter), owner: email, by: TenancyHarness.owner)
            for _ in 0..<3 { try await tenancy.requestPasswordReset(email: email) }
            let invitation = try #require(try await world.mailedTokens("invitation").last)
            _ = try await tenancy.acceptInvitation(token: invitation, name: nil, password: TenancyHarness.password)
            for token in try await world.mailedTokens("reset_password") {
                #expect(try await refusal { try await tenancy.resetPassword(token: token, password: "another good one") } == "link_expired")
            }
            for _ in 0..<3 { try await tenancy.requestPasswordReset(email: email) }
            try await tenancy.requestPasswordReset(email: "ana@example.com")
            let printed = String(try #require(try await tenancy.makeSignInLink(email: email).split(separator: "=").last))
            let tokens = Array(try await world.mailedTokens("reset_password").suffix(4))
            try await tenancy.resetPassword(token: tokens[1], password: "another good one")
            for token in [tokens[0], tokens[2]] {
                #expect(try await refusal { try await tenancy.resetPassword(token: token, password: "not this one") } == "link_expired")
            }
            #expect(try await refusal { try await tenancy.signIn(token: printed) } == "link_expired")
            _ = try await tenancy.signIn(email: email, password: "another good one")
            // Those of others stay.
            try await tenancy.resetPassword(token: tokens[3], password: "another good one")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a new password ends every session and the lock-out`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            _ = try await world.signUpBen()
            let session = try await world.tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password).token
            try await world.tenancy.requestPasswordReset(email: "nobody@example.com")
            try await world.tenancy.requestPasswordReset(email: "ben@example.com")
            let tokens = try await world.mailedTokens("reset_password")
            #expect(tokens.count == 1)
            #expect(try await refusal { try await world.tenancy.resetPassword(token: tokens[0], password: "short") } == "bad_length")
            try await world.tenancy.resetPassword(token: tokens[0], password: "another good one")
            #expect(try await world.tenancy.principal(Presented(bearer: nil, session: session, tenant: nil)).actor == .anonymous)
            #expect(
                try await refusal { try await world.tenancy.signIn(email: "ben@example.com", password: TenancyHarness.password) } == "bad_credentials"
            )
            _ = try await world.tenancy.signIn(email: "ben@example.com", password: "another good one")
        }
    }

    @Test func `the outbox holds neither a link nor an address in clear`() async throws {
        try await withTenancy(.sqlite) { world in
            _ = try await world.signUpBen()
            let rows = try await world.database.readSystem { tx in
                try tx.all("SELECT payload, subject FROM outbox_events ORDER BY id") {
                    "\(try $0.column(0, as: String.self)) \(try $0.column(1, as: String.self))"
                }
            }
            let mail = try #require(try await world.mails().first)
            #expect(rows.count == 1 && mail.to == "ben@example.com" && mail.arguments["path"]?.hasPrefix("/verify-email?token=") == true)
            #expect(!rows[0].contains("token") && !rows[0].contains("ben@example.com"))
        }
    }

    @Test(arguments: [
        "", "ana", "ana@", "@example.com", "ana@example", "a b@example.com", "ana@example.com\r\nBcc: x@y.z", "a@b@c.d", "a@.b.c", "<a@b.c>"
    ])
    func `what is no address is refused`(text: String) {
        #expect(throws: Refusal.self) { try EmailAddress(text) }
    }
}
