internal import Jobs
internal import Kernel
internal import Logging
internal import Persistence

/// How what happened to a run gets into the database, in one transaction.
extension Engine {
    /// Commits all that is uncommitted, then lets out what depends on it.
    /// - Returns: nil where the run goes on in this process.
    @inline(never)
    func commit(_ run: inout LiveRun, _ hold: RunCommit.Hold) async throws -> Phase? {
        if case .kept = hold, run.new == nil, run.uncommitted.isEmpty { return nil }
        var commit = try await prepare(&run, hold)
        try configuration.fault(.beforeCommit)
        let outcome: RunCommit.Outcome
        do {
            outcome = try await write(commit)
        } catch let refused as StartRefused {
            commit = try await alone(commit, &run, for: refused.reason)
            outcome = try await write(commit)
        }
        return try settle(commit, outcome, &run)
    }

    /// How a run ends that cannot be read, so that it and whoever called it do not wait for ever: its workflow was deleted, or somebody wants it
    /// cancelled.
    /// - Returns: nil where it is to be tried again.
    static func end(afterUnread error: any Error, _ wish: RunOwners.Wish?) -> RunEnd? {
        if wish == .cancelled, Setbacks.isRefusal(error) { return RunEnd(status: .cancelled) }
        guard let gone = error as? Refusal, gone.kind == .missing else { return nil }
        let failure = StepFailure("workflow_deleted", "The workflow was deleted before the run was over.", isRetryable: false)
        return RunEnd(status: .failed, failure: failure)
    }

    /// Ends a run in the hands of this process that cannot be read.
    func close(_ row: Run, tenant: TenantID, _ end: RunEnd) async throws {
        let facts = RunFacts(
            id: row.id, tenant: tenant, workflow: row.workflow, version: row.version, mode: row.mode, timeZone: row.timeZone, depth: row.depth)
        let status: RunStatus = end.status == .cancelled ? .cancelled : .failed
        let commit = RunCommit(
            facts: facts, parent: row.parent, epoch: lease.epoch, status: status, hold: .ended, end: end, entries: [], journal: .rows([]),
            payloads: [], staticData: [], started: [], hasSlot: true)
        _ = try await write(Boxed(commit))
        logger.warning("a run that cannot be read was ended", metadata: ["run": "\(row.id)", "status": "\(status.rawValue)"])
        configuration.publish(tenant, row.id) { ["event": "ended", "status": .string(status.rawValue)] }
        inHand.handle(of: row.id)?.give(result: RunResult(run: row.id, status: status, failure: end.failure, items: .empty))
        unpark(row.id)
        setbacks.forget(row.id)
        retire(row.id)
        WakeRelay.shared.tell(.runs)
    }

    /// What is written of a run in the place of a commit that would have started others.
    @inline(never)
    private func alone(_ refused: Boxed<RunCommit>, _ run: inout LiveRun, for reason: Refusal) async throws -> Boxed<RunCommit> {
        logger.notice("a run may start no others", metadata: ["run": "\(run.facts.id)", "reason": "\(reason.code)"])
        // A run that is over ends all the same; in one that is not, the step that would start others fails.
        var commit = run.machine.end == nil ? try await failing(&run, in: refused.value, for: reason) : refused.value
        commit.started = []
        return Boxed(commit)
    }

    /// Lets out what depends on a commit.
    @inline(never)
    private func settle(_ written: Boxed<RunCommit>, _ outcome: RunCommit.Outcome, _ run: inout LiveRun) throws -> Phase? {
        let commit = written.value
        try configuration.fault(.afterCommit)
        if case .duplicate(let other) = outcome { return .duplicate(other) }
        run.new = nil
        run.seq += run.uncommitted.count
        run.files.formUnion(commit.files)
        run.uncommitted = []
        run.calls = []
        run.isUrgent = false
        tell(commit, run)
        if case .unwanted = outcome {
            run.feed(.cancelled)
            return nil
        }
        if case .returned(let returned) = outcome {
            take(returned, &run)
            return nil
        }
        switch commit.hold {
        case .kept: return nil
        case .parked: setAside(run.facts.id, tenant: run.facts.tenant)
        case .ended: break
        }
        return .over
    }

    @inline(never)
    private func place(of commit: Boxed<RunCommit>) -> (TenantID, WriteIsolation) { (commit.value.facts.tenant, commit.value.isolation) }

