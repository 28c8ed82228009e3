import Dispatch
import HTTPSurface
import Kernel
import Persistence
import Synchronization
import TestKit
import Testing

@testable import Tenancy

@Suite struct QuotaTests {
    func used(_ world: TenancyHarness, _ key: QuotaKey) async throws -> Int? {
        try await world.tenancy.quotas(of: world.acme.id).first { $0.key == key }?.used
    }

    func reserve(_ world: TenancyHarness, _ key: QuotaKey, _ count: Int = 1) async throws -> String? {
        try await refusal { try await world.database.write(in: world.acme.id) { tx in try tx.reserve(key, count) } }
    }

    @Test(arguments: DatabaseEngine.allCases) func `fifty at once never pass a limit of five`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<50 { group.addTask { try await reserve(world, .workflows) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.count { $0 == nil } == 5 && codes.count { $0 == "limit_reached" } == 45)
            #expect(try await used(world, .workflows) == 5)
            try await world.database.write(in: world.acme.id) { tx in try tx.release(.workflows, 2) }
            #expect(try await reserve(world, .workflows, 3) == "limit_reached")
            #expect(try await reserve(world, .workflows, 2) == nil)
        }
    }

    /// Reservations that wait for the writer together, and are written by one commit.
    private func reserveTogether(_ world: TenancyHarness, _ key: QuotaKey, _ counts: [Int]) async throws -> [String?] {
        let gate = DispatchSemaphore(value: 0)
        return try await withThrowingTaskGroup(of: String?.self) { group in
            let isHeld = Mutex(false)
            group.addTask {
                try await world.database.write(in: world.acme.id) { _ in
                    isHeld.withLock { $0 = true }
                    gate.wait()
                }
                return nil
            }
            while !isHeld.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
            for count in counts {
                group.addTask {
                    try await refusal {
                        try await world.database.write(in: world.acme.id) { tx in
                            if count < 0 { try tx.release(key, -count) } else { try tx.reserve(key, count) }
                        }
                    }
                }
                // Each behind the one before it: what one gives back makes room for the next.
                try await Task.sleep(for: .milliseconds(20))
            }
            gate.signal()
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test(
        arguments: DatabaseEngine.allCases,
        [
            (counts: [1, 1, 1, 1, 1], refused: 0, used: 5), ([1, 1, 1, 1, 1, 1], 1, 5), ([2, 2, 2], 1, 4), ([5, 1], 1, nil), ([6], 1, 0),
            ([4, -1, 2], 0, 5)
        ] as [(counts: [Int], refused: Int, used: Int?)])
    func `reservations of one commit pass no limit, and none that fits is refused`(
        engine: DatabaseEngine, together: (counts: [Int], refused: Int, used: Int?)
    ) async throws {
        let (counts, refused, used) = together
        try await withTenancy(engine) { world in
            #expect(try await reserve(world, .workflows, 1) == nil)
            try await world.database.write(in: world.acme.id) { tx in try tx.release(.workflows, 1) }
            let codes = try await reserveTogether(world, .workflows, counts)
            let total = try #require(try await self.used(world, .workflows))
            #expect(codes.count { $0 == "limit_reached" } == refused && total <= 5)
            if let used { #expect(total == used) }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a limit that is lowered in the same commit holds`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            func change(_ plan: PlanName) async throws {
                _ = try await world.tenancy.updateTenant(world.acme.id, TenantChange(plan: plan), by: TenancyHarness.owner)
            }
            try await change(.professional)
            #expect(try await reserve(world, .workflows, 20) == nil)
            let gate = DispatchSemaphore(value: 0)
            async let held: Void = world.database.write(in: world.acme.id) { _ in gate.wait() }
            try await Task.sleep(for: .milliseconds(20))
            async let raised = reserve(world, .workflows)
            try await Task.sleep(for: .milliseconds(20))
            async let lowered: Void = change(.starter)
            try await Task.sleep(for: .milliseconds(20))
            gate.signal()
            try await held
            try await lowered
            let code = try await raised
            // Whichever of the two came first.
            #expect(try await used(world, .workflows) == (code == nil ? 21 : 20))
            #expect(try await reserve(world, .workflows) == "limit_reached")
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `what earlier commits knew of a counter lets nothing pass and refuses nothing that fits`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            func together(_ counts: [Int]) async throws -> Int { try await reserveTogether(world, .workflows, counts).count { $0 != nil } }
            func change(_ plan: PlanName) async throws {
                _ = try await world.tenancy.updateTenant(world.acme.id, TenantChange(plan: plan), by: TenancyHarness.owner)
            }
            #expect(try await reserve(world, .workflows, 1) == nil)
            #expect(try await together([1, 1]) == 0)
            try await world.database.write(in: world.acme.id) { tx in try tx.release(.workflows, 3) }
            #expect(try await together([2, 2, 1]) == 0)
            try await change(.professional)
            #expect(try await together([3, 3]) == 0)
            try await change(.starter)
            #expect(try await together([1, 1]) == 2)
            #expect(try await used(world, .workflows) == 11)
        }
    }

    @Test func `a month's count begins anew with the month`() async throws {
        try await withTenancy(.sqlite) { world in
            world.lease.clock.set(try #require(Timestamp("2026-01-31T23:59:59Z")))
            #expect(try await reserve(world, .executions, 1_000) == nil)
            #expect(try await reserve(world, .executions) == "limit_reached")
            world.lease.clock.advance(by: .seconds(1))
            #expect(try await used(world, .executions) == 0)
            #expect(try await reserve(world, .executions) == nil)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `another plan moves what is allowed and leaves what is used`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            #expect(try await reserve(world, .workflows, 5) == nil)
            func change(_ plan: PlanName) async throws {
                _ = try await world.tenancy.updateTenant(world.acme.id, TenantChange(plan: plan), by: TenancyHarness.owner)
            }
            try await change(.professional)
            #expect(try await reserve(world, .workflows, 20) == nil)
            #expect(try await reserve(world, .workflows) == "limit_reached")
            try await change(.enterprise)
            #expect(try await reserve(world, .workflows, 100) == nil)
            try await change(.starter)
            #expect(try await reserve(world, .workflows) == "limit_reached")
            #expect(try await used(world, .workflows) == 125)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `usage is counted once for a key`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            for tenant in [world.acme.id, try await world.makeTenant("other").tenant.id] {
                for quantity in [1, 2] {
                    try await world.database.write(in: tenant) { tx in
                        try tx.meter("executions", quantity: quantity, key: "run:1", at: tx.clock.now())
                    }
                }
                let quantities: [Int] = try await world.database.read(in: tenant) { tx in
                    try tx.all("SELECT quantity FROM usage_events WHERE tenant_id = \(tx.tenant)") { try $0.column(0) }
                }
                #expect(quantities == [1])
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `what is tallied is one event a minute, whole when the minute is over`(
        engine: DatabaseEngine
    ) async throws {
        try await withTenancy(engine) { world in
            let (acme, other) = (world.acme.id, try await world.makeTenant("other").tenant.id)
            let clock = world.lease.clock
            let start = clock.now
            func tally(_ count: Int, in tenant: TenantID) async throws {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for index in 0..<count {
                        group.addTask {
                            // What fails counts nothing, and undoes nobody else's count.
                            let code = try await refusal {
                                try await world.database.write(in: tenant) { tx in
                                    try tx.tally("executions", at: tx.clock.now())
                                    if index % 5 == 4 { throw Refusal.missing("run") }
                                }
                            }
                            #expect((code == nil) == (index % 5 != 4))
                        }
                    }
                    try await group.waitForAll()
                }
            }
            func events(of tenant: TenantID, from: Timestamp, to: Timestamp) async throws -> [UsageEvent] {
                try await world.database.read(in: tenant) { tx in
                    var events: [UsageEvent] = []
                    try tx.usage("executions", from: from, to: to) { events.append($0) }
                    return events
                }
            }
            try await tally(50, in: acme)
            try await tally(5, in: other)
            clock.advance(by: .seconds(60))
            try await tally(10, in: acme)
            let minute = Timestamp(seconds: start.seconds.flooringDivision(60) * 60 + 60)
            let first = try await events(of: acme, from: start, to: minute + .microseconds(1))
            #expect(first.map(\.quantity).reduce(0, +) == 40 && first.allSatisfy { $0.at == minute })
            if engine == .sqlite { #expect(first.count == 1) }
            #expect(try await events(of: acme, from: start, to: start + .seconds(3_600)).map(\.quantity).reduce(0, +) == 48)
            #expect(try await events(of: other, from: start, to: start + .seconds(3_600)).map(\.quantity).reduce(0, +) == 4)
        }
    }

    @Test(arguments: [1, 3, 10, 200]) func `a rate allows one second's worth at once, then one every interval`(perSecond: Int) throws {
        let time = TestClock()
        let limiter = RateLimiter(clock: time.clock)
        let interval = 1_000_000 / Int64(perSecond)
        for index in 1...perSecond {
            let decision = try #require(limiter.take("a", perSecond: perSecond))
            #expect(decision.isAllowed && decision.remaining == perSecond - index && decision.reset == .microseconds(interval * Int64(index)))
        }
        let refused = try #require(limiter.take("a", perSecond: perSecond))
        #expect(!refused.isAllowed && refused.retryAfter == .microseconds(interval))
        #expect(limiter.take("b", perSecond: perSecond)?.isAllowed == true)
        time.advance(by: .microseconds(interval - 1))
        #expect(limiter.take("a", perSecond: perSecond)?.retryAfter == .microseconds(1))
        time.advance(by: .microseconds(1))
        #expect(limiter.take("a", perSecond: perSecond)?.isAllowed == true)
        #expect(limiter.take("a", perSecond: perSecond)?.isAllowed == false)
        #expect(limiter.take("a", perSecond: nil) == nil)
    }

    @Test(arguments: [1, 10]) func `a clock that is set back keeps nobody waiting until it has caught up`(perSecond: Int) throws {
        let time = TestClock()
        let limiter = RateLimiter(clock: time.clock)
        for _ in 0..<perSecond { #expect(limiter.take("a", perSecond: perSecond)?.isAllowed == true) }
        #expect(limiter.take("a", perSecond: perSecond)?.isAllowed == false)
        time.advance(by: .seconds(-3_600))
        for _ in 0..<perSecond { #expect(limiter.take("a", perSecond: perSecond)?.isAllowed == true) }
        let refused = try #require(limiter.take("a", perSecond: perSecond))
        #expect(!refused.isAllowed && refused.retryAfter <= .seconds(1))
    }

    @Test func `a rate above a million a second is still a rate`() throws {
        #expect(try #require(RateLimiter(clock: TestClock().clock).take("a", perSecond: 5_000_000)).isAllowed)
    }
}
