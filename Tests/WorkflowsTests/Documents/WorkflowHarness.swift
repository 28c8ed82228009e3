import Jobs
import Kernel
import Outbound
import Persistence
import Synchronization
import Tenancy
import TestKit

@testable import Workflows

/// The verbs over a database of a test's own, with the limits and the audit log of Tenancy.
struct WorkflowHarness {
    let lease: DatabaseLease
    let workflows: Workflows
    let credentials: Credentials
    let variables: Variables
    /// Requests that were sent, and what they are answered with.
    let outside: Outside

    final class Outside: Sendable {
        private let state = Mutex<(sent: [OutboundRequest], status: Int, body: String)>(([], 200, ""))
        var sent: [OutboundRequest] { state.withLock { $0.sent } }
        func answer(with status: Int, body: String = "") { state.withLock { ($0.status, $0.body) = (status, body) } }
        func send(_ request: OutboundRequest) throws -> OutboundResponse {
            let (status, body) = state.withLock { state in
                state.sent.append(request)
                return (state.status, state.body)
            }
            if status == 0 { throw OutboundError(.unreachable, "nobody answers") }
            return OutboundResponse(status: status, body: Array(body.utf8), url: request.url)
        }
    }

    static func run(
        _ engine: DatabaseEngine, expressionFault: @escaping @Sendable (String) -> String? = { _ in nil },
        _ body: (WorkflowHarness) async throws -> Void
    ) async throws {
        let tables =
            TenancyModule.tables + WorkflowTables.all + WorkflowTables.dataTables + WorkflowTables.trials + WorkflowTables.comments
            + WorkflowTables.labels + WorkflowTables.organising + WorkflowTables.disk
            + JobsModule.tables + RunTables.all
        let migrations = JobsModule.migrations + TenancyModule.migrations + RunTables.migrations
        try await withDatabase(engine, tables: tables, migrations: migrations + WorkflowTables.migrations) { lease in
            let outside = Outside()
            let policies = TenantPolicies.tenancy { _ in "UTC" }
            let harness = WorkflowHarness(
                lease: lease,
                workflows: Workflows(
                    database: lease.database, kinds: .builtIn, policies: policies, clock: lease.clock.clock, expressionFault: expressionFault),
                credentials: Credentials(database: lease.database, vault: lease.vault, ids: lease.ids, policies: policies) { request, _ in
                    try outside.send(request)
                }, variables: Variables(database: lease.database, policies: policies), outside: outside)
            try await harness.plan(workflows: nil)
            try await body(harness)
        }
    }

    /// Makes the tenant's row, so that its plan can be read.
    func plan(workflows: Int?) async throws {
        let tenant = lease.tenant
        let other = lease.other
        try await lease.database.writeDirectory { tx in
            for (index, id) in [tenant, other].enumerated() {
                try tx.execute(
                    """
                    INSERT INTO tenants (id, subdomain, name, plan, status, features, time_zone, limit_workflows, created_at)
                    VALUES (\(id), \("t\(index)"), \("T"), \("custom"), \("active"), \(""), \("UTC"), \(workflows), \(tx.clock.now()))
                    ON CONFLICT (id) DO UPDATE SET limit_workflows = excluded.limit_workflows
                    """)
            }
        }
    }

    func principal(_ role: Role = .owner, in tenant: TenantID? = nil) -> Principal {
        Principal(
            actor: .user(UserID(high: 1, low: 2)), tenant: tenant ?? lease.tenant, role: role, permissions: WorkflowPermissions.granted(to: role))
    }

    func auditActions() async throws -> [String] {
        try await lease.database.read(in: lease.tenant) { tx in
            try tx.all("SELECT action FROM audit_log WHERE tenant_id = \(tx.tenant) ORDER BY id") { try $0.column(0) }
        }
    }

    func eventNames() async throws -> [String] {
        try await lease.database.readSystem { tx in try tx.all("SELECT name FROM outbox_events ORDER BY id") { try $0.column(0) } }
    }
}

extension WorkflowDocument {
    /// Webhook → set, and a schedule.
    static func hook(_ name: String = "Hook", path: String = "orders", method: String = "POST") -> WorkflowDocument {
        WorkflowDocument(
            name: name,
            nodes: [
                WorkflowNode(
                    id: "in", category: .trigger, kind: "webhook", kindVersion: 2, name: "In",
                    config: ["path": .string(path), "httpMethod": .string(method)],
                    connections: [.init(to: "set")]),
                WorkflowNode(id: "set", category: .action, kind: "set", kindVersion: 3.4, name: "Set"),
                WorkflowNode(
                    id: "daily", category: .trigger, kind: "schedule", kindVersion: 1.2, name: "Daily",
                    config: ["rule": ["interval": [["field": "days", "triggerAtHour": 6]]]], connections: [.init(to: "set")])
            ])
    }
}
