package import Jobs
internal import Kernel
internal import Logging
internal import Outbound
internal import Persistence
internal import Scripting

/// Looks at what published workflows wait for elsewhere, at their times, and starts them with what is new. A look is a timer; what was seen, the run
/// and the next look are written in one transaction, so that nothing is taken twice and nothing is lost.
package struct Poller: Sendable {
    /// The kind of timer; its subject is the workflow's id.
    package static let timerKind = "workflow.poll"
    static let kinds: Set<String> = ["rss_trigger", MailTrigger.kind]

    private let engine: Engine
    private let workflows: Workflows
    private let services: EngineServices

    package init(engine: Engine, workflows: Workflows, services: EngineServices) {
        self.engine = engine
        self.workflows = workflows
        self.services = services
    }

    /// The handler of its timers.
    package func poll(_ timer: Jobs.Timer) async throws {
        guard let id = WorkflowID(timer.subject) else { return }
        let found = try await engine.database.read(in: timer.tenant) { tx -> (Int, [UInt8], [String: JSON])? in
            guard let (version, bytes) = try WorkflowStore(tx: tx).published(id) else { return nil }
            return (version, bytes, try JournalStore(tx: tx).staticData(of: id))
        }
        guard let (version, bytes, known) = found else {
            return try await engine.database.write(in: timer.tenant) { tx in try tx.cancelTimer(kind: Self.timerKind, subject: timer.subject) }
        }
        let document = try engine.document(bytes)
        let zone = try await workflows.policies.timeZone(timer.tenant)
        let due = try document.polls(zone: zone).filter { $0.schedule.next(after: timer.dueAt - .microseconds(1)).map { $0 <= timer.dueAt } ?? false }
        var looks: [Look] = []
        for (node, _) in due {
            if let look = await look(node, known[node.name] ?? [:], timer.tenant) { looks.append(look) }
        }
        for look in try await finish(timer, id, version, document, zone, looks) { await settle(look, timer.tenant) }
    }

    /// What came of a look at one node's source.
    private struct Look: Sendable {
        /// Of the run that its items start.
        var run: RunID
        var node: WorkflowNode
        var cursor: JSON
        var items: [Item]
        /// To be done once the run is written; where it cannot be, the cursor alone sees to it that nothing is taken twice.
        var afterwards: (@Sendable () async throws -> Void)?
    }

    private func settle(_ look: Look, _ tenant: TenantID) async {
        do { try await look.afterwards?() } catch {
            engine.logger.warning(
                "a poll could not be settled",
                metadata: ["node": "\(look.node.id)", "error": "\(StepFailure(wrapping: error, itemIndex: nil).code)"])
        }
    }

    private func feed(_ node: WorkflowNode, _ known: JSON, _ tenant: TenantID) async throws -> Look {
        let url = try FeedReader.checkedURL(FormField.plain(node.config["feedUrl"] ?? ""))
        let response = try await services.send(FeedReader.request(url, verifies: true), tenant)
        let conversion = FileConversion(.readXML, files: [.init(bytes: response.body)]).of(tenant)
        let outline = try await services.facilities.convert(conversion).facts["root"]
        var cursor = FeedCursor(known)
        let fresh = cursor.take(try FeedReader.items(response, outline: outline))
        return Look(run: engine.ids.next(), node: node, cursor: cursor.json, items: fresh.map { Item(json: $0) })
    }

    private func mails(_ node: WorkflowNode, _ known: JSON, _ tenant: TenantID) async throws -> Look {
        guard let network = services.facilities.network else { throw StepFailure.noNetwork }
        guard let id = node.credentials["imap"]?.id else {
            throw StepFailure("credential_missing", "The node '\(node.name)' has no credential of the type 'imap'.", isRetryable: false)
        }
        let wish = try MailWish(node)
        let mailbox = try Mailbox(try await services.credential(id, "imap", tenant), network: network, tenant: tenant)
        let run: RunID = engine.ids.next()
        let (cursor, mails) = try await mailbox.new(wish, after: MailCursor(known))
        let items = MailItems(
            wish: wish, convert: { [services] conversion in try await services.facilities.convert(conversion.of(tenant)) },
            store: { [services] bytes, type, name in try await services.writeBinary(bytes, type, name, FileHolder(tenant: tenant, run: run)) })
        var look = Look(run: run, node: node, cursor: cursor.json, items: [])
        for mail in mails { look.items.append(try await items.item(mail)) }
        let uids = mails.map(\.uid)
        if wish.marksRead, !uids.isEmpty { look.afterwards = { try await mailbox.markRead(uids, wish, validity: cursor.validity) } }
        return look
    }

    /// - Returns: nil where the look failed: the next one makes up for it.
    private func look(_ node: WorkflowNode, _ known: JSON, _ tenant: TenantID) async -> Look? {
        do {
            return node.kind == MailTrigger.kind ? try await mails(node, known, tenant) : try await feed(node, known, tenant)
        } catch {
            engine.logger.warning("a poll failed", metadata: ["node": "\(node.id)", "error": "\(StepFailure(wrapping: error, itemIndex: nil).code)"])
            return nil
        }
    }

    /// - Returns: the looks whose runs are written; a run that is refused for want of a place leaves its items to the next look. None where another
    ///   version was published meanwhile, or none: its own timer is set then. Also where the look took so long that another process has begun one.
    private func finish(
        _ timer: Jobs.Timer, _ id: WorkflowID, _ version: Int, _ document: WorkflowDocument, _ zone: String,
        _ looks: [Look]
    ) async throws -> [Look] {
        let now = engine.clock.now()
        let next = try document.nextPoll(after: max(now, timer.dueAt), zone: zone)
        let runs: [NewRun] = looks.filter { !$0.items.isEmpty }.map { look in
            NewRun(
                facts: RunFacts(
                    id: look.run, tenant: timer.tenant, workflow: id, version: version, mode: "trigger",
                    timeZone: document.settings.timeZone ?? zone),
                trigger: look.node.name, items: ItemList(look.items), idempotencyKey: nil, parent: nil, createdAt: now)
        }
        let compiled = CompiledWorkflow(document, kinds: workflows.kinds)
        var starts: [(run: NewRun, admission: Admission?)] = []
        for run in runs {
            try await PayloadNames.prepare(run.items, tenant: timer.tenant, blobs: engine.blobs)
            starts.append((run, try await engine.admission(of: run, compiled)))
        }
        let (onStart, entering) = (engine.configuration.onStart, starts)
        let cursors = looks.map { (name: $0.node.name, cursor: $0.cursor) }
        let written = try await engine.database.write(in: timer.tenant) { tx -> [(run: NewRun, entrance: Admission.Entrance)]? in
            guard try tx.holds(timer), try WorkflowStore(tx: tx).workflow(id)?.publishedVersion == version else { return nil }
            let journal = JournalStore(tx: tx)
            var entered: [(run: NewRun, entrance: Admission.Entrance)] = []
            var refused: Set<String> = []
            for (run, admission) in entering {
                let entrance = try Admission.enter(run, admission, tx)
                entered.append((run, entrance))
                if case .refused = entrance { refused.insert(run.trigger) } else { try onStart(tx, run.facts) }
            }
            for (name, cursor) in cursors where !refused.contains(name) { try journal.keep(cursor, of: name, workflow: id) }
            if let next {
                try tx.setTimer(kind: Self.timerKind, subject: timer.subject, dueAt: next)
            } else {
                try tx.cancelTimer(kind: Self.timerKind, subject: timer.subject)
            }
            return entered
        }
        guard let written else { return [] }
        var refused: Set<String> = []
        for (run, entrance) in written {
            switch entrance {
            case .refused: refused.insert(run.trigger)
            case .supersedes: await engine.settle(entrance, run.facts)
            case .admitted, .waits: break
            }
        }
        return looks.filter { !refused.contains($0.node.name) }
    }
}

extension WorkflowDocument {
    /// The enabled nodes that are polled, with their times.
    func polls(zone: String) throws -> [(node: WorkflowNode, schedule: Schedule)] {
        try nodes.filter { Poller.kinds.contains($0.kind) && !$0.disabled }.map { node in
            let entries = node.config["pollTimes"]?["item"]?.array ?? [["mode": "everyMinute"]]
            return (node, Schedule(rules: try entries.map(Schedule.cronRule), timeZone: settings.timeZone ?? zone))
        }
    }

    func nextPoll(after now: Timestamp, zone: String) throws -> Timestamp? {
        try polls(zone: zone).compactMap { $0.schedule.next(after: now) }.min()
    }
}