    @inline(never)
    private func write(_ commit: Boxed<RunCommit>) async throws -> RunCommit.Outcome {
        let (tenant, isolation) = place(of: commit)
        return try await database.write(in: tenant, isolation) { [self] tx in
            try commit.value.write(tx, blobs: blobs, onStart: configuration.onStart) { tx, commit, end in
                try configuration.onFinish(tx, commit.facts, commit.status, end)
            }
        }
    }

    /// The end of a run with a step whose calls are refused: it fails with that.
    /// - Parameter commit: what would have been written; its events were named by their places, and keep them.
    @inline(never)
    private func failing(_ run: inout LiveRun, in commit: RunCommit, for reason: Refusal) async throws -> RunCommit {
        let calling = run.uncommitted.compactMap { event -> StepKey? in if case .stepCalled(let step, _, _) = event { step } else { nil } }
        guard let step = calling.first else { throw reason }
        let new = run.new
        run.new = nil
        run.seq += run.uncommitted.count
        run.uncommitted = []
        run.calls = []
        let cause = StepFailure(wrapping: reason, itemIndex: nil)
        let failure = StepFailure(cause.code, cause.message, details: cause.details, isRetryable: false)
        run.feed(.stepFailed(step, attempt: run.machine.attempt(of: step), failure, at: clock.now()))
        var last = try await prepare(&run, .ended).value
        last.new = new
        last.entries = commit.entries + last.entries
        last.journal = .rows(last.entries.map { $0.text.stored.bytes })
        last.payloads = commit.payloads + last.payloads
        last.files.formUnion(commit.files)
        last.staticData = commit.staticData + last.staticData
        last.marks = commit.marks + last.marks
        return last
    }

    @inline(never)
    private func prepare(_ run: inout LiveRun, _ hold: RunCommit.Hold) async throws -> Boxed<RunCommit> {
        var started = run.calls
        if run.machine.end?.status == .failed, let new = try await errorRun(run) { started.append(new) }
        let kept = kept(run)
        var given: Set<PayloadHash> = []
        if run.parent != nil, let result = kept.result { given = try await named(by: result, of: run, kept) }
        let payloads = kept.isSmall ? [] : try await stored(kept.lists, run.facts.tenant)
        // Stored for the runs that begin with them alone, since no text of this one names them.
        for new in started {
            let files = new.items.files.union(try await named(by: new.items, of: run, kept))
            try await PayloadNames.prepare(new.items, tenant: new.facts.tenant, blobs: blobs)
            new.items.settle(files: try await known(files, of: new.facts.tenant))
        }
        let commit = put(&run, hold, kept, payloads, started)
        guard !(commit.value.files.isEmpty && commit.value.resultFiles.isEmpty && given.isEmpty) else { return commit }
        return try await holdingKnown(commit, given)
    }

    /// Files of a run that items name by the bare id, as an expression gives it, on their way to another run, which may attach them again.
    @inline(never)
    private func named(by items: ItemList, of run: LiveRun, _ kept: Kept) async throws -> Set<PayloadHash> {
        let names = FileNames.all(in: items.bytes).subtracting(items.files)
        // Digests of anything, for the most part.
        guard !names.isEmpty else { return [] }
        let id = run.facts.id
        var held = try await database.read(in: run.facts.tenant) { tx in try RunFileStore(tx: tx).held(by: id) }
        for list in kept.lists { held.formUnion(list.files) }
        return names.intersection(held)
    }

    @inline(never)
    private func stored(_ lists: [ItemList], _ tenant: TenantID) async throws -> [PreparedPayload] {
        var payloads: [PreparedPayload] = []
        var seen: Set<ObjectIdentifier> = []
        for list in lists where !list.isSmall && seen.insert(ObjectIdentifier(list)).inserted {
            try await PayloadNames.prepare(list, tenant: tenant, blobs: blobs)
            if let payload = list.payload { payloads.append(payload) }
        }
        return payloads
    }

