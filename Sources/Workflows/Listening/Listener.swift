internal import Crypto
internal import Foundation
package import Jobs
package import Kernel
internal import Logging
package import Outbound
internal import Persistence
internal import Synchronization

/// Listens to the servers that published workflows wait for events of, and starts a run for each event. A workflow that listens has a timer; the process
/// that holds it has the connections. What is begun, the run and the last event's id are written in one transaction, under the hold: an event that a
/// server sends again after a lost connection starts nothing twice, as long as it has an id. Events that a server sends while nobody is
/// connected, and does not send again for `Last-Event-ID`, are lost, as with any reader of such streams.
package struct Listener: Sendable {
    /// The kind of timer; its subject is the workflow's id.
    package static let timerKind = "workflow.listen"
    static let kind = "sse_trigger"

    /// For the head of an answer, and between two pieces of a stream: then a connection is taken for dead.
    static let headTime: Duration = .seconds(30)
    static let silence: Duration = .seconds(900)
    /// For how long one connection is kept.
    static let connectionTime: Duration = .seconds(86_400)
    /// Before the next connection: what the server asks within the bounds, doubled after each that fails.
    static let wait: Duration = .seconds(3)
    static let waitMinimum: Duration = .seconds(1)
    static let waitMaximum: Duration = .seconds(300)

    /// Ends the work of whoever has lost the hold, or whose workflow was published anew.
    struct Superseded: Error {}

    /// Sends a tenant's request outside of its share of short ones, which a lasting connection would use up.
    package typealias Open = @Sendable (OutboundRequest, TenantID) async throws -> OutboundResponse

    private let engine: Engine
    private let workflows: Workflows
    private let open: Open

    package init(engine: Engine, workflows: Workflows, open: @escaping Open) {
        self.engine = engine
        self.workflows = workflows
        self.open = open
    }

    /// Works for as long as the timer is held.
    package func listen(_ timer: Jobs.Timer) async throws {
        guard let id = WorkflowID(timer.subject) else { return }
        let found = try await engine.database.read(in: timer.tenant) { tx -> (Int, [UInt8], [String: JSON])? in
            guard let (version, bytes) = try WorkflowStore(tx: tx).published(id) else { return nil }
            return (version, bytes, try JournalStore(tx: tx).staticData(of: id))
        }
        guard let (version, bytes, known) = found, case let document = try engine.document(bytes), document.listens else {
            _ = try await engine.database.write(in: timer.tenant) { tx in try tx.cancelTimer(kind: Self.timerKind, subject: timer.subject) }
            return
        }
        let zone = try await workflows.policies.timeZone(timer.tenant)
        let compiled = CompiledWorkflow(document, kinds: workflows.kinds)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for node in document.nodes where node.isListening {
                let ear = Ear(
                    timer, id, version: version, node, compiled, zone: zone, lastID: known[node.name]?["lastEventId"]?.text ?? "")
                group.addTask { try await keepListening(ear) }
            }
            try await group.waitForAll()
        }
    }

    /// What is listened for, and how far it has come; a connection's reader and its watch share it.
    private final class Ear: Sendable {
        let timer: Jobs.Timer
        let workflow: WorkflowID
        let version: Int
        let node: WorkflowNode
        let zone: String
        let priority: WorkflowSettings.Priority
        let compiled: CompiledWorkflow
        let events: Mutex<StreamEvents>
        /// The id of the last event that has been dealt with.
        let done: Mutex<String>
        /// When the connection began or gave the last bytes, and whether its head has come.
        let sign = Mutex<(at: Duration, isOpen: Bool)>((.zero, false))

        init(
            _ timer: Jobs.Timer, _ workflow: WorkflowID, version: Int, _ node: WorkflowNode, _ compiled: CompiledWorkflow, zone: String,
            lastID: String
        ) {
            let settings = compiled.document.settings
            self.timer = timer
            self.workflow = workflow
            self.version = version
            self.node = node
            self.zone = settings.timeZone ?? zone
            priority = settings.priority
            self.compiled = compiled
            events = Mutex(StreamEvents(lastID: lastID))
            done = Mutex(lastID)
        }
    }

    /// Connects again and again, until it is cancelled or superseded.
    private func keepListening(_ ear: Ear) async throws {
        var failures = 0
        while true {
            do {
                try await connect(ear)
                failures = 0
            } catch let error as Superseded {
                throw error
            } catch {
                try Task.checkCancellation()
                failures = ear.sign.withLock { $0.isOpen } ? 1 : failures + 1
                let code = (error as? Refusal)?.code ?? StepFailure(wrapping: error, itemIndex: nil).code
                engine.logger.warning("a stream of events broke", metadata: ["node": "\(ear.node.id)", "error": "\(code)"])
            }
            let asked = ear.events.withLock { events in
                events.restart(after: ear.done.withLock { $0 })
                return min(max(events.retry ?? Self.wait, Self.waitMinimum), Self.waitMaximum)
            }
            try await engine.clock.sleep(min(asked * (1 << min(max(failures - 1, 0), 8)), Self.waitMaximum))
        }
    }

    /// One connection, until the server ends it.
    private func connect(_ ear: Ear) async throws {
        let clock = engine.clock
        ear.sign.withLock { $0 = (clock.elapsed(), false) }
        var request = try EventTrigger.request(FormField.plain(ear.node.config["url"] ?? ""), lastID: ear.events.withLock { $0.lastID })
        request.timeout = Self.connectionTime
        request.intake = .init(maximumBytes: .max, isWanted: EventTrigger.isStream) { _, pieces in
            ear.sign.withLock { $0 = (clock.elapsed(), true) }
            for try await piece in pieces {
                ear.sign.withLock { $0.at = clock.elapsed() }
                for event in try ear.events.withLock({ try $0.take(piece) }) {
                    if event.type == "message" { try await begin(event, ear) }
                    if let id = event.id { ear.done.withLock { $0 = id } }
                }
            }
        }
        let sent = request
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let response = try await open(sent, ear.timer.tenant)
                guard EventTrigger.isStream(response) else { throw EventTrigger.failure(response) }
            }
            group.addTask {
                while true {
                    try await clock.sleep(.seconds(5))
                    let (at, isOpen) = ear.sign.withLock { $0 }
                    guard clock.elapsed() - at < (isOpen ? Self.silence : Self.headTime) else {
                        throw StepFailure("silence", "The server has sent nothing for too long.")
                    }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Starts the run of an event, unless its id has started one already, and notes the id.
    private func begin(_ event: StreamEvent, _ ear: Ear) async throws {
        let now = engine.clock.now()
        let tenant = ear.timer.tenant
        let run = NewRun(
            facts: RunFacts(
                id: engine.ids.next(), tenant: tenant, workflow: ear.workflow, version: ear.version, mode: "trigger", timeZone: ear.zone),
            trigger: ear.node.name, items: ItemList([EventTrigger.item(event)]), idempotencyKey: event.id.map { Self.key($0, ear.node) }, parent: nil,
            createdAt: now, rank: engine.ranks.next(of: tenant, ear.priority, at: now))
        try await PayloadNames.prepare(run.items, tenant: tenant, blobs: engine.blobs)
        let onStart = engine.configuration.onStart
        let admission = try await engine.admission(of: run, ear.compiled)
        let entrance = try await engine.database.write(in: tenant) { tx -> Admission.Entrance? in
            guard try tx.holds(ear.timer), try WorkflowStore(tx: tx).workflow(ear.workflow)?.publishedVersion == ear.version else { return nil }
            if let id = event.id { try JournalStore(tx: tx).keep(["lastEventId": .string(id)], of: ear.node.name, workflow: ear.workflow) }
            guard try RunStore(tx: tx).find(startedLike: run) == nil else { return .refused }
            let entrance = try Admission.enter(run, admission, tx)
            if case .refused = entrance { return entrance }
            try onStart(tx, run.facts)
            return entrance
        }
        guard let entrance else { throw Superseded() }
        if case .supersedes = entrance { await engine.settle(entrance, run.facts) }
    }

    /// An id is the server's own and may be long.
    private static func key(_ id: String, _ node: WorkflowNode) -> String {
        let digest = SHA256.hash(data: Data("\(node.id) \(FormField.plain(node.config["url"] ?? "")) \(id)".utf8))
        return "sse:" + digest.hexText
    }
}

extension WorkflowNode {
    fileprivate var isListening: Bool { kind == Listener.kind && !disabled }
}

extension WorkflowDocument {
    /// Whether anything in it starts with what a server sends over a lasting connection.
    var listens: Bool { nodes.contains(where: \.isListening) }
}
