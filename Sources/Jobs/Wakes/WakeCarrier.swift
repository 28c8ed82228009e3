internal import Logging
package import ServiceLifecycle
internal import Synchronization

/// Carries topics to every process of a deployment. Three ship: NOTIFY, Redis Streams and RabbitMQ; one suite of tests holds them all to this.
///
/// - What one process posts, every connected process hears (itself too, or not). Equal topics may be heard as one.
/// - The text goes through as it is, also one that only a newer version knows.
/// - After a connection was made `WakeTopics.anything` is heard, since what was posted before may have been missed.
/// - A broker that is away costs nothing but time: it is connected to again, and what was posted meanwhile goes out then.
package protocol WakeCarrier: Service {
    /// Returns at once; posts are gathered for a moment.
    func post(_ topic: String)
}

package enum WakeTopics {
    /// Stands for every topic.
    package static let anything = "*"
    /// The shortest time between two rounds of posting.
    static let pause: Duration = .milliseconds(5)
    /// Before the next try to connect.
    static let reconnection: Duration = .seconds(1)
}

/// What waits to be posted: each topic once.
final class PostBox: Sendable {
    private struct State {
        var topics: Set<String> = []
        var poke: (@Sendable () -> Void)?
    }

    /// Topics kept while a broker is away; there are few, and beyond it one stands for all.
    private static let topicsMaximum = 100
    private let state = Mutex(State())

    /// - Parameter poke: called when the first topic is put into the empty box.
    func onPost(_ poke: (@Sendable () -> Void)?) { state.withLock { $0.poke = poke } }

    func put(_ topics: some Sequence<String>) {
        let poke = state.withLock { state -> (@Sendable () -> Void)? in
            let wasEmpty = state.topics.isEmpty
            state.topics.formUnion(topics)
            if state.topics.count > Self.topicsMaximum { state.topics = [WakeTopics.anything] }
            return wasEmpty && !state.topics.isEmpty ? state.poke : nil
        }
        poke?()
    }

    func take() -> [String] {
        state.withLock { state in
            defer { state.topics = [] }
            return state.topics.sorted()
        }
    }
}

/// Says once that a broker was lost and once that it is back.
final class BrokerLog: Sendable {
    private let logger: Logger
    private let broker: String
    private let isLost = Mutex(false)

    init(_ logger: Logger, _ broker: String) {
        self.logger = logger
        self.broker = broker
    }

    func lost(_ reason: String) {
        guard change(to: true) else { return }
        logger.warning("the broker is away; work goes on by looking", metadata: ["broker": "\(broker)", "reason": "\(reason)"])
    }

    func connected() {
        guard change(to: false) else { return }
        logger.notice("the broker is back", metadata: ["broker": "\(broker)"])
    }

    private func change(to value: Bool) -> Bool {
        isLost.withLock { isLost in
            defer { isLost = value }
            return isLost != value
        }
    }
}
