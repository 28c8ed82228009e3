package import Kernel
package import Persistence

/// What starts published workflows: paths for requests, and slots for schedules. Written by publication, replaced as a whole.
package struct TriggerStore {
    let tx: TenantTransaction

    package init(tx: TenantTransaction) { self.tx = tx }

    /// `pattern` is the path with each `:name` segment as `:`, so that two patterns that match the same paths clash.
    static let webhooks = Table(
        "workflow_webhooks", .tenant, primaryKey: ["method", "pattern"],
        columns: [
            Column("method", .text), Column("pattern", .text), Column("path", .text), Column("workflow_id", .uuid), Column("version", .integer),
            Column("node_id", .text), Column("segment_count", .integer), Column("has_parameters", .boolean)
        ],
        indexes: [
            Index("workflow_webhooks_workflow", on: ["tenant_id", "workflow_id"]),
            Index("workflow_webhooks_segments", on: ["tenant_id", "method", "segment_count", "has_parameters"])
        ],
        foreignKeys: [
            ForeignKey(["tenant_id", "workflow_id"], references: "workflows", ["tenant_id", "id"], onDelete: .cascade)
        ])

    /// Of all tenants, since one scheduler serves them all.
    static let schedules = Table(
        "workflow_schedules", .system, primaryKey: ["tenant_id", "workflow_id", "node_id"],
        columns: [
            Column("tenant_id", .uuid), Column("workflow_id", .uuid), Column("node_id", .text), Column("version", .integer),
            Column("next_due", .timestamp)
        ],
        indexes: [Index("workflow_schedules_due", on: ["next_due"])])

    /// - Returns: the workflow that has the path already, where one has.
    func insert(_ route: WebhookRoute, of workflow: WorkflowID, version: Int, node: String) throws -> WorkflowID? {
        let owner: WorkflowID? = try tx.first(
            """
            SELECT workflow_id FROM workflow_webhooks
            WHERE tenant_id = \(tx.tenant) AND method = \(route.method) AND pattern = \(route.pattern)
            """
        ) { try $0.column(0) }
        if let owner { return owner }
        try tx.execute(
            """
            INSERT INTO workflow_webhooks (tenant_id, method, pattern, path, workflow_id, version, node_id, segment_count, has_parameters)
            VALUES (\(tx.tenant), \(route.method), \(route.pattern), \(route.path), \(workflow), \(version), \(node),
                \(route.segments.count), \(route.hasParameters))
            """)
        return nil
    }

    func insert(slot: Timestamp, of workflow: WorkflowID, version: Int, node: String) throws {
        try tx.system.execute(
            """
            INSERT INTO workflow_schedules (tenant_id, workflow_id, node_id, version, next_due)
            VALUES (\(tx.tenant.id), \(workflow), \(node), \(version), \(slot))
            """)
    }

    /// Slots of a workflow that have come and were not fired yet, by node id.
    func dueSlots(of workflow: WorkflowID, at now: Timestamp) throws -> [String: Timestamp] {
        let slots = try tx.system.all(
            """
            SELECT node_id, next_due FROM workflow_schedules
            WHERE tenant_id = \(tx.tenant.id) AND workflow_id = \(workflow) AND next_due <= \(now)
            """
        ) { (try $0.column(0, as: String.self), try $0.column(1, as: Timestamp.self)) }
        return Dictionary(slots, uniquingKeysWith: { first, _ in first })
    }

    /// The routes that start a workflow, by path.
    func routes(of workflow: WorkflowID) throws -> [WebhookRoute] {
        try tx.all(
            """
            SELECT method, path FROM workflow_webhooks WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) ORDER BY path, method
            """
        ) { WebhookRoute(method: try $0.column(0), path: try $0.column(1)) }
    }

    func removeAll(of workflow: WorkflowID) throws {
        try tx.execute("DELETE FROM workflow_webhooks WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow)")
        try tx.system.execute("DELETE FROM workflow_schedules WHERE tenant_id = \(tx.tenant.id) AND workflow_id = \(workflow)")
    }

    /// The node that a request starts: an exact path first, then patterns, those with more fixed segments in front first.
    package func target(method: String, path: String) throws -> WebhookTarget? {
        let segments = WebhookRoute.segments(of: path)
        let exact = segments.joined(separator: "/")
        let found = try tx.first(
            """
            SELECT workflow_id, version, node_id FROM workflow_webhooks
            WHERE tenant_id = \(tx.tenant) AND method = \(method) AND pattern = \(exact) AND has_parameters = \(false)
            """
        ) { WebhookTarget(workflow: try $0.column(0), version: try $0.column(1), node: try $0.column(2), parameters: [:]) }
        if let found { return found }
        let patterns = try tx.all(
            """
            SELECT path, workflow_id, version, node_id FROM workflow_webhooks
            WHERE tenant_id = \(tx.tenant) AND method = \(method) AND segment_count = \(segments.count) AND has_parameters = \(true)
            ORDER BY pattern DESC LIMIT \(Limits.webhookPatterns)
            """)
        for row in patterns {
            guard let parameters = WebhookRoute(method: method, path: try row.column(0)).parameters(of: segments) else { continue }
            return WebhookTarget(workflow: try row.column(1), version: try row.column(2), node: try row.column(3), parameters: parameters)
        }
        return nil
    }

    /// The methods that some workflow answers at a path, to tell 405 from 404.
    package func methods(path: String) throws -> [String] {
        try WebhookRoute.methods.filter { try target(method: $0, path: path) != nil }
    }

    /// Moves a schedule on from a slot, in the transaction that starts its run.
    /// - Returns: false where another scheduler took the slot, or the workflow was published anew.
    package func advance(_ due: DueSchedule, to next: Timestamp?) throws -> Bool {
        guard let next else {
            return try tx.system.execute(
                """
                DELETE FROM workflow_schedules WHERE tenant_id = \(tx.tenant.id) AND workflow_id = \(due.workflow) AND node_id = \(due.node)
                    AND version = \(due.version) AND next_due = \(due.slot)
                """) == 1
        }
        return try tx.system.execute(
            """
            UPDATE workflow_schedules SET next_due = \(next)
            WHERE tenant_id = \(tx.tenant.id) AND workflow_id = \(due.workflow) AND node_id = \(due.node) AND version = \(due.version)
                AND next_due = \(due.slot)
            """) == 1
    }
}

