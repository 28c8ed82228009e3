import Foundation
import HTTPSurface
import Jobs
import Kernel
import Logging
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Notifications

@Suite struct MailDeliveryTests {
    var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    func texts() throws -> MailTexts { MailTexts(strings: try Strings(directory: "Locales"), publicURL: "https://flows.example.com/") }

    /// Asks for one mail and delivers the outbox once.
    /// - Returns: the states of the deliveries that are left; none where the mail is done with.
    func deliver(_ lease: DatabaseLease, _ smtp: SMTP?, to address: String = "ben@example.com") async throws -> [String] {
        let request = MailRequest(template: "invitation", to: address, arguments: ["tenant": "Ünïcode & Co", "path": "/invitation?token=T"])
        let event = try await MailRequested(sealing: request, in: lease.vault)
        try await lease.database.writeDirectory { tx in try tx.emit(event) }
        let delivery = MailDelivery(smtp: smtp, texts: try texts(), vault: lease.vault, logger: logger)
        try await OutboxService(
            database: lease.database, logger: logger, subscribers: [MailDelivery.subscriber], subscriptions: [delivery.subscription]
        ).deliverOnce()
        return try await lease.database.readSystem { tx in try tx.all("SELECT state FROM outbox_deliveries ORDER BY event_id") { try $0.column(0) } }
    }

    @Test func `a mail that was asked for reaches the relay`() async throws {
        guard let relay = try await MailRelay.start() else { return }
        defer { relay.stop() }
        try await withDatabase(.sqlite, tables: JobsModule.tables, migrations: JobsModule.migrations) { lease in
            let smtp = SMTP(relay: try SMTPRelay("smtp://127.0.0.1:\(relay.port)", from: "AIAS <noreply@example.com>"), clock: lease.clock.clock)
            #expect(try await deliver(lease, smtp) == [])
            let mail = try #require(relay.mails().first)
            #expect(relay.mails().count == 1 && mail.contains("From: AIAS <noreply@example.com>") && mail.contains("To: ben@example.com"))
            #expect(mail.contains("Date: Thu, 01 Jan 2026 00:00:00 +0000"))
            let parts = mail.replacing("\r\n", with: "\n").split(separator: "\n\n", maxSplits: 1)
            let body = String(decoding: try #require(Data(base64Encoded: String(parts[1]), options: .ignoreUnknownCharacters)), as: UTF8.self)
            #expect(body.contains("Ünïcode & Co") && body.contains("https://flows.example.com/invitation?token=T\n"))
        }
    }

    @Test func `without a relay a mail counts as done`() async throws {
        try await withDatabase(.sqlite, tables: JobsModule.tables, migrations: JobsModule.migrations) { lease in
            let states = try await deliver(lease, nil)
            #expect(states == [])
        }
    }

    @Test func `a relay that is away is tried again`() async throws {
        try await withDatabase(.sqlite, tables: JobsModule.tables, migrations: JobsModule.migrations) { lease in
            try await ServiceProcess.withDeadPort { port in
                let smtp = SMTP(relay: try SMTPRelay("smtp://127.0.0.1:\(port)", from: "noreply@example.com"), clock: lease.clock.clock)
                #expect(try await deliver(lease, smtp) == ["pending"])
            }
        }
    }

    @Test(arguments: ["sign_in", "verify_email", "reset_password", "invitation"]) func `every mail has its text`(template: String) throws {
        let request = MailRequest(template: template, to: "ben@example.com", arguments: ["tenant": "Acme", "path": "/go?token=T"])
        let message = try #require(try texts().message(request, from: "a@example.com", id: "1"))
        #expect(message.text.contains("\nhttps://flows.example.com/go?token=T\n") && !message.subject.contains("{") && !message.text.contains("{"))
    }
}
