internal import Kernel
internal import Persistence

/// All SQL of the values that runs are found by. A run is marked by its own steps, in the transaction that ends the step.
struct RunMarkStore {
    let tx: TenantTransaction

    static let table = Table(
        "run_values", .tenant, primaryKey: ["run_id", "name"],
        columns: [Column("run_id", .uuid), Column("name", .text), Column("value", .text)],
        indexes: [Index("run_values_by_value", on: ["tenant_id", "name", "value", "run_id"])])

    /// The last value of a name counts. A run has at most `Limits.marksPerRun` names; further ones are left out.
    func mark(_ run: RunID, _ marks: [RunMark]) throws {
        guard !marks.isEmpty else { return }
        var known = Set(
            try tx.all("SELECT name FROM run_values WHERE tenant_id = \(tx.tenant) AND run_id = \(run)") { try $0.column(0, as: String.self) })
        for mark in marks where known.contains(mark.name) || known.count < Limits.marksPerRun {
            known.insert(mark.name)
            try tx.execute(
                """
                INSERT INTO run_values (tenant_id, run_id, name, value) VALUES (\(tx.tenant), \(run), \(mark.name), \(mark.value))
                ON CONFLICT (tenant_id, run_id, name) DO UPDATE SET value = excluded.value
                """)
        }
    }

    /// By run, in the order of their names.
    func marks(of runs: [RunID]) throws -> [RunID: [RunMark]] {
        guard !runs.isEmpty else { return [:] }
        let rows = try tx.all(
            "SELECT run_id, name, value FROM run_values WHERE tenant_id = \(tx.tenant) AND run_id IN \(list: runs) ORDER BY run_id, name"
        ) { (try $0.column(0, as: RunID.self), RunMark(name: try $0.column(1), value: try $0.column(2))) }
        return Dictionary(grouping: rows, by: \.0).mapValues { $0.map(\.1) }
    }

    func remove(_ run: RunID) throws { try tx.execute("DELETE FROM run_values WHERE tenant_id = \(tx.tenant) AND run_id = \(run)") }
}

extension Limits {
    package static let marksPerRun = 10
    /// Characters of a name and of a value.
    package static let markNameCharacters = 50
    package static let markValueCharacters = 512
}
