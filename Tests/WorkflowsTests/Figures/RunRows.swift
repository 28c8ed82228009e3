import Kernel
import Persistence
import TestKit

@testable import Workflows

/// A run as a test writes it, without an engine.
struct RunRow {
    var workflow: WorkflowID
    var status: RunStatus = .succeeded
    var version = 1
    var start: Timestamp
    var took: Duration = .milliseconds(100)
    /// Whether its journal is in its row.
    var isAtOnce = false
    /// Whether it is written as by a version that knew no spans.
    var isOld = false
}

extension WorkflowHarness {
    private static let rows = RowForm(
        into: "runs",
        columns: [
            "id", "workflow_id", "version", "status", "mode", "trigger_node", "epoch", "depth", "time_zone", "input", "created_at", "finished_at",
            "journal", "in_span"
        ])

    /// Writes runs whose ids are in the order of their starts.
    @discardableResult
    func write(_ rows: [RunRow], in tenant: TenantID? = nil) async throws -> [RunID] {
        try await lease.database.write(in: tenant ?? lease.tenant) { tx in
            try rows.enumerated().map { index, row in
                let id = RunID(high: UInt64(row.start.microseconds / 1_000) << 16 | 0x7000 | UInt64(index & 0xFFF), low: 1 << 63 | UInt64(index))
                let end: Timestamp? = row.status.isOver ? row.start + row.took : nil
                let isInSpan: Bool? = row.isOld ? nil : try RunSpanStore(tx: tx).note(id, of: row.workflow)
                let (zero, journal): (Int, [UInt8]?) = (0, row.isAtOnce ? JournalBundle.stored([]).bytes : nil)
                let values: [SQLValue] = [
                    id.sqlValue, row.workflow.sqlValue, row.version.sqlValue, row.status.sqlValue, "webhook".sqlValue, "In".sqlValue, zero.sqlValue,
                    zero.sqlValue, "UTC".sqlValue, Array("{}".utf8).sqlValue, row.start.sqlValue, end.sqlValue, journal.sqlValue,
                    isInSpan.sqlValue
                ]
                try tx.execute(SQL(Self.rows, tx.tenant, values))
                return id
            }
        }
    }
}

extension SQL {
    /// How SQLite means to run a statement.
    static func plan(of statement: SQL, _ database: any Database, in tenant: TenantID) async throws -> String {
        try await database.read(in: tenant) { tx in try tx.all("EXPLAIN QUERY PLAN \(part: statement)") { try $0.column(3, as: String.self) } }
            .joined(separator: "\n")
    }
}

extension RunStore {
    /// The newest runs, of a workflow or of all.
    func list(workflow: WorkflowID? = nil, status: RunStatus? = nil, before cursor: RunID?, limit: Int) throws -> [Run] {
        try search(ExecutionSearch(workflow: workflow, status: status), after: cursor, limit: limit)
    }
}
