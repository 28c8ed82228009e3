import HTTPSurface
import Kernel
import Notifications
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite(.timeLimit(.minutes(4))) struct LiveRoutesTests {
    @Test func `who watches many things hears of those that are there and theirs to see`() async throws {
        try await FormRig.run { rig in
            let (harness, lease) = (rig.harness, rig.harness.lease)
            let principal = harness.principal()
            let executions = Executions(
                database: lease.database, engine: rig.engine, workflows: harness.workflows, blobs: lease.blobs, timeZone: { _ in "UTC" })
            let routes = LiveRoutes(workflows: harness.workflows, executions: executions, live: LiveEvents())
            #expect(EndpointAudit.faults(in: routes.endpoints, permissions: WorkflowPermissions.all) == [])
            let mine = try await harness.workflows.create(.hook("Mine", path: "mine"), by: principal).id
            let theirs = try await harness.workflows.create(.hook("Theirs", path: "theirs"), by: harness.principal(in: lease.other)).id
            let id = try await rig.publish([WorkflowNode(id: "in", category: .trigger, kind: "manual", name: "In")])
            let run = try await executions.start(id, items: [], idempotencyKey: nil, by: principal).run
            let none: RunID = lease.ids.next()
            let asked = "workflow:\(mine),workflow:\(theirs),run:\(run),run:\(none),run:x,other:\(mine),,"
            while rig.engine.liveRuns > 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await routes.topics(of: asked, by: principal) == ["run:\(run)", "workflow:\(mine)"])
            var blind = principal
            blind.permissions.remove(.executionsRead)
            #expect(try await routes.topics(of: asked, by: blind) == ["workflow:\(mine)"])
            #expect(try await routes.topics(of: asked, by: harness.principal(in: lease.other)) == ["workflow:\(theirs)"])
        }
    }
}
