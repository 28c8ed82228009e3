internal import Synchronization

/// Carries wakes between the processes of a deployment: what one of them committed, another may have to act on. Wakes may be lost; each
/// service sweeps too.
package final class WakeRelay: Sendable {
    package enum Topic: String, Sendable, CaseIterable {
        case timers, outbox
        /// A run ended that somebody may wait for elsewhere.
        case runs
        /// Somebody asks something of a run in the hands of another process.
        case wishes
    }

    package static let shared = WakeRelay()

    private struct State {
        var post: (@Sendable (String) -> Void)?
        var listeners: [Topic: @Sendable () -> Void] = [:]
        var ear: (@Sendable (String?) -> Void)?
    }

    private let state = Mutex(State())

    /// Connects to the other processes; without it a wake stays in this one.
    package func connect(_ post: (@Sendable (String) -> Void)?) { state.withLock { $0.post = post } }

    package func on(_ topic: Topic, _ action: @escaping @Sendable () -> Void) { state.withLock { $0.listeners[topic] = action } }

    /// Wakes this process and the others.
    package func tellAll(_ topic: Topic) {
        receive(topic.rawValue)
        tell(topic)
    }

    /// Wakes the other processes.
    package func tell(_ topic: Topic) { state.withLock { $0.post }?(topic.rawValue) }

    /// Before what is said in words of its own: what live pages show elsewhere. Lost words cost no more than a page that is late.
    private static let spoken = "live "

    /// Says something to the other processes; where words may have been lost the ear hears nil.
    package func say(_ words: String) { state.withLock { $0.post }?(Self.spoken + words) }

    package func listen(_ ear: (@Sendable (_ words: String?) -> Void)?) { state.withLock { $0.ear = ear } }

    /// Takes in what another process told; a topic that this program does not know wakes all.
    package func receive(_ name: String) {
        if name.hasPrefix(Self.spoken) {
            state.withLock { $0.ear }?(String(name.dropFirst(Self.spoken.count)))
            return
        }
        if Topic(rawValue: name) == nil { state.withLock { $0.ear }?(nil) }
        let actions = state.withLock { state in
            guard let topic = Topic(rawValue: name) else { return Array(state.listeners.values) }
            return state.listeners[topic].map { [$0] } ?? []
        }
        for action in actions { action() }
    }
}
