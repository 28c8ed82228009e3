import Jobs
import Kernel
import Outbound
import Persistence
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// HTTP requests in a durable run: what a wait leaves in the database, and what is sent after it.
@Suite struct HttpRunTests {
    @Test(arguments: DatabaseEngine.allCases)
    func `a run that must wait for a server leaves memory, goes on by its timer, and sends again what is open`(_ kind: DatabaseEngine)
        async throws
    {
        try await withDatabase(kind, tables: RunTables.all + JobsModule.tables, migrations: JobsModule.migrations + RunTables.migrations) { lease in
            let sent = Mutex<[Timestamp]>([])
            let clock = lease.clock.clock
            var services = EngineServices.plain
            services.send = { request, _ in
                let isSecond = sent.withLock { sent in
                    sent.append(clock.now())
                    return sent.count == 2
                }
                let wait = [(name: "Retry-After", value: "3600")]
                guard !isSecond else { return OutboundResponse(status: 429, headers: wait, url: request.url) }
                return OutboundResponse(
                    status: 200, headers: [(name: "Content-Type", value: "application/json")], body: Array("{\"ok\":true}".utf8), url: request.url)
            }
            let document = WorkflowDocument(
                name: "ask",
                nodes: [
                    WorkflowNode(id: "t", category: .trigger, kind: "manual", name: "t", connections: [.init(to: "get")]),
                    WorkflowNode(
                        id: "get", category: .action, kind: "http_request", kindVersion: 4.2, name: "get", config: ["url": "https://a.test"])
                ])
            let worker = try await lease.database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "test", for: .seconds(86_400)) }
            let engine = Engine(
                database: lease.database, lease: worker, services: services,
                configuration: Engine.Configuration(
                    kinds: .builtIn, load: { _, _, _ in document }, resolve: { _, _ in throw Refusal.missing("workflow") },
                    errorWorkflow: { _, _ in nil }),
                clock: clock, ids: lease.ids, blobs: lease.blobs)
            let timers = TimerService(
                database: lease.database, clock: clock, logger: engine.logger, handlers: [Engine.timerKind: { try await engine.resume($0) }])
            let rig = EngineRig(engine: engine, timers: timers, lease: lease, worker: worker, workflow: lease.ids.next())
            let handle = try await rig.start(document, items: [Item(json: [:]), Item(json: [:])])
            try await rig.settle()
            let waiting = try await rig.row(handle.run).status
            #expect(waiting == .waiting && engine.liveRuns == 0 && sent.withLock { $0.count } == 2)
            rig.lease.clock.advance(by: .seconds(3_000))
            try await rig.settle()
            #expect(sent.withLock { $0.count } == 2)
            rig.lease.clock.advance(by: .seconds(620))
            try await rig.settle()
            let result = await handle.finished()
            #expect(result.status == .succeeded && sent.withLock { $0.count } == 3)
            let items = try result.items.items()
            #expect(items.map(\.json) == [["ok": true], ["ok": true]])
        }
    }
}
