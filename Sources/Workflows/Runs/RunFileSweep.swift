package import Kernel
package import Persistence

/// Releases files that were stored for runs that never came, or were gone by then.
package struct RunFileSweep: Sendable {
    /// Far longer than a run takes from its first step, or a file from its arrival, to the first commit.
    package static let grace: Duration = .seconds(2 * 86_400)
    /// Ids that one transaction releases.
    static let batch = 50

    private let database: any Database

    package init(database: any Database) { self.database = database }

    /// - Returns: how many ids let go of their files.
    @discardableResult
    package func sweep(_ tenant: TenantID) async throws -> Int {
        var (count, cursor): (Int, RunID) = (0, RunID(high: 0, low: 0))
        while !Task.isCancelled {
            let left = try await database.read(in: tenant) { [cursor] tx in
                let end = RunID.first(at: tx.clock.now() - Self.grace)
                return try RunFileStore(tx: tx).left(before: end, after: cursor, limit: Self.batch)
            }
            guard let last = left.last else { break }
            count += try await database.write(in: tenant) { tx in
                let (files, payloads, runs) = (RunFileStore(tx: tx), PayloadStore(tx: tx), RunStore(tx: tx))
                let gone = try left.filter { try !runs.isKnown($0) }
                for id in gone { try payloads.release(try files.forget(id), of: PayloadUser(id)) }
                return gone.count
            }
            cursor = last
        }
        return count
    }
}
