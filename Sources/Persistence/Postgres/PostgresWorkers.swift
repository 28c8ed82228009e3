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
        case write(TenantID?, any GroupMember)
        case read(any GroupMember)
    }

    private let condition = NSCondition()
    private var groups: [TenantID: [any GroupMember]] = [:]
    /// Tenants with waiting writes and none on its way, in the order they came.
    private var ready: [TenantID] = []
    private var busy: Set<TenantID> = []
    private var single: [Work] = []
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
        if case .write(let tenant?, let member) = work {
            if groups[tenant] == nil, !busy.contains(tenant) { ready.append(tenant) }
            groups[tenant, default: []].append(member)
        } else {
            single.append(work)
        }
        condition.signal()
        condition.unlock()
    }

    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        while threads > 0 { condition.wait() }
        condition.unlock()
    }

    private static func member(_ work: Work) -> any GroupMember {
        switch work {
        case .write(_, let member), .read(let member): member
        }
    }

    private enum Batch {
        case group(TenantID, [any GroupMember])
        case single(Work)
    }

    private func next() -> Batch? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            // They take turns, so that a flood of reads does not keep writes waiting, nor the other way round.
            if !single.isEmpty, ready.isEmpty || !wasSingle {
                wasSingle = true
                waiting -= 1
                return .single(single.removeFirst())
            }
            wasSingle = false
            if !ready.isEmpty {
                let tenant = ready.removeFirst()
                var queue = groups.removeValue(forKey: tenant) ?? []
                let group = Array(queue.prefix(Self.groupMaximum))
                queue.removeFirst(group.count)
                if !queue.isEmpty { groups[tenant] = queue }
                busy.insert(tenant)
                waiting -= group.count
                return .group(tenant, group)
            }
            if isClosed { return nil }
            condition.wait()
        }
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
            case .group(let tenant, let members):
                commit(members, tenant: tenant, isReading: false, &connection)
                finish(tenant)
            case .single(.write(let tenant, let member)): commit([member], tenant: tenant, isReading: false, &connection)
            case .single(.read(let member)): commit([member], tenant: nil, isReading: true, &connection)
            }
        }
        condition.lock()
        threads -= 1
        condition.broadcast()
        condition.unlock()
    }

    private struct Outcome {
        var member: any GroupMember
        var failure: (any Error)?
        var actions: [@Sendable () -> Void]
    }

    private func commit(_ group: [any GroupMember], tenant: TenantID?, isReading: Bool, _ connection: inout PostgresConnection?) {
        var attempt = 0
        while true {
            attempt += 1
            do {
                let outcomes = try transact(group, tenant: tenant, isReading: isReading, &connection)
                for outcome in outcomes where outcome.failure == nil { for action in outcome.actions { action() } }
                for outcome in outcomes {
                    if let failure = outcome.failure { outcome.member.fail(failure) } else { outcome.member.succeed() }
                }
                return
            } catch PersistenceError.contended(let message) {
                if attempt >= Self.attemptsMaximum {
                    if group.count == 1 { return group[0].fail(PersistenceError.contended(message)) }
                    for member in group { commit([member], tenant: tenant, isReading: isReading, &connection) }
                    return
                }
                Thread.sleep(forTimeInterval: Double.random(in: 0...0.002) * Double(min(attempt, 8)))
            } catch {
                // Nothing is known of a commit in flight when the connection went: it must not be tried again here.
                if group.count == 1 { return group[0].fail(error) }
                if case PersistenceError.unavailable = error {
                    for member in group { member.fail(error) }
                } else {
                    for member in group { commit([member], tenant: tenant, isReading: isReading, &connection) }
                }
                return
            }
        }
    }

    private func transact(
        _ group: [any GroupMember], tenant: TenantID?, isReading: Bool, _ held: inout PostgresConnection?
    ) throws -> [Outcome] {
        let mode = isReading ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN ISOLATION LEVEL SERIALIZABLE"
        let connection = try begin(tenant.map { "\(mode); \(PostgresSession.entering($0))" } ?? mode, &held)
        do {
            var outcomes: [Outcome] = []
            for member in group { outcomes.append(try attempt(member, connection, tenant: tenant, isAlone: group.count == 1)) }
            if !isReading { Failpoint.reach("commit.before") }
            try connection.simple(outcomes.allSatisfy { $0.failure != nil } ? "ROLLBACK" : "COMMIT")
            if !isReading { Failpoint.reach("commit.after") }
            return outcomes
        } catch {
            if connection.isAlive {
                if connection.isInTransaction { try? connection.simple("ROLLBACK") }
            } else {
                held = nil
            }
            throw error
        }
    }

    private func attempt(_ member: any GroupMember, _ connection: PostgresConnection, tenant: TenantID?, isAlone: Bool) throws -> Outcome {
        let session = PostgresSession(connection: connection, registry: registry, clock: clock, ids: ids, entered: tenant)
        defer { session.end() }
        if !isAlone { try connection.simple("SAVEPOINT member") }
        do {
            try member.attempt(session)
            if let doom = session.doom { throw doom }
            if !isAlone { try connection.simple("RELEASE SAVEPOINT member") }
            return Outcome(member: member, failure: nil, actions: session.afterCommitActions)
        } catch {
            if case PersistenceError.contended = session.doom ?? error { throw session.doom ?? error }
            guard connection.isAlive else { throw error }
            if !isAlone { try connection.simple("ROLLBACK TO SAVEPOINT member; RELEASE SAVEPOINT member") }
            return Outcome(member: member, failure: error, actions: [])
        }
    }

    /// A connection that the server closed while it lay idle is found dead here, before anything was asked of it: a new one takes its place.
    private func begin(_ text: String, _ held: inout PostgresConnection?) throws -> PostgresConnection {
        let wasHeld = held != nil
        let connection = try live(&held)
        do {
            try connection.simple(text)
            return connection
        } catch {
            held = nil
            guard wasHeld, !connection.isAlive else { throw error }
            let fresh = try live(&held)
            try fresh.simple(text)
            return fresh
        }
    }

    private func live(_ held: inout PostgresConnection?) throws -> PostgresConnection {
        if let held, held.isAlive { return held }
        let made = try PostgresConnection(url: url)
        try PostgresRoles.serve(made)
        held = made
        return made
    }
}

/// Who may serve.
enum PostgresRoles {
    /// Takes the serving role where the connection may, then refuses a role for which row level security is off.
    static func serve(_ connection: PostgresConnection) throws {
        try connection.simple("SET TimeZone = 'UTC'; SET synchronous_commit = on")
        let member = try connection.run("SELECT pg_has_role(current_user, oid, 'member') FROM pg_roles WHERE rolname = \(PostgresSchema.servingRole)")
        if let row = member.rows.first, try row.column(0, as: Bool.self) { try connection.simple("SET ROLE \(PostgresSchema.servingRole)") }
        let rights = try connection.run("SELECT rolsuper OR rolbypassrls, rolname::text FROM pg_roles WHERE rolname = current_user").rows.first
        let owned = try connection.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user").rows.first
        let isMighty = try rights?.column(0, as: Bool.self) ?? true
        let owns = try owned?.column(0, as: Int.self) ?? 0
        guard !isMighty, owns == 0 else {
            let name = try rights?.column(1, as: String.self) ?? "unknown"
            throw PersistenceError.unavailable(
                "The database role \(name) may not serve: it is a superuser, bypasses row level security or owns the tables. Run `aias migrate` "
                    + "with this URL once; it makes the role \(PostgresSchema.servingRole), which serving then takes.")
        }
    }
}
