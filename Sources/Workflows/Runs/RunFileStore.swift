internal import Jobs
internal import Kernel
package import Persistence

/// All SQL of the files that runs hold: attachments of items in the payload store, each used by every run whose texts name it, so that it goes with
/// the last of them. The table finds a run's files when it is removed; most runs have none.
///
/// A run holds files before it is written. One that never is lets go once it is older than `RunFileSweep.grace`.
package struct RunFileStore {
    private let tx: TenantTransaction

    static let table = Table(
        "run_files", .tenant, primaryKey: ["run_id", "hash"], columns: [Column("run_id", .uuid), Column("hash", .blob)])

    /// Each count of hashes is a statement of its own to prepare, and either database binds so many at least.
    static let hashesPerStatement = 100

    package init(tx: TenantTransaction) { self.tx = tx }

    /// Stores a file for the run whose step writes it, or that it waits or is to begin with.
    package func store(_ payload: PreparedPayload, for run: RunID) throws {
        try PayloadStore(tx: tx).store(payload, for: PayloadUser(run))
        try note([payload.hash], for: run)
        try keepBesideOlder([payload.hash])
    }

    /// Lets a run hold those of some files that there are.
    func share(_ hashes: Set<PayloadHash>, with run: RunID) throws {
        for part in Self.parts(hashes) {
            try PayloadStore(tx: tx).share(part, with: PayloadUser(run))
            try note(part, for: run)
        }
    }

    /// Those of some hashes that there are files of.
    func known(_ hashes: Set<PayloadHash>) throws -> Set<PayloadHash> {
        var known: Set<PayloadHash> = []
        for part in Self.parts(hashes) {
            let stored = try tx.all("SELECT hash FROM payloads WHERE tenant_id = \(tx.tenant) AND hash IN \(list: part)") {
                try $0.column(0, as: PayloadHash.self)
            }
            known.formUnion(stored)
        }
        return known
    }

    /// Lets a run hold what its step reads from the disk.
    func hand(_ hashes: Set<PayloadHash>, to run: RunID) throws {
        guard !hashes.isEmpty else { return }
        try share(hashes, with: run)
        for part in Self.parts(hashes) { try keepBesideOlder(part) }
    }

    /// Keeps those files that are named by what outlives runs: a document, what is kept between runs, a row of a data table, a variable.
    /// - Parameter former: what it said before, and says no more.
    func keep(namedIn text: [UInt8], insteadOf former: [UInt8] = [], by user: PayloadUser) throws {
        let names = FileNames.all(in: text)
        for part in Self.parts(names) { try PayloadStore(tx: tx).share(part, with: user) }
        try letGo(FileNames.all(in: former).subtracting(names), by: user)
    }

    /// Ends what was kept by something that is gone, or was only just read by somebody: the files stay for `RunFileSweep.grace`.
    func letGo(namedIn text: [UInt8], by user: PayloadUser) throws { try letGo(FileNames.all(in: text), by: user) }

    private func letGo(_ names: Set<PayloadHash>, by user: PayloadUser) throws {
        let kept = try kept(names, by: user)
        guard !kept.isEmpty else { return }
        // Held by a run that never comes.
        let later: RunID = tx.ids.next()
        try share(kept, with: later)
        try PayloadStore(tx: tx).release(kept, of: user)
    }

    /// The same at once, where all goes that could name them.
    func release(namedIn text: [UInt8], by user: PayloadUser) throws {
        try PayloadStore(tx: tx).release(try kept(FileNames.all(in: text), by: user), of: user)
    }

    private func kept(_ names: Set<PayloadHash>, by user: PayloadUser) throws -> Set<PayloadHash> {
        var kept: Set<PayloadHash> = []
        for part in Self.parts(names) { kept.formUnion(try PayloadStore(tx: tx).uses(among: part, of: user)) }
        return kept
    }

    /// What a run holds.
    func held(by run: RunID) throws -> Set<PayloadHash> {
        let hashes = try tx.all("SELECT hash FROM run_files WHERE tenant_id = \(tx.tenant) AND run_id = \(run)") {
            try $0.column(0, as: PayloadHash.self)
        }
        return Set(hashes)
    }

    /// Lets go of a run's files.
    /// - Returns: those that it held, to be released.
    func forget(_ run: RunID) throws -> Set<PayloadHash> {
        let hashes = try tx.all("DELETE FROM run_files WHERE tenant_id = \(tx.tenant) AND run_id = \(run) RETURNING hash") {
            try $0.column(0, as: PayloadHash.self)
        }
        return Set(hashes)
    }

    /// Ids before another that hold files and are no runs.
    func left(before end: RunID, after cursor: RunID, limit: Int) throws -> [RunID] {
        try tx.all(
            """
            SELECT DISTINCT run_id FROM run_files
            WHERE tenant_id = \(tx.tenant) AND run_id > \(cursor) AND run_id < \(end) AND NOT EXISTS (
                SELECT 1 FROM runs WHERE runs.tenant_id = \(tx.tenant) AND runs.id = run_files.run_id)
            ORDER BY run_id LIMIT \(limit)
            """
        ) { try $0.column(0) }
    }

    private func note(_ hashes: [PayloadHash], for run: RunID) throws {
        try tx.presume(
            """
            INSERT INTO run_files (tenant_id, run_id, hash)
            SELECT \(tx.tenant), \(run), hash FROM payloads WHERE tenant_id = \(tx.tenant) AND hash IN \(list: hashes)
            ON CONFLICT (tenant_id, run_id, hash) DO NOTHING
            """)
    }

    /// A program that does not hold files may hand them on to what this one knows nothing of.
    private func keepBesideOlder(_ hashes: [PayloadHash]) throws {
        guard try LeaseStore(tx: tx.system).hasOlder() else { return }
        try PayloadStore(tx: tx).share(hashes, with: .files)
    }

    /// In one order, so that two transactions do not wait for each other.
    private static func parts(_ hashes: Set<PayloadHash>) -> [[PayloadHash]] {
        guard !hashes.isEmpty else { return [] }
        let sorted = hashes.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        return stride(from: 0, to: sorted.count, by: hashesPerStatement).map { start in
            Array(sorted[start..<min(start + hashesPerStatement, sorted.count)])
        }
    }
}
