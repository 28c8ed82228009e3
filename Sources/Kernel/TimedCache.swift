internal import Synchronization

/// Values that are asked for at every request and change seldom, kept for a moment.
///
/// One that is asked for all the time is read anew by a single one of those that ask, before its time is over; the others go on with what is known.
/// Without that all requests under way would read it in the same moment, each time it ends. What is forgotten while it is being read is not kept.
package final class TimedCache<Value: Sendable>: Sendable {
    private final class Box: Sendable {
        let value: Value

        init(_ value: Value) { self.value = value }
    }

    private let shelf: TimedShelf

    /// - Parameters:
    ///   - lifetime: for how long a value may be used after it was asked for.
    ///   - entriesMaximum: with one more all are forgotten.
    package init(lifetime: Duration, entriesMaximum: Int = 10_000) { shelf = TimedShelf(lifetime: lifetime, entriesMaximum: entriesMaximum) }

    /// - Parameter load: reads it. Where it fails and the value of before still holds, that is used.
    package func value(of key: CacheKey, now: Timestamp, load: () async throws -> Value) async throws -> Value {
        switch shelf.find(key, now) {
        case .known(let box): return value(of: box)
        case .due(let known, let generation): return try await read(key, now, known, generation, { _ in true }, load)
        }
    }

    /// - Parameters:
    ///   - isKept: whether a value that was read may be kept.
    ///   - load: reads it. Where it fails and the value of before still holds, that is used.
    package func value(
        of key: CacheKey, now: Timestamp, isKept: (Value) -> Bool, load: () async throws -> Value
    ) async throws -> Value {
        switch shelf.find(key, now) {
        case .known(let box): return value(of: box)
        case .due(let known, let generation): return try await read(key, now, known, generation, isKept, load)
        }
    }

    private func read(
        _ key: CacheKey, _ now: Timestamp, _ known: AnyObject?, _ generation: Int, _ isKept: (Value) -> Bool, _ load: () async throws -> Value
    ) async throws -> Value {
        do {
            let value = try await load()
            shelf.keep(isKept(value) ? Box(value) : nil, as: key, from: now, generation)
            return value
        } catch {
            guard let known else { throw error }
            return value(of: known)
        }
    }

    /// The shelf holds nothing but boxes of this type; asking each time whether it is one costs more than finding it.
    private func value(of box: AnyObject) -> Value { unsafeDowncast(box, to: Box.self).value }

    /// What is changed here is forgotten at once.
    package func forget(where isMeant: (CacheKey) -> Bool = { _ in true }) { shelf.forget(where: isMeant) }
}

/// What a value is kept for: a name, a tenant, or two names of a tenant.
package struct CacheKey: Hashable, Sendable {
    package let tenant: TenantID?
    package let name: String
    package let detail: String

    package init(_ name: String) { (tenant, self.name, detail) = (nil, name, "") }

    package init(_ tenant: TenantID, _ name: String = "", _ detail: String = "") { (self.tenant, self.name, self.detail) = (tenant, name, detail) }
}

/// The entries of a cache, of whatever type its values are, so that a question for one is compiled once and for good: with the types open it takes
/// five times as long, at every request.
private final class TimedShelf: Sendable {
    private struct Entry {
        var box: any AnyObject & Sendable
        /// Who asks earlier than this asks by a clock that was set back. Who asked a little before it was kept finds it.
        var start: Timestamp
        /// From then on the next that asks reads it anew.
        var renewal: Timestamp
        var end: Timestamp
    }

    private struct State {
        var entries: [CacheKey: Entry] = [:]
        /// Raised whenever something is forgotten, so that what was read before is not kept.
        var generation = 0
    }

    enum Found {
        case known(any AnyObject & Sendable)
        /// To be read; what holds until then, if anything does.
        case due(known: (any AnyObject & Sendable)?, generation: Int)
    }

    private let lifetime: Duration
    private let entriesMaximum: Int
    private let state = Mutex(State())

    init(lifetime: Duration, entriesMaximum: Int) {
        self.lifetime = lifetime
        self.entriesMaximum = entriesMaximum
    }

    func find(_ key: CacheKey, _ now: Timestamp) -> Found {
        state.withLock { state in
            guard let entry = state.entries[key], now < entry.end, now >= entry.start else {
                return .due(known: nil, generation: state.generation)
            }
            guard now >= entry.renewal else { return .known(entry.box) }
            state.entries[key]?.renewal = entry.end
            return .due(known: entry.box, generation: state.generation)
        }
    }

    func keep(_ box: (any AnyObject & Sendable)?, as key: CacheKey, from now: Timestamp, _ generation: Int) {
        state.withLock { state in
            guard state.generation == generation else { return }
            guard let box else { return state.entries[key] = nil }
            if state.entries.count >= entriesMaximum, state.entries[key] == nil { state.entries.removeAll() }
            state.entries[key] = Entry(box: box, start: now - lifetime, renewal: now + lifetime * 3 / 4, end: now + lifetime)
        }
    }

    func forget(where isMeant: (CacheKey) -> Bool) {
        state.withLock { state in
            state.generation += 1
            state.entries = state.entries.filter { !isMeant($0.key) }
        }
    }
}
