import Crypto
import Foundation
import Kernel
import Outbound
import Persistence
import Synchronization
import Tenancy
import TestKit
import Testing

@testable import Notifications

@Suite(.timeLimit(.minutes(4))) struct OutgoingWebhookTests {
    /// Whether one of the signatures of a request is that of the secret, computed apart from the code under test.
    private func isSigned(_ request: OutboundRequest, by secret: String) throws -> Bool {
        let key = try #require(Data(base64Encoded: String(secret.dropFirst("whsec_".count))))
        guard case .bytes(let body) = request.body else { return false }
        func header(_ name: String) -> String { request.headers.first { $0.name == name }?.value ?? "" }
        let signed = Data("\(header("webhook-id")).\(header("webhook-timestamp")).".utf8) + Data(body)
        let expected = "v1," + Data(HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key))).base64EncodedString()
        return header("webhook-signature").split(separator: " ").contains(Substring(expected))
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `an event reaches each endpoint that hears of it once, signed with its own secret`(engine: DatabaseEngine) async throws {
        try await withNotifications(engine) { harness in
            let all = try await harness.makeEndpoint()
            let some = try await harness.makeEndpoint(["execution.failed"], url: "https://some.example.com/")
            _ = try await harness.makeEndpoint(["workflow.created"], url: "https://other.example.com/")
            try await harness.failed("w1", run: "r1")
            try await harness.failed("w1", run: "r1")
            let sent = try await harness.sender.sendDue()
            #expect(sent == 2 && harness.receiver.all.count == 2)
            let toAll = try #require(harness.receiver.all.first { $0.url == all.endpoint.url })
            let toSome = try #require(harness.receiver.all.first { $0.url == some.endpoint.url })
            #expect(try isSigned(toAll, by: all.secret) && isSigned(toSome, by: some.secret))
            #expect(try !isSigned(toAll, by: some.secret))
            guard case .bytes(let bytes) = toAll.body else { return }
            let body = try JSON(parsing: bytes)
            #expect(body["type"] == "execution.failed" && body["data"]?["execution"] == "r1" && Timestamp(body["timestamp"]?.text ?? "") != nil)
            let deliveries = try await harness.webhooks.deliveries(of: all.endpoint.id, before: nil, limit: 10, by: harness.owner)
            #expect(deliveries.map(\.state) == [.delivered] && deliveries[0].lastStatus == 200)
            let again = try await harness.sender.sendDue()
            #expect(again == 0)
        }
    }

    @Test func `where a stranger's account is taken over, no endpoint hears anything until it is enabled`() async throws {
        try await withNotifications { harness in
            let (webhooks, owner) = (harness.webhooks, harness.owner)
            let made = try await harness.makeEndpoint().endpoint
            try await harness.failed("w1", run: "r1")
            let paused = try await harness.database.write(in: harness.acme.id) { tx in try webhooks.pauseAll(in: tx, by: owner) }
            #expect(paused == 1)
            try await harness.failed("w1", run: "r2")
            try await harness.sender.sendDue()
            #expect(harness.receiver.all.isEmpty)
            let now = try await webhooks.endpoint(made.id, by: owner)
            #expect(now.status == .disabled && now.reason == .paused)
            let fields = try WebhookEndpointFields(url: made.url, description: "", eventTypes: [])
            _ = try await webhooks.update(made.id, by: owner) { _ in (fields, isEnabled: true) }
            try await harness.failed("w1", run: "r3")
            try await harness.sender.sendDue()
            #expect(harness.receiver.all.count == 1)
        }
    }

    @Test func `a secret that was replaced signs for a day beside the new one`() async throws {
        try await withNotifications { harness in
            let made = try await harness.makeEndpoint()
            let fresh = try await harness.webhooks.rotateSecret(of: made.endpoint.id, by: harness.owner)
            _ = try await harness.webhooks.test(made.endpoint.id, by: harness.owner)
            try await harness.sender.sendDue()
            let both = try #require(harness.receiver.all.last)
            #expect(try isSigned(both, by: fresh) && isSigned(both, by: made.secret))
            harness.lease.clock.advance(by: .seconds(86_401))
            _ = try await harness.webhooks.test(made.endpoint.id, by: harness.owner)
            try await harness.sender.sendDue()
            let one = try #require(harness.receiver.all.last)
            #expect(try isSigned(one, by: fresh) && !isSigned(one, by: made.secret))
        }
    }

    @Test func `what fails is tried again over days, each attempt under the same id, and then given up`() async throws {
        try await withNotifications { harness in
            let made = try await harness.makeEndpoint()
            harness.receiver.set(503)
            try await harness.failed("w1", run: "r1")
            let start = harness.lease.clock.clock.now()
            var total = 0
            for _ in 0..<200 {
                total += try await harness.sender.sendDue()
                harness.lease.clock.advance(by: .seconds(2_400))
                // Of a long outage, but short of disabling.
                if total == WebhookSchedule.attemptsMaximum { break }
            }
            #expect(total == WebhookSchedule.attemptsMaximum)
            #expect(harness.lease.clock.clock.now() - start > .seconds(2 * 86_400))
            let ids = Set(harness.receiver.all.map { $0.headers.first { $0.name == "webhook-id" }?.value ?? "" })
            #expect(ids.count == 1)
            let delivery = try #require(try await harness.webhooks.deliveries(of: made.endpoint.id, before: nil, limit: 5, by: harness.owner).first)
            #expect(delivery.state == .failed && delivery.nextAt == nil)
            let detail = try await harness.webhooks.delivery(delivery.id, by: harness.owner)
            #expect(detail.attempts.count == total && detail.attempts.allSatisfy { $0.status == 503 && $0.response == "answer 503" })
            harness.receiver.set(200)
            _ = try await harness.webhooks.replay(delivery.id, by: harness.owner)
            try await harness.sender.sendDue()
            let after = try await harness.webhooks.delivery(delivery.id, by: harness.owner)
            #expect(after.delivery.state == .delivered && after.attempts.count == total + 1)
        }
    }

    @Test func `an endpoint that nothing reaches for days is disabled, says so, and is told again what failed`() async throws {
        try await withNotifications { harness in
            let made = try await harness.makeEndpoint()
            harness.receiver.set(nil)
            let before = harness.lease.clock.clock.now()
            for day in 0..<7 {
                try await harness.failed("w1", run: "r\(day)")
                try await harness.sender.sendDue()
                harness.lease.clock.advance(by: .seconds(86_400))
            }
            let endpoint = try await harness.webhooks.endpoint(made.endpoint.id, by: harness.owner)
            #expect(endpoint.status == .disabled && endpoint.reason == .failing)
            let emitted: Int = try await harness.database.readSystem { tx in
                try tx.first("SELECT count(*) FROM outbox_events WHERE name = \(EndpointDisabled.name)") { try $0.column(0) } ?? 0
            }
            #expect(emitted == 1)
            _ = try await harness.webhooks.update(made.endpoint.id, by: harness.owner) { old in
                (try WebhookEndpointFields(url: old.url, description: "mended", eventTypes: []), true)
            }
            harness.receiver.set(200)
            let tried = harness.receiver.all.count
            let count = try await harness.webhooks.replay(
                from: before, to: harness.lease.clock.clock.now(), of: made.endpoint.id, onlyFailed: true, by: harness.owner)
            while try await harness.sender.sendDue() > 0 {}
            #expect(count >= 1 && harness.receiver.all.count > tried)
            let states = try await harness.webhooks.deliveries(of: made.endpoint.id, before: nil, limit: 20, by: harness.owner).map(\.state)
            #expect(!states.contains(.failed))
        }
    }

    @Test func `an endpoint that answers 410 is disabled at once, and a deleted one takes its deliveries along`() async throws {
        try await withNotifications { harness in
            let made = try await harness.makeEndpoint()
            harness.receiver.set(410)
            try await harness.failed("w1", run: "r1")
            try await harness.sender.sendDue()
            let endpoint = try await harness.webhooks.endpoint(made.endpoint.id, by: harness.owner)
            #expect(endpoint.reason == .gone)
            await #expect(throws: Refusal.self) { _ = try await harness.webhooks.test(made.endpoint.id, by: harness.owner) }
            let other = try await harness.makeEndpoint()
            _ = try await harness.webhooks.test(other.endpoint.id, by: harness.owner)
            try await harness.webhooks.delete(other.endpoint.id, by: harness.owner)
            let sent = harness.receiver.all.count
            try await harness.sender.sendDue()
            #expect(harness.receiver.all.count == sent)
            let left: Int = try await harness.database.readSystem { tx in
                try tx.first("SELECT count(*) FROM webhook_queue") { try $0.column(0) } ?? -1
            }
            #expect(left == 0)
        }
    }

    @Test func `an endpoint that answers at length has taken the message, and its answer is kept no further than it is shown`() async throws {
        try await withNotifications { harness in
            let made = try await harness.makeEndpoint()
            let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
            let read = Mutex(0)
            let sender = WebhookSender(webhooks: harness.webhooks, logger: NotificationsHarness.quiet) { request, _ in
                let answer = OutboundResponse(status: 200, body: [], url: request.url)
                guard let intake = request.intake, intake.isWanted(answer) else { throw OutboundError(.responseTooLarge, "too large") }
                let pieces = BytePieces {
                    let count = read.withLock { count in
                        count += 1
                        return count
                    }
                    return count > 1_000 ? nil : chunk
                }
                try await intake.take(answer, pieces)
                return answer
            }
            _ = try await harness.webhooks.test(made.endpoint.id, by: harness.owner)
            try await sender.sendDue()
            let delivery = try #require(try await harness.webhooks.deliveries(of: made.endpoint.id, before: nil, limit: 1, by: harness.owner).first)
            #expect(delivery.state == .delivered && delivery.lastStatus == 200)
            let shown = try await harness.webhooks.delivery(delivery.id, by: harness.owner).attempts[0].response
            #expect(shown?.count == Limits.webhookResponseLength)
            #expect(read.withLock { $0 } == 1)
        }
    }

    @Test func `a tenant's many failing deliveries leave places for others`() async throws {
        try await withNotifications { harness in
            let made = try await harness.makeEndpoint()
            for _ in 0..<(WebhookSender.concurrentPerTenant + 5) { _ = try await harness.webhooks.test(made.endpoint.id, by: harness.owner) }
            let first = try await harness.sender.sendDue()
            #expect(first == WebhookSender.concurrentPerTenant)
            let second = try await harness.sender.sendDue()
            #expect(second == 5)
        }
    }

    @Test func `a delivery that found no place among the tenant's requests is no attempt, and goes out in a moment`() async throws {
        try await withNotifications { harness in
            let made = try await harness.makeEndpoint()
            let crowded = WebhookSender(webhooks: harness.webhooks, logger: NotificationsHarness.quiet) { _, _ in
                throw OutboundError(.overloaded, "no place")
            }
            _ = try await harness.webhooks.test(made.endpoint.id, by: harness.owner)
            try await crowded.sendDue()
            let deliveries = try await harness.webhooks.deliveries(of: made.endpoint.id, before: nil, limit: 5, by: harness.owner)
            let delivery = try #require(deliveries.first)
            #expect(delivery.state == .pending && delivery.attempts == 0)
            #expect(try await harness.webhooks.endpoint(made.endpoint.id, by: harness.owner).failingSince == nil)
            harness.lease.clock.advance(by: WebhookSender.crowdedPause)
            let sent = try await harness.sender.sendDue()
            #expect(sent == 1 && harness.receiver.all.count == 1)
        }
    }

    @Test func `deliveries whose times were set while the clock was ahead go on when it is set back`() async throws {
        try await withNotifications { harness in
            let made = try await harness.makeEndpoint()
            let clock = harness.lease.clock
            let beginning = clock.now
            clock.advance(by: .seconds(30 * 86_400))
            harness.receiver.set(503)
            _ = try await harness.webhooks.test(made.endpoint.id, by: harness.owner)
            try await harness.sender.sendDue()
            _ = try await harness.webhooks.test(made.endpoint.id, by: harness.owner)
            // Claimed by a process that died with it.
            let claimed = try await harness.database.writeSystem { tx in try WebhookQueueStore(tx: tx).claimDue(limit: 5, without: []) }
            #expect(claimed.count == 1)
            #expect(try await harness.webhooks.bringNear() == 0, "a clock that is right has nothing far away")

            clock.set(beginning)
            harness.receiver.set(200)
            #expect(try await harness.sender.sendDue() == 0)
            #expect(try await harness.webhooks.bringNear() == 2)
            #expect(try await harness.webhooks.bringNear() == 0)
            #expect(try await harness.sender.sendDue() == 1)
            clock.advance(by: .seconds(7))
            #expect(try await harness.sender.sendDue() == 1)
            let states = try await harness.webhooks.deliveries(of: made.endpoint.id, before: nil, limit: 5, by: harness.owner).map(\.state)
            #expect(states == [.delivered, .delivered])
        }
    }

    @Test func `nobody's event costs an emission: the interests of a tenant are known`() async throws {
        try await withNotifications { harness in
            func wants(_ type: String) async throws -> Bool {
                try await harness.database.read(in: harness.acme.id) { tx in try harness.webhooks.wants(type, in: tx) }
            }
            #expect(try await !wants("execution.succeeded"))
            let made = try await harness.makeEndpoint(["execution.failed"])
            #expect(try await wants("execution.failed"))
            #expect(try await !wants("execution.succeeded"))
            _ = try await harness.webhooks.update(made.endpoint.id, by: harness.owner) { old in
                (try WebhookEndpointFields(url: old.url, description: "", eventTypes: []), true)
            }
            #expect(try await wants("execution.succeeded"))
        }
    }

    @Test(arguments: ["ftp://example.com", "not a url", "https://user:pass@example.com/", ""])
    func `an address that cannot be posted to is refused`(url: String) {
        #expect(throws: Refusal.self) { try WebhookEndpointFields(url: url, description: "", eventTypes: ["execution.failed"]) }
    }

    @Test func `waits grow to a day and spread by a fifth`() {
        let least = (1..<WebhookSchedule.attemptsMaximum).compactMap { WebhookSchedule.wait(after: $0, random: 0) }
        let most = (1..<WebhookSchedule.attemptsMaximum).compactMap { WebhookSchedule.wait(after: $0, random: 1) }
        #expect(least.count == WebhookSchedule.attemptsMaximum - 1 && WebhookSchedule.wait(after: WebhookSchedule.attemptsMaximum, random: 0) == nil)
        #expect(zip(least, least.dropFirst()).allSatisfy { $0 < $1 })
        #expect(least[0].microseconds / 1_000 == 4_000 && (5_999...6_000).contains(most[0].microseconds / 1_000))
        #expect(least.reduce(.zero, +) > .seconds(2 * 86_400))
    }
}
