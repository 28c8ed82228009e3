package import Persistence

/// The tables of runs.
package enum RunTables {
    /// As it was first made.
    private static let firstRuns = Table(
        "runs", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("workflow_id", .uuid), Column("version", .integer), Column("status", .text), Column("mode", .text),
            Column("trigger_node", .text),
            // The lease under which a process may write to the journal; 0 where no process has the run.
            Column("epoch", .integer), Column("depth", .integer), Column("time_zone", .text), Column("input", .blob),
            Column("result", .blob, optional: true), Column("error", .text, optional: true), Column("idempotency_key", .text, optional: true),
            Column("parent_run", .uuid, optional: true), Column("parent_node", .text, optional: true),
            Column("parent_run_index", .integer, optional: true), Column("parent_call_index", .integer, optional: true),
            Column("replay_of", .uuid, optional: true), Column("created_at", .timestamp), Column("finished_at", .timestamp, optional: true),
            // While it is set no process takes the run up.
            Column("resume_at", .timestamp, optional: true), Column("paused_at", .timestamp, optional: true)
        ],
        indexes: [
            // Without the tenant, so that a planner that knows nothing of the table yet cannot take it for the primary key's.
            Index(byWorkflow, on: ["workflow_id", "id"]),
            Index("runs_by_key", on: ["tenant_id", "workflow_id", "idempotency_key"], unique: true, where: .isNotNull("idempotency_key")),
            Index("runs_by_parent", on: ["tenant_id", "parent_run"], where: .isNotNull("parent_run"))
        ],
        checks: [.oneOf(column: "status", values: RunStatus.allCases.map(\.rawValue)), .atLeast(column: "epoch", 0)])

    static let runs: Table = {
        var table = firstRuns
        table.indexes.removeAll { $0.name == byWorkflow }
        table.indexes += [unsucceeded, endedLater, RunSpanStore.single]
        table.columns += [storedBytes, ownJournal, outwardKeys, RunSpanStore.mark]
        table.takesMarkedRows = true
        return table
    }()

    private static let byWorkflow = "runs_by_workflow"

    private static let addedIndexes = [
        // The status first, so that no planner takes it for the primary key's: those of a tenant with a status, newest first.
        Index("runs_by_status", on: ["status", "tenant_id", "id"]),
        // Runs in the order in which they ended.
        Index("runs_by_end", on: ["tenant_id", "finished_at"], where: .isNotNull("finished_at"))
    ]

    /// In the place of `runs_by_status`: nearly all runs succeed, and these are found in the order of the primary key.
    private static let unsucceeded = Index("runs_unsucceeded", on: ["status", "tenant_id", "id"], where: .differs("status", "succeeded"))

    /// In the place of `runs_by_end`: runs in the order in which they ended, but for those that ended at once, see `EndedRuns`.
    private static let endedLater = Index(
        "runs_ended_later", on: ["tenant_id", "finished_at"], where: .all([.isNull("journal"), .isNotNull("finished_at")]))

    /// Bytes of its own texts before compression, set when it ends.
    private static let storedBytes = Column("stored_bytes", .integer, default: .integer(0))

    /// All of its events, where it began and ended in one transaction; see `JournalBundle`.
    private static let ownJournal = Column("journal", .blob, optional: true)

    /// `OutwardKeys`, where they do not begin with the run's id.
    private static let outwardKeys = Column("outward_keys", .text, optional: true)

    /// Each row is written under the run's epoch, which is checked by the statement that writes it: a foreign key would lock the run's row
    /// for every one of them to say less.
    static let journal = Table(
        "run_journal", .tenant, primaryKey: ["run_id", "seq"],
        columns: [
            Column("run_id", .uuid), Column("seq", .integer), Column("format", .integer), Column("kind", .text),
            Column("node", .text, optional: true),
            Column("run_index", .integer), Column("attempt", .integer), Column("at", .timestamp), Column("data", .blob)
        ])

    static let staticData = Table(
        "workflow_static_data", .tenant, primaryKey: ["workflow_id", "node"],
        // The node's name, or nothing for the data of the whole workflow.
        columns: [Column("workflow_id", .uuid), Column("node", .text), Column("data", .blob), Column("updated_at", .timestamp)])

    /// The runs that processes have in hand, so that those of a dead process are found across tenants.
    static let owners = Table(
        "run_owners", .system, primaryKey: ["run_id"],
        columns: [
            Column("run_id", .uuid), Column("tenant_id", .uuid), Column("epoch", .integer),
            // What another process asks of the owner.
            Column("wanted", .text, optional: true)
        ],
        indexes: [Index("run_owners_by_epoch", on: ["epoch"])])

    /// The places of runs whose workflow allows only so many at once.
    static let slots = Table(
        "run_slots", .tenant, primaryKey: ["run_id"],
        columns: [
            Column("run_id", .uuid), Column("workflow_id", .uuid), Column("slot_key", .text), Column("allowed", .integer),
            Column("is_waiting", .boolean)
        ],
        indexes: [Index("run_slots_key", on: ["tenant_id", "workflow_id", "slot_key", "is_waiting", "run_id"])])

    package static let all = [
        runs, journal, staticData, owners, slots, RunFigureStore.hours, RunFigureStore.folds, RunMarkStore.table, RunFileStore.table,
        RunSpanStore.table
    ]
    /// Steps that read the tenant's disk need it where nothing else of runs is there.
    static let files = Migration("workflows.0015-files-of-runs", [.createTable(RunFileStore.table)])

    package static let migrations = [
        Migration("workflows.0001-runs", [firstRuns, journal, staticData, owners, slots].map { .createTable($0) }),
        Migration(
            "workflows.0004-run-figures",
            addedIndexes.map { .createIndex(table: "runs", $0) } + [.createTable(RunFigureStore.hours), .createTable(RunFigureStore.folds)]),
        Migration("workflows.0005-run-values", [.createTable(RunMarkStore.table)]),
        Migration(
            "workflows.0006-runs-in-fewer-pages",
            [
                .addColumn(table: "runs", storedBytes), .createIndex(table: "runs", unsucceeded), .dropIndex(table: "runs", name: "runs_by_status")
            ]),
        Migration("workflows.0010-journals-in-runs", [.addColumn(table: "runs", ownJournal)]),
        Migration("workflows.0011-outward-keys", [.addColumn(table: "runs", outwardKeys)]),
        Migration(
            "workflows.0013-ends-found-by-keys", [.createIndex(table: "runs", endedLater), .dropIndex(table: "runs", name: "runs_by_end")]),
        files, Migration("workflows.0016-rows-of-runs", [.takeMarkedRows(table: "runs")]),
        Migration(
            "workflows.0017-runs-by-spans",
            [
                .createTable(RunSpanStore.table), .addColumn(table: "runs", RunSpanStore.mark),
                .createIndex(table: "runs", RunSpanStore.single), .dropIndex(table: "runs", name: byWorkflow)
            ])
    ]
}

package enum RunStatus: String, Sendable, Hashable, CaseIterable, SQLBindable, SQLReadable {
    case queued, running, waiting, succeeded, failed, cancelled, uncertain

    package var isOver: Bool { self == .succeeded || self == .failed || self == .cancelled }
}
