import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Workflows

@Suite struct WorkflowCommentTests {
    private func other(_ harness: WorkflowHarness) -> Principal {
        Principal(
            actor: .user(UserID(high: 3, low: 4)), tenant: harness.lease.tenant, role: .viewer, permissions: WorkflowPermissions.granted(to: .viewer))
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a thread is begun, answered, resolved, and opened again by an answer`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (comments, ana, bea) = (WorkflowComments(workflows: harness.workflows), harness.principal(), other(harness))
            let workflow = try await harness.workflows.create(.hook(), by: ana)
            let first = try await comments.add("  Why twice?\n", to: workflow.id, node: "set", authorName: "ana", by: ana)
            #expect(first.text == "Why twice?" && first.node == "set" && first.isFirst)
            let answer = try await comments.add("It is not", to: workflow.id, node: "in", thread: first.id, authorName: "bea", by: bea)
            #expect(answer.node == "set" && answer.thread == first.id, "an answer is about what its thread is")
            let done = try await comments.setResolved(true, first.id, on: workflow.id, by: bea)
            #expect(done.resolvedBy == "user:\(UserID(high: 3, low: 4))")
            await #expect(throws: Refusal.self) { try await comments.setResolved(true, answer.id, on: workflow.id, by: bea) }
            _ = try await comments.add("Still", to: workflow.id, thread: first.id, authorName: "ana", by: ana)
            let all = try await comments.list(on: workflow.id, after: nil, limit: 10, by: bea)
            #expect(all.map(\.text) == ["Why twice?", "It is not", "Still"] && all[0].resolvedAt == nil)
            #expect(try await comments.list(on: workflow.id, after: all[0].id, limit: 1, by: bea).map(\.id) == [answer.id])
            let actions = try await harness.auditActions().filter { $0.hasPrefix("workflow_comment") }
            #expect(actions == Array(repeating: "workflow_comment.create", count: 2) + ["workflow_comment.resolve", "workflow_comment.create"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `only its author changes or deletes a comment, and one that was answered stays`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (comments, ana, bea) = (WorkflowComments(workflows: harness.workflows), harness.principal(), other(harness))
            let workflow = try await harness.workflows.create(.hook(), by: ana)
            let first = try await comments.add("One", to: workflow.id, authorName: "ana", by: ana)
            await #expect { try await comments.edit(first.id, on: workflow.id, text: "Two", by: bea) } throws: {
                ($0 as? Refusal)?.code == "not_yours"
            }
            await #expect { try await comments.delete(first.id, on: workflow.id, by: bea) } throws: { ($0 as? Refusal)?.code == "not_yours" }
            #expect(try await comments.edit(first.id, on: workflow.id, text: "Two", by: ana).editedAt != nil)
            let answer = try await comments.add("Yes", to: workflow.id, thread: first.id, authorName: "bea", by: bea)
            await #expect { try await comments.delete(first.id, on: workflow.id, by: ana) } throws: { ($0 as? Refusal)?.code == "has_answers" }
            try await comments.delete(answer.id, on: workflow.id, by: bea)
            try await comments.delete(first.id, on: workflow.id, by: ana)
            #expect(try await comments.list(on: workflow.id, after: nil, limit: 10, by: bea).isEmpty)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `members who are named are told by an event, and nobody else`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (comments, ana) = (WorkflowComments(workflows: harness.workflows), harness.principal())
            let workflow = try await harness.workflows.create(.hook("Orders"), by: ana)
            _ = try await comments.add("Nobody", to: workflow.id, authorName: "ana", by: ana)
            #expect(try await !harness.eventNames().contains("workflow.mentioned"))
            _ = try await comments.add("@bea", to: workflow.id, mentions: [UserID(high: 3, low: 4)], authorName: "ana", by: ana)
            #expect(try await harness.eventNames().filter { $0 == "workflow.mentioned" }.count == 1)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `comments go with their workflow, and are in no export of it`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (comments, ana) = (WorkflowComments(workflows: harness.workflows), harness.principal())
            let workflow = try await harness.workflows.create(.hook(), by: ana)
            _ = try await comments.add("Between us", to: workflow.id, node: "set", authorName: "ana", by: ana)
            #expect(try await !harness.workflows.exportN8n(workflow.id, by: ana).serialized.contains("Between us"))
            try await harness.workflows.delete(workflow.id, by: ana)
            let left = try await harness.lease.database.read(in: harness.lease.tenant) { tx in try WorkflowCommentStore(tx: tx).count(on: workflow.id)
            }
            #expect(left == 0)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `another tenant finds nothing, and what cannot be a comment is refused`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (comments, ana) = (WorkflowComments(workflows: harness.workflows), harness.principal())
            let stranger = harness.principal(in: harness.lease.other)
            let workflow = try await harness.workflows.create(.hook(), by: ana)
            let first = try await comments.add("Ours", to: workflow.id, authorName: "ana", by: ana)
            await #expect(throws: Refusal.self) { try await comments.list(on: workflow.id, after: nil, limit: 10, by: stranger) }
            await #expect(throws: Refusal.self) { try await comments.add("x", to: workflow.id, authorName: "z", by: stranger) }
            await #expect(throws: Refusal.self) { try await comments.delete(first.id, on: workflow.id, by: stranger) }
            await #expect(throws: Refusal.self) { try await comments.setResolved(true, first.id, on: workflow.id, by: stranger) }
            for text in ["", "  \n ", String(repeating: "x", count: 4_001)] {
                await #expect(throws: Refusal.self) { try await comments.add(text, to: workflow.id, authorName: "ana", by: ana) }
            }
            await #expect { try await comments.add("x", to: workflow.id, node: "gone", authorName: "ana", by: ana) } throws: {
                ($0 as? Refusal)?.code == "invalid" || ($0 as? Refusal)?.code == "unknown_node"
            }
            let billing = Principal(
                actor: .user(UserID(high: 5, low: 6)), tenant: harness.lease.tenant, role: .billing,
                permissions: WorkflowPermissions.granted(to: .billing))
            await #expect(throws: Refusal.self) { try await comments.add("x", to: workflow.id, authorName: "b", by: billing) }
        }
    }
}