    @inline(never)
    private func put(
        _ run: inout LiveRun, _ hold: RunCommit.Hold, _ kept: Kept, _ payloads: [PreparedPayload], _ started: [NewRun]
    ) -> Boxed<RunCommit> {
        let isOver = run.machine.end != nil
        let isWhole = if case .ended = hold { run.new != nil } else { false }
        let (entries, journal) = entries(&run, isWhole: isWhole)
        if let new = run.new { run.storedBytes += new.items.inputText.size }
        var text: [UInt8]?
        if let result = kept.result {
            let (bytes, size) = PayloadNames.Writer(run: run.facts.id, seq: nil).journaled(result).stored
            text = bytes
            run.storedBytes += size
        }
        var commit = RunCommit(
            facts: run.facts, parent: run.parent, new: run.new, epoch: lease.epoch, status: run.status, hold: hold, end: run.machine.end,
            result: text, storedBytes: isOver ? run.storedBytes : 0, entries: entries, journal: journal, payloads: payloads,
            staticData: kept.staticData, marks: kept.marks,
            started: started, awaited: awaited(run), isPausing: inHand.stop(of: run.facts.id) == .paused,
            hasSlot: run.machine.workflow.document.settings.concurrency != nil)
        commit.files = files(of: run, kept.lists, entries)
        if run.parent != nil, let result = kept.result { commit.resultFiles = result.files }
        return Boxed(commit)
    }

    /// The files that what is written of the run names, but for those that it holds already.
    private func files(of run: LiveRun, _ lists: [ItemList], _ entries: [JournalStore.Record]) -> Set<PayloadHash> {
        var files: Set<PayloadHash> = []
        for list in lists { files.formUnion(list.files) }
        // What a step waits with, keeps for its next run, or answers.
        for entry in entries { FileNames.references(in: entry.text.headText, &files) }
        return files.isEmpty ? files : files.subtracting(run.files)
    }

    /// - Parameter given: what whoever called the run gets besides.
    @inline(never)
    private func holdingKnown(_ commit: Boxed<RunCommit>, _ given: Set<PayloadHash>) async throws -> Boxed<RunCommit> {
        var commit = commit.value
        commit.files = try await known(commit.files, of: commit.facts.tenant)
        commit.resultFiles = try await known(commit.resultFiles.union(given), of: commit.facts.tenant)
        return Boxed(commit)
    }

    /// Scripts may make up any number of names, and each costs the writer: of many, those of no file are left out before the transaction.
    private func known(_ names: Set<PayloadHash>, of tenant: TenantID) async throws -> Set<PayloadHash> {
        guard names.count > RunFileStore.hashesPerStatement else { return names }
        return try await database.read(in: tenant) { tx in try RunFileStore(tx: tx).known(names) }
    }

    /// - Parameter isWhole: whether these are all events of the run, and will be.
    private func entries(_ run: inout LiveRun, isWhole: Bool) -> (entries: [JournalStore.Record], journal: JournalStore.Form) {
        let now = clock.now()
        let entries = run.uncommitted.enumerated().map { index, event in
            let writer = PayloadNames.Writer(run: run.facts.id, seq: run.seq + index)
            let head = event.text(writer.coding)
            return JournalStore.Record(
                seq: run.seq + index, kind: event.kind, node: event.step.map { run.machine.workflow.nodes[$0.node].node.name },
                runIndex: event.step?.runIndex ?? 0, attempt: event.attempt, at: now, text: JournalText(headText: head, lists: writer.lists))
        }
        if isWhole {
            let (bytes, size) = JournalBundle.stored(entries)
            run.storedBytes += size
            return (entries, .own(bytes))
        }
        let texts = entries.map(\.text.stored)
        run.storedBytes += texts.reduce(0) { $0 + $1.size }
        return (entries, .rows(texts.map(\.bytes)))
    }

    /// What the events that are not committed leave beside the journal.
    private struct Kept {
        /// All that is to be kept, with what a new run begins with and what one that is over gives.
        var lists: [ItemList] = []
        var result: ItemList?
        var staticData: [(node: String, data: JSON)] = []
        var marks: [RunMark] = []
        var isSmall: Bool { lists.allSatisfy(\.isSmall) }
    }

    @inline(never)
    private func kept(_ run: LiveRun) -> Kept {
        if let new = run.new { PayloadNames.settle(input: new.items, of: run.facts.id) }
        var kept = Kept()
        for event in run.uncommitted {
            kept.lists += event.lists
            guard case .stepFinished(let finish) = event else { continue }
            if let data = finish.staticGlobal { kept.staticData.append(("", data)) }
            if let data = finish.staticNode { kept.staticData.append((run.machine.workflow.nodes[finish.step.node].node.name, data)) }
            for (name, value) in finish.marks?.object ?? [:] { if let text = value.text { kept.marks.append(RunMark(name: name, value: text)) } }
        }
        if let new = run.new { kept.lists.append(new.items) }
        if run.machine.end != nil {
            let result = run.machine.lastItems
            kept.lists.append(result)
            kept.result = result
        }
        return kept
    }

