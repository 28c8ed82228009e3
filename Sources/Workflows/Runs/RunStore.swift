internal import Jobs
internal import Kernel
internal import Persistence

/// All SQL of the table of runs and of their owners. Whatever changes a run names the epoch under which its process has it; where
/// another has it by now nothing is changed and `RunAbandoned` thrown.
struct RunStore {
    let tx: TenantTransaction

    func insert(
        _ new: NewRun, status: RunStatus, epoch: Int64, end: RunEnd?, result: [UInt8]?, journal: [UInt8]? = nil, storedBytes: Int,
        resumeAt: Timestamp?, at now: Timestamp
    ) throws {
        let finishedAt: Timestamp? = status.isOver ? now : nil
        let (facts, parent) = (new.facts, new.parent)
        let isInSpan = try RunSpanStore(tx: tx).note(facts.id, of: facts.workflow)
        let values: [SQLValue] = [
            facts.id.sqlValue, facts.workflow.sqlValue, facts.version.sqlValue, status.sqlValue, facts.mode.sqlValue, new.trigger.sqlValue,
            epoch.sqlValue, facts.depth.sqlValue, new.items.inputText.bytes.sqlValue, result.sqlValue, (end?.failure?.journaled.serialized).sqlValue,
            new.idempotencyKey.sqlValue, (parent?.run).sqlValue, (parent?.node).sqlValue, (parent?.runIndex).sqlValue,
            (parent?.callIndex).sqlValue, new.replayOf.sqlValue, new.createdAt.sqlValue, finishedAt.sqlValue, resumeAt.sqlValue,
            facts.timeZone.sqlValue, storedBytes.sqlValue, journal.sqlValue, (facts.outwardKeys?.stored).sqlValue, isInSpan.sqlValue
        ]
        try tx.presume(SQL(Self.row, tx.tenant, values))
    }

    private static let row = RowForm(
        into: "runs",
        columns: [
            "id", "workflow_id", "version", "status", "mode", "trigger_node", "epoch", "depth", "input", "result", "error", "idempotency_key",
            "parent_run", "parent_node", "parent_run_index", "parent_call_index", "replay_of", "created_at", "finished_at", "resume_at", "time_zone",
            "stored_bytes", "journal", "outward_keys", "in_span"
        ])

    func update(
        _ id: RunID, status: RunStatus, from epoch: Int64, to next: Int64, end: RunEnd?, result: [UInt8]?, storedBytes: Int, resumeAt: Timestamp?,
        at now: Timestamp
    ) throws {
        let finishedAt: Timestamp? = status.isOver ? now : nil
        let isChanged = try tx.presume(
            """
            UPDATE runs SET status = \(status), epoch = \(next), result = \(result), stored_bytes = \(storedBytes), error = \(end?.failure?.journaled.serialized),
                finished_at = \(finishedAt), resume_at = \(resumeAt)
            WHERE tenant_id = \(tx.tenant) AND id = \(id) AND epoch = \(epoch)
            """, changes: 1)
        guard isChanged else { throw RunAbandoned() }
    }

    /// Takes a run that nobody has, or whose owner is dead.
    /// - Parameter evenPaused: also where somebody paused it.
    /// - Returns: nil where it has changed hands, or is over.
    func take(_ id: RunID, from epoch: Int64, to next: Int64, evenPaused: Bool) throws -> Run? {
        let taken = try tx.first(
            """
            UPDATE runs SET epoch = \(next), status = \(RunStatus.running), resume_at = \(Timestamp?.none)
            WHERE tenant_id = \(tx.tenant) AND id = \(id) AND epoch = \(epoch) AND finished_at IS NULL AND (\(evenPaused) OR paused_at IS NULL)
            RETURNING \(columns: Self.columns)
            """, RunStore.run)
        guard let taken else { return nil }
        try own(id, epoch: next)
        return taken
    }

    /// Takes, of runs that nobody has, those that nobody has worked on, with the timers that wake them. Relies on its statements alone.
    func takeUntouched(_ ids: [RunID], epoch: Int64) throws -> [Run] {
        let taken = try tx.all(
            """
            UPDATE runs SET epoch = \(epoch), status = \(RunStatus.running), resume_at = \(Timestamp?.none)
            WHERE tenant_id = \(tx.tenant) AND id IN \(list: ids) AND epoch = 0 AND finished_at IS NULL AND paused_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM run_journal WHERE run_journal.tenant_id = \(tx.tenant) AND run_journal.run_id = runs.id)
            RETURNING \(columns: Self.columns)
            """, RunStore.run)
        guard !taken.isEmpty else { return [] }
        try tx.system.presume(
            """
            INSERT INTO run_owners (run_id, tenant_id, epoch)
            SELECT column1, \(tx.tenant.id), \(epoch) FROM (VALUES \(rows: taken.map { [$0.id.sqlValue] })) AS taken WHERE true
            ON CONFLICT (run_id) DO UPDATE SET epoch = excluded.epoch
            """)
        try tx.dropTimers(kind: Engine.timerKind, subjects: taken.map(\.id.description))
        return taken
    }

