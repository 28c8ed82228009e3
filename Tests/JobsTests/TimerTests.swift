import Kernel
import Logging
import Persistence
import Synchronization
import Testing
import TestKit

@testable import Jobs

/// What a handler was called with, in order.
final class Calls: Sendable {
    private let list = Mutex<[String]>([])
    var all: [String] { list.withLock { $0 } }
    @discardableResult
    func add(_ call: String) -> Int {
        list.withLock { list in
            list.append(call)
            return list.count
        }
    }
}

struct Trouble: Error {}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

@Suite(.timeLimit(.minutes(3))) struct TimerTests {
    /// A service whose handler removes the timer in its transaction, as real ones do.
    private func service(_ lease: DatabaseLease, _ calls: Calls, failing: @escaping @Sendable (Int) -> Bool = { _ in false }) -> TimerService {
        let database = lease.database
        return TimerService(
            database: database, clock: lease.clock.clock, logger: quiet,
            handlers: [
                "bell": { timer in
                    let number = calls.add("\(timer.subject):\(timer.payload)")
                    if failing(number) { throw Trouble() }
                    _ = try await database.write(in: timer.tenant) { try $0.cancelTimer(kind: "bell", subject: timer.subject) }
                }
            ])
    }

    private func set(_ lease: DatabaseLease, _ subject: String, in delay: Duration, payload: String = "") async throws {
        let due = lease.clock.now + delay
        try await lease.database.write(in: lease.tenant) { try $0.setTimer(kind: "bell", subject: subject, dueAt: due, payload: payload) }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a timer fires when it is due and not before`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let service = service(lease, calls)
            try await set(lease, "late", in: .seconds(20))
            try await set(lease, "soon", in: .seconds(10), payload: "p")
            #expect(try await service.fireDue() == 0)
            lease.clock.advance(by: .seconds(10))
            #expect(try await service.fireDue() == 1)
            #expect(calls.all == ["soon:p"])
            lease.clock.advance(by: .seconds(10))
            #expect(try await service.fireDue() == 1)
            lease.clock.advance(by: .seconds(600))
            #expect(try await service.fireDue() == 0)
            #expect(calls.all == ["soon:p", "late:"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `setting the same subject moves its timer, cancelling removes it, and tenants do not share subjects`(
        engine: DatabaseEngine
    ) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let service = service(lease, calls)
            try await set(lease, "a", in: .seconds(1), payload: "first")
            try await set(lease, "a", in: .seconds(5), payload: "second")
            try await set(lease, "b", in: .seconds(1))
            let due = lease.clock.now + .seconds(5)
            try await lease.database.write(in: lease.other) { try $0.setTimer(kind: "bell", subject: "a", dueAt: due, payload: "other") }
            #expect(try await lease.database.write(in: lease.tenant) { try $0.cancelTimer(kind: "bell", subject: "b") })
            #expect(try await !lease.database.write(in: lease.tenant) { try $0.cancelTimer(kind: "bell", subject: "b") })
            lease.clock.advance(by: .seconds(1))
            #expect(try await service.fireDue() == 0)
            lease.clock.advance(by: .seconds(4))
            #expect(try await service.fireDue() == 2)
            #expect(calls.all.sorted() == ["a:other", "a:second"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `of racing services one fires a timer`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let tenant = lease.tenant
            let due = lease.clock.now
            try await lease.database.write(in: tenant) { tx in
                for number in 0..<40 { try tx.setTimer(kind: "bell", subject: "\(number)", dueAt: due) }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    let service = service(lease, calls)
                    group.addTask { while try await service.fireDue() > 0 {} }
                }
                try await group.waitForAll()
            }
            #expect(calls.all.count == 40 && Set(calls.all).count == 40)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a failed handler is called again after a wait that grows, without a busy loop between`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let service = service(lease, calls) { $0 < 3 }
            try await set(lease, "a", in: .zero)
            #expect(try await service.fireDue() == 1)
            #expect(try await service.fireDue() == 0)
            #expect(try await lease.database.readSystem { try TimerStore(tx: $0).nextDue(["bell"]) } == lease.clock.now + .seconds(1))
            lease.clock.advance(by: .seconds(1))
            #expect(try await service.fireDue() == 1)
            lease.clock.advance(by: .seconds(1))
            #expect(try await service.fireDue() == 0)
            lease.clock.advance(by: .seconds(1))
            #expect(try await service.fireDue() == 1)
            #expect(calls.all.count == 3)
            #expect(try await lease.database.readSystem { try TimerStore(tx: $0).nextDue(["bell"]) } == nil)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a timer whose claimer died fires again when the claim is over`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            try await set(lease, "a", in: .zero)
            let claimed = try await lease.database.writeSystem { try TimerStore(tx: $0).claimDue("bell", limit: 10) }
            #expect(claimed.map(\.subject) == ["a"])
            let service = service(lease, calls)
            #expect(try await service.fireDue() == 0)
            lease.clock.advance(by: TimerStore.claim)
            #expect(try await service.fireDue() == 1)
            #expect(calls.all == ["a:"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `of more than can be taken those of the lowest rank come first`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let now = lease.clock.now
            for number in 0..<10 {
                try await lease.database.write(in: lease.tenant) { tx in
                    try tx.setTimer(kind: "bell", subject: "many-\(number)", dueAt: now, rank: now + .seconds(number))
                }
            }
            try await lease.database.write(in: lease.other) { tx in try tx.setTimer(kind: "bell", subject: "one", dueAt: now + .milliseconds(1)) }
            lease.clock.advance(by: .seconds(1))
            let claimed = try await lease.database.writeSystem { try TimerStore(tx: $0).claimDue("bell", limit: 3) }
            #expect(claimed.map(\.subject) == ["many-0", "one", "many-1"])
        }
    }

    @Test func `a handler without room is asked again soon, and one that has none is not asked`() async throws {
        try await withJobs(.sqlite) { lease in
            let (calls, database) = (Calls(), lease.database)
            let room = Mutex(0)
            let service = TimerService(
                database: database, clock: lease.clock.clock, logger: quiet,
                handlers: [
                    "bell": { timer in
                        guard calls.add(timer.subject) > 1 else { throw TimerService.Busy() }
                        _ = try await database.write(in: timer.tenant) { try $0.cancelTimer(kind: "bell", subject: timer.subject) }
                    }
                ], room: { _ in TimerService.Room(places: room.withLock { $0 }) })
            try await set(lease, "a", in: .zero)
            #expect(try await service.fireDue() == 0)
            room.withLock { $0 = 1 }
            #expect(try await service.fireDue() == 0, "it had none after all")
            #expect(try await service.fireDue() == 0)
            lease.clock.advance(by: TimerService.busyWait)
            #expect(try await service.fireDue() == 1)
            #expect(calls.all == ["a", "a"])
        }
    }

    @Test func `a timer of a transaction that fails is not set`() async throws {
        try await withJobs(.sqlite) { lease in
            let due = lease.clock.now
            await #expect(throws: Trouble.self) {
                try await lease.database.write(in: lease.tenant) { tx in
                    try tx.setTimer(kind: "bell", subject: "a", dueAt: due)
                    throw Trouble()
                }
            }
            let fired = try await service(lease, Calls()).fireDue()
            #expect(fired == 0)
        }
    }

    @Test func `a timer for which there was no room has not failed`() async throws {
        try await withJobs(.sqlite) { lease in
            let calls = Calls()
            let service = TimerService(
                database: lease.database, clock: lease.clock.clock, logger: quiet,
                handlers: ["bell": { _ in if calls.add("bell") <= 8 { throw TimerService.Busy() } else { throw Trouble() } }])
            try await set(lease, "a", in: .zero)
            for _ in 0..<8 {
                #expect(try await service.fireDue() == 0)
                lease.clock.advance(by: TimerService.busyWait)
            }
            #expect(try await service.fireDue() == 1)
            lease.clock.advance(by: .seconds(1))
            #expect(try await service.fireDue() == 1, "the wait after a first failure is a second")
        }
    }

    @Test func `timers that take long hold up no other, and no tenant has all places`() async throws {
        try await withJobs(.sqlite) { lease in
            let (begun, done) = (Calls(), Calls())
            let isOpen = Mutex(false)
            let (slow, database) = (lease.tenant, lease.database)
            let service = SlowTimers(
                database: database, clock: .system, logger: quiet,
                handlers: [
                    "bell": { timer in
                        begun.add("\(timer.tenant)")
                        while timer.tenant == slow, !isOpen.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(2)) }
                        _ = try await database.write(in: timer.tenant) { try $0.cancelTimer(kind: "bell", subject: timer.subject) }
                        done.add("\(timer.tenant)")
                    }
                ])
            for number in 0..<12 { try await set(lease, "\(number)", in: .zero) }
            let due = lease.clock.now
            try await database.write(in: lease.other) { try $0.setTimer(kind: "bell", subject: "other", dueAt: due, payload: "") }
            let running = Task { try await service.run() }
            while !done.all.contains("\(lease.other)") { try await Task.sleep(for: .milliseconds(2)) }
            #expect(begun.all.count { $0 == "\(slow)" } <= 2 * SlowTimers.placesOfTenant)
            isOpen.withLock { $0 = true }
            while done.all.count < 13 { try await Task.sleep(for: .milliseconds(2)) }
            running.cancel()
            try await running.value
        }
    }
}
