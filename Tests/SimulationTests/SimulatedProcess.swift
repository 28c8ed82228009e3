import Jobs
import Kernel
import Logging
import Outbound

@testable import Persistence
@testable import Workflows

/// One process of the deployment: it can be killed, and held up as SIGSTOP does; its clock is somewhat off.
final class SimulatedProcess: @unchecked Sendable {
    let world: World
    let store: Store
    private(set) var engine: Engine?
    private(set) var epoch: Int64 = 0
    private(set) var clock: Clock
    private(set) var ids: IDs
    private let faults: Faults
    private var isDead = false
    private var isHeldUntil: Int64 = 0
    private var skew: Int64

    /// Whether things go wrong at all.
    final class Faults: @unchecked Sendable { var areOn = true }

    init(world: World, store: Store, faults: Faults) {
        self.world = world
        self.store = store
        self.faults = faults
        skew = Int64(world.pick(-1_500...1_500)) * 1_000
        clock = .system
        ids = IDs(clock: .system)
        clock = Clock(
            now: { [unowned self] in Timestamp(microseconds: World.beginning + self.world.now + skew) },
            elapsed: { [world] in .microseconds(world.now) },
            sleep: { [unowned self, world] in
                try await world.sleep($0)
                await pass()
            })
        ids = IDs(clock: clock, random: { [world] in world.number() })
    }

    // MARK: Dying, and being held up

    var isAlive: Bool { !isDead }
    func kill() { isDead = true }
    func hold(seconds: Int) { isHeldUntil = world.now + Int64(seconds) * 1_000_000 }
    /// At most an hour is a clock off: so much later than it should ends a wait that it has set.
    func shiftClock(milliseconds: Int) { skew = min(max(skew + Int64(milliseconds) * 1_000, -Self.skewMaximum), Self.skewMaximum) }
    private static let skewMaximum: Int64 = 3_600_000_000
    func loses(onceIn count: Int) -> Bool { faults.areOn && world.happens(onceIn: count) }

    /// Goes on where the process may; in a dead one nothing ever goes on.
    func pass() async {
        while !isDead, isHeldUntil > world.now { try? await world.sleep(.microseconds(isHeldUntil - world.now)) }
        if isDead { await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
    }

    // MARK: At work

    func start(_ outside: Outside, _ scenario: Scenario, liveRunsMaximum: Int) {
        Task { [self] in
            await serve(outside, scenario, liveRunsMaximum)
            isDead = true
        }
    }

    private func serve(_ outside: Outside, _ scenario: Scenario, _ liveRunsMaximum: Int) async {
        let database = StoreConnection(store: store, process: self)
        var lease: Lease?
        while lease == nil {
            lease = try? await database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "simulated", for: EngineService.leaseTime) }
        }
        guard let lease else { return }
        epoch = lease.epoch
        var configuration = Engine.Configuration(
            kinds: Scenario.kinds, load: { _, id, _ in try scenario.document(id) },
            resolve: { _, _ in (scenario.called, 1, "Start") }, liveRunsMaximum: liveRunsMaximum)
        configuration.onStart = { _, _ in }
        let services = EngineServices(
            evaluate: { value, _, _, _ in value }, scripts: NoScripts(), credential: { _, _, _ in [:] },
            send: { [unowned self] request, _ in try await outside.send(request, from: self) }, readBinary: { _, _ in [] },
            writeBinary: { bytes, type, name, _ in BinaryReference(id: "x", mimeType: type, fileName: name, byteCount: bytes.count) })
        let engine = Engine(
            database: database, lease: lease, services: services, configuration: configuration, clock: clock, ids: ids, blobs: NoBlobs())
        let logger = Logger(label: "simulated") { _ in SwiftLogNoOpLogHandler() }
        let timers = TimerService(
            database: database, clock: clock, logger: logger, handlers: [Engine.timerKind: { try await engine.resume($0) }],
            batches: [Engine.timerKind: { await engine.resumeUntouched($0) }],
            room: { _ in engine.room })
        self.engine = engine
        let firing = Task {
            while !Task.isCancelled {
                _ = try? await timers.fireDue()
                try? await clock.sleep(.milliseconds(200))
            }
        }
        try? await EngineService(engine: engine, database: database, logger: logger).run()
        firing.cancel()
        self.engine = nil
    }
}

/// All payloads of a simulation are small enough for the rows.
struct NoBlobs: BlobStore {
    func keep(_ bytes: [UInt8], _ hash: PayloadHash, tenant: TenantID) async throws {}
    func keep(_ pieces: BytePieces, tenant: TenantID) async throws -> (hash: PayloadHash, byteCount: Int) {
        let bytes = try await pieces.collected(upTo: Limits.fileBytesInMemory)
        return (PayloadHash(of: bytes), bytes.count)
    }
    func load(_ hash: PayloadHash, tenant: TenantID) throws -> [UInt8]? { nil }
    func pieces(_ hash: PayloadHash, byteCount: Int, tenant: TenantID) async throws -> BytePieces? { nil }
    func sweep(_ database: any Database, of tenants: Set<TenantID>, olderThan grace: Duration) async throws -> Int { 0 }
}

/// What the steps reach: it answers late, not at all, or does what is asked and loses the answer.
final class Outside: @unchecked Sendable {
    private let world: World
    private let store: Store
    /// How often each idempotency key came.
    private(set) var hits: [String: Int] = [:]
    private(set) var violations: [String] = []

    init(world: World, store: Store) {
        self.world = world
        self.store = store
    }

    func send(_ request: OutboundRequest, from process: SimulatedProcess) async throws -> OutboundResponse {
        let key = String(request.url.dropFirst("https://outside/".count))
        try await process.clock.sleep(.milliseconds(world.happens(onceIn: 40) ? world.pick(1_000...45_000) : world.pick(1...120)))
        if process.loses(onceIn: 25) { throw OutboundError(.unreachable, "nobody answers") }
        hits[key, default: 0] += 1
        world.note(key)
        check(key, process)
        if process.loses(onceIn: 25) { throw OutboundError(.closed, "the answer was lost") }
        return OutboundResponse(status: 200, url: request.url)
    }

    /// A process whose lease nobody has ended repeats no step that has ended in the journal.
    private func check(_ key: String, _ process: SimulatedProcess) {
        let parts = key.split(separator: "/").map(String.init)
        guard let index = Int(parts[2]) else { return }
        let (epoch, base, node) = (process.epoch, parts[0], parts[1])
        let ended = try? store.transact(process.clock, process.ids) { session -> Bool in
            let tx = SystemTransaction(session: session)
            guard try LeaseStore(tx: tx).live().contains(epoch) else { return false }
            guard let run = try RunID(base) ?? Scenario.keys(tx).first(where: { $0.value == base })?.key else { return false }
            return try Scenario.hasEnded(run, node: node, index: index, tx)
        }
        if ended?.result == true { violations.append("the step \(key) was done again after its end was written") }
    }
}
