package import Kernel
package import Logging
package import Persistence
internal import ServiceLifecycle
internal import Telemetry

/// Fires timers when they are due. A handler's own transaction removes the timer together with its effect; a handler that fails is called
/// again after a wait that doubles.
package struct TimerService: Service {
    package typealias Handler = @Sendable (Timer) async throws -> Void
    /// Handles what it can of many timers at once, and returns the rest, for the handler of their kind.
    package typealias BatchHandler = @Sendable ([Timer]) async -> [Timer]

    /// A handler that has no room for the timer now: it is due again in a moment, and that is no failure.
    package struct Busy: Error {
        let wait: Duration
        package init(after wait: Duration = TimerService.busyWait) { self.wait = wait }
    }

    /// How many timers of a kind can be taken now.
    package struct Room: Sendable {
        let places: Int
        /// Tenants that have their fill.
        let without: [TenantID]

        package init(places: Int, without: [TenantID] = []) {
            self.places = places
            self.without = without
        }
    }

    /// Raised when a timer was set, and by handlers that have room again.
    package static let wake = Wake()
    static let batchMaximum = 100
    /// The longest wait between two looks: what other processes set is found then.
    static let sweep: Duration = .seconds(1)
    /// After a failure; longer than a claim, and than any other wait.
    static let waitMaximum: Duration = .seconds(300)
    static let renewal: Duration = .seconds(5)
    /// How long what had no room waits.
    package static let busyWait: Duration = .milliseconds(50)

    private let database: any Database
    private let clock: Clock
    private let logger: Logger
    private let handlers: [String: Handler]
    private let batches: [String: BatchHandler]
    private let room: @Sendable (_ kind: String) -> Room

    /// - Parameter room: how many timers of a kind can be taken now.
    package init(
        database: any Database, clock: Clock, logger: Logger, handlers: [String: Handler], batches: [String: BatchHandler] = [:],
        room: @escaping @Sendable (_ kind: String) -> Room = { _ in Room(places: .max) }
    ) {
        self.room = room
        self.database = database
        self.clock = clock
        self.logger = logger
        self.handlers = handlers
        self.batches = batches
    }

    package func run() async throws {
        WakeRelay.shared.on(.timers) { TimerService.wake.raise() }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await fireDue() >= TimerService.batchMaximum { continue }
                    await TimerService.wake.wait(atMost: try await untilNext(), clock)
                } catch {
                    logger.error("timers could not be read", metadata: ["error": "\(error)"])
                    try? await clock.sleep(TimerService.sweep)
                }
            }
        }
    }

    /// Fires what is due now and returns how many there were.
    @discardableResult
    package func fireDue() async throws -> Int {
        let due = try await claim()
        let rest = await fireTogether(due)
        let busy: [(timer: Timer, busy: Busy)] = await withTaskGroup(of: (timer: Timer, busy: Busy)?.self) { group in
            for timer in rest { group.addTask { await attempt(timer).map { (timer, $0) } } }
            return await group.reduce(into: []) { all, one in if let one { all.append(one) } }
        }
        await putBack(busy)
        return due.count - busy.count
    }

    /// Takes what is due and has room.
    func claim() async throws -> [Timer] {
        var limits: [(kind: String, limit: Int, without: [TenantID])] = []
        for kind in handlers.keys.sorted() {
            let room = room(kind)
            if room.places > 0 { limits.append((kind, min(TimerService.batchMaximum, room.places), room.without)) }
        }
        let wanted = limits
        guard !wanted.isEmpty else { return [] }
        return try await database.claimSystem { tx in
            try wanted.flatMap { try TimerStore(tx: tx).claimDue($0.kind, limit: $0.limit, without: $0.without) }
        }
    }

    /// - Returns: those that are to be handled one by one.
    private func fireTogether(_ due: [Timer]) async -> [Timer] {
        var rest = due
        for (kind, handler) in batches {
            let some = rest.filter { $0.kind == kind }
            guard !some.isEmpty else { continue }
            let left = await handler(some)
            Metrics.shared.count(.timersFired, Int64(some.count - left.count))
            rest = rest.filter { $0.kind != kind } + left
        }
        return rest
    }

    /// Handles a timer, which is due again where that fails or there is no room for it.
    func fire(_ timer: Timer) async { if let busy = await attempt(timer) { await putBack([(timer, busy)]) } }

    /// - Returns: what says that there was no room for it.
    private func attempt(_ timer: Timer) async -> Busy? {
        do {
            try await handle(timer)
            Metrics.shared.count(.timersFired)
        } catch let busy as Busy {
            return busy
        } catch {
            Metrics.shared.count(.timersFailed)
            logger.error(
                "a timer's handler failed", metadata: ["kind": "\(timer.kind)", "subject": "\(timer.subject)", "error": "\(error)"])
            let wait = min(Duration.seconds(1 << min(timer.attempts, 8)), TimerService.waitMaximum)
            try? await database.writeSystem { tx in try TimerStore(tx: tx).postpone(timer, by: wait) }
        }
        return nil
    }

    /// In one commit. What is not put back is due again when its claim ends.
    private func putBack(_ timers: [(timer: Timer, busy: Busy)]) async {
        guard !timers.isEmpty else { return }
        try? await database.writeSystem { tx in for (timer, busy) in timers { try TimerStore(tx: tx).putBack(timer, for: busy.wait) } }
    }

    private func handle(_ timer: Timer) async throws {
        guard let handler = handlers[timer.kind] else { return }
        let renewal = Task {
            while true {
                try await clock.sleep(TimerService.renewal)
                // One that fails is made up for by the next.
                try? await database.writeSystem { tx in try TimerStore(tx: tx).renew(timer) }
            }
        }
        defer { renewal.cancel() }
        try await handler(timer)
    }

    func untilNext() async throws -> Duration {
        let kinds = handlers.keys.sorted()
        let rooms = kinds.map { (kind: $0, room: room($0)) }
        let open = rooms.filter { $0.room.places > 0 }.map(\.kind)
        // What has no room would be found due at every look.
        guard rooms.allSatisfy({ $0.room.without.isEmpty }) else { return TimerService.busyWait }
        let limit = open.count < kinds.count ? TimerService.busyWait : TimerService.sweep
        guard !open.isEmpty, let next = try await database.readSystem({ tx in try TimerStore(tx: tx).nextDue(open) }) else { return limit }
        return max(.milliseconds(1), min(limit, next - clock.now()))
    }
}
