internal import Kernel
internal import Persistence

/// All SQL of the journal and of static data.
struct JournalStore {
    let tx: TenantTransaction

    /// An event with its place and time.
    struct Record: Sendable {
        var seq: Int
        var kind: RunEvent.Kind
        var node: String?
        var runIndex: Int
        var attempt: Int
        var at: Timestamp
        var text: JournalText

        /// - Parameter data: its text as it is stored.
        fileprivate func row(_ data: [UInt8]) -> [SQLValue] {
            [seq.sqlValue, kind.rawValue.sqlValue, node.sqlValue, runIndex.sqlValue, attempt.sqlValue, at.sqlValue, data.sqlValue]
        }
    }

    /// How the events of a commit are kept: each in a row, its text as it is stored beside it, or all in the run's own row, see `JournalBundle`.
    enum Form: Sendable {
        case rows([[UInt8]])
        case own([UInt8])

        var own: [UInt8]? { if case .own(let bytes) = self { bytes } else { nil } }

        func asRows(_ records: [Record]) -> Form { if case .own = self { .rows(records.map { $0.text.stored.bytes }) } else { self } }
    }

    /// Written only where the run is still in the hands of this epoch; the run's own row is not this one's to write.
    /// - Throws: `RunAbandoned`
    func append(_ records: [Record], as form: Form, run: RunID, epoch: Int64) throws {
        guard case .rows(let texts) = form else { return }
        var rest = zip(records, texts).map { $0.row($1) }[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(JournalStore.rowsPerStatement)
            rest = rest.dropFirst(chunk.count)
            let isWritten = try tx.presume(
                """
                INSERT INTO run_journal (tenant_id, run_id, seq, format, kind, node, run_index, attempt, at, data)
                SELECT \(tx.tenant), \(run), column1, \(JournalFormat.current), column2, column3, column4, column5, column6, column7
                FROM (VALUES \(rows: Array(chunk))) AS entries
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
        try records(of: run).compactMap { record in
            var step: StepKey?
            if let name = record.node {
                guard let index = try node(name) else { return nil }
                step = StepKey(node: index, runIndex: record.runIndex)
            }
            let coding = payloads.coding(record.text, seq: record.seq)
            return (
                try RunEvent(kind: record.kind, step: step, attempt: record.attempt, data: record.text.head, payloads: coding), record.at
            )
        }
    }

    /// All that was written of a run, in order.
    func records(of run: RunID) throws -> [Record] {
        let rows = try tx.all(
            "SELECT format, kind, node, run_index, attempt, at, data, seq FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id = \(run) ORDER BY seq"
        )
        guard !rows.isEmpty else { return try bundles(of: [run])[run] ?? [] }
        return try rows.map { row in
            guard JournalFormat.readable.contains(try row.column(0)), let kind = RunEvent.Kind(rawValue: try row.column(1)) else {
                throw UnreadableEvent(reason: "the journal is of another version")
            }
            return Record(
                seq: try row.column(7), kind: kind, node: try row.column(2), runIndex: try row.column(3), attempt: try row.column(4),
                at: try row.column(5), text: try JournalText(stored: row.column(6)))
        }
    }

    /// Whether a newer program has worked on a run: whoever cannot read what was written last writes nothing after it.
    func isOfNewerProgram(_ run: RunID) throws -> Bool {
        let format = try tx.first(
            "SELECT format FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id = \(run) ORDER BY seq DESC LIMIT 1"
        ) { try $0.column(0, as: Int.self) }
        return format.map { $0 > JournalFormat.readable.upperBound } ?? false
    }

    /// When the wait of a run began that lasts until a time, where that was later than `limit`.
    func beginning(ofWaitUntil end: Timestamp, of run: RunID, laterThan limit: Timestamp) throws -> Timestamp? {
        let isLater = try tx.first("SELECT 1 FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id = \(run) AND at > \(limit) LIMIT 1") != nil
        guard isLater else { return nil }
        let records = try records(of: run)
        let wait = records.last { $0.kind == .waiting && $0.text.head["until"]?.integer == Int(end.microseconds) }
        // One without a record of its own is that of an attempt that failed.
        guard let began = (wait ?? records.last { $0.kind == .failed })?.at, began > limit else { return nil }
        return began
    }

    /// Of runs whose own rows keep their journals.
    private func bundles(of runs: [RunID]) throws -> [RunID: [Record]] {
        let rows = try tx.all("SELECT id, journal FROM runs WHERE tenant_id = \(tx.tenant) AND id IN \(list: runs) AND journal IS NOT NULL") {
            (try $0.column(0, as: RunID.self), try JournalBundle.read(try $0.column(1)))
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// What its events say.
    func texts(of run: RunID) throws -> [JournalText] { try records(of: run).map(\.text) }

    func text(of run: RunID, seq: Int) throws -> JournalText? {
        let text = try tx.first("SELECT data FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id = \(run) AND seq = \(seq)") {
            try JournalText(stored: $0.column(0))
        }
        return try text ?? bundles(of: [run])[run]?.first { $0.seq == seq }?.text
    }

    /// The last event of each of these runs.
    func last(of runs: [RunID]) throws -> [RunID: (kind: RunEvent.Kind, node: String?)] {
        var found: [RunID: (kind: RunEvent.Kind, node: String?)] = [:]
        for run in runs {
            let last = try tx.first(
                "SELECT kind, node FROM run_journal WHERE tenant_id = \(tx.tenant) AND run_id = \(run) ORDER BY seq DESC LIMIT 1"
            ) { (RunEvent.Kind(rawValue: try $0.column(0)), try $0.column(1, as: String?.self)) }
            if let last, let kind = last.0 { found[run] = (kind, last.1) }
        }
        let rest = runs.filter { found[$0] == nil }
        guard !rest.isEmpty else { return found }
        for (run, records) in try bundles(of: rest) { if let last = records.last { found[run] = (last.kind, last.node) } }
        return found
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
        for (run, records) in try bundles(of: runs) {
            let answer = records.lazy.filter { $0.kind == .finished }.compactMap { $0.text.head["answer"] }.first
            if let answer { answers[run] = try WebhookAnswer(journaled: answer) }
        }
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
        let bytes = data.bytes
        let former = try tx.first(
            "SELECT data FROM workflow_static_data WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND node = \(node)"
        ) { try $0.column(0, as: [UInt8].self) }
        try RunFileStore(tx: tx).keep(namedIn: bytes, insteadOf: former ?? [], by: Self.user(node, of: workflow))
        try tx.execute(
            """
            INSERT INTO workflow_static_data (tenant_id, workflow_id, node, data, updated_at)
            VALUES (\(tx.tenant), \(workflow), \(node), \(bytes), \(tx.clock.now()))
            ON CONFLICT (tenant_id, workflow_id, node) DO UPDATE SET data = excluded.data, updated_at = excluded.updated_at
            """)
    }

    /// Removes what earlier runs of a workflow kept, with the files.
    func forget(_ workflow: WorkflowID) throws {
        let kept = try tx.all(
            "DELETE FROM workflow_static_data WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) RETURNING node, data"
        ) { (try $0.column(0, as: String.self), try $0.column(1, as: [UInt8].self)) }
        for (node, data) in kept { try RunFileStore(tx: tx).release(namedIn: data, by: Self.user(node, of: workflow)) }
    }

    /// Workflows that are gone although something is kept of them: a run that was under way has written it since.
    func keptOfDeleted(limit: Int) throws -> [WorkflowID] {
        try tx.all(
            """
            SELECT DISTINCT workflow_id FROM workflow_static_data
            WHERE tenant_id = \(tx.tenant) AND NOT EXISTS (
                SELECT 1 FROM workflows WHERE workflows.tenant_id = \(tx.tenant) AND workflows.id = workflow_static_data.workflow_id)
            ORDER BY workflow_id LIMIT \(limit)
            """
        ) { try $0.column(0) }
    }

    private static func user(_ node: String, of workflow: WorkflowID) -> PayloadUser { PayloadUser("static.\(node)", of: workflow) }
}
