package import Kernel
internal import Synchronization

/// At most so many requests of one tenant at a time; the others wait in order, and beyond a bound are refused.
package final class ConcurrencyGate: Sendable {
    private struct Lane {
        var running = 0
        var waiting: [OneShot<Void>] = []
    }

    private let concurrent: Int
    private let queued: Int
    private let lanes = Mutex<[TenantID: Lane]>([:])

    package init(concurrent: Int, queued: Int) {
        precondition(concurrent > 0 && queued >= 0, "a gate lets something through")
        self.concurrent = concurrent
        self.queued = queued
    }

    /// Runs `body` when the tenant has a free place.
    /// - Parameter patience: for how long it waits for one at most; nil for as long as its task lives.
    /// - Throws: `overloaded` where too many wait already, or where it has waited for so long.
    package func pass<Result>(_ tenant: TenantID, patience: Duration? = nil, _ body: () async throws -> Result) async throws -> Result {
        if let turn = try enter(tenant) {
            do {
                try await Self.wait(for: turn, patience)
            } catch {
                withdraw(turn, tenant)
                throw error
            }
        }
        defer { leave(tenant) }
        return try await body()
    }

    private func enter(_ tenant: TenantID) throws -> OneShot<Void>? {
        try lanes.withLock { lanes in
            var lane = lanes[tenant] ?? Lane()
            defer { lanes[tenant] = lane }
            if lane.running < concurrent {
                lane.running += 1
                return nil
            }
            guard lane.waiting.count < queued else {
                throw OutboundError(.overloaded, "\(queued) requests of this tenant wait already.")
            }
            let turn = OneShot<Void>()
            lane.waiting.append(turn)
            return turn
        }
    }

    private static func wait(for turn: OneShot<Void>, _ patience: Duration?) async throws {
        guard let patience else { return try await turn.value() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                guard (try? await Task.sleep(for: patience)) != nil else { return }
                turn.resume(with: .failure(OutboundError(.overloaded, "Other requests of this tenant had all its places for \(patience).")))
            }
            defer { group.cancelAll() }
            try await turn.value()
        }
    }

    /// Takes a waiter that gave up out of the queue; its place cannot have been given to it, since its one value was the failure.
    private func withdraw(_ turn: OneShot<Void>, _ tenant: TenantID) {
        lanes.withLock { $0[tenant]?.waiting.removeAll { $0 === turn } }
    }

    /// Hands the place to the first who still waits.
    private func leave(_ tenant: TenantID) {
        lanes.withLock { lanes in
            while lanes[tenant]?.waiting.isEmpty == false {
                if lanes[tenant]?.waiting.removeFirst().resume(with: .success(())) == true { return }
            }
            lanes[tenant]?.running -= 1
            if lanes[tenant]?.running == 0 { lanes[tenant] = nil }
        }
    }
}
