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
    let claimedAt: Timestamp
}

/// That somebody in the deployment, in this process or another, hears of events of one name. All processes of a version know all of them.
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
    /// Between two renewals of what is in hand; a claim outlives two that fail.
    static let renewal: Duration = DeliveryStore.claim / 3
    static let noting: Duration = .seconds(3_600)

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
                group.addTask { await every(OutboxService.renewal) { try await renew(flight.all) } }
                group.addTask { await every(OutboxService.noting) { try await noteSubscribers() } }
                var turns = Turns()
                while !Task.isCancelled {
                    do {
                        let isBacklog = try await fanOut()
                        let due = flight.enter(try await claim(&turns, without: flight.full))
                        for delivery in due {
                            group.addTask {
                                await deliver(delivery)
                                if flight.leave(delivery) { wake.raise() }
                            }
                        }
                        if due.isEmpty, turns.found.isEmpty, !isBacklog { await wake.wait(atMost: OutboxService.sweep) }
                    } catch {
                        logger.error("the outbox could not be read", metadata: ["error": "\(error)"])
                        try? await Task.sleep(for: OutboxService.sweep)
                    }
                }
            }
        }
    }

    /// What was found due and is not claimed yet, in its order.
    struct Turns {
        var found: ArraySlice<DeliveryStore.Due> = []
        var lookedAt = ContinuousClock.now

        /// Whether to look again: others may have come since, whose turn it is.
        var isOver: Bool { found.isEmpty || ContinuousClock.now - lookedAt >= OutboxService.sweep }
    }

    /// Claims what is due, but for subscribers that have all they may have in hand: one that hangs holds up no other.
    private func claim(_ turns: inout Turns, without full: Set<String>) async throws -> [Delivery] {
        if turns.isOver {
            let open = subscriptions.map(\.subscriber.name).filter { !full.contains($0) }
            turns.lookedAt = .now
            let found = try await database.readSystem { tx in try DeliveryStore(tx: tx).due(of: open) }
            turns.found = found[...]
        }
        let open = turns.found.filter { !full.contains($0.subscriber) }
        let wanted = Array(open.prefix(DeliveryStore.batchMaximum))
        turns.found = open.dropFirst(wanted.count)
        guard !wanted.isEmpty else { return [] }
        return try await database.claimSystem { tx in try DeliveryStore(tx: tx).claim(wanted) }
    }

    /// Makes the deliveries of new events.
    /// - Returns: whether there may be more of them.
    private func fanOut() async throws -> Bool {
        // Most looks find nothing, and need not write.
        let fresh = try await database.readSystem { tx in try DeliveryStore(tx: tx).fresh() }
        guard !fresh.isEmpty else { return false }
        let own = Dictionary(grouping: subscribers, by: \.event).mapValues { $0.map(\.name) }
        try await database.claimSystem { tx in
            let wanted = try SubscriberStore(tx: tx).known().merging(own) { known, own in Set(known + own).sorted() }
            try DeliveryStore(tx: tx).fanOut(fresh, wanted)
        }
        return fresh.count >= DeliveryStore.batchMaximum
    }

    /// Fans out new events and delivers what is due; returns how many deliveries were tried.
    @discardableResult
    package func deliverOnce() async throws -> Int {
        _ = try await fanOut()
        var turns = Turns()
        let due = try await claim(&turns, without: [])
        await withTaskGroup { group in for delivery in due { group.addTask { await deliver(delivery) } } }
        return due.count
    }

    /// Keeps what is in hand from other processes: a receiver may be slow.
    func renew(_ deliveries: [Delivery]) async throws {
        guard !deliveries.isEmpty else { return }
        try await database.claimSystem { tx in try DeliveryStore(tx: tx).renew(deliveries) }
    }

    /// Tells the processes of other versions who hears of events, and forgets those that no process names any more.
    package func noteSubscribers() async throws {
        try await database.writeSystem { [subscribers] tx in
            let store = SubscriberStore(tx: tx)
            try store.note(subscribers)
            try store.forget()
        }
    }

    private func every(_ pause: Duration, _ work: () async throws -> Void) async {
        while (try? await Task.sleep(for: pause)) != nil {
            do { try await work() } catch {
                // One that fails is made up for by the next.
                logger.warning("upkeep of the outbox failed", metadata: ["error": "\(error)"])
            }
        }
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