    private func awaited(_ run: LiveRun) -> Set<RunCommit.Place> {
        var places: Set<RunCommit.Place> = []
        for (step, missing) in run.machine.calling {
            let name = run.machine.workflow.nodes[step.node].node.name
            for index in missing { places.insert(.init(node: name, runIndex: step.runIndex, callIndex: index)) }
        }
        return places
    }

    private func take(_ returned: [RunCommit.Returned], _ run: inout LiveRun) {
        for back in returned {
            guard let node = run.machine.workflow.index(ofNode: back.place.node) else { continue }
            run.feed(.callReturned(StepKey(node: node, runIndex: back.place.runIndex), index: back.place.callIndex, back.result))
        }
    }

    /// The run of the error workflow, with n8n's item. It is as deep as a called one: what it calls may fail and start it again.
    @inline(never)
    private func errorRun(_ run: LiveRun) async throws -> NewRun? {
        guard let end = run.machine.end, run.facts.mode != "manual", run.facts.mode != "error", let target = try await errorWorkflow(of: run) else {
            return nil
        }
        let node = end.step.map { run.machine.workflow.nodes[$0.node].node.name } ?? ""
        let error: JSON = ["message": .string(end.failure?.message ?? ""), "name": .string(end.failure?.code ?? ""), "node": ["name": .string(node)]]
        var execution: JSONObject = [
            "id": .string(run.facts.id.description), "error": error, "lastNodeExecuted": .string(node), "mode": .string(run.facts.mode)
        ]
        if let address = configuration.executionAddress(run.facts.id) { execution["url"] = .string(address) }
        let item: JSONObject = [
            "execution": .object(execution),
            "workflow": ["id": .string(run.facts.workflow.description), "name": .string(run.machine.workflow.document.name)]
        ]
        return NewRun(
            facts: RunFacts(
                id: ids.next(), tenant: run.facts.tenant, workflow: target.workflow, version: target.version, mode: "error",
                timeZone: run.facts.timeZone, depth: run.facts.depth + 1),
            trigger: target.trigger, items: ItemList([Item(json: item)]), idempotencyKey: nil, parent: nil, createdAt: clock.now())
    }

    /// The workflow that the settings name; without one, a workflow that has an error trigger is its own, as in n8n.
    private func errorWorkflow(of run: LiveRun) async throws -> (workflow: WorkflowID, version: Int, trigger: String)? {
        let document = run.machine.workflow.document
        if let name = document.settings.errorWorkflow { return try await configuration.errorWorkflow(name, run.facts.tenant) }
        guard let own = document.nodes.first(where: { $0.kind == "error" && !$0.disabled }),
            let target = try await configuration.errorWorkflow(run.facts.workflow.description, run.facts.tenant), target.trigger == own.name
        else { return nil }
        return target
    }

    /// Tells those who wait and those who watch, after the commit.
    private func tell(_ commit: RunCommit, _ run: LiveRun) {
        let handle = inHand.handle(of: run.facts.id)
        if let answer = run.answer { handle?.give(answer: answer) }
        for entry in commit.entries where entry.kind != .intended {
            configuration.publish(run.facts.tenant, run.facts.id) {
                [
                    "event": .string(entry.kind.rawValue), "node": entry.node.map { .string($0) } ?? .null,
                    "run_index": .number(Double(entry.runIndex)), "attempt": .number(Double(entry.attempt)), "at": .string(entry.at.description)
                ]
            }
        }
        guard case .ended = commit.hold else { return }
        configuration.publish(run.facts.tenant, run.facts.id) { ["event": "ended", "status": .string(commit.status.rawValue)] }
        handle?.give(result: RunResult(run: run.facts.id, status: commit.status, failure: commit.end?.failure, items: run.machine.lastItems))
        retire(run.facts.id)
        // Nobody elsewhere can wait for a run that they have not seen yet.
        if commit.new == nil { WakeRelay.shared.tell(.runs) }
    }
}
