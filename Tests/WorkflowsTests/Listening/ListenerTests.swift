import Jobs
import Kernel
import NIOHTTP1
import Outbound
import Persistence
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// Published workflows that listen to a real server on loopback.
@Suite(.timeLimit(.minutes(3))) struct ListenerTests {
    private static let headers = [("Content-Type", "text/event-stream; charset=utf-8")]

    private static func document(_ url: String, _ concurrency: WorkflowSettings.Concurrency?) -> WorkflowDocument {
        WorkflowDocument(
            name: "Events",
            nodes: [
                WorkflowNode(
                    id: "e", category: .trigger, kind: "sse_trigger", name: "Events", config: ["url": .string(url)], connections: [.init(to: "n")]),
                WorkflowNode(id: "n", category: .action, kind: "no_op", name: "N")
            ], settings: WorkflowSettings(concurrency: concurrency))
    }

    private struct Rig {
        let harness: WorkflowHarness
        let workflow: WorkflowID
        let holders: [TimerHolder]

        /// The items that runs were started with, the oldest first.
        func started() async throws -> [JSON] {
            let lease = harness.lease
            return try await lease.database.read(in: lease.tenant) { tx in
                try RunStore(tx: tx).list(workflow: workflow, before: nil, limit: 50).reversed().flatMap { run in
                    try PayloadReader(tx: tx, run: run.id, blobs: lease.blobs).input(run).items().map { .object($0.json) }
                }
            }
        }

        /// What they are once there are so many, or after a while.
        func started(_ count: Int) async throws -> [JSON] {
            for _ in 0..<1_800 {
                let found = try await started()
                if found.count >= count { return found }
                try await Task.sleep(for: .milliseconds(50))
            }
            return try await started()
        }
    }

    /// - Parameter processes: how many share the database.
    private func with(
        _ engine: DatabaseEngine = .sqlite, processes: Int = 1, concurrency: WorkflowSettings.Concurrency? = nil,
        onStart: @escaping @Sendable (TenantTransaction, RunFacts) throws -> Void = { _, _ in },
        reply: @escaping @Sendable (_ number: Int, _ lastID: String?) -> TestServer.Reply, _ body: (Rig, TestServer) async throws -> Void
    ) async throws {
        let count = Mutex(0)
        let server = try await TestServer.start { request in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return reply(number, request.headers.first(name: "last-event-id"))
        }
        let outbound = try Outbound(policy: AddressPolicy(allowing: ["127.0.0.1:\(server.port)"]))
        try await WorkflowHarness.run(engine) { harness in
            let lease = harness.lease
            let document = Self.document("http://127.0.0.1:\(server.port)/events", concurrency)
            let workflow = try await harness.workflows.create(document, by: harness.principal())
            _ = try await harness.workflows.publish(workflow.id, by: harness.principal())
            var holders: [TimerHolder] = []
            for number in 1...processes {
                let worker = try await lease.database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "p\(number)", for: .seconds(3_600)) }
                var configuration = Engine.Configuration(
                    kinds: .builtIn, load: { _, _, _ in throw Refusal.missing("workflow") }, resolve: { _, _ in throw Refusal.missing("workflow") },
                    errorWorkflow: { _, _ in nil })
                configuration.onStart = onStart
                let engine = Engine(
                    database: lease.database, lease: worker, services: .plain, configuration: configuration, clock: lease.clock.clock, ids: lease.ids,
                    blobs: lease.blobs)
                let listener = Listener(engine: engine, workflows: harness.workflows) { [own = lease.tenant] request, tenant in
                    #expect(tenant == own, "names are looked up in the tenant's own places")
                    return try await outbound.send(request, for: tenant, isLasting: true)
                }
                holders.append(
                    TimerHolder(database: lease.database, clock: lease.clock.clock, logger: engine.logger, kind: Listener.timerKind) {
                        try await listener.listen($0)
                    })
            }
            let running = holders
            try await withThrowingTaskGroup(of: Void.self) { group in
                for holder in running { group.addTask { try await holder.run() } }
                try await body(Rig(harness: harness, workflow: workflow.id, holders: running), server)
                group.cancelAll()
            }
        }
        await outbound.shutdown()
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `each event starts one run, and after a break the server is asked for what came since`(engine: DatabaseEngine) async throws {
        try await with(
            engine,
            reply: { number, lastID in
                switch number {
                case 1:
                    let text = "retry: 1000\n\nid: 1\ndata: {\"n\":1}\n\nevent: ping\ndata: {\"n\":0}\n\nid: 2\ndata: plain\n\n: half\nid: 9\ndata: {"
                    return .stream(headers: Self.headers, Array(text.utf8), ends: true)
                case 2: return .answer(status: 503)
                default:
                    let text = "id: 2\ndata: plain\n\nid: 3\ndata: {\"last\":\"\(lastID ?? "none")\"}\n\n"
                    return .stream(headers: Self.headers, Array(text.utf8), ends: false)
                }
            }
        ) { rig, server in
            #expect(try await rig.started(3) == [["n": 1], ["data": "plain"], ["last": "2"]])
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await rig.started().count == 3)
            #expect(server.requests.map { $0.headers.first(name: "last-event-id") } == [nil, "2", "2"])
            #expect(server.requests[0].headers.first(name: "accept") == "text/event-stream")
        }
    }

    @Test func `of several processes one listens, and none once the workflow is taken down`() async throws {
        try await with(processes: 3, reply: { _, _ in .stream(headers: Self.headers, Array("data: {\"a\":1}\n\n".utf8), ends: false) }) {
            rig, server in
            #expect(try await rig.started(1) == [["a": 1]])
            try await Task.sleep(for: .seconds(3))
            #expect(server.requests.count == 1)
            _ = try await rig.harness.workflows.unpublish(rig.workflow, by: rig.harness.principal())
            try await Task.sleep(for: .seconds(6))
            #expect(try await rig.started().count == 1)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `events of a workflow that allows one run at once wait for their turn`() async throws {
        let text = "id: 1\ndata: {\"n\":1}\n\nid: 2\ndata: {\"n\":2}\n\n"
        try await with(concurrency: .init(limit: 1), reply: { _, _ in .stream(headers: Self.headers, Array(text.utf8), ends: false) }) { rig, _ in
            #expect(try await rig.started(2) == [["n": 1], ["n": 2]])
            let lease = rig.harness.lease
            let waiting = try await lease.database.read(in: lease.tenant) { tx in
                try tx.all("SELECT is_waiting FROM run_slots WHERE tenant_id = \(tx.tenant) ORDER BY run_id") { try $0.column(0, as: Bool.self) }
            }
            #expect(waiting == [false, true])
        }
    }

    @Test func `an event that may not start a run now is asked for again`() async throws {
        let isFull = Mutex(true)
        let onStart: @Sendable (TenantTransaction, RunFacts) throws -> Void = { _, _ in
            if isFull.withLock({ $0 }) { throw Refusal(.limitReached, "quota", "No more.") }
        }
        let reply: @Sendable (Int, String?) -> TestServer.Reply = { number, lastID in
            if number > 1 { isFull.withLock { $0 = false } }
            return .stream(headers: Self.headers, Array("retry: 1000\nid: x\ndata: {\"after\":\"\(lastID ?? "none")\"}\n\n".utf8), ends: false)
        }
        try await with(onStart: onStart, reply: reply) { rig, server in
            let started = try await rig.started(1)
            #expect(started == [["after": "none"]])
            #expect(server.requests.count == 2)
        }
    }

    @Test func `started by hand it gives the next event, or says why there is none`() async throws {
        let isPlain = Mutex(false)
        try await TestServer.with(reply: { _ in
            if isPlain.withLock({ $0 }) { return .answer(headers: [("Content-Type", "text/html")], body: Array("<p>".utf8)) }
            return .stream(headers: Self.headers, Array("event: a\ndata: 1\n\ndata: [1,2]\n\n".utf8), ends: false)
        }) { server in
            let outbound = try Outbound(policy: AddressPolicy(allowing: ["127.0.0.1:\(server.port)"]))
            var harness = KindsHarness()
            harness.network = { try await outbound.send($0) }
            let node = WorkflowNode.make("sse_trigger", 1, ["url": .string("http://127.0.0.1:\(server.port)/")])
            #expect(try await harness.node(node, inputs: [items([:])]) == [[["data": [1, 2]]]])
            isPlain.withLock { $0 = true }
            await #expect(throws: StepFailure.self) { try await harness.node(node, inputs: [items([:])]) }
            await #expect(throws: StepFailure.self) {
                try await harness.node(WorkflowNode.make("sse_trigger", 1, ["url": "nowhere"]), inputs: [items([:])])
            }
            await outbound.shutdown()
        }
    }
}
