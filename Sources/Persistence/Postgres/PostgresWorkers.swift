internal import Dispatch
internal import Foundation
internal import Kernel
internal import Telemetry

/// Threads with a connection each. Writes of one tenant that queue while another of the same tenant is on its way share its next commit;
/// different tenants, and all other work, run side by side.
final class PostgresWorkers: @unchecked Sendable {
    /// Members of one commit; smaller than the embedded database's, since each statement is a round trip.
    static let groupMaximum = 64
    static let queueMaximum = 100_000
    /// Tries of a transaction that others keep making impossible.
    static let attemptsMaximum = 12

    enum Work: @unchecked Sendable {
        /// Writes of one tenant may share a commit.
        case write(TenantID?, any GroupMember, WriteIsolation)
        /// Of a tenant, where there is one.
        case read(TenantID?, any GroupMember)
        /// Waits for no other that claims at the same time, see `Database.claimSystem`.
        case claim(TenantID?, any GroupMember)
    }

    private let condition = NSCondition()
    private var groups: [TenantID: [(member: any GroupMember, isolation: WriteIsolation)]] = [:]
    /// Tenants with waiting writes and none on its way, in the order they came.
    private var ready: [TenantID] = []
    private var busy: Set<TenantID> = []
    /// Tenants of whose last group a member failed: each member of the next one has a savepoint, so that the others need not run again.
    private var failing: Set<TenantID> = []
    /// Of tenants whose last group had more than one member.
    private var paces: [TenantID: GroupPace] = [:]
    /// What ends the wait of a tenant's group for more members.
    private var gathering: [TenantID: DispatchSemaphore] = [:]
    /// Threads without work.
    private var idle = 0
    private var single = TurnQueue<Work>()
    private var wasSingle = false
    private var waiting = 0
    private var isClosed = false
    private var threads: Int
    private let url: String
    private let registry: SchemaRegistry
    private let clock: Clock
    private let ids: IDs

    init(url: String, count: Int, registry: SchemaRegistry, clock: Clock, ids: IDs) {
        self.url = url
        self.registry = registry
        self.clock = clock
        self.ids = ids
        threads = count
        for number in 1...count {
            let thread = Thread { [self] in run() }
            thread.name = "postgres-\(number)"
            thread.start()
        }
    }

    func submit(_ work: Work) {
        condition.lock()
        guard !isClosed, waiting < Self.queueMaximum else {
            let wasClosed = isClosed
            condition.unlock()
            return Self.member(work).fail(PersistenceError.unavailable(wasClosed ? "The database is closed." : "Too many transactions are waiting."))
        }
        waiting += 1
        if case .write(let tenant?, let member, let isolation) = work {
            if groups[tenant] == nil, !busy.contains(tenant) { ready.append(tenant) }
            groups[tenant, default: []].append((member, isolation))
            if let end = gathering[tenant], !isWanting(tenant) { end.signal() }
        } else {
            single.append(work, of: Self.tenant(work))
        }
        condition.signal()
        condition.unlock()
    }

    func close() {
        condition.lock()
        isClosed = true
        for end in gathering.values { end.signal() }
        condition.broadcast()
        while threads > 0 { condition.wait() }
        condition.unlock()
    }

    private static func member(_ work: Work) -> any GroupMember {
        switch work {
        case .write(_, let member, _), .read(_, let member), .claim(_, let member): member
        }
    }

    private static func tenant(_ work: Work) -> TenantID? {
        switch work {
        case .write(let tenant, _, _), .read(let tenant, _), .claim(let tenant, _): tenant
        }
    }

    private enum Batch {
        case group(TenantID, [any GroupMember], Kind)
        case single(Work)
    }

