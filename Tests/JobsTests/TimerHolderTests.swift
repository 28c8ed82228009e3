import Kernel
import Persistence
import Synchronization
import TestKit
import Testing

@testable import Jobs

@Suite(.timeLimit(.minutes(3))) struct TimerHolderTests {
    private func set(_ lease: DatabaseLease) async throws {
        let now = lease.clock.now
        try await lease.database.write(in: lease.tenant) { try $0.setTimer(kind: "ear", subject: "a", dueAt: now) }
    }

    private func claim(_ lease: DatabaseLease) async throws -> Timer? {
        try await lease.database.claimSystem { tx in try TimerStore(tx: tx).claimDue("ear", limit: 10).first }
    }

    private func holds(_ lease: DatabaseLease, _ timer: Timer) async throws -> Bool {
        try await lease.database.write(in: lease.tenant) { try $0.holds(timer) }
    }

    private func extend(_ lease: DatabaseLease, _ timer: Timer) async throws -> Bool {
        try await lease.database.writeSystem { tx in try TimerStore(tx: tx).extend(timer, by: TimerStore.claim) }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a hold lasts while it is renewed, and ends for good when another takes it or the timer is set anew`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            try await set(lease)
            let first = try #require(try await claim(lease))
            for _ in 0..<3 {
                lease.clock.advance(by: .seconds(10))
                #expect(try await extend(lease, first))
            }
            #expect(try await holds(lease, first))
            #expect(try await claim(lease) == nil)
            lease.clock.advance(by: .seconds(16))
            let second = try #require(try await claim(lease))
            #expect(try await !holds(lease, first))
            #expect(try await !extend(lease, first))
            #expect(try await holds(lease, second))
            try await set(lease)
            #expect(try await !holds(lease, second))
            #expect(try await !extend(lease, second))
        }
    }

    @Test func `work that is left to others is theirs after as long as it says`() async throws {
        try await withJobs(.sqlite) { lease in
            let calls = Calls()
            let holder = TimerHolder(database: lease.database, clock: lease.clock.clock, logger: quiet, kind: "ear") { _ in
                calls.add("left")
                throw TimerService.Busy(after: .seconds(5))
            }
            try await set(lease)
            let running = Task { try await holder.run() }
            for _ in 0..<300 where calls.all.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await claim(lease) == nil)
            running.cancel()
            try await running.value
            lease.clock.advance(by: .seconds(5))
            #expect(try await claim(lease) != nil)
        }
    }

    @Test func `work is cancelled when its timer is, and given back when its process leaves`() async throws {
        try await withJobs(.sqlite) { lease in
            let calls = Calls()
            let holder = TimerHolder(database: lease.database, clock: lease.clock.clock, logger: quiet, kind: "ear") { timer in
                calls.add("began")
                do { try await Task.sleep(for: .seconds(600)) } catch { calls.add("ended") }
            }
            func wait(for expected: [String]) async throws {
                for _ in 0..<2_000 where calls.all != expected { try await Task.sleep(for: .milliseconds(50)) }
                #expect(calls.all == expected)
            }
            try await set(lease)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await holder.run() }
                try await wait(for: ["began"])
                _ = try await lease.database.write(in: lease.tenant) { try $0.cancelTimer(kind: "ear", subject: "a") }
                try await wait(for: ["began", "ended"])
                try await set(lease)
                try await wait(for: ["began", "ended", "began"])
                group.cancelAll()
            }
            #expect(calls.all == ["began", "ended", "began", "ended"])
            #expect(try await claim(lease) != nil)
        }
    }
}
