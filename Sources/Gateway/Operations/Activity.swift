internal import Kernel
internal import Synchronization

/// What the tenants' runs came to in the last minutes, in memory: for those who look on.
final class Activity: Sendable {
    enum Kind: Int, Sendable { case started, succeeded, failed }

    struct Tally: Sendable, Hashable {
        /// By `Kind`.
        var counts = [0, 0, 0]
    }

    /// Tenants that are counted apart at a time.
    static let tenantsMaximum = 10_000
    /// How far back the counts go.
    static let slots = 5
    static let slotTime: Duration = .seconds(60)

    private struct State {
        var slot: Int64 = 0
        /// By slot, newest last.
        var tallies: [[TenantID: Tally]] = [[:]]
    }

    private let state = Mutex(State())
    private let clock: Clock

    init(clock: Clock) { self.clock = clock }

    func note(_ kind: Kind, of tenant: TenantID) {
        let slot = clock.now().microseconds.flooringDivision(Self.slotTime.microseconds)
        state.withLock { state in
            Self.advance(&state, to: slot)
            let last = state.tallies.count - 1
            guard state.tallies[last].count < Self.tenantsMaximum || state.tallies[last][tenant] != nil else { return }
            state.tallies[last][tenant, default: Tally()].counts[kind.rawValue] += 1
        }
    }

    /// Of the last five minutes, those with the most runs first.
    func busiest(_ limit: Int) -> [(tenant: TenantID, tally: Tally)] {
        let slot = clock.now().microseconds.flooringDivision(Self.slotTime.microseconds)
        let sums: [TenantID: Tally] = state.withLock { state in
            Self.advance(&state, to: slot)
            return state.tallies.reduce(into: [:]) { sums, slot in
                for (tenant, tally) in slot {
                    for index in tally.counts.indices { sums[tenant, default: Tally()].counts[index] += tally.counts[index] }
                }
            }
        }
        let sorted = sums.sorted { ($1.value.counts[0], $0.key.description) < ($0.value.counts[0], $1.key.description) }
        return sorted.prefix(limit).map { ($0.key, $0.value) }
    }

    private static func advance(_ state: inout State, to slot: Int64) {
        guard slot > state.slot else { return }
        let passed = min(Int64(slots), slot - state.slot)
        state.slot = slot
        for _ in 0..<passed { state.tallies.append([:]) }
        if state.tallies.count > slots { state.tallies.removeFirst(state.tallies.count - slots) }
    }
}
