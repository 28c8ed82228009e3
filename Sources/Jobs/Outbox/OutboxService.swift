package import Kernel
package import Logging
package import Persistence
internal import ServiceLifecycle

/// An event as a subscriber gets it.
package struct Delivery: Sendable {
    package let event: ID<OutboxEventTag>
    package let tenant: TenantID?
    package let name: String
    package let subject: String
    /// Under which the subscriber applies it once.
    package let key: String
    package let payload: JSON
    package let at: Timestamp
    let subscriber: String
    let attempts: Int
}

/// Somebody who wants to hear of events of one name. Delivered at least once, in order per subject.
package struct Subscription: Sendable {
    package let event: String
    /// Unique and stable: it names the delivery rows.
    package let subscriber: String
    package let handler: @Sendable (Delivery) async throws -> Void

    package init(event: String, subscriber: String, handler: @escaping @Sendable (Delivery) async throws -> Void) {
        self.event = event
        self.subscriber = subscriber
        self.handler = handler
    }
}

/// Delivers the outbox: one row per event and subscriber, claimed by state, retried with a wait that doubles, dead after `attemptsMaximum`.
package struct OutboxService: Service {
    static let attemptsMaximum = 12
    static let sweep: Duration = .seconds(1)

    private let database: any Database
    private let logger: Logger
    private let subscriptions: [Subscription]
    private let wake = Wake()

    package init(database: any Database, logger: Logger, subscriptions: [Subscription]) {
        precondition(Set(subscriptions.map(\.subscriber)).count == subscriptions.count, "two subscriptions share a name")
        self.database = database
        self.logger = logger
        self.subscriptions = subscriptions
    }

    package func run() async throws {
        OutboxSignal.shared.listen { [wake] in wake.raise() }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await deliverOnce() == 0 { await wake.wait(atMost: OutboxService.sweep) }
                } catch {
                    logger.error("the outbox could not be read", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: OutboxService.sweep)
                }
            }
        }
    }

    /// Fans out new events and delivers what is due; returns how many deliveries were tried.
    @discardableResult
    package func deliverOnce() async throws -> Int {
        let wanted = Dictionary(grouping: subscriptions, by: \.event).mapValues { $0.map(\.subscriber) }
        try await database.writeSystem { tx in try DeliveryStore(tx: tx).fanOut(wanted) }
        let due = try await database.writeSystem { tx in try DeliveryStore(tx: tx).claimDue() }
        await withTaskGroup { group in for delivery in due { group.addTask { await deliver(delivery) } } }
        return due.count
    }

    private func deliver(_ delivery: Delivery) async {
        guard let subscription = subscriptions.first(where: { $0.subscriber == delivery.subscriber }) else { return }
        do {
            try await subscription.handler(delivery)
            try await database.writeSystem { tx in try DeliveryStore(tx: tx).finish(delivery) }
        } catch {
            logger.warning(
                "a delivery failed", metadata: ["event": "\(delivery.name)", "subscriber": "\(delivery.subscriber)", "error": "\(error)"])
            let words = "\(type(of: error))"
            try? await database.writeSystem { tx in
                try DeliveryStore(tx: tx).fail(delivery, words, isLast: delivery.attempts + 1 >= Self.attemptsMaximum)
            }
        }
    }
}
