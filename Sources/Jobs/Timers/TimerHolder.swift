package import Kernel
package import Logging
package import Persistence
internal import ServiceLifecycle
internal import Synchronization

/// Work that lasts, such as listening to a server: each timer of a kind is held by one process of the deployment for as long as its work goes on. Another
/// process takes it up when the holder lets it go, dies, or does not renew its hold for the length of a claim.
///
/// Two may believe for a moment that they hold one: whoever writes asks `TenantTransaction.holds(_:)` in the same transaction. Setting the timer again or
/// cancelling it ends the hold within `TimerService.renewal`.
package struct TimerHolder: Service {
    /// Ends when its task is cancelled. What throws `TimerService.Busy` is left to other processes for so long.
    package typealias Work = @Sendable (Timer) async throws -> Void

    /// Between two looks at what nobody holds.
    static let sweep: Duration = .seconds(2)
    /// How long a timer is left alone whose work ended or failed.
    static let pause: Duration = .seconds(30)
    /// Held at a time by this process, and of one tenant.
    static let heldMaximum = 1_000
    static let heldPerTenant = 100

    private let database: any Database
    private let clock: Clock
    private let logger: Logger
    private let kind: String
    private let work: Work
    private let held = Held()

    package init(database: any Database, clock: Clock, logger: Logger, kind: String, work: @escaping Work) {
        self.database = database
        self.clock = clock
        self.logger = logger
        self.kind = kind
        self.work = work
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    do {
                        for timer in try await take() { group.addTask { await hold(timer) } }
                    } catch {
                        logger.error("timers could not be taken", metadata: ["kind": "\(kind)", "error": "\(error)"])
                    }
                    try? await clock.sleep(TimerHolder.sweep)
                }
                group.cancelAll()
            }
        }
    }

    /// Takes what nobody holds, as far as there is room.
    private func take() async throws -> [Timer] {
        let (places, full) = held.room
        guard places > 0 else { return [] }
        let limit = min(places, TimerService.batchMaximum)
        let timers = try await database.claimSystem { tx in try TimerStore(tx: tx).claimDue(kind, limit: limit, without: full) }
        for timer in timers { held.add(timer.tenant) }
        return timers
    }

    private enum Ending: Sendable {
        case done, lost
        /// To be looked at again after a while, by whoever can.
        case left(Duration)
        case failed(String)
    }

    private func hold(_ timer: Timer) async {
        defer { held.remove(timer.tenant) }
        let ending = await withTaskGroup(of: Ending.self) { group in
            group.addTask {
                do { try await work(timer) } catch let busy as TimerService.Busy { return .left(busy.wait) } catch { return .failed("\(error)") }
                return .done
            }
            group.addTask {
                await keep(timer)
                return .lost
            }
            let first = await group.next() ?? .done
            group.cancelAll()
            return first
        }
        let isLeaving = Task.isCancelled
        if case .failed(let error) = ending, !isLeaving {
            logger.warning("lasting work failed", metadata: ["kind": "\(timer.kind)", "subject": "\(timer.subject)", "error": "\(error)"])
        }
        if case .lost = ending, !isLeaving { return }
        let pause: Duration = if case .left(let asked) = ending { asked } else { TimerHolder.pause }
        let wait: Duration = isLeaving ? .zero : pause
        _ = try? await database.writeSystem { tx in try TimerStore(tx: tx).extend(timer, by: wait) }
    }

    /// Renews the hold until it is lost.
    private func keep(_ timer: Timer) async {
        var renewed = clock.elapsed()
        while !Task.isCancelled {
            guard (try? await clock.sleep(TimerService.renewal)) != nil else { return }
            let asked = clock.elapsed()
            do {
                guard try await database.writeSystem({ tx in try TimerStore(tx: tx).extend(timer, by: TimerStore.claim) }) else { return }
                renewed = asked
            } catch {
                guard clock.elapsed() - renewed < TimerStore.claim else { return }
            }
        }
    }

    /// How many timers of each tenant this process holds.
    private final class Held: Sendable {
        private let counts = Mutex<[TenantID: Int]>([:])

        func add(_ tenant: TenantID) { counts.withLock { $0[tenant, default: 0] += 1 } }

        func remove(_ tenant: TenantID) {
            counts.withLock { counts in
                let left = (counts[tenant] ?? 0) - 1
                counts[tenant] = left > 0 ? left : nil
            }
        }

        var room: (places: Int, full: [TenantID]) {
            counts.withLock { counts in
                (TimerHolder.heldMaximum - counts.values.reduce(0, +), counts.filter { $0.value >= TimerHolder.heldPerTenant }.map(\.key))
            }
        }
    }
}

extension TimerStore {
    /// Keeps a claim, or with no time gives it back, unless the timer was set anew, cancelled or claimed by another since.
    /// - Returns: whether it was still this claim.
    func extend(_ timer: Timer, by time: Duration) throws -> Bool {
        try tx.execute(
            """
            UPDATE timers SET claimed_until = \(tx.clock.now() + time)
            WHERE tenant_id = \(timer.tenant) AND kind = \(timer.kind) AND subject = \(timer.subject) AND due_at = \(timer.dueAt)
                AND attempts = \(timer.attempts + 1)
            """) == 1
    }

    func isHeld(_ timer: Timer) throws -> Bool {
        try tx.first(
            """
            SELECT 1 FROM timers WHERE tenant_id = \(timer.tenant) AND kind = \(timer.kind) AND subject = \(timer.subject)
                AND due_at = \(timer.dueAt) AND attempts = \(timer.attempts + 1)
            """) != nil
    }
}

extension TenantTransaction {
    /// Whether a timer that a `TimerHolder` took is still its own: nobody else has claimed it, set it anew or cancelled it.
    package func holds(_ timer: Timer) throws -> Bool { try TimerStore(tx: system).isHeld(timer) }
}
