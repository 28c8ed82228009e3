package import Jobs
internal import Kernel
package import Logging
package import Persistence
internal import Telemetry
internal import Tenancy

/// Sends the mails that Tenancy asks for. Without a relay a mail counts as done and only a log line tells of it, since nobody could ever take
/// it; the operator hands links out by the command instead.
package struct MailDelivery: Sendable {
    private let smtp: SMTP?
    private let texts: MailTexts
    private let vault: KeyVault
    private let logger: Logger

    package init(smtp: SMTP?, texts: MailTexts, vault: KeyVault, logger: Logger) {
        self.smtp = smtp
        self.texts = texts
        self.vault = vault
        self.logger = logger
    }

    package static let subscriber = Subscriber(event: MailRequested.name, name: "notifications.mail")

    package var subscription: Subscription { Subscription(Self.subscriber) { try await deliver($0) } }

    /// - Throws: what makes the outbox try again later; an answer of the relay that is final is logged and counts as done.
    package func deliver(_ delivery: Delivery) async throws {
        let facts: Logger.Metadata = ["event": "\(delivery.event)"]
        guard let smtp else {
            logger.warning("no mail relay is configured; a mail is not sent", metadata: facts)
            return
        }
        let mail = try await MailRequested.open(delivery.payload, in: vault)
        guard let message = texts.message(mail, from: smtp.relay.from, id: delivery.key) else {
            logger.error("there is no text for a mail", metadata: facts.merging(["template": "\(mail.template)"]) { first, _ in first })
            return
        }
        do {
            try await smtp.send(message)
            Metrics.shared.count(.mailsSent)
        } catch let error as MailError where error.isPermanent {
            Metrics.shared.count(.mailsFailed)
            logger.error("the relay refused a mail", metadata: facts.merging(["reason": "\(error.message)"]) { first, _ in first })
        }
    }
}
