internal import Foundation
internal import GRDB
internal import Kernel
internal import Synchronization
internal import Telemetry

/// One write that waits for its group, answered after the commit.
protocol GroupMember: AnyObject, Sendable {
    /// Runs the closure and keeps its result; may be called again for a replay.
    func attempt(_ session: any Session) throws
    func succeed()
    func fail(_ error: any Error)
}

/// A write closure with the caller that waits for it.
final class Write<Result: Sendable>: GroupMember, @unchecked Sendable {
    private let body: @Sendable (any Session) throws -> Result
    private let answer: (Swift.Result<Result, any Error>) -> Void
    /// Only the writing thread touches it.
    private var result: Result?

    init(body: @escaping @Sendable (any Session) throws -> Result, answer: @escaping (Swift.Result<Result, any Error>) -> Void) {
        self.body = body
        self.answer = answer
    }

    func attempt(_ session: any Session) throws { result = try body(session) }

    func succeed() {
        guard let result else { preconditionFailure("a write succeeded without having run") }
        answer(.success(result))
    }

    func fail(_ error: any Error) { answer(.failure(error)) }
}

/// The one writer of a SQLite file: gathers what queued while the last commit was on its way and commits it together.
///
/// Most groups have no member that fails, and savepoints cost a seventh of a small write. So a group runs without them first; where a member
/// fails, all is rolled back and run again, each member in a savepoint of its own, and so are the next few groups.
final class GroupWriter: @unchecked Sendable {
    /// Members of one commit.
    static let groupMaximum = 512
    /// Members of a group after which the next one waits a moment for more: each commit writes the same few pages again, for 20 as for 200.
    private static let crowd = 24
    /// For how long a group stays open for more, and the pause in which some come or it ends.
    private static let age: Duration = .milliseconds(3)
    private static let pauseMicroseconds: UInt32 = 150
    /// Writes that may wait; further ones are refused so that memory stays bounded.
    static let queueMaximum = 100_000

    private let condition = NSCondition()
    private var queue: [any GroupMember] = []
    private var isClosed = false
    private var hasEnded = false
    private let connection: any DatabaseWriter
    private let registry: SchemaRegistry
    private let tenant: CurrentTenant
    private let clock: Clock
    private let ids: IDs
    /// How many of the next groups use savepoints. Only the writing thread touches it.
    private var wary = 0
    private static let waryGroups = 32
    /// Whether the last group was a crowd. Only the writing thread touches it.
    private var isCrowded = false
    /// Only the writing thread touches it.
    private let statements = StatementShelf()
    /// Only the writing thread touches it.
    private let memory = CommitMemory()
    private let sync: WriteAheadSync
    /// Only the writing thread touches it.
    private let room: WriteAheadRoom
    private let checkpointer: Checkpointer
    /// Pages in the write-ahead file after the last commit. Only the writing thread touches it.
    private let size = WriteAheadSize()

    init(
        connection: any DatabaseWriter, sync: WriteAheadSync, room: WriteAheadRoom, checkpointer: Checkpointer, registry: SchemaRegistry,
        tenant: CurrentTenant, clock: Clock, ids: IDs
    ) {
        self.connection = connection
        self.sync = sync
        self.room = room
        self.checkpointer = checkpointer
        self.registry = registry
        self.tenant = tenant
        self.clock = clock
        self.ids = ids
        let thread = Thread { [self] in run() }
        thread.name = "sqlite-writer"
        thread.start()
    }

    func submit(_ member: any GroupMember) {
        condition.lock()
        guard !isClosed, queue.count < Self.queueMaximum else {
            let wasClosed = isClosed
            condition.unlock()
            return member.fail(PersistenceError.unavailable(wasClosed ? "The database is closed." : "Too many writes are waiting."))
        }
        queue.append(member)
        condition.unlock()
        // After it: a thread that wakes would find the lock taken, and sleep again.
        condition.signal()
    }

