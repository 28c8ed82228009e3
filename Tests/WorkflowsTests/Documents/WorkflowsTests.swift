import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct WorkflowsTests {
    @Test(arguments: DatabaseEngine.allCases) func `a draft is created, changed and read back, and told in audit and events`(_ engine: DatabaseEngine)
        async throws
    {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let made = try await harness.workflows.create(.hook(), by: me)
            #expect(made.draftRevision == 1 && made.publishedVersion == nil && made.name == "Hook")
            var document = WorkflowDocument.hook("Renamed")
            document.origin = ["format": "x"]
            let saved = try await harness.workflows.update(made.id, draft: document, expecting: 1, by: me)
            #expect(saved.draftRevision == 2)
            let (workflow, draft) = try await harness.workflows.workflow(made.id, by: me)
            #expect(workflow == saved && workflow.name == "Renamed" && draft == document)
            #expect(try await harness.auditActions() == ["workflow.create", "workflow.update"])
            #expect(try await harness.eventNames() == ["workflow.created"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `saving over someone else's change is a conflict`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let made = try await harness.workflows.create(.hook(), by: me)
            _ = try await harness.workflows.update(made.id, draft: .hook("A"), expecting: 1, by: me)
            let refusal = await #expect(throws: Refusal.self) {
                try await harness.workflows.update(made.id, draft: .hook("B"), expecting: 1, by: me)
            }
            #expect(refusal?.kind == .conflict && refusal?.code == "revision_conflict" && refusal?.arguments["current"] == "2")
            #expect(try await harness.workflows.workflow(made.id, by: me).workflow.name == "A")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `publishing numbers versions and replaces the triggers`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let made = try await harness.workflows.create(.hook(), by: me)
            let first = try await harness.workflows.publish(made.id, note: "first", by: me)
            #expect(first.number == 1 && first.note == "first" && first.publishedBy.hasPrefix("user:"))
            #expect(try await target(harness, "POST", "/orders/") == WebhookTarget(workflow: made.id, version: 1, node: "in", parameters: [:]))

            _ = try await harness.workflows.update(made.id, draft: .hook(path: "orders/:id/lines"), expecting: 1, by: me)
            let second = try await harness.workflows.publish(made.id, by: me)
            #expect(second.number == 2)
            #expect(try await target(harness, "POST", "orders") == nil)
            #expect(try await target(harness, "GET", "orders/7/lines") == nil)
            #expect(try await target(harness, "POST", "orders/7/lines")?.parameters == ["id": "7"])
            #expect(try await harness.workflows.document(of: made.id, version: 1, by: me) == .hook())
            let versions = try await harness.workflows.versions(of: made.id, below: nil, limit: 10, by: me)
            #expect(versions.map(\.number) == [2, 1])
            #expect(try await harness.workflows.webhooks(of: made.id, by: me) == [WebhookRoute(method: "POST", path: "orders/:id/lines")])
            #expect(try await harness.workflows.names(of: [made.id, harness.lease.ids.next()], by: me) == [made.id: "Hook"])
            #expect(try await harness.workflows.names(of: [made.id], by: harness.principal(in: harness.lease.other)) == [:])

            let stopped = try await harness.workflows.unpublish(made.id, by: me)
            #expect(stopped.publishedVersion == nil && stopped.lastVersion == 2)
            #expect(try await target(harness, "POST", "orders/7/lines") == nil)
            let again = try await harness.workflows.publish(made.id, by: me)
            #expect(again.number == 3)
        }
    }

    func target(_ harness: WorkflowHarness, _ method: String, _ path: String) async throws -> WebhookTarget? {
        try await harness.lease.database.read(in: harness.lease.tenant) { tx in try TriggerStore(tx: tx).target(method: method, path: path) }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a path belongs to one workflow of a tenant`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let first = try await harness.workflows.create(.hook(path: "a/:x"), by: me)
            _ = try await harness.workflows.publish(first.id, by: me)
            let second = try await harness.workflows.create(.hook("Second", path: "/a/:other"), by: me)
            let refusal = await #expect(throws: Refusal.self) { try await harness.workflows.publish(second.id, by: me) }
            #expect(refusal?.code == "webhook_taken" && refusal?.faults.map(\.field) == ["nodes[0].config.path"])
            #expect(try await harness.workflows.workflow(second.id, by: me).workflow.lastVersion == 0, "nothing is half published")
            let elsewhere = harness.principal(in: harness.lease.other)
            let theirs = try await harness.workflows.create(.hook(path: "a/:x"), by: elsewhere)
            _ = try await harness.workflows.publish(theirs.id, by: elsewhere)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `where a stranger's account is taken over, nothing that the tenant has published starts any more`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (workflows, me) = (harness.workflows, harness.principal())
            let first = try await workflows.create(.hook(path: "a"), by: me)
            let second = try await workflows.create(.hook("Second", path: "b"), by: me)
            _ = try await workflows.create(.hook("Draft", path: "c"), by: me)
            for id in [first.id, second.id] { _ = try await workflows.publish(id, by: me) }
            let elsewhere = harness.principal(in: harness.lease.other)
            let theirs = try await workflows.create(.hook(path: "a"), by: elsewhere)
            _ = try await workflows.publish(theirs.id, by: elsewhere)
            let tenant = harness.lease.tenant
            for expected in [2, 0] {
                let count = try await harness.lease.database.writeDirectory { tx in
                    try workflows.unpublishAll(in: tx.tenant(tenant), by: .system(in: tenant))
                }
                #expect(count == expected)
            }
            for path in ["a", "b"] { #expect(try await target(harness, "POST", path) == nil) }
            for id in [first.id, second.id] { #expect(try await workflows.workflow(id, by: me).workflow.publishedVersion == nil) }
            #expect(try await workflows.workflow(theirs.id, by: elsewhere).workflow.publishedVersion == 1)
            #expect(try await harness.auditActions().count { $0 == "workflow.unpublish" } == 2)
            #expect(try await harness.eventNames().count { $0 == WorkflowEvents.Unpublished.name } == 2)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `an exact path goes before a pattern`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let pattern = try await harness.workflows.create(.hook("P", path: "a/:x"), by: me)
            let exact = try await harness.workflows.create(.hook("E", path: "a/b"), by: me)
            _ = try await harness.workflows.publish(pattern.id, by: me)
            _ = try await harness.workflows.publish(exact.id, by: me)
            #expect(try await target(harness, "POST", "a/b")?.workflow == exact.id)
            #expect(try await target(harness, "POST", "a/c")?.workflow == pattern.id)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a schedule's slot is taken once`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let made = try await harness.workflows.create(.hook(), by: me)
            _ = try await harness.workflows.publish(made.id, by: me)
            let database = harness.lease.database
            let now = harness.lease.clock.now
            #expect(try await database.readSystem { tx in try tx.dueSchedules(at: now, limit: 10) } == [])
            let slot = try #require(try await database.readSystem { tx in try tx.nextSchedule() })
            #expect(slot.description == "2026-01-01T06:00:00.000000Z")
            let due = try await database.readSystem { tx in try tx.dueSchedules(at: slot, limit: 10) }
            #expect(due == [DueSchedule(tenant: harness.lease.tenant, workflow: made.id, version: 1, node: "daily", slot: slot)])
            let next = slot + .seconds(86_400)
            #expect(try await database.write(in: harness.lease.tenant) { tx in try TriggerStore(tx: tx).advance(due[0], to: next) })
            #expect(try await !database.write(in: harness.lease.tenant) { tx in try TriggerStore(tx: tx).advance(due[0], to: next) })
            #expect(try await database.readSystem { tx in try tx.nextSchedule() } == next)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `the plan's limit holds, and archiving or deleting makes room`(_ engine: DatabaseEngine)
        async throws
    {
        try await WorkflowHarness.run(engine) { harness in
            try await harness.plan(workflows: 2)
            let me = harness.principal()
            let first = try await harness.workflows.create(.hook(), by: me)
            let second = try await harness.workflows.create(.hook(), by: me)
            let refusal = await #expect(throws: Refusal.self) { try await harness.workflows.create(.hook(), by: me) }
            #expect(refusal?.code == "limit_reached")
            _ = try await harness.workflows.archive(first.id, by: me)
            #expect(try await harness.workflows.list(.archived, before: nil, limit: 10, by: me).map(\.id) == [first.id])
            try await harness.workflows.delete(second.id, by: me)
            _ = try await harness.workflows.restore(first.id, by: me)
            let third = try await harness.workflows.create(.hook(), by: me)
            #expect(try await harness.workflows.list(before: nil, limit: 10, by: me).map(\.id) == [third.id, first.id])
            #expect(try await harness.workflows.list(before: third.id, limit: 10, by: me).map(\.id) == [first.id])
            await #expect(throws: Refusal.self) { try await harness.workflows.create(.hook(), by: me) }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `who may not is refused, and another tenant sees nothing`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let made = try await harness.workflows.create(.hook(), by: harness.principal())
            let viewer = harness.principal(.viewer)
            await #expect(throws: Refusal.self) { try await harness.workflows.create(.hook(), by: viewer) }
            await #expect(throws: Refusal.self) { try await harness.workflows.publish(made.id, by: viewer) }
            await #expect(throws: Refusal.self) { try await harness.workflows.delete(made.id, by: viewer) }
            #expect(try await harness.workflows.workflow(made.id, by: viewer).workflow.id == made.id)
            let stranger = harness.principal(in: harness.lease.other)
            let refusal = await #expect(throws: Refusal.self) { try await harness.workflows.workflow(made.id, by: stranger) }
            #expect(refusal?.kind == .missing)
            await #expect(throws: Refusal.self) { try await harness.workflows.publish(made.id, by: stranger) }
            #expect(try await harness.workflows.list(before: nil, limit: 10, by: stranger) == [])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `an unfinished workflow is saved and not published`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            var document = WorkflowDocument.hook()
            document.nodes[1].kind = "n8n:nowhere.known"
            let made = try await harness.workflows.create(document, by: me)
            let refusal = await #expect(throws: Refusal.self) { try await harness.workflows.publish(made.id, by: me) }
            #expect(refusal?.code == "invalid_workflow" && refusal?.faults.map(\.code) == ["unknown_kind"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `an import is published where it can be, with the tenant's own credentials`(
        _ engine: DatabaseEngine
    ) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let key = try await harness.credentials.create(
                type: "httpHeaderAuth", name: "Shop", fields: ["name": "X-Key", "value": "s"], by: me)
            let json: JSON = [
                "name": "N", "settings": ["executionOrder": "v1"],
                "nodes": [
                    [
                        "id": "1", "name": "In", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0], "parameters": ["path": "n"],
                        "credentials": ["httpHeaderAuth": ["id": "9", "name": "Shop"]]
                    ],
                    ["id": "2", "name": "Set", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "position": [1, 1], "parameters": [:]]
                ], "connections": ["In": ["main": [[["node": "Set", "type": "main", "index": 0]]]]]
            ]
            let done = try await harness.workflows.importN8n(json, publish: true, by: me)
            #expect(done.version?.number == 1 && done.workflow.publishedVersion == 1 && done.faults.isEmpty)
            #expect(done.report.runsWholly && done.report.credentials.isEmpty)
            let draft = try await harness.workflows.workflow(done.workflow.id, by: me).draft
            #expect(draft.nodes[0].credentials["httpHeaderAuth"]?.id == key.id.description)
            #expect(try await harness.workflows.exportN8n(done.workflow.id, by: me) == json)

            let clash = try await harness.workflows.importN8n(json, publish: true, by: me)
            #expect(clash.version == nil && clash.faults.map(\.code) == ["webhook_taken"] && clash.workflow.publishedVersion == nil)
        }
    }
}
