package import Kernel
internal import Logging
package import Persistence

/// Removes runs that ended long ago, with what they stored, in short transactions between which work goes on.
package struct RunRetention: Sendable {
    let database: any Database
    let succeeded: Duration?
    let failed: Duration?

    /// Runs that one transaction removes.
    static let batch = 50
    private static let pauseBetweenBatches: Duration = .milliseconds(20)
    private let logger = Logger(label: "retention")

    /// - Parameters:
    ///   - succeeded: how long a run that succeeded is kept after its end; nil is for ever.
    ///   - failed: the same of every other run that is over.
    package init(database: any Database, succeeded: Duration?, failed: Duration?) {
        self.database = database
        self.succeeded = succeeded
        self.failed = failed
    }

    /// - Returns: how many runs were removed.
    @discardableResult
    package func prune(_ tenant: TenantID) async throws -> Int {
        var removed = 0
        for runs in EndedRuns.allCases {
            if let succeeded { removed += try await prune(runs, of: tenant, succeeded: true, older: succeeded) }
            if let failed { removed += try await prune(runs, of: tenant, succeeded: false, older: failed) }
        }
        return removed
    }

    /// They are looked for in a transaction that holds up no writer, each time from where the last ones ended: those of the other kind,
    /// which may be kept for much longer, are passed once.
    private func prune(_ runs: EndedRuns, of tenant: TenantID, succeeded: Bool, older age: Duration) async throws -> Int {
        var (removed, place): (Int, (start: Timestamp, cursor: RunID?)) = (0, (Timestamp(microseconds: 0), nil))
        while !Task.isCancelled {
            let (start, cursor) = place
            let old = try await database.read(in: tenant) { tx in
                try RunStore(tx: tx).outdated(
                    runs, succeeded: succeeded, from: start, before: tx.clock.now() - age, after: cursor, limit: Self.batch)
            }
            guard let last = old.last else { break }
            let gone = try await remove(old.map(\.id), of: tenant)
            removed += gone
            place = runs == .atOnce ? (start, last.id) : (last.finishedAt, nil)
            // Where none could be removed, those after them are looked at, but for those of the same moment.
            guard gone > 0 || place.start != start || place.cursor != cursor else { break }
            guard old.count == Self.batch else { break }
            try await Task.sleep(for: Self.pauseBetweenBatches)
        }
        return removed
    }

    /// One that cannot be read is left, and keeps no other.
    /// - Returns: how many were removed.
    private func remove(_ runs: [RunID], of tenant: TenantID) async throws -> Int {
        do {
            try await database.write(in: tenant) { tx in
                for run in runs { try RunStore(tx: tx).remove(run) }
            }
            return runs.count
        } catch let error where !Self.passes(error) {
            guard runs.count > 1 else {
                logger.error("a run could not be removed", metadata: ["run": "\(runs[0])", "error": "\(error)"])
                return 0
            }
            var gone = 0
            for run in runs { gone += try await remove([run], of: tenant) }
            return gone
        }
    }

    /// Whether an error says nothing of the run.
    private static func passes(_ error: any Error) -> Bool {
        switch error {
        case is CancellationError: true
        case PersistenceError.unavailable, PersistenceError.contended, PersistenceError.locked, PersistenceError.diskFull: true
        default: false
        }
    }
}
