package import Kernel
package import Persistence

/// Times that were set while the clock was ahead, and are as far away once it has been set back.
package struct FarTimeStore {
    let tx: SystemTransaction

    package init(tx: SystemTransaction) { self.tx = tx }

    /// Ends claims and waits that are longer than any is.
    /// - Parameter kinds: of timers that are always set to be due at once.
    /// - Returns: how many there were.
    package func bringNear(dueAtOnce kinds: [String]) throws -> Int {
        let now = tx.clock.now()
        let (far, free) = (now + TimerService.waitMaximum, Timestamp(microseconds: 0))
        var count = try tx.execute("UPDATE timers SET claimed_until = \(free) WHERE claimed_until > \(far)")
        for kind in kinds {
            count += try tx.execute("UPDATE timers SET due_at = \(now), rank = \(now) WHERE kind = \(kind) AND due_at > \(far)")
        }
        count += try tx.execute(
            "UPDATE outbox_deliveries SET due_at = \(now) WHERE state = \("pending") AND due_at > \(now + DeliveryStore.waitMaximum)")
        return count
    }

    /// Timers of a kind that are due later than a time, in the order of their tenants and subjects, those after another one.
    package func timers(_ kind: String, laterThan time: Timestamp, after last: Timer?, limit: Int) throws -> [Timer] {
        let tenant: TenantID = last?.tenant ?? TenantID(high: 0, low: 0)
        let subject: String = last?.subject ?? ""
        return try tx.all(
            """
            SELECT tenant_id, subject, due_at, payload, attempts FROM timers
            WHERE kind = \(kind) AND due_at > \(time) AND (tenant_id > \(tenant) OR (tenant_id = \(tenant) AND subject > \(subject)))
            ORDER BY tenant_id, subject LIMIT \(limit)
            """
        ) {
            Timer(
                tenant: try $0.column(0), kind: kind, subject: try $0.column(1), dueAt: try $0.column(2), payload: try $0.column(3),
                attempts: try $0.column(4))
        }
    }

    fileprivate func move(_ timer: Timer, to time: Timestamp, payload: String) throws -> Bool {
        try tx.execute(
            """
            UPDATE timers SET due_at = \(time), rank = \(time), payload = \(payload)
            WHERE tenant_id = \(timer.tenant) AND kind = \(timer.kind) AND subject = \(timer.subject) AND due_at = \(timer.dueAt)
            """) == 1
    }
}

extension TenantTransaction {
    /// Moves a timer that is as it was seen.
    /// - Returns: whether it was.
    package func moveTimer(_ timer: Timer, to time: Timestamp, payload: String) throws -> Bool {
        try FarTimeStore(tx: system).move(timer, to: time, payload: payload)
    }
}
