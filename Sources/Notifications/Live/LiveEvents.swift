package import Kernel
internal import Synchronization

/// One message to those who watch a topic now.
package struct LiveEvent: Sendable, Hashable {
    /// Rises within a topic; a reader resumes after the last one it saw. 0 for a passing event, which is not kept for readers that come back.
    package var sequence: UInt64
    package var payload: JSON
}

/// An event of one of several topics that a reader watches.
package struct TopicEvent: Sendable, Hashable {
    /// Its name within the tenant.
    package var topic: String
    package var event: LiveEvent
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

    private struct Reader: Sendable {
        /// False where its backlog is full.
        let take: @Sendable (LiveEvent) -> Bool
        let finish: @Sendable () -> Void
    }

    private struct Topic {
        var sequence: UInt64 = 0
        var recent: [LiveEvent] = []
        var readers: [Int: Reader] = [:]

        /// Whether all events after this one are still kept.
        func reaches(back sequence: UInt64) -> Bool {
            sequence == self.sequence || (sequence < self.sequence && (recent.first.map { $0.sequence <= sequence + 1 } ?? false))
        }
    }

    /// Where a reader begins.
    private enum Start {
        case now
        case after(UInt64)
        /// After what nobody here knows: the reader is told to look.
        case unknown
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
        let (event, readers) = state.withLock { state -> (LiveEvent?, [Reader]) in
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
        for reader in readers where !reader.take(event) { reader.finish() }
    }

    /// Events after `sequence`, those still kept first; from now on where it is nil.
    package func events(_ tenant: TenantID, _ name: String, after sequence: UInt64?) -> AsyncStream<LiveEvent> {
        events(tenant, name, from: sequence.map { Start.after($0) } ?? .now)
    }

    /// Events after one with a mark of some process, from now on where it is nil. What may have been missed is told as `missed`: sequences of
    /// another process, or of this one before it was started again, say nothing here.
    package func events(_ tenant: TenantID, _ name: String, resuming mark: String?) -> AsyncStream<LiveEvent> {
        events(tenant, name, from: mark.map { start(at: $0) } ?? .now)
    }

    /// What a reader resumes after; nil for what is not kept.
    package func mark(of event: LiveEvent) -> String? { event.sequence == 0 ? nil : "\(origin)-\(event.sequence)" }

    private func start(at mark: String) -> Start {
        let parts = mark.split(separator: "-")
        guard parts.count == 2, parts[0] == origin, let sequence = UInt64(parts[1]) else { return .unknown }
        return .after(sequence)
    }

    private func events(_ tenant: TenantID, _ name: String, from start: Start) -> AsyncStream<LiveEvent> {
        let (stream, continuation) = AsyncStream<LiveEvent>.makeStream(bufferingPolicy: .bufferingOldest(Self.backlogMaximum))
        let reader = Reader(
            take: { event in if case .dropped = continuation.yield(event) { false } else { true } }, finish: { continuation.finish() })
        let key = Self.topic(tenant, name)
        let place = enter(reader, key, from: start)
        continuation.onTermination = { [weak self] _ in self?.leave(place, key) }
        return stream
    }

    /// Events of several topics from now on.
    package func events(_ tenant: TenantID, of names: [String]) -> AsyncStream<TopicEvent> {
        let (stream, continuation) = AsyncStream<TopicEvent>.makeStream(bufferingPolicy: .bufferingOldest(Self.backlogMaximum))
        var places: [(place: Int, key: String)] = []
        for name in names {
            let reader = Reader(
                take: { event in
                    if case .dropped = continuation.yield(TopicEvent(topic: name, event: event)) { false } else { true }
                }, finish: { continuation.finish() })
            let key = Self.topic(tenant, name)
            places.append((enter(reader, key, from: .now), key))
        }
        continuation.onTermination = { [weak self, places] _ in for (place, key) in places { self?.leave(place, key) } }
        return stream
    }

    private func enter(_ reader: Reader, _ key: String, from start: Start) -> Int {
        let (place, isFirst): (Int, Bool) = state.withLock { state in
            let id = state.nextReader
            state.nextReader += 1
            if state.topics.count >= Self.topicsMaximum, state.topics[key] == nil {
                state.topics = state.topics.filter { !$0.value.readers.isEmpty }
            }
            var topic = state.topics[key] ?? Topic()
            switch start {
            case .now: break
            case .after(let sequence):
                let isWhole = topic.reaches(back: sequence)
                if !isWhole { _ = reader.take(LiveEvent(sequence: topic.sequence, payload: Self.missed)) }
                for event in topic.recent where isWhole && event.sequence > sequence { _ = reader.take(event) }
            case .unknown: _ = reader.take(LiveEvent(sequence: topic.sequence, payload: Self.missed))
            }
            let isFirst = topic.readers.isEmpty
            topic.readers[id] = reader
            state.topics[key] = topic
            return (id, isFirst)
        }
        // Of further readers the others need not hear: they know that somebody here watches, and are told again by `renew`.
        if isFirst { post(CarriedEvent(kind: .watched, topic: key, payload: .null)) }
        return place
    }

    private func leave(_ place: Int, _ key: String) { state.withLock { state in state.topics[key]?.readers[place] = nil } }

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
                // Those that are known are said again when there is room for no more.
                if state.watchedElsewhere.count < Self.topicsMaximum || state.watchedElsewhere[event.topic] != nil {
                    state.watchedElsewhere[event.topic] = Self.roundsKept
                }
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