    /// - Returns: false where it is over, or paused already.
    func pause(_ id: RunID) throws -> Bool {
        try tx.execute(
            """
            UPDATE runs SET paused_at = \(tx.clock.now())
            WHERE tenant_id = \(tx.tenant) AND id = \(id) AND finished_at IS NULL AND paused_at IS NULL AND status <> \(RunStatus.uncertain)
            """) == 1
    }

    /// The same of all of the tenant's runs that are not over, wherever they are.
    /// - Returns: how many.
    func pauseAll() throws -> Int {
        let count = try tx.execute(
            """
            UPDATE runs SET paused_at = \(tx.clock.now())
            WHERE tenant_id = \(tx.tenant) AND finished_at IS NULL AND paused_at IS NULL AND status <> \(RunStatus.uncertain)
            """)
        if count > 0 {
            try tx.system.execute(
                "UPDATE run_owners SET wanted = \(RunOwners.Wish.paused.rawValue) WHERE tenant_id = \(tx.tenant.id) AND wanted IS NULL")
        }
        return count
    }

    /// - Returns: false where it is not paused.
    func unpause(_ id: RunID) throws -> Bool {
        try tx.execute(
            """
            UPDATE runs SET paused_at = \(Timestamp?.none)
            WHERE tenant_id = \(tx.tenant) AND id = \(id) AND finished_at IS NULL AND paused_at IS NOT NULL
            """) == 1
    }

    func isPaused(_ id: RunID) throws -> Bool {
        try tx.first("SELECT 1 FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(id) AND paused_at IS NOT NULL") != nil
    }

    /// Asks the process that has the run in hand to stop it.
    /// - Returns: false where no process has it, or it is to be cancelled already.
    func want(_ wish: RunOwners.Wish, of id: RunID) throws -> Bool {
        try tx.system.execute(
            """
            UPDATE run_owners SET wanted = \(wish.rawValue)
            WHERE run_id = \(id) AND (wanted IS NULL OR wanted <> \(RunOwners.Wish.cancelled.rawValue) OR wanted = \(wish.rawValue))
            """) == 1
    }

    func wish(of id: RunID) throws -> RunOwners.Wish? {
        let text: String?? = try tx.system.first("SELECT wanted FROM run_owners WHERE run_id = \(id)") { try $0.column(0) }
        return text.flatMap { $0 }.flatMap(RunOwners.Wish.init)
    }

    func own(_ id: RunID, epoch: Int64) throws {
        try tx.system.presume(
            """
            INSERT INTO run_owners (run_id, tenant_id, epoch) VALUES (\(id), \(tx.tenant.id), \(epoch))
            ON CONFLICT (run_id) DO UPDATE SET epoch = excluded.epoch
            """)
    }

    /// Takes the run out of the hands of the process with this epoch; another's it stays.
    func disown(_ id: RunID, epoch: Int64) throws { try tx.system.presume("DELETE FROM run_owners WHERE run_id = \(id) AND epoch = \(epoch)") }

    /// Removes a run that is over, with its journal and the payloads and files that only it used.
    func remove(_ id: RunID) throws {
        let row = try tx.first(
            "SELECT input, result, stored_bytes, finished_at, version, workflow_id FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(id)")
        guard let row else { return }
        let (input, result): ([UInt8], [UInt8]?) = (try row.column(0), try row.column(1))
        let texts = try [input, result].compactMap { try $0.map { try JournalText(stored: $0) } } + JournalStore(tx: tx).texts(of: id)
        // What it stored itself is counted with the figures of its hour.
        if let finishedAt: Timestamp = try row.column(3), try row.column(4, as: Int.self) > 0, finishedAt < (try RunFigureStore(tx: tx).foldedUntil())
        {
            try StorageUse(tx: tx).remove(try row.column(2))
        }
        try tx.execute("DELETE FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(id)")
        try tx.execute("DELETE FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id = \(id)")
        try RunSpanStore(tx: tx).leave(id, of: try row.column(5))
        try RunMarkStore(tx: tx).remove(id)
        let files = try RunFileStore(tx: tx).forget(id)
        try PayloadStore(tx: tx).release(PayloadNames.hashes(in: texts).union(files), of: PayloadUser(id))
    }

    /// What a run was started with, as it is stored.
    func inputText(_ id: RunID) throws -> JournalText? {
        try tx.first("SELECT input FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(id)") { try JournalText(stored: $0.column(0)) }
    }

