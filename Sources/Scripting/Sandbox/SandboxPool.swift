internal import Dispatch
internal import Kernel
internal import Synchronization

/// The worker processes. One serves one tenant; it is replaced after some requests, ends when idle, and is never handed to
/// another tenant: that one gets a fresh process. Callers beyond the number of processes wait in order.
final class SandboxPool: Sendable {
    /// A place for a process. The process is started by the first to use it, on the thread that uses it.
    struct Seat: Sendable {
        let id: Int
        let tenant: TenantID
        var process: SandboxProcess?
        var uses = 0
        var usesInTurn = 0
    }

    private let state = Mutex(State())
    private let limits: SandboxLimits
    private let reaper = DispatchQueue(label: "sandbox.reaper")

    init(limits: SandboxLimits) { self.limits = limits }

    /// A seat for the tenant's process, as soon as there is one.
    /// - Throws: `CancellationError`, or `ScriptError(.unavailable)` when too many wait.
    func acquire(_ tenant: TenantID) async throws -> Seat {
        let waiter = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let seat: Seat? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in enqueue(Waiter(id: waiter, tenant: tenant, continuation: continuation)) }
        } onCancel: {
            cancel(waiter)
        }
        state.withLock { _ = $0.cancelled.remove(waiter) }
        if let seat { return seat }
        try Task.checkCancellation()
        throw ScriptError(.unavailable, "too many scripts are waiting to run; try again later")
    }

    /// Gives the seat back; a process that is not to be used again has been taken out of it.
    func release(_ seat: Seat) {
        let (next, retired) = state.withLock { state in state.handOver(seat, limits) }
        withExtendedLifetime(retired) {}
        if let next { return next.waiter.continuation.resume(returning: next.seat) }
        reaper.asyncAfter(deadline: .now() + .milliseconds(Int(limits.idle.microseconds / 1_000))) { [weak self] in
            self?.reap(seat.id, uses: seat.uses + 1)
        }
    }

    /// Processes that wait for work.
    var idlePIDs: [Int32] { state.withLock { $0.idle.compactMap { $0.process?.pid } } }
    var busyCount: Int { state.withLock { $0.busy } }

    private func enqueue(_ waiter: Waiter) {
        let (seat, retired, refused) = state.withLock { state in state.seat(for: waiter, limits) }
        withExtendedLifetime(retired) {}
        if seat != nil || refused { waiter.continuation.resume(returning: seat) }
    }

    private func cancel(_ id: Int) {
        let waiter: Waiter? = state.withLock { state in
            if let index = state.waiters.firstIndex(where: { $0.id == id }) { return state.waiters.remove(at: index) }
            state.cancelled.insert(id)
            return nil
        }
        waiter?.continuation.resume(returning: nil)
    }

    /// Ends the process where it has rested since it was given back after that many uses.
    private func reap(_ id: Int, uses: Int) {
        let retired: Seat? = state.withLock { state in
            guard let index = state.idle.firstIndex(where: { $0.id == id && $0.uses == uses }) else { return nil }
            return state.idle.remove(at: index)
        }
        withExtendedLifetime(retired) {}
    }
}

private struct Waiter {
    let id: Int
    let tenant: TenantID
    let continuation: CheckedContinuation<SandboxPool.Seat?, Never>
}

/// Who sits where. Processes that go are returned to the caller, so that they end outside the lock.
private struct State {
    var busy = 0
    var idle: [SandboxPool.Seat] = []
    var waiters: [Waiter] = []
    var cancelled: Set<Int> = []
    var nextID = 0

    /// A seat at once, or none and the waiter is queued, or a refusal.
    mutating func seat(for waiter: Waiter, _ limits: SandboxLimits) -> (seat: SandboxPool.Seat?, retired: SandboxPool.Seat?, refused: Bool) {
        if cancelled.remove(waiter.id) != nil { return (nil, nil, true) }
        if let index = idle.lastIndex(where: { $0.tenant == waiter.tenant }) {
            busy += 1
            return (idle.remove(at: index), nil, false)
        }
        guard busy < limits.workers else {
            guard waiters.count < limits.waiting else { return (nil, nil, true) }
            waiters.append(waiter)
            return (nil, nil, false)
        }
        let retired = busy + idle.count >= limits.workers ? idle.removeFirst() : nil
        busy += 1
        return (freshSeat(waiter.tenant), retired, false)
    }

    /// The seat goes to a waiting caller of the same tenant, else to the first one with a fresh process, else it rests.
    mutating func handOver(_ seat: SandboxPool.Seat, _ limits: SandboxLimits)
        -> (next: (waiter: Waiter, seat: SandboxPool.Seat)?, retired: SandboxPool.Seat?)
    {
        var seat = seat
        seat.uses += 1
        seat.usesInTurn += 1
        let worn = seat.process == nil || seat.uses >= limits.usesPerWorker
        let turn = seat.usesInTurn < limits.usesInTurn
        if turn, let index = waiters.firstIndex(where: { $0.tenant == seat.tenant }) {
            let waiter = waiters.remove(at: index)
            guard worn else { return ((waiter, seat), nil) }
            return ((waiter, freshSeat(seat.tenant)), seat)
        }
        seat.usesInTurn = 0
        if let waiter = waiters.first {
            waiters.removeFirst()
            if waiter.tenant == seat.tenant, !worn { return ((waiter, seat), nil) }
            return ((waiter, freshSeat(waiter.tenant)), seat)
        }
        busy -= 1
        if worn { return (nil, seat) }
        idle.append(seat)
        return (nil, nil)
    }

    private mutating func freshSeat(_ tenant: TenantID) -> SandboxPool.Seat {
        nextID += 1
        return SandboxPool.Seat(id: nextID, tenant: tenant)
    }
}
