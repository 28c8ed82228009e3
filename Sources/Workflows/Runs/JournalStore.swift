internal import Kernel
internal import Persistence

/// All SQL of the journal and of static data.
struct JournalStore {
    let tx: TenantTransaction

    /// An event with its place and time, ready to be written.
    struct Entry: Sendable {
        var seq: Int
        var kind: RunEvent.Kind
        var node: String?
        var runIndex: Int
        var attempt: Int
        var at: Timestamp
        var data: [UInt8]
    }

    /// Written only where the run is still in the hands of this epoch.
    /// - Throws: `RunAbandoned`
    func append(_ entry: Entry, run: RunID, epoch: Int64) throws {
        let written = try tx.execute(
            """
            INSERT INTO run_journal (tenant_id, run_id, seq, format, kind, node, run_index, attempt, at, data)
            SELECT \(tx.tenant), \(run), \(entry.seq), \(JournalFormat.current), \(entry.kind.rawValue), \(entry.node), \(entry.runIndex),
                \(entry.attempt), \(entry.at), \(entry.data)
            WHERE EXISTS (SELECT 1 FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(run) AND epoch = \(epoch))
            """)
        guard written == 1 else { throw RunAbandoned() }
    }

    /// The events of a run in order, each with the node's name.
    func events(of run: RunID, workflow: CompiledWorkflow, payloads: PayloadReader) throws -> [(event: RunEvent, at: Timestamp)] {
        let rows = try tx.all(
            "SELECT format, kind, node, run_index, attempt, at, data FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id = \(run) ORDER BY seq"
        )
        return try rows.map { row in
            guard JournalFormat.readable.contains(try row.column(0)), let kind = RunEvent.Kind(rawValue: try row.column(1)) else {
                throw UnreadableEvent(reason: "the journal is of another version")
            }
            let step = try (row.column(2) as String?).map { name in
                guard let node = workflow.index(ofNode: name) else { throw UnreadableEvent(reason: "the workflow has no node '\(name)'") }
                return StepKey(node: node, runIndex: try row.column(3))
            }
            let data = try JSON(parsing: row.column(6, as: [UInt8].self))
            return (try RunEvent(kind: kind, step: step, attempt: row.column(4), data: data, payloads: payloads.coding), try row.column(5))
        }
    }

    /// What earlier runs kept: by node, and under no name for the whole workflow.
    func staticData(of workflow: WorkflowID) throws -> [String: JSON] {
        let rows = try tx.all("SELECT node, data FROM workflow_static_data WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow)") {
            (try $0.column(0, as: String.self), try JSON(parsing: try $0.column(1, as: [UInt8].self)))
        }
        return Dictionary(rows, uniquingKeysWith: { _, last in last })
    }

    func keep(_ data: JSON, of node: String, workflow: WorkflowID) throws {
        try tx.execute(
            """
            INSERT INTO workflow_static_data (tenant_id, workflow_id, node, data, updated_at)
            VALUES (\(tx.tenant), \(workflow), \(node), \(data.bytes), \(tx.clock.now()))
            ON CONFLICT (tenant_id, workflow_id, node) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at
            """)
    }
}
