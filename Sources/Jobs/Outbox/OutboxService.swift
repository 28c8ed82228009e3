package import Kernel
package import Logging
package import Persistence
internal import ServiceLifecycle
internal import Telemetry

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

/// That somebody in the deployment, in this process or another, hears of events of one name. All processes know all of them.
package struct Subscriber: Sendable, Hashable {
    package let event: String
    /// Unique and stable: it names the delivery rows.
    package let name: String

    package init(event: String, name: String) {
        self.event = event
        self.name = name
    }
}

/// Somebody who wants to hear of events of one name. Delivered at least once, in order per subject.
package struct Subscription: Sendable {
    package let subscriber: Subscriber
    package let handler: @Sendable (Delivery) async throws -> Void

    package init(_ subscriber: Subscriber, handler: @escaping @Sendable (Delivery) async throws -> Void) {
        self.subscriber = subscriber
        self.handler = handler
    }
}

/// Delivers the outbox to the subscriptions of this process: one row per event and subscriber, claimed by state, retried with a wait that doubles, dead after `attemptsMaximum`.
package struct OutboxService: Service {
    static let attemptsMaximum = 12
    static let sweep: Duration = .seconds(1)

    private let database: any Database
    private let logger: Logger
    private let subscribers: [Subscriber]
    private let subscriptions: [Subscription]
    private let wake = Wake()

    /// - Parameters:
    ///   - subscribers: of the whole deployment: an event that only another process handles is kept for that one.
    ///   - subscriptions: those that this process delivers to.
    package init(database: any Database, logger: Logger, subscribers: [Subscriber], subscriptions: [Subscription]) {
        precondition(Set(subscribers.map(\.name)).count == subscribers.count, "two subscribers share a name")
        precondition(Set(subscriptions.map(\.subscriber)).isSubset(of: subscribers), "a subscription is not among the declared subscribers")
        self.database = database
        self.logger = logger
        self.subscribers = subscribers
        self.subscriptions = subscriptions
    }

    package func run() async throws {
        OutboxSignal.shared.listen { [wake] in wake.raise() }
        WakeRelay.shared.on(.outbox) { [wake] in wake.raise() }
        await cancelWhenGracefulShutdown {
            let flight = DeliveryFlight()
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    do {
                        let due = try await claim(without: flight)
                        for delivery in due {
                            group.addTask {
                                await deliver(delivery)
                                if flight.leave(delivery) { wake.raise() }
                            }
                        }
                        if due.isEmpty { await wake.wait(atMost: OutboxService.sweep) }
                    } catch {
                        logger.error("the outbox could not be read", metadata: ["error": "\(error)"])
                        try? await Task.sleep(for: OutboxService.sweep)
                    }
                }
            }
        }
    }

    /// Fans out new events and claims what is due, but for subscribers that have all they may have in hand: one that hangs holds up no other.
    private func claim(without flight: DeliveryFlight) async throws -> [Delivery] {
        let wanted = Dictionary(grouping: subscribers, by: \.event).mapValues { $0.map(\.name) }
        let full = flight.full
        let open = subscriptions.map(\.subscriber.name).filter { !full.contains($0) }
        try await database.writeSystem { tx in try DeliveryStore(tx: tx).fanOut(wanted) }
        return flight.enter(try await database.writeSystem { tx in try DeliveryStore(tx: tx).claimDue(of: open) })
    }

    /// Fans out new events and delivers what is due; returns how many deliveries were tried.
    @discardableResult
    package func deliverOnce() async throws -> Int {
        let wanted = Dictionary(grouping: subscribers, by: \.event).mapValues { $0.map(\.name) }
        let own = subscriptions.map(\.subscriber.name)
        try await database.writeSystem { tx in try DeliveryStore(tx: tx).fanOut(wanted) }
        let due = try await database.writeSystem { tx in try DeliveryStore(tx: tx).claimDue(of: own) }
        await withTaskGroup { group in for delivery in due { group.addTask { await deliver(delivery) } } }
        return due.count
    }

    private func deliver(_ delivery: Delivery) async {
        guard let subscription = subscriptions.first(where: { $0.subscriber.name == delivery.subscriber }) else { return }
        do {
            try await subscription.handler(delivery)
            try await database.writeSystem { tx in try DeliveryStore(tx: tx).finish(delivery) }
            Metrics.shared.count(.deliveriesDone)
        } catch {
            logger.warning(
                "a delivery failed", metadata: ["event": "\(delivery.name)", "subscriber": "\(delivery.subscriber)", "error": "\(error)"])
            let words = "\(type(of: error))"
            let isLast = delivery.attempts + 1 >= Self.attemptsMaximum
            Metrics.shared.count(isLast ? .deliveriesDead : .deliveriesRetried)
            try? await database.writeSystem { tx in
                try DeliveryStore(tx: tx).fail(delivery, words, isLast: isLast)
            }
        }
    }
}