extension SystemTransaction {
    /// Schedules whose slot has come: of each tenant the oldest slot first, and the tenants in turn.
    /// - Parameter without: tenants whose schedules are left alone.
    package func dueSchedules(at now: Timestamp, limit: Int, without tenants: [TenantID] = []) throws -> [DueSchedule] {
        try all(
            """
            SELECT tenant_id, workflow_id, version, node_id, next_due FROM (
                SELECT tenant_id, workflow_id, version, node_id, next_due,
                    row_number() OVER (PARTITION BY tenant_id ORDER BY next_due, workflow_id) AS place
                FROM workflow_schedules WHERE next_due <= \(now) AND tenant_id NOT IN \(list: tenants + [Self.nobody])) AS due
            ORDER BY place, next_due LIMIT \(limit)
            """
        ) {
            DueSchedule(
                tenant: try $0.column(0), workflow: try $0.column(1), version: try $0.column(2), node: try $0.column(3), slot: try $0.column(4))
        }
    }

    /// When the next schedule of any tenant is due.
    package func nextSchedule(without tenants: [TenantID] = []) throws -> Timestamp? {
        try first(
            "SELECT next_due FROM workflow_schedules WHERE tenant_id NOT IN \(list: tenants + [Self.nobody]) ORDER BY next_due LIMIT 1"
        ) { try $0.column(0) }
    }

    /// Schedules whose slot is later than a time, in the order of their keys, those after another one.
    func laterSchedules(than time: Timestamp, after last: DueSchedule?, limit: Int) throws -> [DueSchedule] {
        let tenant: TenantID = last?.tenant ?? Self.nobody
        let workflow: WorkflowID = last?.workflow ?? WorkflowID(high: 0, low: 0)
        let node: String = last?.node ?? ""
        return try all(
            """
            SELECT tenant_id, workflow_id, version, node_id, next_due FROM workflow_schedules
            WHERE next_due > \(time) AND (tenant_id > \(tenant) OR (tenant_id = \(tenant)
                AND (workflow_id > \(workflow) OR (workflow_id = \(workflow) AND node_id > \(node)))))
            ORDER BY tenant_id, workflow_id, node_id LIMIT \(limit)
            """
        ) {
            DueSchedule(
                tenant: try $0.column(0), workflow: try $0.column(1), version: try $0.column(2), node: try $0.column(3), slot: try $0.column(4))
        }
    }

    /// No tenant has this id; a list must not be empty.
    private static var nobody: TenantID { TenantID(high: 0, low: 0) }
}

extension Limits {
    /// Patterns of one method and length that a request is compared with.
    static let webhookPatterns = 200
}
