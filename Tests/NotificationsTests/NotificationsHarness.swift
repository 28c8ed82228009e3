import HTTPSurface
import Kernel
import Logging
import Outbound
import Persistence
import Synchronization
import Tenancy
import TestKit
import Testing

@testable import Jobs
@testable import Notifications

/// The module with a tenant, Acme, whose owner is Ana, on a database of its own; what it sends to the outside is answered by the test.
struct NotificationsHarness {
    let lease: DatabaseLease
    let tenancy: Tenancy
    let webhooks: OutgoingWebhooks
    let inbox: Inbox
    let sender: WebhookSender
    let receiver: Receiver
    let acme: Tenant
    let ana: Principal

    var database: any Database { lease.database }
    var owner: Principal {
        Principal(actor: .system, tenant: acme.id, role: .owner, permissions: NotificationsHarness.permissions.permissions(of: .owner))
    }

    static let permissions = PermissionTable(
        TenancyModule.permissions + NotificationsModule.permissions
            + [
                PermissionDeclaration("executions.read", "See executions.", roles: [.owner, .admin, .editor, .viewer]),
                PermissionDeclaration("workflows.read", "See workflows.", roles: [.owner, .admin, .editor, .viewer])
            ])

    /// What stands in for endpoints: answers and keeps the requests.
    final class Receiver: Sendable {
        let requests = Mutex<[OutboundRequest]>([])
        let status = Mutex<Int?>(200)

        func answer(_ request: OutboundRequest) throws -> OutboundResponse {
            requests.withLock { $0.append(request) }
            guard let status = status.withLock({ $0 }) else { throw OutboundError(.unreachable, "nobody is there") }
            return OutboundResponse(status: status, body: Array("answer \(status)".utf8), url: request.url)
        }
        func set(_ status: Int?) { self.status.withLock { $0 = status } }
        var all: [OutboundRequest] { requests.withLock { $0 } }
    }

    func makeEndpoint(_ types: [String] = [], url: String = "https://hooks.example.com/in") async throws -> (
        endpoint: WebhookEndpoint, secret: String
    ) {
        try await webhooks.create(try WebhookEndpointFields(url: url, description: "", eventTypes: types), by: owner)
    }

    /// An event as the outbox delivers it.
    func event(_ name: String, _ payload: JSON, key: String) async throws {
        let delivery = Delivery(
            event: lease.ids.next(), tenant: acme.id, name: name, subject: "test", key: key, payload: payload, at: lease.clock.clock.now(),
            subscriber: "test", attempts: 0, claimedAt: lease.clock.clock.now())
        try await webhooks.accept(delivery)
        try await inbox.accept(delivery)
    }

    func failed(_ workflow: String, run: String) async throws {
        try await event(
            "execution.failed",
            [
                "execution": .string(run), "workflow": .string(workflow), "workflow_name": "Orders", "mode": "webhook",
                "error": ["message": "no stock"]
            ],
            key: "execution:\(run)")
    }

    func mails() async throws -> [MailRequest] {
        let payloads: [String] = try await database.readSystem { tx in
            try tx.all("SELECT payload FROM outbox_events WHERE name = \("mail.requested") ORDER BY id") { try $0.column(0) }
        }
        var out: [MailRequest] = []
        for payload in payloads { out.append(try await MailRequested.open(try JSON(parsing: payload), in: lease.vault)) }
        return out
    }

    func clearMails() async throws {
        _ = try await database.writeSystem { tx in try tx.execute("DELETE FROM outbox_events WHERE name = \("mail.requested")") }
    }

    static var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }
}

func withNotifications(_ engine: DatabaseEngine = .sqlite, _ body: (NotificationsHarness) async throws -> Void) async throws {
    let tables = TenancyModule.tables + NotificationsModule.tables
    let migrations = TenancyModule.migrations + NotificationsModule.migrations
    try await withDatabase(engine, tables: tables, migrations: migrations) { lease in
        let tenancy = Tenancy(
            database: lease.database, clock: lease.clock.clock, vault: lease.vault, permissions: NotificationsHarness.permissions, usesTLS: false)
        try await tenancy.seedPlans()
        let new = NewTenant(name: "Acme", subdomain: "acme", plan: .custom, limits: PlanLimits(workflows: 10))
        let acme = try await tenancy.createTenant(new, owner: "ana@example.com", by: .system(in: nil)).tenant
        let ana = try await tenancy.members(of: acme.id)[0].user
        let webhooks = OutgoingWebhooks(database: lease.database, vault: lease.vault, clock: lease.clock.clock, ids: lease.ids)
        let receiver = NotificationsHarness.Receiver()
        let sender = WebhookSender(webhooks: webhooks, logger: NotificationsHarness.quiet, random: { 0.5 }) { request, _ in
            try receiver.answer(request)
        }
        try await body(
            NotificationsHarness(
                lease: lease, tenancy: tenancy, webhooks: webhooks,
                inbox: Inbox(database: lease.database, tenancy: tenancy, vault: lease.vault, clock: lease.clock.clock), sender: sender,
                receiver: receiver, acme: acme,
                ana: Principal(
                    actor: .user(ana), tenant: acme.id, role: .owner, permissions: NotificationsHarness.permissions.permissions(of: .owner))))
    }
}
