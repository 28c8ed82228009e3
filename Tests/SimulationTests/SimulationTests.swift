import Foundation
import Jobs
import Kernel
import Logging
import Testing

@testable import Persistence
@testable import Workflows

/// The engine, its timers and its leases on several processes, in a world where they die, are held up, have their clocks off, and lose the
/// database and what they reach. `AIAS_SIMULATE=steps` (or `steps:seed` to replay one history) runs it, in a process of its own.
@Suite(.serialized) struct SimulationTests {
    init() { Self.quiet }
    // What goes wrong here is meant to.
    private static let quiet: Void = LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }

    private static let wanted: [Int]? = ProcessInfo.processInfo.environment["AIAS_SIMULATE"].map { $0.split(separator: ":").compactMap { Int($0) } }
    static var isWanted: Bool { wanted?.isEmpty == false }

    @Test(.enabled(if: isWanted)) func `whatever happens, every accepted run ends, and no finished step is repeated`() throws {
        let wanted = try #require(Self.wanted)
        var seeds = wanted.count > 1 ? [wanted[1]] : Array(1...10_000)
        let budget = wanted.count > 1 ? 1 : wanted[0]
        var (steps, histories, runs) = (0, 0, 0)
        while steps < budget, !seeds.isEmpty {
            let seed = seeds.removeFirst()
            let history = try History.play(seed: UInt64(seed))
            #expect(history.violations.isEmpty, "AIAS_SIMULATE=1:\(seed) replays this: \(history.violations.prefix(5))")
            steps += history.steps
            histories += 1
            runs += history.runs
        }
        print("simulated: \(steps) steps, \(histories) histories, \(runs) runs")
    }

    @Test(.enabled(if: isWanted)) func `the same seed gives the same history`() throws {
        let (one, two) = (try History.play(seed: 77), try History.play(seed: 77))
        #expect(one.trace == two.trace && one.steps == two.steps)
        #expect(try History.play(seed: 78).trace != one.trace)
    }
}

/// One history: what was accepted, and what became of it.
final class History: @unchecked Sendable {
    private let world: World
    private let store: Store
    private let outside: Outside
    private let scenario = Scenario()
    private let faults = SimulatedProcess.Faults()
    private var processes: [SimulatedProcess] = []
    private var gone: [SimulatedProcess] = []
    private var accepted: [String: RunID] = [:]
    private var mayBeCancelled: Set<RunID> = []
    private var repeated: Set<RunID> = []
    private var tenants: [RunID: TenantID] = [:]
    private(set) var violations: [String] = []
    private(set) var runs = 0
    var steps: Int { world.steps }
    var trace: UInt64 { world.trace }

    private static let processCount = 3
    private static let clients = 5
    private static let startsPerClient = 12
    /// In seconds: two waits that were set by a clock an hour ahead.
    private static let patience = 8_000

    private init(seed: UInt64) throws {
        world = World(seed: seed)
        let tables: [Table] = PersistenceModule.tables + JobsModule.tables + RunTables.all
        let migrations: [Migration] = PersistenceModule.migrations + JobsModule.migrations + RunTables.migrations
        store = try Store(tables: tables, migrations: migrations)
        outside = Outside(world: world, store: store)
    }

    static func play(seed: UInt64) throws -> History {
        let history = try History(seed: seed)
        do { try history.world.run(limit: 10_000_000) { try await history.run() } } catch let stuck as World.Stuck {
            let open = try history.openRuns()
            for (tenant, run) in open { history.tenants[run.id] = tenant }
            history.violations += try open.map { try "\($0.1.id) of \($0.1.workflow): \(history.story(of: $0.1))" }
            history.violations.append("\(history.accepted.count) accepted after \(history.world.now / 1_000_000) s")
            history.violations.append(stuck.reason)
        }
        return history
    }

    private func run() async throws {
        for _ in 0..<History.processCount { begin() }
        let trouble = Task { await makeTrouble() }
        await withTaskGroup { group in
            for client in 0..<History.clients { group.addTask { await self.beClient(client) } }
        }
        trouble.cancel()
        await trouble.value
        await settle()
        try verify()
        for process in processes { process.kill() }
    }

    private func begin() {
        let process = SimulatedProcess(world: world, store: store, faults: faults)
        processes.append(process)
        process.start(outside, scenario, liveRunsMaximum: 6)
    }

    // MARK: What goes wrong