    private func next() -> Batch? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            // They take turns, so that a flood of reads does not keep writes waiting, nor the other way round.
            if ready.isEmpty || !wasSingle, let work = single.popFirst() {
                wasSingle = true
                waiting -= 1
                return .single(work)
            }
            wasSingle = false
            if !ready.isEmpty {
                let tenant = ready.removeFirst()
                busy.insert(tenant)
                gather(tenant)
                var queue = groups.removeValue(forKey: tenant) ?? []
                // The strictest of its members.
                let group = Array(queue.prefix(Self.groupMaximum))
                let kind: Kind = group.allSatisfy { $0.isolation == .rows } ? .rows : .write
                queue.removeFirst(group.count)
                if !queue.isEmpty { groups[tenant] = queue }
                waiting -= group.count
                paces[tenant] = GroupPace(group: group.count, after: paces[tenant])
                return .group(tenant, group.map(\.member), kind)
            }
            if isClosed { return nil }
            idle += 1
            condition.wait()
            idle -= 1
        }
    }

    /// Lets a few more of the tenant's writes come, where they do and others find a thread meanwhile. The condition is locked.
    private func gather(_ tenant: TenantID) {
        guard idle > 0, ready.isEmpty, single.isEmpty, !isClosed, isWanting(tenant) else { return }
        let end = DispatchSemaphore(value: 0)
        gathering[tenant] = end
        condition.unlock()
        // Not by the condition, whose waits follow the clock of the day wherever that is set.
        _ = end.wait(timeout: .now() + GroupPace.pause)
        condition.lock()
        gathering[tenant] = nil
    }

    /// Whether more of the tenant's writes are worth waiting for. The condition is locked.
    private func isWanting(_ tenant: TenantID) -> Bool {
        guard let pace = paces[tenant] else { return false }
        return groups[tenant]?.count ?? 0 < pace.wanted
    }

    private func note(failureOf tenant: TenantID, _ hasFailed: Bool) {
        condition.lock()
        if hasFailed { failing.insert(tenant) } else { failing.remove(tenant) }
        condition.unlock()
    }

    private func isFailing(_ tenant: TenantID) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        return failing.contains(tenant)
    }

    private func finish(_ tenant: TenantID) {
        condition.lock()
        busy.remove(tenant)
        if groups[tenant] != nil { ready.append(tenant) }
        condition.signal()
        condition.unlock()
    }

    private func run() {
        var connection: PostgresConnection?
        while let batch = next() {
            switch batch {
            case .group(let tenant, let members, let kind):
                commit(members, tenant: tenant, as: kind, &connection)
                finish(tenant)
            case .single(.write(let tenant, let member, _)): commit([member], tenant: tenant, as: .write, &connection)
            case .single(.read(_, let member)): commit([member], tenant: nil, as: .read, &connection)
            case .single(.claim(_, let member)): commit([member], tenant: nil, as: .claim, &connection)
            }
        }
        condition.lock()
        threads -= 1
        condition.broadcast()
        condition.unlock()
    }

    private enum Kind {
        case read, write, rows, claim

        var begin: String {
            switch self {
            case .read: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            case .write: "BEGIN ISOLATION LEVEL SERIALIZABLE"
            case .rows, .claim: "BEGIN ISOLATION LEVEL READ COMMITTED"
            }
        }
    }

    private struct Outcome {
        var member: any GroupMember
        var failure: (any Error)?
        var actions: [@Sendable () -> Void]
    }

    private func commit(
        _ group: [any GroupMember], tenant: TenantID?, as kind: Kind, isLast: Bool = false, _ connection: inout PostgresConnection?
    ) {
        var progress = Progress(hasSavepoints: group.count > 1 && (tenant.map(isFailing) ?? true))
        while true {
            progress.attempt += 1
            do {
                let started = ContinuousClock.now
                let outcomes = try transact(group, tenant: tenant, as: kind, &connection, progress)
                if kind != .read { CommitFigures.note(group: group.count, since: started) }
                if let tenant, progress.hasSavepoints { note(failureOf: tenant, outcomes.contains { $0.failure != nil }) }
                for outcome in outcomes where outcome.failure == nil { for action in outcome.actions { action() } }
                for outcome in outcomes {
                    guard let failure = outcome.failure else {
                        outcome.member.succeed()
                        continue
                    }
                    // Whoever looked before inserting and was refused all the same raced another transaction: now it sees that one's row.
                    // A row that is refused for good is refused again.
                    if case PersistenceError.constraint(.unique, _, _) = failure, !isLast {
                        commit([outcome.member], tenant: tenant, as: kind, isLast: true, &connection)
                    } else {
                        outcome.member.fail(failure)
                    }
                }
                return
            } catch PersistenceError.contended(let message) {
                if progress.attempt >= Self.attemptsMaximum {
                    if group.count == 1 { return group[0].fail(PersistenceError.contended(message)) }
                    for member in group { commit([member], tenant: tenant, as: kind, &connection) }
                    return
                }
                Thread.sleep(forTimeInterval: Double.random(in: 0...0.002) * Double(min(progress.attempt, 8)))
            } catch let failed as PresumptionFailed {
                guard group.count == 1 else {
                    if let tenant { note(failureOf: tenant, true) }
                    for member in group { commit([member], tenant: tenant, as: kind, &connection) }
                    return
                }
                if progress.isCareful {
                    return group[0].fail(failed.cause ?? PersistenceError.driver(code: "PRESUMED", message: "a statement changed other rows"))
                }
                progress.isCareful = true
            } catch {
                // Nothing is known of a commit in flight when the connection went: it must not be tried again here.
                if group.count == 1 { return group[0].fail(error) }
                if case PersistenceError.unavailable = error {
                    for member in group { member.fail(error) }
                } else {
                    for member in group { commit([member], tenant: tenant, as: kind, &connection) }
                }
                return
            }
        }
    }

    /// How far the commit of a group has come.
    private struct Progress {
        /// Whether each member can fail without the others.
        let hasSavepoints: Bool
        var attempt = 0
        /// Whether each statement's answer is waited for.
        var isCareful = false
    }

    private func transact(
        _ group: [any GroupMember], tenant: TenantID?, as kind: Kind, _ held: inout PostgresConnection?, _ progress: Progress
    ) throws -> [Outcome] {
        let connection = try live(&held)
        do {
            try connection.send(kind.begin)
            if let tenant { try connection.send(PostgresSession.entering(tenant), changes: nil) }
            var outcomes: [Outcome] = []
            // Only where the failure of one is that of all.
            let share = group.count > 1 && !progress.hasSavepoints ? CommitShare() : nil
            for member in group {
                let outcome = try attempt(member, connection, tenant: tenant, share, progress)
                if outcome.failure != nil, share != nil { throw PresumptionFailed(cause: nil) }
                outcomes.append(outcome)
            }
            if let share { try end(share, connection, tenant: tenant) }
            if kind != .read { Failpoint.reach("commit.before") }
            // Goes out with what was presumed: where that fails the server passes it over.
            try connection.send(outcomes.allSatisfy { $0.failure != nil } ? "ROLLBACK" : "COMMIT")
            try connection.drain()
            if kind != .read { Failpoint.reach("commit.after") }
            return outcomes
        } catch {
            rollback(connection)
            if !connection.isAlive { held = nil }
            throw error
        }
    }

    private func rollback(_ connection: PostgresConnection) {
        _ = try? connection.drain()
        guard connection.isAlive, connection.isInTransaction else { return }
        try? connection.send("ROLLBACK")
        _ = try? connection.drain()
    }

    /// - Throws: `PresumptionFailed` where what they share cannot be written: then each does it for itself.
    private func end(_ share: CommitShare, _ connection: PostgresConnection, tenant: TenantID?) throws {
        let session = PostgresSession(connection: connection, registry: registry, clock: clock, ids: ids, entered: tenant)
        defer { session.end() }
        do {
            try share.end(session)
        } catch PersistenceError.contended(let message) {
            throw PersistenceError.contended(message)
        } catch {
            guard connection.isAlive else { throw error }
            throw PresumptionFailed(cause: error as? PersistenceError)
        }
    }

    private func attempt(
        _ member: any GroupMember, _ connection: PostgresConnection, tenant: TenantID?, _ share: CommitShare?, _ progress: Progress
    ) throws -> Outcome {
        let session = PostgresSession(
            connection: connection, registry: registry, clock: clock, ids: ids, entered: tenant, isCareful: progress.isCareful, share: share)
        defer { session.end() }
        let hasSavepoint = progress.hasSavepoints
        if hasSavepoint { try connection.send("SAVEPOINT member") }
        do {
            try member.attempt(session)
            if let doom = session.doom { throw doom }
            if hasSavepoint { try connection.send("RELEASE SAVEPOINT member") }
            return Outcome(member: member, failure: nil, actions: session.afterCommitActions)
        } catch {
            let cause = session.doom ?? error
            if case PersistenceError.contended = cause { throw cause }
            if cause is PresumptionFailed { throw cause }
            guard connection.isAlive else { throw error }
            // What the closure had sent may tell that it was misled.
            do { try connection.drain() } catch let late as PersistenceError { throw PresumptionFailed(cause: late) }
            if hasSavepoint {
                try connection.send("ROLLBACK TO SAVEPOINT member")
                try connection.send("RELEASE SAVEPOINT member")
            }
            return Outcome(member: member, failure: error, actions: [])
        }
    }

    private func live(_ held: inout PostgresConnection?) throws -> PostgresConnection {
        // One that the server closed while it lay idle is found before anything is entrusted to it.
        if let held, held.isAlive, !held.hasNews { return held }
        let made = try PostgresConnection(url: url)
        try PostgresRoles.serve(made)
        try made.pipeline()
        held = made
        return made
    }
}
