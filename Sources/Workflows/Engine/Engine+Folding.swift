package import Jobs
internal import Kernel
internal import Logging
internal import Persistence

/// A newer program has worked on the run: it stays as it is, with its epoch and its timer, for a process that can read it.
struct NewerRun: Error {
    /// How long its timer is left to others.
    static let wait: Duration = .seconds(5)

    static let refusal = Refusal(
        .conflict, "newer_execution", "A newer version of the program has worked on the execution, and only one can go on with it.")
}

/// How a run comes into this process's hands, and to where it was.
extension Engine {
    /// - Parameter wasHeld: whether a process had it in hand, which nobody else may have let go of since.
    /// - Throws: `NewerRun`
    func take(
        _ id: RunID, tenant: TenantID, from epoch: Int64, to own: Int64, evenPaused: Bool, wasHeld: Bool
    ) async throws -> (row: Run, wish: RunOwners.Wish?)? {
        try await database.write(in: tenant) { tx in
            let runs = RunStore(tx: tx)
            let wish = try wasHeld ? runs.wish(of: id) : nil
            guard let row = try runs.take(id, from: epoch, to: own, evenPaused: evenPaused) else {
                if !wasHeld {
                    // Whoever has it sets the timer again when letting go of it.
                    try tx.cancelTimer(kind: Engine.timerKind, subject: id.description)
                } else {
                    // Others may have taken it over and parked it since: their timer and their name stay.
                    try runs.disown(id, epoch: epoch)
                }
                return nil
            }
            guard try !JournalStore(tx: tx).isOfNewerProgram(id) else { throw NewerRun() }
            try tx.dropTimers(kind: Engine.timerKind, subjects: [id.description])
            return (row, wish)
        }
    }

    /// Takes up, many at a time, runs that nobody has worked on yet: the batch handler of timers of `timerKind`.
    /// - Returns: the timers that are for `resume`.
    package func resumeUntouched(_ timers: [Jobs.Timer]) async -> [Jobs.Timer] {
        var rest: [Jobs.Timer] = []
        var entered: [TenantID: [(run: RunID, timer: Jobs.Timer)]] = [:]
        let left = await leftToOthers(timers)
        for timer in timers {
            guard timer.payload == Self.untouched, !stops, let id = RunID(timer.subject), !left.contains(id),
                inHand.enter(id, tenant: timer.tenant, parkedHandle(of: id, tenant: timer.tenant)) == .entered
            else {
                rest.append(timer)
                continue
            }
            entered[timer.tenant, default: []].append((id, timer))
        }
        for (tenant, all) in entered {
            var left = all[...]
            while !left.isEmpty {
                // Each length of a list is a statement of its own to prepare.
                let part = left.prefix(Limits.runsTakenAtOnce.first { $0 <= left.count } ?? 1)
                left = left.dropFirst(part.count)
                rest += await takeUntouched(Array(part), tenant)
            }
        }
        return rest
    }

    private func takeUntouched(_ part: [(run: RunID, timer: Jobs.Timer)], _ tenant: TenantID) async -> [Jobs.Timer] {
        let (own, ids) = (lease.epoch, part.map(\.run))
        var rows: [RunID: Run] = [:]
        do {
            let taken = try await database.write(in: tenant, .statements) { tx in try RunStore(tx: tx).takeUntouched(ids, epoch: own) }
            for row in taken { rows[row.id] = row }
        } catch {
            // They may be taken all the same; those that are not are due again when their claims end.
            logger.error("runs could not be taken up", metadata: ["count": "\(ids.count)", "error": "\(error)"])
            for id in ids { giveUp(id, tenant, after: error) }
            return []
        }
        var rest: [Jobs.Timer] = []
        for (id, timer) in part {
            guard let row = rows[id] else {
                retire(unended: id, tenant: tenant)
                rest.append(timer)
                continue
            }
            do {
                let run = try await begin(row, tenant: tenant)
                unpark(id)
                carryOn(run)
            } catch {
                logger.error("a run could not be taken up", metadata: ["run": "\(id)", "error": "\(error)"])
                giveUp(id, tenant, after: error)
            }
        }
        return rest
    }

    private func giveUp(_ id: RunID, _ tenant: TenantID, after error: any Error) {
        retire(unended: id, tenant: tenant)
        abandon(id, tenant, after: error)
    }

    private func facts(_ row: Run, tenant: TenantID) async -> RunFacts {
        var resumed = RunFacts(
            id: row.id, tenant: tenant, workflow: row.workflow, version: row.version, mode: row.mode, timeZone: row.timeZone, depth: row.depth)
        resumed.outwardKeys = row.outwardKeys
        resumed.trace = await RunTrace.resume(resumed, configuration.traceparent)
        return resumed
    }

    /// A run that nobody has worked on: what its row says is all there is of it.
    func begin(_ row: Run, tenant: TenantID) async throws -> LiveRun {
        let text = try JournalText(stored: row.input)
        guard let items = PayloadNames.ownList(of: text) else { return try await fold(row, tenant: tenant) }
        let workflow = try await compile(row, tenant)
        guard let trigger = workflow.index(ofNode: row.trigger) else {
            throw UnreadableEvent(reason: "the workflow has no trigger '\(row.trigger)'")
        }
        let facts = await facts(row, tenant: tenant)
        var machine = try await machine(workflow, facts)
        PayloadNames.settle(input: items, of: row.id)
        _ = machine.on(.started(trigger: trigger, items: items))
        return LiveRun(facts: facts, parent: row.parent, folded: machine, seq: 0, storedBytes: text.size)
    }

    /// The run as its journal tells it; nothing of it is executed.
    func fold(_ row: Run, tenant: TenantID) async throws -> LiveRun {
        let workflow = try await compile(row, tenant)
        let (facts, blobs) = (await facts(row, tenant: tenant), self.blobs)
        let start = try await machine(workflow, facts)
        return try await database.read(in: tenant) { tx in
            let payloads = PayloadReader(tx: tx, run: row.id, blobs: blobs)
            guard let trigger = workflow.index(ofNode: row.trigger) else {
                throw UnreadableEvent(reason: "the workflow has no trigger '\(row.trigger)'")
            }
            var machine = start
            _ = machine.on(.started(trigger: trigger, items: try payloads.input(row)))
            let events = try JournalStore(tx: tx).events(of: row.id, workflow: workflow, payloads: payloads)
            for event in events { _ = machine.on(event.event) }
            return LiveRun(
                facts: facts, parent: row.parent, folded: machine, seq: events.count, storedBytes: payloads.size)
        }
    }

    /// A step that may not be repeated and was in flight when its process died stops the run.
    func settleUncertain(_ run: inout LiveRun) {
        for request in run.ready where request.wasIntended {
            run.feed(.stepUncertain(request.step))
            run.ready = []
        }
    }
}