    private func makeTrouble() async {
        while !Task.isCancelled {
            guard (try? await world.sleep(milliseconds: 500...15_000)) != nil else { return }
            let victim = world.pick(processes)
            switch world.pick(0...5) {
            case 0, 1: replace(victim)
            case 2: victim.hold(seconds: world.pick(1...70))
            case 3: store.isAwayUntil = world.now + Int64(world.pick(100...12_000)) * 1_000
            case 4: victim.shiftClock(milliseconds: world.happens(onceIn: 4) ? world.pick(-3_600_000...3_600_000) : world.pick(-900...900))
            default: await meddle()
            }
            for process in processes where !process.isAlive { replace(process) }
        }
    }

    /// A process dies, and another is started.
    private func replace(_ process: SimulatedProcess) {
        process.kill()
        processes.removeAll { $0 === process }
        // Its tasks wait for ever; what they hold must stay.
        gone.append(process)
        begin()
    }

    /// Somebody cancels a run, or pauses it for a while.
    private func meddle() async {
        guard let engine = world.pick(processes).engine,
            let run = accepted.values.sorted(by: { $0.description < $1.description }).randomElement(world)
        else {
            return
        }
        let tenant = tenant(of: run)
        if world.happens(onceIn: 2) {
            mayBeCancelled.insert(run)
            Task { try? await engine.cancel(run, tenant: tenant) }
        } else {
            Task { _ = try? await engine.pause(run, tenant: tenant) }
        }
    }

    // MARK: Clients

    private func beClient(_ number: Int) async {
        for count in 0..<History.startsPerClient {
            try? await world.sleep(milliseconds: 0...4_000)
            let workflow = world.pick(scenario.started)
            let (key, tenant) = ("\(number)-\(count)", tenant(ofClient: number))
            // Whoever gets no answer asks again, with the same key, and somebody else.
            while accepted[key] == nil {
                await start(workflow, key: key, tenant)
                if accepted[key] == nil { try? await world.sleep(milliseconds: 50...2_000) }
            }
        }
    }

    private func start(_ workflow: WorkflowID, key: String, _ tenant: TenantID) async {
        guard let engine = world.pick(processes).engine, let document = try? scenario.document(workflow) else { return }
        let start = RunStart(
            tenant: tenant, workflow: workflow, version: 1, document: document, trigger: "Start",
            items: ItemList([Item(json: ["key": .string(key)])]),
            mode: "webhook", idempotencyKey: key)
        let asking = Task { [self] in
            guard let handle = try? await engine.start(start) else { return }
            note(handle.run, key)
        }
        // A process that died meanwhile never answers.
        let patience = Task { [world] in try? await world.sleep(.seconds(10)) }
        let watching = Task {
            await asking.value
            patience.cancel()
        }
        await patience.value
        _ = watching
    }

    private func note(_ run: RunID, _ key: String) {
        if let before = accepted[key], before != run { violations.append("the key \(key) started \(before) and \(run)") }
        accepted[key] = run
        world.note("\(key) \(run)")
    }

    private func tenant(ofClient number: Int) -> TenantID { scenario.tenants[number % scenario.tenants.count] }
    private func tenant(of run: RunID) -> TenantID {
        let key = accepted.first { $0.value == run }?.key ?? "0"
        return tenant(ofClient: Int(key.prefix { $0 != "-" }) ?? 0)
    }

    // MARK: Afterwards

    /// Nothing goes wrong any more, and people look after what waits for them.
    private func settle() async {
        faults.areOn = false
        store.isAwayUntil = 0
        for _ in 0..<History.patience {
            try? await world.sleep(.seconds(1))
            for process in processes where !process.isAlive { replace(process) }
            guard let open = try? openRuns() else { continue }
            if open.isEmpty { return }
            guard let engine = processes.first(where: { $0.engine != nil })?.engine else { continue }
            // Not waited for: a process that dies meanwhile never answers.
            for (tenant, run) in open {
                if run.status == .uncertain {
                    repeated.insert(run.id)
                    Task { _ = try? await engine.repeatUncertain(run.id, tenant: tenant) }
                } else if run.pausedAt != nil {
                    Task { _ = try? await engine.unpause(run.id, tenant: tenant) }
                }
            }
        }
    }

    private func openRuns() throws -> [(TenantID, Run)] { try allRuns().filter { !$0.1.status.isOver } }

    private func allRuns() throws -> [(TenantID, Run)] {
        let process = processes[0]
        return try scenario.tenants.flatMap { tenant in
            try store.transact(process.clock, process.ids) { session in
                try RunStore(tx: try TenantTransaction(session: session, tenant: tenant)).search(ExecutionSearch(), after: nil, limit: 10_000).map {
                    (tenant, $0)
                }
            }.result
        }
    }

