package import Kernel
package import Persistence

/// Removes runs that ended long ago, with what they stored, in short transactions between which work goes on.
package struct RunRetention: Sendable {
    let database: any Database
    let age: Duration

    /// Runs that one transaction removes.
    static let batch = 50
    private static let pauseBetweenBatches: Duration = .milliseconds(20)

    /// - Parameter age: how long a run is kept after its end.
    package init(database: any Database, age: Duration) {
        self.database = database
        self.age = age
    }

    /// - Returns: how many runs were removed.
    @discardableResult
    package func prune(_ tenant: TenantID) async throws -> Int {
        var removed = 0
        while !Task.isCancelled {
            let count = try await database.write(in: tenant) { [age] tx in
                let store = RunStore(tx: tx)
                let ids = try store.outdated(before: tx.clock.now() - age, limit: Self.batch)
                for id in ids { try store.remove(id) }
                return ids.count
            }
            removed += count
            guard count == Self.batch else { break }
            try await Task.sleep(for: Self.pauseBetweenBatches)
        }
        return removed
    }
}
