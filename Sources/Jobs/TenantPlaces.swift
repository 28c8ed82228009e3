package import Kernel
internal import Synchronization

/// Places for work that goes on at one time in this process, of which no tenant has more than its share.
package final class TenantPlaces: Sendable {
    package struct Room: Sendable, Hashable {
        /// Places that are free.
        package var free: Int
        /// Tenants that have all of theirs.
        package var full: [TenantID]
    }

    private let count: Int
    private let share: Int
    private let taken = Mutex<[TenantID: Int]>([:])

    /// - Parameters:
    ///   - count: of all places.
    ///   - share: those of one tenant.
    package init(_ count: Int, share: Int) {
        self.count = count
        self.share = share
    }

    package var room: Room {
        taken.withLock { taken in
            Room(free: count - taken.values.reduce(0, +), full: taken.filter { $0.value >= share }.map(\.key))
        }
    }

    /// The same, where no tenant gets more than half of what is free: so there is some for those who come later, however many have much to do.
    /// Places that this gives out at once keep to that where they are of one tenant.
    package var sharedRoom: Room {
        taken.withLock { taken in
            let free = count - taken.values.reduce(0, +)
            let most = min(share, max(1, free / 2))
            let others = taken.filter { $0.value < most }.values.max() ?? 0
            return Room(free: min(free, most - others), full: taken.filter { $0.value >= most }.map(\.key))
        }
    }

    package func enter(_ tenant: TenantID) { taken.withLock { $0[tenant, default: 0] += 1 } }

    package func leave(_ tenant: TenantID) {
        taken.withLock { taken in
            let left = (taken[tenant] ?? 1) - 1
            taken[tenant] = left > 0 ? left : nil
        }
    }
}
