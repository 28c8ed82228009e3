internal import Jobs
package import Kernel
package import Persistence

/// What people ask of runs: in the hands of this process, of another one, or of none.
extension Engine {
    /// Cancels a run; one that is over stays as it is.
    /// - Parameter record: called in the transaction that asks for it, before anything is done.
    /// - Throws: `newer_execution`
    package func cancel(
        _ id: RunID, tenant: TenantID, recording record: @escaping @Sendable (TenantTransaction) throws -> Void = { _ in }
    ) async throws {
        // For whoever takes the run over where its process dies before the end is written.
        try await database.write(in: tenant) { tx in
            _ = try RunStore(tx: tx).want(.cancelled, of: id)
            try record(tx)
        }
        // It may change hands while it is looked for.
        for _ in 0..<3 {
            if inHand.halt(id, .cancelled) { return }
            if try await takeUpReadable(id, tenant: tenant, evenPaused: true, then: { $0.feed(.cancelled) }) {
                _ = try await database.write(in: tenant) { tx in try RunStore(tx: tx).want(.cancelled, of: id) }
                return
            }
            if try await database.write(in: tenant, { tx in try RunStore(tx: tx).want(.cancelled, of: id) }) {
                WakeRelay.shared.tell(.wishes)
                return
            }
        }
    }

    /// Lets a run end the steps in flight and go no further until `resume`.
    /// - Parameter record: called in the transaction that pauses it.
    /// - Returns: false where it is over, or paused already.
    package func pause(
        _ id: RunID, tenant: TenantID, recording record: @escaping @Sendable (TenantTransaction) throws -> Void = { _ in }
    ) async throws -> Bool {
        let isPaused = try await database.write(in: tenant) { tx -> Bool in
            let runs = RunStore(tx: tx)
            guard try runs.pause(id) else { return false }
            _ = try runs.want(.paused, of: id)
            try record(tx)
            return true
        }
        if isPaused, !inHand.halt(id, .paused) { WakeRelay.shared.tell(.wishes) }
        return isPaused
    }

    /// Lets a paused run go on.
    /// - Parameter record: called in the transaction that lets it.
    /// - Returns: false where it is not paused.
    package func unpause(
        _ id: RunID, tenant: TenantID, recording record: @escaping @Sendable (TenantTransaction) throws -> Void = { _ in }
    ) async throws -> Bool {
        try await database.write(in: tenant) { tx in
            guard try RunStore(tx: tx).unpause(id) else { return false }
            try record(tx)
            // One that waits for a place is woken by the run that leaves it.
            guard try !SlotStore(tx: tx).isWaiting(id) else { return true }
            // Where its owner has not let go of it yet the timer finds it taken; the owner sets it again.
            try tx.setTimer(kind: Engine.timerKind, subject: id.description, dueAt: tx.clock.now())
            return true
        }
    }

    /// Executes the uncertain steps of a run once more: somebody looked outside, and decided so.
    /// - Returns: false where the run is not uncertain.
    package func repeatUncertain(_ id: RunID, tenant: TenantID) async throws -> Bool {
        let row = try await database.read(in: tenant) { tx in try RunStore(tx: tx).find(id) }
        guard row?.status == .uncertain else { return false }
        return try await takeUpReadable(id, tenant: tenant) { run in
            for step in run.machine.uncertainSteps { run.feed(.stepRepeated(step)) }
        }
    }

    /// Gives the step that waits for it what came from outside: an answered page, a call.
    /// - Parameter choosing: the step, among those of the run as it is now.
    /// - Returns: the run in hand; nil where no such step waits, or another process has the run for now.
    package func answer(
        _ id: RunID, tenant: TenantID, with items: ItemList, choosing step: @Sendable (RunMachine) -> StepKey?
    ) async throws -> RunHandle? {
        let handle = parkedHandle(of: id, tenant: tenant)
        var isTaken = false
        _ = try await takeUpReadable(id, tenant: tenant) { run in
            guard let step = step(run.machine) else { return }
            run.feed(.stepAnswered(step, items))
            isTaken = true
        }
        return isTaken ? handle : nil
    }

    /// Takes up a run that nobody has, for somebody who asks.
    /// - Throws: `newer_execution`
    private func takeUpReadable(
        _ id: RunID, tenant: TenantID, evenPaused: Bool = false, then decide: (inout LiveRun) -> Void
    ) async throws -> Bool {
        do {
            return try await takeUp(id, tenant: tenant, from: 0, evenPaused: evenPaused, evenFull: true, then: decide)
        } catch is NewerRun { throw NewerRun.refusal }
    }

    /// Does what other processes ask of the runs that this one has in hand.
    func heed() async throws {
        let epoch = lease.epoch
        for (run, wish) in try await database.readSystem({ tx in try RunOwners(tx: tx).wishes(of: epoch) }) {
            switch wish {
            // One that could not go on here need not wait until it is tried again.
            case .cancelled: if !inHand.halt(run, .cancelled) { setbacks.hurry(run, at: clock.elapsed()) }
            case .paused: _ = inHand.halt(run, .paused)
            }
        }
    }
}
