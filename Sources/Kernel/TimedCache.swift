internal import Synchronization

/// Values that are asked for at every request and change seldom, kept for a moment.
///
/// One that is asked for all the time is read anew by a single one of those that ask, before its time is over; the others go on with what is known.
/// Without that all requests under way would read it in the same moment, each time it ends. What is forgotten while it is being read is not kept.
package final class TimedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        var value: Value
        /// From then on the next that asks reads it anew.
        var renewal: Timestamp
        var end: Timestamp
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// Raised whenever something is forgotten, so that what was read before is not kept.
        var generation = 0
    }

    private enum Found {
        case known(Value)
        /// To be read; what holds until then, if anything does.
        case due(known: Value?, generation: Int)
    }

    private let lifetime: Duration
    private let entriesMaximum: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - lifetime: for how long a value may be used after it was asked for.
    ///   - entriesMaximum: with one more all are forgotten.
    package init(lifetime: Duration, entriesMaximum: Int = 10_000) {
        self.lifetime = lifetime
        self.entriesMaximum = entriesMaximum
    }

    /// - Parameters:
    ///   - isKept: whether a value that was read may be kept.
    ///   - load: reads it. Where it fails and the value of before still holds, that is used.
    package func value(
        of key: Key, now: Timestamp, isKept: (Value) -> Bool = { _ in true }, load: () async throws -> Value
    ) async throws -> Value {
        let known: Value?
        let generation: Int
        switch state.withLock({ state in find(key, now, &state) }) {
        case .known(let value): return value
        case .due(let value, let number): (known, generation) = (value, number)
        }
        do {
            let value = try await load()
            keep(isKept(value) ? value : nil, as: key, from: now, generation)
            return value
        } catch {
            guard let known else { throw error }
            return known
        }
    }

    private func find(_ key: Key, _ now: Timestamp, _ state: inout State) -> Found {
        guard let entry = state.entries[key], now < entry.end else { return .due(known: nil, generation: state.generation) }
        guard now >= entry.renewal else { return .known(entry.value) }
        state.entries[key]?.renewal = entry.end
        return .due(known: entry.value, generation: state.generation)
    }

    private func keep(_ value: Value?, as key: Key, from now: Timestamp, _ generation: Int) {
        state.withLock { state in
            guard state.generation == generation else { return }
            guard let value else { return state.entries[key] = nil }
            if state.entries.count >= entriesMaximum, state.entries[key] == nil { state.entries.removeAll() }
            state.entries[key] = Entry(value: value, renewal: now + lifetime * 3 / 4, end: now + lifetime)
        }
    }

    /// What is changed here is forgotten at once.
    package func forget(where isMeant: (Key) -> Bool = { _ in true }) {
        state.withLock { state in
            state.generation += 1
            state.entries = state.entries.filter { !isMeant($0.key) }
        }
    }
}
