internal import Jobs
internal import Kernel
internal import Persistence

/// All SQL of the places of runs whose workflow allows only so many at once. Ids are in the order of the starts.
struct SlotStore {
    let tx: TenantTransaction

    /// What a run is counted by.
    struct Place: Sendable, Hashable {
        var workflow: WorkflowID
        var key: String
        var allowed: Int
    }

    func count(_ place: Place) throws -> Int {
        try tx.first(
            """
            SELECT count(*) FROM run_slots
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(place.workflow) AND slot_key = \(place.key) AND is_waiting = \(false)
            """
        ) { try $0.column(0) } ?? 0
    }

    func enter(_ run: RunID, _ place: Place, isWaiting: Bool) throws {
        try tx.execute(
            """
            INSERT INTO run_slots (tenant_id, run_id, workflow_id, slot_key, allowed, is_waiting)
            VALUES (\(tx.tenant), \(run), \(place.workflow), \(place.key), \(place.allowed), \(isWaiting))
            """)
    }

    func isWaiting(_ run: RunID) throws -> Bool {
        try tx.first("SELECT 1 FROM run_slots WHERE tenant_id = \(tx.tenant) AND run_id = \(run) AND is_waiting = \(true)") != nil
    }

    /// All that came before the newest `allowed`.
    func superseded(_ place: Place) throws -> [RunID] {
        let runs = try tx.all(
            """
            SELECT run_id FROM run_slots WHERE tenant_id = \(tx.tenant) AND workflow_id = \(place.workflow) AND slot_key = \(place.key)
            ORDER BY run_id DESC LIMIT \(place.allowed + Limits.concurrency.upperBound)
            """
        ) { try $0.column(0, as: RunID.self) }
        return Array(runs.dropFirst(place.allowed))
    }

    private func place(of run: RunID) throws -> Place? {
        try tx.first(
            "SELECT workflow_id, slot_key, allowed FROM run_slots WHERE tenant_id = \(tx.tenant) AND run_id = \(run)"
        ) { Place(workflow: try $0.column(0), key: try $0.column(1), allowed: try $0.column(2)) }
    }

    /// Whether there are as many newer runs of the same version as it allows at once.
    func isSuperseded(_ run: RunID, version: Int) throws -> Bool {
        guard let place = try place(of: run) else { return false }
        let newer = try tx.all(
            """
            SELECT run_slots.run_id FROM run_slots JOIN runs ON runs.id = run_slots.run_id
            WHERE run_slots.tenant_id = \(tx.tenant) AND run_slots.workflow_id = \(place.workflow) AND run_slots.slot_key = \(place.key)
                AND run_slots.run_id > \(run) AND runs.tenant_id = \(tx.tenant) AND runs.version = \(version)
            ORDER BY run_slots.run_id LIMIT \(place.allowed)
            """)
        return newer.count >= place.allowed
    }

    /// Gives a place back and lets the one that has waited longest have it.
    func leave(_ run: RunID) throws {
        guard let place = try place(of: run) else { return }
        try tx.execute("DELETE FROM run_slots WHERE tenant_id = \(tx.tenant) AND run_id = \(run)")
        let free = place.allowed - (try count(place))
        guard free > 0 else { return }
        let next = try tx.all(
            """
            SELECT run_id FROM run_slots
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(place.workflow) AND slot_key = \(place.key) AND is_waiting = \(true)
            ORDER BY run_id LIMIT \(free)
            """
        ) { try $0.column(0, as: RunID.self) }
        for run in next {
            try tx.execute("UPDATE run_slots SET is_waiting = \(false) WHERE tenant_id = \(tx.tenant) AND run_id = \(run)")
            // Of those that wait only one that is superseded has a timer.
            guard try !tx.hasTimer(kind: Engine.timerKind, subject: run.description) else { continue }
            try tx.setTimer(kind: Engine.timerKind, subject: run.description, dueAt: tx.clock.now())
        }
    }
}
