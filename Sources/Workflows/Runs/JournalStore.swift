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

        fileprivate var row: [SQLValue] {
            [seq.sqlValue, kind.rawValue.sqlValue, node.sqlValue, runIndex.sqlValue, attempt.sqlValue, at.sqlValue, data.sqlValue]
        }
    }

    /// Written only where the run is still in the hands of this epoch.
    /// - Throws: `RunAbandoned`
    func append(_ entries: [Entry], run: RunID, epoch: Int64) throws {
        var rest = entries[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(JournalStore.rowsPerStatement)
            rest = rest.dropFirst(chunk.count)
            let isWritten = try tx.presume(
                """
                INSERT INTO run_journal (tenant_id, run_id, seq, format, kind, node, run_index, attempt, at, data)
                SELECT \(tx.tenant), \(run), column1, \(JournalFormat.current), column2, column3, column4, column5, column6, column7
                FROM (VALUES \(rows: chunk.map(\.row))) AS entries
                WHERE EXISTS (SELECT 1 FROM runs WHERE tenant_id = \(tx.tenant) AND id = \(run) AND epoch = \(epoch))
                """, changes: chunk.count)
            guard isWritten else { throw RunAbandoned() }
        }
    }

    /// Each count of rows is a statement of its own to prepare.
    private static let rowsPerStatement = 8

    /// The events of a run under another version of its workflow: those of nodes that it does not have are left out.
    func history(of run: RunID, workflow: CompiledWorkflow, payloads: PayloadReader) throws -> [RunEvent] {
        try events(of: run, payloads: payloads) { workflow.index(ofNode: $0) }.map(\.event)
    }

    /// The events of a run in order.
    func events(of run: RunID, workflow: CompiledWorkflow, payloads: PayloadReader) throws -> [(event: RunEvent, at: Timestamp)] {
        try events(of: run, payloads: payloads) { name in
            guard let node = workflow.index(ofNode: name) else { throw UnreadableEvent(reason: "the workflow has no node '\(name)'") }
            return node
        }
    }

    private func events(
        of run: RunID, payloads: PayloadReader, node: (String) throws -> Int?
    ) throws -> [(event: RunEvent, at: Timestamp)] {
        let rows = try tx.all(
            "SELECT format, kind, node, run_index, attempt, at, data, seq FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id = \(run) ORDER BY seq"
        )
        return try rows.compactMap { row in
            guard JournalFormat.readable.contains(try row.column(0)), let kind = RunEvent.Kind(rawValue: try row.column(1)) else {
                throw UnreadableEvent(reason: "the journal is of another version")
            }
            var step: StepKey?
            if let name: String = try row.column(2) {
                guard let index = try node(name) else { return nil }
                step = StepKey(node: index, runIndex: try row.column(3))
            }
            let text = try JournalText(stored: row.column(6))
            let coding = payloads.coding(text, seq: try row.column(7))
            return (try RunEvent(kind: kind, step: step, attempt: row.column(4), data: text.head, payloads: coding), try row.column(5))
        }
    }

    /// What its events say.
    func texts(of run: RunID) throws -> [JournalText] {
        try tx.all("SELECT data FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id = \(run)") { try JournalText(stored: $0.column(0)) }
    }

    func text(of run: RunID, seq: Int) throws -> JournalText? {
        try tx.first("SELECT data FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id = \(run) AND seq = \(seq)") {
            try JournalText(stored: $0.column(0))
        }
    }

    /// What runs have answered their callers; the first answer counts.
    func answers(of runs: [RunID]) throws -> [RunID: WebhookAnswer] {
        guard !runs.isEmpty else { return [:] }
        let finished = RunEvent.Kind.finished.rawValue
        let rows = try tx.all(
            """
            SELECT run_id, data FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id IN \(list: runs) AND kind = \(finished)
            ORDER BY run_id, seq
            """
        ) { (try $0.column(0, as: RunID.self), try JournalText(stored: $0.column(1)).head["answer"]) }
        var answers: [RunID: WebhookAnswer] = [:]
        for case (let run, let answer?) in rows where answers[run] == nil { answers[run] = try WebhookAnswer(journaled: answer) }
        return answers
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
