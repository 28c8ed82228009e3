import HTTPSurface
import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Notifications

@Suite(.timeLimit(.minutes(4))) struct InboxTests {
    @Test(arguments: DatabaseEngine.allCases)
    func `failures of one workflow are one notice with a count until somebody reads it`(engine: DatabaseEngine) async throws {
        try await withNotifications(engine) { harness in
            for run in ["r1", "r2", "r2", "r3"] { try await harness.failed("w1", run: run) }
            try await harness.failed("w2", run: "r4")
            let list = try await harness.inbox.list(before: nil, limit: 10, by: harness.ana)
            #expect(list.map(\.count).sorted() == [1, 3] && list.allSatisfy { $0.arguments["error"] == "no stock" })
            #expect(try await harness.inbox.unread(by: harness.ana) == 2)
            let first = try #require(list.first { $0.count == 3 })
            #expect(first.path == "/executions/r3")
            try await harness.inbox.read(first.id, by: harness.ana)
            try await harness.failed("w1", run: "r5")
            let after = try await harness.inbox.list(before: nil, limit: 10, by: harness.ana)
            #expect(after.count == 3 && after[0].count == 1)
            try await harness.inbox.readAll(by: harness.ana)
            #expect(try await harness.inbox.unread(by: harness.ana) == 0)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `whoever is named in a comment is told of it, one notice a thread, and nobody else is`(engine: DatabaseEngine) async throws {
        try await withNotifications(engine) { harness in
            guard case .user(let ana) = harness.ana.actor else { return }
            func comment(_ id: String, thread: String, naming people: [UserID]) async throws {
                try await harness.event(
                    "workflow.mentioned",
                    [
                        "workflow": "w", "workflow_name": "Orders", "comment": .string(id), "thread": .string(thread), "author_name": "bea",
                        "text": "Look", "mentions": .array(people.map { .string($0.description) })
                    ], key: "outbox:\(id)")
            }
            try await comment("c1", thread: "c1", naming: [UserID(high: 9, low: 9)])
            #expect(try await harness.inbox.unread(by: harness.ana) == 0)
            try await comment("c2", thread: "c2", naming: [ana])
            try await comment("c3", thread: "c2", naming: [ana])
            let list = try await harness.inbox.list(before: nil, limit: 10, by: harness.ana)
            #expect(list.map(\.count) == [2] && list[0].path == "/workflows/w/editor#comment-c3" && list[0].arguments["author"] == "bea")
            #expect(try await harness.mails().isEmpty, "a mail only for whoever chose one")
        }
    }

    @Test func `the owner of an account that was taken over is told what was closed, and nobody else is`() async throws {
        try await withNotifications { harness in
            guard case .user(let ana) = harness.ana.actor else { return }
            func takeOver(_ owner: UserID, key: String) async throws {
                try await harness.event(
                    AccountTakenOver.name, ["owner": .string(owner.description), "closed": ["keys": 2, "members": 1, "novel": 3]], key: key)
            }
            try await takeOver(UserID(high: 9, low: 9), key: "outbox:1")
            #expect(try await harness.mails().isEmpty)
            try await takeOver(ana, key: "outbox:2")
            let mail = try #require(try await harness.mails().first)
            #expect(mail.template == "account_taken_over" && mail.arguments["keys"] == "2" && mail.arguments["runs"] == "0")
            let strings = try Strings(directory: "Locales")
            let message = try #require(
                MailTexts(strings: strings, publicURL: "https://flows.example.com").message(mail, from: "a@example.com", id: "1"))
            let notice = try #require(try await harness.inbox.list(before: nil, limit: 2, by: harness.ana).first)
            for text in [message.subject, message.text, Localizer(strings).title(of: notice)] { #expect(!text.contains("{")) }
            #expect(message.text.contains("API keys revoked: 2") && notice.path == "/settings/audit-log")
        }
    }

    @Test func `one mail an hour for a workflow, and none for whoever wants none`() async throws {
        try await withNotifications { harness in
            try await harness.failed("w1", run: "r1")
            try await harness.failed("w1", run: "r2")
            try await harness.failed("w2", run: "r3")
            let mails = try await harness.mails()
            #expect(mails.count == 2 && mails.allSatisfy { $0.template == "execution_failed" && $0.to == "ana@example.com" })
            #expect(mails[0].arguments["path"] == "/executions/r1" && mails[0].arguments["workflow"] == "Orders")
            try await harness.clearMails()
            harness.lease.clock.advance(by: .seconds(3_601))
            try await harness.failed("w1", run: "r4")
            #expect(try await harness.mails().count == 1)
            try await harness.clearMails()
            try await harness.inbox.setPreferences([.failures: NoticePreference(isInApp: true, mail: .off)], by: harness.ana)
            harness.lease.clock.advance(by: .seconds(3_601))
            try await harness.failed("w1", run: "r5")
            #expect(try await harness.mails().isEmpty)
        }
    }

    @Test func `a digest comes once in the morning of the tenant's day, with what happened since the last`() async throws {
        try await withNotifications { harness in
            _ = try await harness.tenancy.updateTenant(harness.acme.id, TenantChange(timeZone: "Asia/Tokyo"), by: .system(in: nil))
            try await harness.inbox.setPreferences([.failures: NoticePreference(isInApp: true, mail: .digest)], by: harness.ana)
            // The test's clock begins at midnight UTC: nine in the morning in Tokyo.
            try await harness.failed("w1", run: "r1")
            try await harness.failed("w1", run: "r2")
            #expect(try await harness.mails().isEmpty)
            try await harness.inbox.sendDigests()
            try await harness.inbox.sendDigests()
            let mails = try await harness.mails()
            #expect(mails.count == 1 && mails[0].template == "digest" && mails[0].arguments["count"] == "2")
            #expect(mails[0].arguments["lines"] == "- Orders × 2")
            try await harness.clearMails()
            harness.lease.clock.advance(by: .seconds(12 * 3_600))
            try await harness.failed("w2", run: "r3")
            try await harness.inbox.sendDigests()
            #expect(try await harness.mails().isEmpty)
            harness.lease.clock.advance(by: .seconds(12 * 3_600))
            try await harness.inbox.sendDigests()
            let next = try await harness.mails()
            #expect(next.count == 1 && next[0].arguments["lines"] == "- Orders × 1")
        }
    }

    @Test func `a digest counts what happened since the one before, of what nobody has read too`() async throws {
        try await withNotifications { harness in
            try await harness.inbox.setPreferences([.failures: NoticePreference(isInApp: true, mail: .digest)], by: harness.ana)
            try await harness.failed("w1", run: "r1")
            try await harness.failed("w1", run: "r2")
            harness.lease.clock.advance(by: .seconds(8 * 3_600))
            try await harness.inbox.sendDigests()
            #expect(try await harness.mails().map { $0.arguments["lines"] } == ["- Orders × 2"])
            try await harness.clearMails()
            harness.lease.clock.advance(by: .seconds(3_600))
            try await harness.failed("w1", run: "r3")
            harness.lease.clock.advance(by: .seconds(24 * 3_600))
            try await harness.inbox.sendDigests()
            let mails = try await harness.mails()
            #expect(mails.map { $0.arguments["lines"] } == ["- Orders × 1"])
            #expect(mails.map { $0.arguments["count"] } == ["1"])
            let listed = try await harness.inbox.list(before: nil, limit: 5, by: harness.ana)
            #expect(listed.map(\.count) == [3])
            #expect(listed.map { $0.arguments.keys.sorted() } == [["error", "workflow"]])
        }
    }

    @Test func `mails and digests go on when the clock is set back`() async throws {
        try await withNotifications { harness in
            let clock = harness.lease.clock
            let beginning = clock.now
            clock.advance(by: .seconds(30 * 86_400))
            try await harness.failed("w1", run: "r1")
            #expect(try await harness.mails().map(\.template) == ["execution_failed"])
            try await harness.clearMails()
            clock.set(beginning)
            try await harness.failed("w1", run: "r2")
            #expect(try await harness.mails().map(\.template) == ["execution_failed"])
            try await harness.clearMails()

            try await harness.inbox.setPreferences([.failures: NoticePreference(isInApp: true, mail: .digest)], by: harness.ana)
            clock.advance(by: .seconds(30 * 86_400 + 8 * 3_600))
            try await harness.inbox.sendDigests()
            clock.set(beginning + .seconds(6 * 3_600))
            try await harness.failed("w2", run: "r3")
            clock.advance(by: .seconds(2 * 3_600))
            try await harness.inbox.sendDigests()
            #expect(try await harness.mails().map(\.template) == ["digest"])
        }
    }

    @Test func `notices and choices of a category that only a newer program knows are left to that one`() async throws {
        try await withNotifications { harness in
            let (database, tenant) = (harness.database, harness.acme.id)
            try await harness.inbox.setPreferences([.failures: NoticePreference(isInApp: true, mail: .digest)], by: harness.ana)
            try await harness.failed("w1", run: "r1")
            try await database.write(in: tenant) { tx in
                try tx.execute("UPDATE notices SET category = \("novel") WHERE tenant_id = \(tx.tenant)")
                try tx.execute("UPDATE notice_preferences SET category = \("novel") WHERE tenant_id = \(tx.tenant)")
            }
            try await harness.failed("w2", run: "r2")
            #expect(try await harness.inbox.list(before: nil, limit: 5, by: harness.ana).map(\.category) == [.failures])
            #expect(try await harness.inbox.unread(by: harness.ana) == 1)
            #expect(try await harness.inbox.preferences(by: harness.ana).map(\.category).contains(.failures))
            harness.lease.clock.advance(by: .seconds(8 * 3_600))
            try await harness.inbox.sendDigests()
            let kept = try await database.read(in: tenant) { tx in
                try tx.all("SELECT category FROM notices WHERE tenant_id = \(tx.tenant)") { try $0.column(0, as: String.self) }
            }
            #expect(kept.sorted() == ["failures", "novel"])
        }
    }

    @Test func `what happens after a quiet morning waits for the next, and is in that one`() async throws {
        try await withNotifications { harness in
            try await harness.inbox.setPreferences([.failures: NoticePreference(isInApp: true, mail: .digest)], by: harness.ana)
            harness.lease.clock.advance(by: .seconds(8 * 3_600))
            try await harness.inbox.sendDigests()
            harness.lease.clock.advance(by: .seconds(3_600))
            try await harness.failed("w1", run: "r1")
            try await harness.inbox.sendDigests()
            #expect(try await harness.mails().isEmpty)
            harness.lease.clock.advance(by: .seconds(24 * 3_600))
            try await harness.inbox.sendDigests()
            #expect(try await harness.mails().map(\.template) == ["digest"])
        }
    }

    @Test func `what happens while a digest is made is in the next one`() async throws {
        try await withNotifications { harness in
            guard case .user(let ana) = harness.ana.actor else { return }
            let (database, tenant, clock) = (harness.database, harness.acme.id, harness.lease.clock)
            try await harness.inbox.setPreferences([.failures: NoticePreference(isInApp: true, mail: .digest)], by: harness.ana)
            clock.advance(by: .seconds(8 * 3_600))
            let looked = clock.clock.now()
            clock.advance(by: .seconds(1))
            try await harness.failed("w1", run: "r1")
            clock.advance(by: .seconds(1))
            try await database.write(in: tenant) { tx in
                _ = try NoticeStore(tx: tx).claimMail("digest", to: ana, notSince: looked - .seconds(3_600), at: looked)
            }
            clock.advance(by: .seconds(24 * 3_600))
            try await harness.inbox.sendDigests()
            #expect(try await harness.mails().map(\.template) == ["digest"])
        }
    }

    @Test func `an event that comes again after it was read of is not told again`() async throws {
        try await withNotifications { harness in
            try await harness.failed("w1", run: "r1")
            try await harness.inbox.readAll(by: harness.ana)
            try await harness.failed("w1", run: "r1")
            #expect(try await harness.inbox.unread(by: harness.ana) == 0)
            try await harness.failed("w1", run: "r2")
            #expect(try await harness.inbox.unread(by: harness.ana) == 1)
        }
    }

    @Test func `what only the digest is to tell of stays out of the list`() async throws {
        try await withNotifications { harness in
            try await harness.inbox.setPreferences([.failures: NoticePreference(isInApp: false, mail: .digest)], by: harness.ana)
            try await harness.failed("w1", run: "r1")
            #expect(try await harness.inbox.unread(by: harness.ana) == 0)
            #expect(try await harness.inbox.list(before: nil, limit: 5, by: harness.ana).isEmpty)
            harness.lease.clock.advance(by: .seconds(8 * 3_600))
            try await harness.inbox.sendDigests()
            #expect(try await harness.mails().map(\.template) == ["digest"])
        }
    }

    @Test func `a limit is told when it is near and when it is reached, once each`() async throws {
        try await withNotifications { harness in
            let watch = LimitWatch(database: harness.database, tenancy: harness.tenancy, clock: harness.lease.clock.clock)
            func names() async throws -> [String] {
                try await harness.database.readSystem { tx in
                    try tx.all("SELECT name FROM outbox_events WHERE name <> \("mail.requested") ORDER BY id") { try $0.column(0) }
                }
            }
            func use(_ count: Int) async throws {
                try await harness.database.write(in: harness.acme.id) { tx in
                    if count > 0 { try tx.reserve(.workflows, count) } else { try tx.release(.workflows, -count) }
                }
                try await watch.lookAtAll()
                try await watch.lookAtAll()
            }
            try await use(7)
            #expect(try await names().isEmpty)
            try await use(1)
            #expect(try await names() == ["limit.near"])
            try await use(2)
            #expect(try await names() == ["limit.near", "limit.reached"])
            try await use(-8)
            try await use(6)
            #expect(try await names() == ["limit.near", "limit.reached", "limit.near"])
        }
    }

    static let told: [(name: String, template: String, payload: JSON)] = [
        ("limit.near", "limit_near", ["limit": "workflows", "used": 8, "allowed": 10]),
        ("limit.reached", "limit_reached", ["limit": "workflows", "used": 10, "allowed": 10]),
        ("webhook_endpoint.disabled", "webhook_disabled", ["webhook_endpoint": "e1", "host": "hooks.example.com", "reason": "gone"]),
        (
            "execution.failed", "execution_failed",
            ["execution": "r1", "workflow": "w1", "workflow_name": "Orders", "mode": "schedule", "error": ["message": "no stock"]]
        )
    ]

    @Test(arguments: told)
    func `whatever is told has its mail and its line, with all places filled`(name: String, template: String, payload: JSON) async throws {
        try await withNotifications { harness in
            try await harness.event(name, payload, key: "k1")
            let mail = try #require(try await harness.mails().first)
            #expect(mail.template == template && mail.to == "ana@example.com")
            let strings = try Strings(directory: "Locales")
            let message = try #require(
                MailTexts(strings: strings, publicURL: "https://flows.example.com").message(mail, from: "a@example.com", id: "1"))
            let notice = try #require(try await harness.inbox.list(before: nil, limit: 1, by: harness.ana).first)
            let title = Localizer(strings).title(of: notice)
            for text in [message.subject, message.text, title] { #expect(!text.isEmpty && !text.contains("{") && !text.contains("notifications.")) }
            #expect(message.text.contains("https://flows.example.com/"))
        }
    }

    @Test func `limits, numbers and days are told in the words of people`() throws {
        let text = Localizer(try Strings(directory: "Locales"))
        let runs = text.readable(["limit": "executions_per_month", "used": "80000", "allowed": "100000", "due": "2026-03-09", "invoice": "AIAS-1000"])
        #expect(runs["used"] == "80,000" && runs["allowed"] == "100,000" && runs["due"] == "9 March 2026" && runs["invoice"] == "AIAS-1000")
        #expect(runs["limit"] == text("notifications.limit.executions_per_month"))
        let bytes = text.readable(["limit": "storage_bytes", "used": "8589934592", "allowed": "10737418240"])
        #expect(bytes["used"] == "8 GiB" && bytes["allowed"] == "10 GiB")
        #expect(text.readable(["limit": "unheard_of"]) == ["limit": "unheard_of"])
    }

    @Test func `every event type, category and limit has its text`() throws {
        let keys = try Strings(directory: "Locales").keys(of: "en")
        var wanted = EventType.all.map(\.key)
        for category in NoticeCategory.allCases {
            wanted += ["notifications.category.\(category.rawValue)", "notifications.category.\(category.rawValue).hint"]
        }
        wanted += NoticePreference.Mail.allCases.map { "notifications.mail_choice.\($0.rawValue)" }
        wanted += ["workflows", "users", "storage_bytes", "executions_per_month"].map { "notifications.limit.\($0)" }
        wanted += ["paused", "failing", "gone"].map { "notifications.webhooks.\($0)" }
        wanted += ["notifications.mail.digest.subject", "notifications.mail.digest.body"]
        #expect(wanted.filter { !keys.contains($0) } == [])
    }

    @Test func `keys have no notifications, and members are told only of what they may see`() async throws {
        try await withNotifications { harness in
            await #expect(throws: Refusal.self) { _ = try await harness.inbox.unread(by: harness.owner) }
            let billing = Principal(
                actor: harness.ana.actor, tenant: harness.acme.id, role: .billing,
                permissions: NotificationsHarness.permissions.permissions(of: .billing))
            let categories = try await harness.inbox.preferences(by: billing).map(\.category)
            #expect(categories == [.limits])
        }
    }
}