    /// Commits and answers what has queued, then ends the threads.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        while !hasEnded { condition.wait() }
        condition.unlock()
        sync.close()
        checkpointer.close()
    }

    private func run() {
        connection.unsafeReentrantWrite { database in size.follow(database.sqliteConnection) }
        while let group = next() { commit(group) }
        // A connection with statements cannot be closed.
        statements.clear()
        condition.lock()
        hasEnded = true
        condition.broadcast()
        condition.unlock()
    }

    private func next() -> [any GroupMember]? {
        condition.lock()
        defer { condition.unlock() }
        while queue.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        return taken(Self.groupMaximum)
    }

    /// Those at the head of the queue, which is locked.
    private func taken(_ count: Int) -> [any GroupMember] {
        let taken = Array(queue.prefix(count))
        queue.removeFirst(taken.count)
        return taken
    }

    /// What has come while the `count` members of a group ran. It ends where nothing comes any more, or it is full, or old.
    private func joining(_ count: Int, since started: ContinuousClock.Instant) -> [any GroupMember] {
        guard count < Self.groupMaximum, ContinuousClock.now - started < Self.age else { return [] }
        // Not by the condition, whose waits follow the clock of the day wherever that is set.
        if isCrowded, !isPressed { usleep(Self.pauseMicroseconds) }
        condition.lock()
        defer { condition.unlock() }
        return taken(Self.groupMaximum - count)
    }

    private var isPressed: Bool {
        condition.lock()
        defer { condition.unlock() }
        return !queue.isEmpty
    }

    private struct Outcome: Sendable {
        var member: any GroupMember
        var failure: (any Error)?
        var actions: [@Sendable () -> Void]
    }

    private func commit(_ first: [any GroupMember]) {
        var group = first
        let started = ContinuousClock.now
        let outcomes: [Outcome]
        do {
            outcomes = try connection.writeWithoutTransaction { database in try self.outcomes(of: &group, database) }
        } catch {
            // The whole transaction is lost: replayed one by one, a bad member fails alone.
            guard group.count > 1 else { return group[0].fail((error as? DatabaseError).map(SQLiteFailure.error) ?? error) }
            Metrics.shared.count(.databaseReplays)
            for member in group { commit([member]) }
            return
        }
        guard outcomes.contains(where: { $0.failure == nil }) else { return Self.answer(outcomes) }
        sync.settle(isPressed: isPressed) {
            CommitFigures.note(group: outcomes.count, since: started)
            Self.answer(outcomes)
        }
        guard checkpointer.isDue(size: size.pages) else { return }
        connection.unsafeReentrantWrite { database in checkpointer.committed(size: size.pages, on: database.sqliteConnection) }
    }

    private static func answer(_ outcomes: [Outcome]) {
        for outcome in outcomes where outcome.failure == nil {
            for action in outcome.actions { action() }
        }
        for outcome in outcomes {
            if let failure = outcome.failure { outcome.member.fail(failure) } else { outcome.member.succeed() }
        }
    }

    private func outcomes(of group: inout [any GroupMember], _ database: GRDB.Database) throws -> [Outcome] {
        let isAlone = group.count == 1 && !isCrowded
        if isAlone || wary == 0, let outcomes = try transact(&group, database, isAlone ? .alone : .open) { return outcomes }
        wary = wary == 0 ? Self.waryGroups : wary - 1
        return try transact(&group, database, .guarded) ?? []
    }

    private enum Manner {
        /// One member, whose failure is that of the transaction.
        case alone
        /// A failure undoes the whole.
        case open
        /// Each member has a savepoint.
        case guarded
    }

    /// - Parameter group: those that come meanwhile are added.
    /// - Returns: nil where an open group has a member that failed: nothing is written then.
    private func transact(_ group: inout [any GroupMember], _ database: GRDB.Database, _ manner: Manner) throws -> [Outcome]? {
        try database.control("BEGIN IMMEDIATE")
        do {
            var outcomes: [Outcome] = []
            outcomes.reserveCapacity(group.count)
            let share = manner == .open ? CommitShare(memory: memory) : nil
            let started = ContinuousClock.now
            var members = group
            while !members.isEmpty {
                for member in members {
                    let outcome = try attempt(member, database, isGuarded: manner == .guarded, share)
                    if outcome.failure != nil, manner == .open {
                        try database.control("ROLLBACK")
                        return nil
                    }
                    outcomes.append(outcome)
                }
                members = manner == .open ? joining(outcomes.count, since: started) : []
                group += members
            }
            isCrowded = outcomes.count >= Self.crowd
            if let share, try !end(share, database) {
                try database.control("ROLLBACK")
                return nil
            }
            Failpoint.reach("commit.before")
            if outcomes.allSatisfy({ $0.failure != nil }) {
                try database.control("ROLLBACK")
            } else {
                room.keep(after: size.pages)
                try database.control("COMMIT")
                share?.remember()
            }
            Failpoint.reach("commit.after")
            return outcomes
        } catch {
            if database.isInsideTransaction { try? database.control("ROLLBACK") }
            throw error
        }
    }

    /// - Returns: false where what they share cannot be written.
    private func end(_ share: CommitShare, _ database: GRDB.Database) throws -> Bool {
        let session = SQLiteSession(
            connection: database, registry: registry, tenant: tenant, clock: clock, ids: ids, memory: memory, statements: statements)
        defer {
            session.end()
            tenant.leave()
        }
        do {
            try share.end(session)
            return session.doom == nil
        } catch {
            guard database.isInsideTransaction else { throw error }
            return false
        }
    }

    private func attempt(_ member: any GroupMember, _ database: GRDB.Database, isGuarded: Bool, _ share: CommitShare?) throws -> Outcome {
        let session = SQLiteSession(
            connection: database, registry: registry, tenant: tenant, clock: clock, ids: ids, share: share, memory: memory,
            statements: statements)
        defer {
            session.end()
            tenant.leave()
        }
        if isGuarded { try database.control("SAVEPOINT member") }
        do {
            try member.attempt(session)
            if let doom = session.doom { throw doom }
            if isGuarded { try database.control("RELEASE member") }
            return Outcome(member: member, failure: nil, actions: session.afterCommitActions)
        } catch {
            // A full disk or an I/O error may have rolled back everything already.
            guard database.isInsideTransaction else { throw error }
            if isGuarded {
                try database.control("ROLLBACK TO member")
                try database.control("RELEASE member")
            }
            return Outcome(member: member, failure: error, actions: [])
        }
    }
}
