internal import Jobs
internal import Kernel
package import Logging
internal import Persistence
internal import ServiceLifecycle

/// Brings near what was set while the clock was ahead, once it has been set back: claims, slots, polls, and the waits of runs, which would
/// else come as late as the clock was early. Only what the clock was ahead for is changed, so that a look too many changes nothing.
package struct ClockSetbacks: Service {
    static let sweep: Duration = .seconds(10)
    /// A clock that is set back by less is left to catch up, so that no slot comes twice.
    static let slack = Scheduler.grace
    /// Between two looks after the clock was set back: what a process had in hand then is let go later.
    static let interval: Duration = .seconds(300)
    static let aftermath: Duration = .seconds(3_600)
    static let pageMaximum = 200

    private let engine: Engine
    private let workflows: Workflows
    private let scheduler: Scheduler
    private let logger: Logger
    private let others: @Sendable () async throws -> Int

    /// - Parameter others: brings near what another module has; returns how much of it there was.
    package init(engine: Engine, workflows: Workflows, logger: Logger, others: @escaping @Sendable () async throws -> Int = { 0 }) {
        self.others = others
        self.engine = engine
        self.workflows = workflows
        self.logger = logger
        scheduler = Scheduler(engine: engine, workflows: workflows, logger: logger)
    }

    /// It may have been set back before this process began: so there is a look at once.
    package func run() async throws {
        let clock = engine.clock
        await cancelWhenGracefulShutdown {
            var latest = clock.now()
            var next = clock.elapsed()
            var last = next
            while !Task.isCancelled {
                let (now, elapsed) = (clock.now(), clock.elapsed())
                if now + Self.slack < latest {
                    logger.notice("the clock was set back", metadata: ["seconds": "\((latest - now).components.seconds)"])
                    latest = now
                    next = elapsed
                    last = elapsed + Self.aftermath
                }
                latest = max(latest, now)
                if next <= min(elapsed, last) {
                    next = elapsed + Self.interval
                    do { try await recover() } catch {
                        logger.error("times far ahead could not be looked for", metadata: ["error": "\(error)"])
                    }
                }
                try? await clock.sleep(Self.sweep)
            }
        }
    }

    /// Looks once at all that lies ahead.
    /// - Returns: how much of it was brought near.
    @discardableResult
    package func recover() async throws -> Int {
        let database = engine.database
        var count = try await database.writeSystem { tx in
            try FarTimeStore(tx: tx).bringNear(dueAtOnce: [Listener.timerKind, DiskStarts.timerKind])
        }
        count += try await recoverSchedules()
        count += try await recoverTimers(Poller.timerKind) { try await recover(poll: $0) }
        count += try await recoverRuns()
        count += try await others()
        if count > 0 { logger.notice("times that were far ahead are near again", metadata: ["count": "\(count)"]) }
        return count
    }

    func recoverRuns() async throws -> Int { try await recoverTimers(Engine.timerKind) { try await recover(run: $0) } }

    private var far: Timestamp { engine.clock.now() + Self.slack }

    private func recoverSchedules() async throws -> Int {
        try await recoverEach { tx, far, last in
            try tx.laterSchedules(than: far, after: last, limit: Self.pageMaximum)
        } facts: { schedule in
            ["workflow": "\(schedule.workflow)"]
        } by: { schedule in
            try await recover(schedule)
        }
    }

    private func recoverTimers(_ kind: String, _ recover: (Jobs.Timer) async throws -> Bool) async throws -> Int {
        try await recoverEach { tx, far, last in
            try FarTimeStore(tx: tx).timers(kind, laterThan: far, after: last, limit: Self.pageMaximum)
        } facts: { timer in
            ["kind": "\(kind)", "subject": "\(timer.subject)"]
        } by: { timer in
            try await recover(timer)
        }
    }

    /// Looks at all of one sort that lies far ahead, page by page; one that cannot be looked at holds up no other.
    private func recoverEach<Item: Sendable>(
        page: @escaping @Sendable (_ tx: SystemTransaction, _ far: Timestamp, _ last: Item?) throws -> [Item],
        facts: (Item) -> Logger.Metadata, by recover: (Item) async throws -> Bool
    ) async throws -> Int {
        let far = self.far
        var count = 0
        var last: Item?
        while !Task.isCancelled {
            let after = last
            let items = try await engine.database.readSystem { tx in try page(tx, far, after) }
            for one in items {
                do { if try await recover(one) { count += 1 } } catch {
                    var metadata = facts(one)
                    metadata["error"] = "\(error)"
                    logger.warning("a time far ahead could not be looked at", metadata: metadata)
                }
            }
            guard items.count == Self.pageMaximum else { break }
            last = items.last
        }
        return count
    }

    /// A slot is never later than the next one, by a clock that is right.
    private func recover(_ schedule: DueSchedule) async throws -> Bool {
        guard let next = try await scheduler.plan(schedule)?.schedule.next(after: far), next < schedule.slot else { return false }
        return try await engine.database.write(in: schedule.tenant) { tx in try TriggerStore(tx: tx).advance(schedule, to: next) }
    }

    private func recover(poll timer: Jobs.Timer) async throws -> Bool {
        guard let id = WorkflowID(timer.subject) else { return false }
        let bytes = try await engine.database.read(in: timer.tenant) { tx in try WorkflowStore(tx: tx).published(id)?.document }
        guard let bytes else { return false }
        let zone = try await workflows.policies.timeZone(timer.tenant)
        guard let next = try WorkflowDocument(stored: bytes).nextPoll(after: far, zone: zone), next < timer.dueAt else { return false }
        return try await engine.database.write(in: timer.tenant) { tx in try tx.moveTimer(timer, to: next, payload: timer.payload) }
    }

    /// A wait that began later than now is as long as it was, from now on. All else that wakes a run was to do so at once.
    private func recover(run timer: Jobs.Timer) async throws -> Bool {
        guard let id = RunID(timer.subject) else { return false }
        let far = self.far
        let found = try await engine.database.read(in: timer.tenant) { tx -> (wait: Duration, payload: String)? in
            guard let run = try RunStore(tx: tx).find(id), run.epoch == 0 else { return nil }
            guard let end = run.resumeAt, end == timer.dueAt || timer.payload == Engine.early else { return (.zero, timer.payload) }
            guard let began = try JournalStore(tx: tx).beginning(ofWaitUntil: end, of: id, laterThan: far) else { return nil }
            return (max(Duration.zero, end - began), Engine.early)
        }
        guard let (wait, payload) = found else { return false }
        let due = engine.clock.now() + wait
        guard due + Self.slack < timer.dueAt else { return false }
        return try await engine.database.write(in: timer.tenant) { tx in try tx.moveTimer(timer, to: due, payload: payload) }
    }
}