    func find(_ id: RunID) throws -> Run? {
        try tx.first(
            """
            SELECT \(columns: Self.columns) FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, RunStore.run)
    }

    func isKnown(_ id: RunID) throws -> Bool { try tx.first("SELECT 1 FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(id)") { _ in } != nil }

    func known(_ ids: [RunID]) throws -> [RunID] {
        try tx.all("SELECT id FROM runs WHERE tenant_id = \(tx.tenant) AND id IN \(list: ids)") { try $0.column(0) }
    }

    /// What is another after every change of a run that people can see.
    func mark(of id: RunID) throws -> String? {
        let row = try tx.first(
            """
            SELECT status, epoch, resume_at, paused_at, finished_at, (
                SELECT max(seq) FROM run_journal WHERE run_journal.tenant_id = \(tx.tenant) AND run_journal.run_id = runs.id)
            FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """)
        guard let row else { return nil }
        let times: [Timestamp?] = [try row.column(2), try row.column(3), try row.column(4)]
        let (status, epoch, seq): (String, Int64, Int?) = (try row.column(0), try row.column(1), try row.column(5))
        return ([status, String(epoch), String(seq ?? 0)] + times.map { String($0?.microseconds ?? 0) }).joined(separator: ".")
    }

    /// The run that the same workflow was started with the same key before.
    func find(startedLike new: NewRun) throws -> RunID? {
        guard let key = new.idempotencyKey else { return nil }
        return try tx.first(
            "SELECT id FROM runs WHERE tenant_id = \(tx.tenant) AND workflow_id = \(new.facts.workflow) AND idempotency_key = \(key)"
        ) { try $0.column(0) }
    }

    /// Those of some runs that are over, or that nobody goes on with.
    func ended(among ids: [RunID]) throws -> [Run] {
        guard !ids.isEmpty else { return [] }
        return try tx.all(
            """
            SELECT \(columns: Self.columns) FROM runs
            WHERE tenant_id = \(tx.tenant) AND id IN \(list: ids) AND (finished_at IS NOT NULL OR status = \(RunStatus.uncertain))
            """, RunStore.run)
    }

    /// The runs that were called by a run and are over.
    func returned(to parent: RunID) throws -> [Run] {
        try tx.all(
            """
            SELECT \(columns: Self.columns) FROM runs WHERE tenant_id = \(tx.tenant) AND parent_run = \(parent) AND finished_at IS NOT NULL ORDER BY id
            """, RunStore.run)
    }

    static let columns =
        [
            "id", "workflow_id", "version", "status", "mode", "trigger_node", "epoch", "depth", "input", "result", "error", "parent_run",
            "parent_node",
            "parent_run_index", "parent_call_index", "created_at", "finished_at", "resume_at", "time_zone", "paused_at", "replay_of",
            "outward_keys"
        ] as [StaticString]

    static func run(_ row: Row) throws -> Run {
        let error: String? = try row.column(10)
        let parent: RunID? = try row.column(11)
        let keys: String? = try row.column(21)
        return Run(
            id: try row.column(0), workflow: try row.column(1), version: try row.column(2), status: try row.column(3), mode: try row.column(4),
            trigger: try row.column(5), epoch: try row.column(6), depth: try row.column(7),
            timeZone: try row.column(18),
            parent: try parent.map { Run.Parent(run: $0, node: try row.column(12), runIndex: try row.column(13), callIndex: try row.column(14)) },
            failure: try error.map { StepFailure(journaled: try JSON(parsing: $0)) }, createdAt: try row.column(15), finishedAt: try row.column(16),
            resumeAt: try row.column(17), pausedAt: try row.column(19), replayOf: try row.column(20),
            outwardKeys: try keys.map { try OutwardKeys(stored: $0) }, input: try row.column(8),
            result: try row.column(9))
    }
}

/// Runs in the hands of processes, across tenants.
struct RunOwners {
    struct Owned: Sendable {
        var run: RunID
        var tenant: TenantID
        var epoch: Int64
    }

    let tx: SystemTransaction

    /// What a process may ask of the one that has a run in hand.
    enum Wish: String, Sendable { case cancelled, paused }

    /// What others ask of runs in the hands of this epoch.
    func wishes(of epoch: Int64) throws -> [(run: RunID, wish: Wish)] {
        try tx.all("SELECT run_id, wanted FROM run_owners WHERE epoch = \(epoch) AND wanted IS NOT NULL") { row in
            (try row.column(0, as: RunID.self), Wish(rawValue: try row.column(1)) ?? .cancelled)
        }
    }

    /// Those of epochs that hold no lease any more: of each tenant the oldest first, and the tenants in turn.
    func orphans(live: [Int64], limit: Int) throws -> [Owned] {
        try tx.all(
            """
            SELECT run_id, tenant_id, epoch FROM (
                SELECT run_id, tenant_id, epoch, row_number() OVER (PARTITION BY tenant_id ORDER BY run_id) AS place
                FROM run_owners WHERE epoch NOT IN \(list: live)) AS orphans
            ORDER BY place, run_id LIMIT \(limit)
            """
        ) {
            Owned(run: try $0.column(0), tenant: try $0.column(1), epoch: try $0.column(2))
        }
    }
}
