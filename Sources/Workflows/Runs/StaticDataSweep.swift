package import Kernel
package import Persistence

/// Removes what runs kept of workflows that were deleted while they were under way, with the files that it names.
package struct StaticDataSweep: Sendable {
    /// Workflows that one transaction forgets.
    static let batch = 50

    private let database: any Database

    package init(database: any Database) { self.database = database }

    /// - Returns: how many workflows were forgotten.
    @discardableResult
    package func sweep(_ tenant: TenantID) async throws -> Int {
        var count = 0
        while !Task.isCancelled {
            let gone = try await database.read(in: tenant) { tx -> [(id: WorkflowID, files: Set<PayloadHash>)] in
                let ids = try JournalStore(tx: tx).keptOfDeleted(limit: Self.batch)
                return try ids.map { (id: $0, files: try PayloadStore(tx: tx).uses(of: PayloadUser($0))) }
            }
            guard !gone.isEmpty else { break }
            try await database.write(in: tenant) { tx in
                for (id, files) in gone {
                    guard try WorkflowStore(tx: tx).workflow(id) == nil else { continue }
                    try JournalStore(tx: tx).forget(id)
                    try PayloadStore(tx: tx).release(files, of: PayloadUser(id))
                }
            }
            count += gone.count
        }
        return count
    }
}
