import Kernel
import Persistence
import Testing
import TestKit

@testable import Jobs

@Suite(.timeLimit(.minutes(3))) struct DutyTests {
    private func service(_ lease: DatabaseLease, _ duties: Duty...) -> DutyService {
        DutyService(database: lease.database, logger: quiet, duties: duties)
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a duty is done at once, and again when its interval is over`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let service = service(
                lease, Duty("seal", every: .seconds(60)) { calls.add("seal") }, Duty("sweep", every: .seconds(3_600)) { calls.add("sweep") })
            let first = await service.doDue()
            #expect(first == ["seal", "sweep"])
            lease.clock.advance(by: .seconds(59))
            let early = await service.doDue()
            #expect(early.isEmpty)
            lease.clock.advance(by: .seconds(1))
            let second = await service.doDue()
            #expect(second == ["seal"])
            #expect(calls.all == ["seal", "sweep", "seal"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a duty that was done while the clock was ahead is due when it is set back`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let service = service(lease, Duty("seal", every: .seconds(60)) {})
            let beginning = lease.clock.now
            lease.clock.advance(by: .seconds(86_400))
            let ahead = await service.doDue()
            #expect(ahead == ["seal"])
            lease.clock.set(beginning)
            let back = await service.doDue()
            #expect(back == ["seal"])
            let again = await service.doDue()
            #expect(again.isEmpty)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `of several processes one does it, and while it works no other begins`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let inner = service(lease, Duty("seal", every: .seconds(60)) { calls.add("inner") })
            let outer = service(
                lease,
                Duty("seal", every: .seconds(60)) {
                    calls.add("outer")
                    lease.clock.advance(by: .seconds(600))
                    await inner.doDue()
                })
            await outer.doDue()
            #expect(calls.all == ["outer"])
            lease.clock.advance(by: .seconds(60))
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { await inner.doDue() } }
            }
            #expect(calls.all == ["outer", "inner"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a claim left by a dead process ends, and what fails waits for its interval`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let duty = Duty("seal", every: .seconds(60)) {
                calls.add("seal")
                throw Trouble()
            }
            let dead = try await lease.database.writeSystem { tx in try DutyStore(tx: tx).claim(duty, for: DutyService.claim) }
            let service = service(lease, duty)
            await service.doDue()
            #expect(calls.all.isEmpty)
            lease.clock.advance(by: DutyService.claim)
            let failed = await service.doDue()
            #expect(failed.isEmpty && calls.all == ["seal"])
            try await lease.database.writeSystem { tx in try DutyStore(tx: tx).finish(duty, claim: try #require(dead)) }
            await service.doDue()
            #expect(calls.all.count == 1)
            lease.clock.advance(by: .seconds(60))
            await service.doDue()
            #expect(calls.all.count == 2)
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a duty that the end of its process interrupts is left to the next one`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let calls = Calls()
            let interrupted = service(
                lease,
                Duty("seal", every: .seconds(3_600)) {
                    calls.add("begun")
                    try await Task.sleep(for: .seconds(60))
                })
            let process = Task { await interrupted.doDue() }
            while calls.all.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            process.cancel()
            let done = await process.value
            #expect(done.isEmpty && calls.all == ["begun"])
            let next = await service(lease, Duty("seal", every: .seconds(3_600)) { calls.add("seal") }).doDue()
            #expect(next == ["seal"])
        }
    }
}
