internal import Dispatch
internal import Kernel
internal import Synchronization

/// The worker processes. One serves one tenant; it is replaced after some requests, ends when idle, and is never handed to
/// another tenant: that one gets a fresh process. Callers beyond the number of processes wait, and their tenants take turns.
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
    var waitingCount: Int { state.withLock { $0.waiters.count } }

    private func enqueue(_ waiter: Waiter) {
        let (answer, retired) = state.withLock { state in state.seat(for: waiter, limits) }
        withExtendedLifetime(retired) {}
        answer?.waiter.continuation.resume(returning: answer?.seat)
    }

    private func cancel(_ id: Int) {
        let waiter: Waiter? = state.withLock { state in
            if let waiter = state.waiters.remove(id) { return waiter }
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

/// Callers without a seat: those of a tenant in the order in which they came, and the tenants in turn.
private struct Waiters {
    private var queues: [TenantID: [Waiter]] = [:]
    /// Tenants with a queue, the next one first.
    private var turns: [TenantID] = []
    private(set) var count = 0

    mutating func append(_ waiter: Waiter) {
        if queues[waiter.tenant] == nil { turns.append(waiter.tenant) }
        queues[waiter.tenant, default: []].append(waiter)
        count += 1
    }

    /// Room for one more of a tenant: takes the last that came of the tenant with most, where that one has more.
    mutating func makeRoom(for tenant: TenantID) -> Waiter? {
        guard let most = queues.max(by: { $0.value.count < $1.value.count }), most.value.count > (queues[tenant]?.count ?? 0) + 1 else { return nil }
        return take(most.value.count - 1, of: most.key)
    }

    mutating func next(of tenant: TenantID) -> Waiter? { queues[tenant] == nil ? nil : take(0, of: tenant) }

    /// The first one of the tenant whose turn it is, another than the one whose turn is over where there is one.
    mutating func next(after last: TenantID) -> Waiter? {
        if turns.first == last { turns.append(turns.removeFirst()) }
        guard let tenant = turns.first else { return nil }
        let waiter = take(0, of: tenant)
        if turns.first == tenant { turns.append(turns.removeFirst()) }
        return waiter
    }

    mutating func remove(_ id: Int) -> Waiter? {
        for (tenant, queue) in queues {
            if let index = queue.firstIndex(where: { $0.id == id }) { return take(index, of: tenant) }
        }
        return nil
    }

    private mutating func take(_ index: Int, of tenant: TenantID) -> Waiter? {
        let waiter = queues[tenant]?.remove(at: index)
        count -= 1
        if queues[tenant]?.isEmpty == true {
            queues[tenant] = nil
            turns.removeAll { $0 == tenant }
        }
        return waiter
    }
}

/// Who sits where. Processes that go are returned to the caller, so that they end outside the lock.
private struct State {
    var busy = 0
    var idle: [SandboxPool.Seat] = []
    var waiters = Waiters()
    var cancelled: Set<Int> = []
    var nextID = 0

    /// A seat at once, or the waiter is queued. Where too many wait, one is refused a seat: the last that came of the tenant that has most of them.
    mutating func seat(for waiter: Waiter, _ limits: SandboxLimits)
        -> (answer: (waiter: Waiter, seat: SandboxPool.Seat?)?, retired: SandboxPool.Seat?)
    {
        if cancelled.remove(waiter.id) != nil { return ((waiter, nil), nil) }
        if let index = idle.lastIndex(where: { $0.tenant == waiter.tenant }) {
            busy += 1
            return ((waiter, idle.remove(at: index)), nil)
        }
        guard busy >= limits.workers else {
            let retired = busy + idle.count >= limits.workers ? idle.removeFirst() : nil
            busy += 1
            return ((waiter, freshSeat(waiter.tenant)), retired)
        }
        guard waiters.count >= limits.waiting else {
            waiters.append(waiter)
            return (nil, nil)
        }
        guard let last = waiters.makeRoom(for: waiter.tenant) else { return ((waiter, nil), nil) }
        waiters.append(waiter)
        return ((last, nil), nil)
    }

    /// The seat goes to a waiting caller of the same tenant, for some uses; else to the tenant whose turn it is, with a fresh process; else it rests.
    mutating func handOver(_ seat: SandboxPool.Seat, _ limits: SandboxLimits)
        -> (next: (waiter: Waiter, seat: SandboxPool.Seat)?, retired: SandboxPool.Seat?)
    {
        var seat = seat
        seat.uses += 1
        seat.usesInTurn += 1
        let worn = seat.process == nil || seat.uses >= limits.usesPerWorker
        let turn = seat.usesInTurn < limits.usesInTurn
        if turn, let waiter = waiters.next(of: seat.tenant) {
            guard worn else { return ((waiter, seat), nil) }
            return ((waiter, freshSeat(seat.tenant, usesInTurn: seat.usesInTurn)), seat)
        }
        seat.usesInTurn = 0
        if let waiter = waiters.next(after: seat.tenant) {
            if waiter.tenant == seat.tenant, !worn { return ((waiter, seat), nil) }
            return ((waiter, freshSeat(waiter.tenant)), seat)
        }
        busy -= 1
        if worn { return (nil, seat) }
        idle.append(seat)
        return (nil, nil)
    }

    private mutating func freshSeat(_ tenant: TenantID, usesInTurn: Int = 0) -> SandboxPool.Seat {
        nextID += 1
        return SandboxPool.Seat(id: nextID, tenant: tenant, usesInTurn: usesInTurn)
    }
}
