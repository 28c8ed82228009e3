package import Kernel
package import Persistence

/// The trace that a run belongs to, kept while it is not over, so that whoever takes the run up goes on in the same trace.
package struct RunTraceStore {
    let tx: SystemTransaction

    static let table = Table(
        "run_traces", .system, primaryKey: ["run_id"],
        columns: [Column("run_id", .uuid), Column("traceparent", .text), Column("created_at", .timestamp)],
        indexes: [Index("run_traces_age", on: ["created_at"])])

    package init(tx: SystemTransaction) { self.tx = tx }

    package func keep<Run>(_ traceparent: String, of run: ID<Run>) throws {
        try tx.presume(
            """
            INSERT INTO run_traces (run_id, traceparent, created_at) VALUES (\(run), \(traceparent), \(tx.clock.now()))
            ON CONFLICT (run_id) DO NOTHING
            """)
    }

    package func traceparent<Run>(of run: ID<Run>) throws -> String? {
        try tx.first("SELECT traceparent FROM run_traces WHERE run_id = \(run)") { try $0.column(0) }
    }

    package func remove<Run>(_ run: ID<Run>) throws { try tx.presume("DELETE FROM run_traces WHERE run_id = \(run)") }

    /// Those of runs that were never heard of again: tracing was turned off meanwhile.
    package func remove(before time: Timestamp) throws { try tx.execute("DELETE FROM run_traces WHERE created_at < \(time)") }
}
