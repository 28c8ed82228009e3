import Kernel
import Logging
import Persistence
import Synchronization
import Testing
import TestKit

@testable import Jobs

@Suite(.timeLimit(.minutes(3))) struct ServerClockTests {
    /// A machine whose time of day can be set apart from how time goes by.
    private final class Machine: Sendable {
        let day = Mutex(Timestamp(seconds: 1_000))
        let went = Mutex(Duration.zero)
        var clock: Clock {
            Clock(now: { self.day.withLock { $0 } }, elapsed: { self.went.withLock { $0 } }, sleep: { _ in })
        }
    }

    @Test func `the server's time goes on by the clock that only goes forward, whatever the machine's day is set to`() {
        let machine = Machine()
        let server = ServerClock(machine: machine.clock, logger: Logger(label: "test"))
        #expect(server.clock.now() == Timestamp(seconds: 1_000), "the machine's until the server was asked")
        #expect(server.take(Timestamp(seconds: 5_000), asked: .zero, answered: .milliseconds(200)))
        machine.went.withLock { $0 = .milliseconds(1_100) }
        #expect(server.clock.now() == Timestamp(seconds: 5_001), "it was the server's time half way")
        machine.day.withLock { $0 = Timestamp(seconds: 4_600) }
        #expect(server.clock.now() == Timestamp(seconds: 5_001))
        #expect(!server.take(Timestamp(seconds: 9_000), asked: .seconds(2), answered: .seconds(3)), "a slow answer says too little")
        #expect(
            server.take(Timestamp(seconds: 6_000), asked: .milliseconds(1_000), answered: .milliseconds(1_200)), "the server's jumps are followed")
        #expect(server.clock.now() == Timestamp(seconds: 6_000))
    }

    @Test func `a real server tells its time`() async throws {
        try await withJobs(.postgres) { lease in
            let server = ServerClock(machine: Clock(now: { Timestamp(seconds: 0) }), logger: Logger(label: "test"))
            try await server.ask(lease.database)
            let difference = Clock.system.now() - server.clock.now()
            #expect(difference < .seconds(30) && difference > .seconds(-30))
        }
    }
}
