import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct VariablesTests {
    @Test(arguments: DatabaseEngine.allCases) func `variables are set, replaced, read by runs and deleted`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            _ = try await harness.variables.set("BASE_URL", to: "https://a", by: me)
            _ = try await harness.variables.set("BASE_URL", to: "https://b", by: me)
            _ = try await harness.variables.set("a1", to: "", by: me)
            #expect(try await harness.variables.values(of: harness.lease.tenant) == ["BASE_URL": "https://b", "a1": ""])
            #expect(try await harness.variables.values(of: harness.lease.other) == [:])
            try await harness.variables.delete("a1", by: me)
            #expect(try await harness.variables.list(by: me).map(\.name) == ["BASE_URL"])
            await #expect(throws: Refusal.self) { try await harness.variables.delete("a1", by: me) }
        }
    }

    @Test(arguments: ["", "1a", "a-b", "ä", String(repeating: "x", count: 61)]) func `a bad name is refused`(_ name: String) async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let refusal = await #expect(throws: Refusal.self) { try await harness.variables.set(name, to: "x", by: harness.principal()) }
            #expect(refusal?.code == "bad_name")
        }
    }

    @Test func `a viewer reads variables and sets none`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let viewer = harness.principal(.viewer)
            let seen = try await harness.variables.list(by: viewer)
            #expect(seen == [])
            await #expect(throws: Refusal.self) { try await harness.variables.set("A", to: "x", by: viewer) }
        }
    }
}
