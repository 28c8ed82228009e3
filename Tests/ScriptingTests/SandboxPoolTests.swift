import Kernel
import Synchronization
import Testing

@testable import Scripting

/// Who gets a process next.
@Suite(.timeLimit(.minutes(4))) struct SandboxPoolTests {
    private final class Order: Sendable { let tenants = Mutex<[UInt64]>([]) }

    @Test func `tenants take turns, however many callers one of them has`() async throws {
        var limits = SandboxLimits()
        limits.workers = 1
        limits.usesInTurn = 3
        let pool = SandboxPool(limits: limits)
        let order = Order()
        let held = try await pool.acquire(.test(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            let callers: [UInt64] = Array(repeating: 1, count: 8) + Array(repeating: 2, count: 4) + [3]
            for (place, tenant) in callers.enumerated() {
                group.addTask {
                    let seat = try await pool.acquire(.test(tenant))
                    order.tenants.withLock { $0.append(tenant) }
                    pool.release(seat)
                }
                while pool.waitingCount <= place { await Task.yield() }
            }
            pool.release(held)
            try await group.waitForAll()
        }
        // A tenant keeps the process for three uses, the first of which was held here.
        #expect(order.tenants.withLock { $0 } == [1, 1, 2, 2, 2, 3, 1, 1, 1, 2, 1, 1, 1])
        #expect(pool.busyCount == 0 && pool.waitingCount == 0)
    }

    @Test func `who stops waiting is passed over`() async throws {
        var limits = SandboxLimits()
        limits.workers = 1
        let pool = SandboxPool(limits: limits)
        let held = try await pool.acquire(.test(1))
        let gone = Task { try await pool.acquire(.test(2)) }
        while pool.waitingCount < 1 { await Task.yield() }
        let next = Task { try await pool.acquire(.test(3)) }
        while pool.waitingCount < 2 { await Task.yield() }
        gone.cancel()
        await #expect(throws: CancellationError.self) { _ = try await gone.value }
        #expect(pool.waitingCount == 1)
        pool.release(held)
        pool.release(try await next.value)
        #expect(pool.busyCount == 0)
    }

    @Test func `where too many wait, the tenant with most of them gives its last place to one with fewer`() async throws {
        var limits = SandboxLimits()
        limits.workers = 1
        limits.waiting = 3
        let pool = SandboxPool(limits: limits)
        let held = try await pool.acquire(.test(1))
        var flood: [Task<SandboxPool.Seat, any Error>] = []
        for _ in 0..<3 {
            flood.append(Task { try await pool.acquire(.test(1)) })
            while pool.waitingCount < flood.count { await Task.yield() }
        }
        await #expect(throws: ScriptError.self) { _ = try await pool.acquire(.test(1)) }
        let second = Task { try await pool.acquire(.test(2)) }
        await #expect(throws: ScriptError.self) { _ = try await flood[2].value }
        // With it the second would have as many as the first.
        await #expect(throws: ScriptError.self) { _ = try await pool.acquire(.test(2)) }
        let third = Task { try await pool.acquire(.test(3)) }
        await #expect(throws: ScriptError.self) { _ = try await flood[1].value }
        #expect(pool.waitingCount == 3)
        pool.release(held)
        for task in [flood[0], second, third] { pool.release(try await task.value) }
        #expect(pool.busyCount == 0 && pool.waitingCount == 0)
    }
}