    private func verify() throws {
        violations += outside.violations
        let all = try allRuns()
        for (tenant, run) in all { tenants[run.id] = tenant }
        runs = all.count
        for (_, run) in all {
            if !run.status.isOver { violations.append("\(run.id) of \(run.workflow) never ended: \(try story(of: run))") }
            if run.status == .cancelled, !mayBeCancelled.contains(run.id), run.parent.map({ !mayBeCancelled.contains($0.run) }) ?? true {
                violations.append("\(run.id) was cancelled by nobody")
            }
        }
        let known = Dictionary(uniqueKeysWithValues: all.map { ($0.1.id, $0.1) })
        for (key, run) in accepted where known[run] == nil { violations.append("the run \(run) of \(key) is lost") }
        let asked = accepted.count
        let started = all.count { $0.1.parent == nil }
        if started != asked { violations.append("\(asked) keys started \(started) runs") }
        try verify(rows: known)
    }

    /// What is stored of a run, for whoever has to find out why it does not go on.
    private func story(of run: Run) throws -> String {
        let process = processes[0]
        let rows = try store.transact(process.clock, process.ids) { session -> [String] in
            let tx = SystemTransaction(session: session)
            let subject = run.id.description
            let timers = try tx.all("SELECT due_at, claimed_until, attempts FROM timers WHERE subject = \(subject)") { "timer \($0)" }
            let owners = try tx.all("SELECT epoch, wanted FROM run_owners WHERE run_id = \(run.id)") { "owner \($0)" }
            let tenant = try tx.tenant(self.tenant(of: run))
            let journal = try JournalStore(tx: tenant).records(of: run.id).map { "\($0)" }
            return timers + owners + journal
        }
        let now = World.beginning + world.now
        return "\(run.status), epoch \(run.epoch), resumes \(run.resumeAt.map { "\($0.microseconds - now) µs" } ?? "never"), paused "
            + "\(run.pausedAt.map { "\($0)" } ?? "no"); \(rows.result.joined(separator: "; "))"
    }

    private func tenant(of run: Run) -> TenantID { tenant(of: run.id) }

    private func verify(rows known: [RunID: Run]) throws {
        let process = processes[0]
        let keys = try store.transact(process.clock, process.ids) { try Scenario.keys(SystemTransaction(session: $0)) }.result
        let ids = Dictionary(uniqueKeysWithValues: keys.map { ($0.value, $0.key) })
        for (key, count) in outside.hits.sorted(by: { $0.key < $1.key }) {
            let parts = key.split(separator: "/").map(String.init)
            guard let id = ids[parts[0]], let run = known[id] else {
                violations.append("a step of no run reached outside: \(key)")
                continue
            }
            let node = try scenario.document(run.workflow).nodes.first { $0.id == parts[1] }
            if node?.kind == "simulated_once", count > 1, !repeated.contains(id) { violations.append("\(key) was done \(count) times") }
        }
        for (id, run) in known where run.status == .succeeded {
            for node in try scenario.document(run.workflow).nodes where ["simulated_keyed", "simulated_once"].contains(node.kind) {
                if outside.hits["\(keys[id] ?? "")/\(node.id)/0", default: 0] == 0 { violations.append("\(id) succeeded without \(node.id)") }
            }
        }
        let left = try store.transact(process.clock, process.ids) { session -> [String] in
            let tx = SystemTransaction(session: session)
            var left: [String] = []
            for (table, count) in [
                ("run_owners", try tx.first("SELECT count(*) FROM run_owners") { try $0.column(0, as: Int.self) }),
                ("timers", try tx.first("SELECT count(*) FROM timers") { try $0.column(0, as: Int.self) })
            ] where count != 0 { left.append("\(count ?? 0) rows are left in \(table)") }
            for tenant in try self.scenario.tenants.map({ try tx.tenant($0) }) {
                let slots = try tenant.first("SELECT count(*) FROM run_slots WHERE tenant_id = \(tenant.tenant)") { try $0.column(0, as: Int.self) }
                if slots != 0 { left.append("\(slots ?? 0) rows are left in run_slots") }
                for id in known.keys where self.tenant(of: id) == tenant.tenant.id {
                    let ended = try JournalStore(tx: tenant).records(of: id).filter { $0.kind == .finished }
                    let steps = Dictionary(grouping: ended) { "\($0.node ?? "") \($0.runIndex)" }
                    left += steps.filter { $0.value.count > 1 }.keys.map { "a step ended twice: \(id) \($0)" }
                }
            }
            return left
        }
        violations += left.result
    }
}

extension Array {
    fileprivate func randomElement(_ world: World) -> Element? { isEmpty ? nil : world.pick(self) }
}
