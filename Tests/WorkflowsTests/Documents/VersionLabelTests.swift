import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct VersionLabelTests {
    @Test(arguments: DatabaseEngine.allCases)
    func `a version has the name it was published with, and another one later`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (workflows, me) = (harness.workflows, harness.principal())
            let workflow = try await workflows.create(.hook(), by: me)
            _ = try await workflows.publish(workflow.id, note: "first", by: me)
            let second = try await workflows.publish(workflow.id, name: "Summer", note: "prices", by: me)
            #expect(second.name == "Summer" && second.note == "prices")
            let named = try await workflows.label(workflow.id, version: 1, name: "Spring", note: nil, by: me)
            #expect(named.name == "Spring" && named.note == nil)
            let all = try await workflows.versions(of: workflow.id, below: nil, limit: 10, by: me)
            #expect(all.map(\.name) == ["Summer", "Spring"] && all.map(\.note) == ["prices", nil])
            _ = try await workflows.label(workflow.id, version: 2, name: nil, note: "again", by: me)
            let again = try await workflows.versions(of: workflow.id, below: nil, limit: 1, by: me)
            #expect(again[0].name == nil && again[0].note == "again")
            #expect(try await harness.auditActions().filter { $0 == "workflow.label" }.count == 2)
            try await workflows.delete(workflow.id, by: me)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a version of another tenant, or that is not there, cannot be named`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (workflows, me) = (harness.workflows, harness.principal())
            let workflow = try await workflows.create(.hook(), by: me)
            _ = try await workflows.publish(workflow.id, by: me)
            await #expect(throws: Refusal.self) { try await workflows.label(workflow.id, version: 2, name: "x", note: nil, by: me) }
            await #expect(throws: Refusal.self) { try await workflows.label(workflow.id, version: .max, name: "x", note: nil, by: me) }
            let stranger = harness.principal(in: harness.lease.other)
            await #expect(throws: Refusal.self) { try await workflows.label(workflow.id, version: 1, name: "x", note: nil, by: stranger) }
            await #expect(throws: Refusal.self) {
                try await workflows.label(workflow.id, version: 1, name: "x", note: nil, by: harness.principal(.viewer))
            }
            let long = String(repeating: "x", count: 101)
            await #expect(throws: Refusal.self) { try await workflows.label(workflow.id, version: 1, name: long, note: nil, by: me) }
        }
    }
}
