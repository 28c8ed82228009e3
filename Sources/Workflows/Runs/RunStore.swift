internal import Kernel
internal import Persistence

/// All SQL of the table of runs and of their owners. Whatever changes a run names the epoch under which its process has it; where
/// another has it by now nothing is changed and `RunAbandoned` thrown.
struct RunStore {
    let tx: TenantTransaction

    func insert(_ new: NewRun, status: RunStatus, epoch: Int64, end: RunEnd?, result: JSON?, resumeAt: Timestamp?) throws {
        let finishedAt: Timestamp? = status.isOver ? tx.clock.now() : nil
        try tx.execute(
            """
            INSERT INTO runs (tenant_id, id, workflow_id, version, status, mode, trigger_node, epoch, depth, input, result, error, idempotency_key,
                parent_run, parent_node, parent_run_index, parent_call_index, created_at, finished_at, resume_at)
            VALUES (\(tx.tenant), \(new.facts.id), \(new.facts.workflow), \(new.facts.version), \(status), \(new.facts.mode), \(new.trigger), \(epoch),
                \(new.facts.depth), \(PayloadNames.journaled(new.items).bytes), \(result?.bytes), \(end?.failure?.journaled.serialized),
                \(new.idempotencyKey), \(new.parent?.run), \(new.parent?.node), \(new.parent?.runIndex), \(new.parent?.callIndex), \(new.createdAt),
                \(finishedAt), \(resumeAt))
            """)
    }

    func update(_ id: RunID, status: RunStatus, from epoch: Int64, to next: Int64, end: RunEnd?, result: JSON?, resumeAt: Timestamp?) throws {
        let finishedAt: Timestamp? = status.isOver ? tx.clock.now() : nil
        let changed = try tx.execute(
            """
            UPDATE runs SET status = \(status), epoch = \(next), result = \(result?.bytes), error = \(end?.failure?.journaled.serialized),
                finished_at = \(finishedAt), resume_at = \(resumeAt)
            WHERE tenant_id = \(tx.tenant) AND id = \(id) AND epoch = \(epoch)
            """)
        guard changed == 1 else { throw RunAbandoned() }
    }

    /// Takes a run that nobody has, or whose owner is dead.
    /// - Returns: false where it has changed hands, or is over.
    func take(_ id: RunID, from epoch: Int64, to next: Int64) throws -> Bool {
        let changed = try tx.execute(
            """
            UPDATE runs SET epoch = \(next), status = \(RunStatus.running), resume_at = \(Timestamp?.none)
            WHERE tenant_id = \(tx.tenant) AND id = \(id) AND epoch = \(epoch) AND finished_at IS NULL
            """)
        guard changed == 1 else { return false }
        try own(id, epoch: next)
        return true
    }

    func own(_ id: RunID, epoch: Int64) throws {
        try tx.system.execute(
            """
            INSERT INTO run_owners (run_id, tenant_id, epoch) VALUES (\(id), \(tx.tenant.id), \(epoch))
            ON CONFLICT (run_id) DO UPDATE SET epoch = excluded.epoch
            """)
    }

    func disown(_ id: RunID) throws { try tx.system.execute("DELETE FROM run_owners WHERE run_id = \(id)") }

    func find(_ id: RunID) throws -> Run? {
        try tx.first(
            """
            SELECT id, workflow_id, version, status, mode, trigger_node, epoch, depth, input, result, error, parent_run, parent_node, parent_run_index,
                parent_call_index, created_at, finished_at, resume_at
            FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(id)
            """, RunStore.run)
    }

    func find(workflow: WorkflowID, idempotencyKey: String) throws -> RunID? {
        try tx.first(
            "SELECT id FROM runs WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND idempotency_key = \(idempotencyKey)"
        ) { try $0.column(0) }
    }

    /// Newest first; those older than `before`.
    func list(workflow: WorkflowID, before: RunID?, limit: Int) throws -> [Run] {
        let bound = before ?? RunID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, workflow_id, version, status, mode, trigger_node, epoch, depth, input, result, error, parent_run, parent_node, parent_run_index,
                parent_call_index, created_at, finished_at, resume_at
            FROM runs WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND id < \(bound) ORDER BY id DESC LIMIT \(limit)
            """, RunStore.run)
    }

    /// The newest runs of a tenant.
    func list(before: RunID?, limit: Int) throws -> [Run] {
        let bound = before ?? RunID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, workflow_id, version, status, mode, trigger_node, epoch, depth, input, result, error, parent_run, parent_node, parent_run_index,
                parent_call_index, created_at, finished_at, resume_at
            FROM runs WHERE tenant_id = \(tx.tenant) AND id < \(bound) ORDER BY id DESC LIMIT \(limit)
            """, RunStore.run)
    }

    /// The runs that were called by a run and are over.
    func returned(to parent: RunID) throws -> [Run] {
        try tx.all(
            """
            SELECT id, workflow_id, version, status, mode, trigger_node, epoch, depth, input, result, error, parent_run, parent_node, parent_run_index,
                parent_call_index, created_at, finished_at, resume_at
            FROM runs WHERE tenant_id = \(tx.tenant) AND parent_run = \(parent) AND finished_at IS NOT NULL ORDER BY id
            """, RunStore.run)
    }

    private static func run(_ row: Row) throws -> Run {
        func json(_ bytes: [UInt8]?) throws -> JSON? { try bytes.map { try JSON(parsing: $0) } }
        let error: String? = try row.column(10)
        let parent: RunID? = try row.column(11)
        return Run(
            id: try row.column(0), workflow: try row.column(1), version: try row.column(2), status: try row.column(3), mode: try row.column(4),
            trigger: try row.column(5), epoch: try row.column(6), depth: try row.column(7),
            parent: try parent.map { Run.Parent(run: $0, node: try row.column(12), runIndex: try row.column(13), callIndex: try row.column(14)) },
            failure: try error.map { StepFailure(journaled: try JSON(parsing: $0)) }, createdAt: try row.column(15), finishedAt: try row.column(16),
            resumeAt: try row.column(17), input: try json(try row.column(8)) ?? .null, result: try json(try row.column(9)))
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

    /// Those of epochs that hold no lease any more.
    func orphans(live: [Int64], limit: Int) throws -> [Owned] {
        try tx.all("SELECT run_id, tenant_id, epoch FROM run_owners WHERE epoch NOT IN \(list: live) ORDER BY run_id LIMIT \(limit)") {
            Owned(run: try $0.column(0), tenant: try $0.column(1), epoch: try $0.column(2))
        }
    }
}
