package import Kernel
internal import Synchronization

/// One message to those who watch a topic now.
package struct LiveEvent: Sendable, Hashable {
    /// Rises within a topic; a reader resumes after the last one it saw.
    package var sequence: UInt64
    package var payload: JSON
}

/// Tells watchers in this process what happens, after it was committed. Topics begin with the tenant's id, so that a watcher of one tenant
/// cannot name another's. A reader that falls behind is cut and resumes by its last sequence.
package final class LiveEvents: Sendable {
    /// Events a slow reader may lag before it is cut, and those kept of a topic for readers that come back.
    package static let backlogMaximum = 256
    /// Topics whose last events are kept, from their first reader on.
    static let topicsMaximum = 10_000

    private struct Topic {
        var sequence: UInt64 = 0
        var recent: [LiveEvent] = []
        var readers: [Int: AsyncStream<LiveEvent>.Continuation] = [:]
    }

    private struct State {
        var topics: [String: Topic] = [:]
        var nextReader = 0
    }

    private let state = Mutex(State())

    package init() {}

    package static func topic(_ tenant: TenantID, _ name: String) -> String { "\(tenant)/\(name)" }

    /// Costs next to nothing where nobody has watched the topic yet.
    package func publish(_ tenant: TenantID, _ name: @autoclosure () -> String, _ payload: @autoclosure () -> JSON) {
        guard state.withLock({ !$0.topics.isEmpty }) else { return }
        let key = Self.topic(tenant, name())
        let (event, readers) = state.withLock { state -> (LiveEvent?, [AsyncStream<LiveEvent>.Continuation]) in
            guard var topic = state.topics[key] else { return (nil, []) }
            topic.sequence += 1
            let event = LiveEvent(sequence: topic.sequence, payload: payload())
            topic.recent.append(event)
            if topic.recent.count > Self.backlogMaximum { topic.recent.removeFirst(topic.recent.count - Self.backlogMaximum) }
            state.topics[key] = topic
            return (event, Array(topic.readers.values))
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
        let reader: Int = state.withLock { state in
            let id = state.nextReader
            state.nextReader += 1
            if state.topics.count >= Self.topicsMaximum, state.topics[key] == nil {
                state.topics = state.topics.filter { !$0.value.readers.isEmpty }
            }
            var topic = state.topics[key] ?? Topic()
            if let sequence { for event in topic.recent where event.sequence > sequence { continuation.yield(event) } }
            topic.readers[id] = continuation
            state.topics[key] = topic
            return id
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in state.topics[key]?.readers[reader] = nil }
        }
        return stream
    }
}
