package import Kernel
internal import Synchronization

/// One message to those who watch a topic now.
package struct LiveEvent: Sendable, Hashable {
    /// Rises within a topic; a reader resumes after the last one it saw. 0 for a passing event, which is not kept for readers that come back.
    package var sequence: UInt64
    package var payload: JSON
}

/// Tells watchers what happens, after it was committed: those in this process, and over `connect` those in the deployment's others. Topics
/// begin with the tenant's id, so that a watcher of one tenant cannot name another's. A reader that falls behind is cut and resumes by its
/// last sequence.
package final class LiveEvents: Sendable {
    /// Events a slow reader may lag before it is cut, and those kept of a topic for readers that come back.
    package static let backlogMaximum = 256
    /// Topics whose last events are kept, from their first reader on.
    static let topicsMaximum = 10_000
    /// Rounds of `renew` after which a topic counts as watched nowhere else.
    static let roundsKept = 3
    /// What is told in place of an event that was missed, or is too long to be carried: look for yourself.
    package static let missed: JSON = ["missed": true]

    /// Which processes hear of an event.
    package enum Reach: Sendable {
        /// All of them.
        case everywhere
        /// Those that have said that somebody watches the topic there: for what happens often and is watched seldom.
        case whereWatched
    }

    private struct Topic {
        var sequence: UInt64 = 0
        var recent: [LiveEvent] = []
        var readers: [Int: AsyncStream<LiveEvent>.Continuation] = [:]
    }

    private struct State {
        var topics: [String: Topic] = [:]
        var nextReader = 0
        /// Topics watched in other processes, with the rounds that this stays known.
        var watchedElsewhere: [String: Int] = [:]
        var post: (@Sendable (String) -> Void)?
        var posted: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Tells what this process posted from what others did.
    private let origin: String

    package init(origin: String = String(UInt64.random(in: .min ... .max), radix: 36)) { self.origin = origin }

    package static func topic(_ tenant: TenantID, _ name: String) -> String { "\(tenant)/\(name)" }

    // MARK: Here

    /// Costs next to nothing where nobody has watched the topic yet.
    ///
    /// - Parameters:
    ///   - isPassing: not kept for readers that come back.
    ///   - reach: which other processes hear of it, where there are any.
    package func publish(
        _ tenant: TenantID, _ name: @autoclosure () -> String, _ payload: @autoclosure () -> JSON, isPassing: Bool = false,
        reach: Reach = .everywhere
    ) {
        let isHeard = state.withLock { state in
            !state.topics.isEmpty || (state.post != nil && (reach == .everywhere || !state.watchedElsewhere.isEmpty))
        }
        guard isHeard else { return }
        let key = Self.topic(tenant, name())
        let goesOut = state.withLock { state in state.post != nil && (reach == .everywhere || state.watchedElsewhere[key] != nil) }
        if goesOut {
            let told = payload()
            deliver(key, told, isPassing: isPassing)
            post(CarriedEvent(kind: isPassing ? .passing : .kept, topic: key, payload: told))
        } else {
            deliver(key, payload(), isPassing: isPassing)
        }
    }

    private func deliver(_ key: String, _ payload: @autoclosure () -> JSON, isPassing: Bool) {
        let (event, readers) = state.withLock { state -> (LiveEvent?, [AsyncStream<LiveEvent>.Continuation]) in
            guard var topic = state.topics[key] else { return (nil, []) }
            let readers = Array(topic.readers.values)
            if isPassing { return (LiveEvent(sequence: 0, payload: payload()), readers) }
            topic.sequence += 1
            let event = LiveEvent(sequence: topic.sequence, payload: payload())
            topic.recent.append(event)
            if topic.recent.count > Self.backlogMaximum { topic.recent.removeFirst(topic.recent.count - Self.backlogMaximum) }
            state.topics[key] = topic
            return (event, readers)
        }
        guard let event else { return }
        for reader in readers {
            if case .dropped = reader.yield(event) { reader.finish() }
        }
    }

    /// Events after `sequence`, those still kept first; from now on where it is nil.
    package func events(_ tenant: TenantID, _ name: String, after sequence: UInt64?) -> AsyncStream<LiveEvent> {
        let key = Self.topic(tenant, name)
        let (stream, continuation) = AsyncStream<LiveEvent>.makeStream(bufferingPolicy: .bufferingOldest(Self.backlogMaximum))
        let (reader, isFirst): (Int, Bool) = state.withLock { state in
            let id = state.nextReader
            state.nextReader += 1
            if state.topics.count >= Self.topicsMaximum, state.topics[key] == nil {
                state.topics = state.topics.filter { !$0.value.readers.isEmpty }
            }
            var topic = state.topics[key] ?? Topic()
            if let sequence { for event in topic.recent where event.sequence > sequence { continuation.yield(event) } }
            let isFirst = topic.readers.isEmpty
            topic.readers[id] = continuation
            state.topics[key] = topic
            return (id, isFirst)
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in state.topics[key]?.readers[reader] = nil }
        }
        // Of further readers the others need not hear: they know that somebody here watches, and are told again by `renew`.
        if isFirst { post(CarriedEvent(kind: .watched, topic: key, payload: .null)) }
        return stream
    }

    // MARK: Elsewhere

    /// Connects to the deployment's other processes; without it events stay in this one.
    package func connect(_ post: (@Sendable (String) -> Void)?) { state.withLock { $0.post = post } }

    private func post(_ event: CarriedEvent) {
        let (post, number) = state.withLock { state in
            state.posted += 1
            return (state.post, state.posted)
        }
        post?(event.text(from: origin, number: number))
    }

    /// Takes in what another process posted. Nil where something may have been missed: every reader is told to look.
    package func receive(_ text: String?) {
        guard let text else {
            for key in state.withLock({ state in state.topics.filter { !$0.value.readers.isEmpty }.map(\.key) }) {
                deliver(key, Self.missed, isPassing: false)
            }
            return renewWatches()
        }
        guard let (from, event) = CarriedEvent.read(text), from != origin else { return }
        switch event.kind {
        case .watched:
            state.withLock { state in
                if state.watchedElsewhere.count < Self.topicsMaximum { state.watchedElsewhere[event.topic] = Self.roundsKept }
            }
        case .kept, .passing: deliver(event.topic, event.payload, isPassing: event.kind == .passing)
        }
    }

    /// Says again what is watched here, and forgets what others have not said again for some rounds; called every so often.
    package func renew() {
        state.withLock { state in
            state.watchedElsewhere = state.watchedElsewhere.mapValues { $0 - 1 }.filter { $0.value > 0 }
        }
        renewWatches()
    }

    private func renewWatches() {
        let watched = state.withLock { state in state.post == nil ? [] : state.topics.filter { !$0.value.readers.isEmpty }.map(\.key) }
        for topic in watched { post(CarriedEvent(kind: .watched, topic: topic, payload: .null)) }
    }
}
