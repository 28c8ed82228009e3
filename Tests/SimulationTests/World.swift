import Foundation
import Kernel
import Synchronization
import TestKit

/// A time and an order of things of its own: every task of the process runs on one thread, in an order that the seed decides, and whoever
/// sleeps is woken when nothing else can go on. The same seed gives the same history, to the last step.
///
/// All tasks come here, also those that nobody made for it: whoever uses it has the process to itself.
final class World: @unchecked Sendable {
    private(set) var now: Int64 = 0
    private(set) var steps = 0
    /// A number of the order in which things happened.
    private(set) var trace: UInt64 = 0xCBF2_9CE4_8422_2325
    private var random: Seeded
    private let ready = Mutex<[UnownedJob]>([])
    private var sleepers: [Sleeper] = []
    private var sleeperCount = 0
    private let executor = Executor()

    /// Where jobs come from before one of them is run.
    private final class Executor: TaskExecutor {
        func enqueue(_ job: UnownedJob) { World.current?.add(job) }
    }

    private final class Sleeper: @unchecked Sendable {
        let due: Int64
        let order: Int
        var continuation: UnsafeContinuation<Void, any Error>?
        var isCancelled = false

        init(due: Int64, order: Int) {
            self.due = due
            self.order = order
        }

        func isBefore(_ other: Sleeper) -> Bool { (due, order) < (other.due, other.order) }

        func end() {
            let waiting = continuation
            continuation = nil
            guard isCancelled else { return waiting?.resume() ?? () }
            waiting?.resume(throwing: CancellationError())
        }
    }

    fileprivate nonisolated(unsafe) static var current: World?

    init(seed: UInt64) { random = Seeded(seed) }

    /// A day in 2026, in microseconds since 1970.
    static let beginning: Int64 = 1_767_225_600_000_000

    // MARK: Chance

    func number() -> UInt64 { random.next() }
    func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    func pick<Element>(_ elements: [Element]) -> Element { elements[pick(0...(elements.count - 1))] }
    /// One time in so many.
    func happens(onceIn count: Int) -> Bool { pick(1...count) == 1 }

    /// Takes something that happened into the trace.
    func note(_ text: String) {
        for byte in text.utf8 { trace = (trace ^ UInt64(byte)) &* 0x100_0000_01B3 }
        trace = (trace ^ UInt64(bitPattern: now)) &* 0x100_0000_01B3
    }

    // MARK: Time

    func sleep(_ duration: Duration) async throws {
        try Task.checkCancellation()
        let due = now + max(0, duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000)
        sleeperCount += 1
        let sleeper = Sleeper(due: due, order: sleeperCount)
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                sleeper.continuation = continuation
                if sleeper.isCancelled { sleeper.end() } else { insert(sleeper) }
            }
        } onCancel: {
            sleeper.isCancelled = true
            sleeper.end()
        }
    }

    func sleep(milliseconds range: ClosedRange<Int>) async throws { try await sleep(.milliseconds(pick(range))) }

    private func insert(_ sleeper: Sleeper) {
        sleepers.append(sleeper)
        var child = sleepers.count - 1
        while child > 0, sleepers[child].isBefore(sleepers[(child - 1) / 2]) {
            sleepers.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private func removeFirst() -> Sleeper? {
        guard let first = sleepers.first, let last = sleepers.popLast() else { return nil }
        guard !sleepers.isEmpty else { return first }
        sleepers[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < sleepers.count && sleepers[child].isBefore(sleepers[least]) { least = child }
            if least == parent { return first }
            sleepers.swapAt(parent, least)
            parent = least
        }
    }

    // MARK: Running

    func add(_ job: UnownedJob) { ready.withLock { $0.append(job) } }

    private func take() -> UnownedJob? {
        ready.withLock { ready in
            guard !ready.isEmpty else { return nil }
            let index = pick(0...(ready.count - 1))
            ready.swapAt(index, ready.count - 1)
            return ready.removeLast()
        }
    }

    /// Runs what `body` begins until it is over; all that happens meanwhile happens here, on the calling thread.
    /// - Parameter limit: steps after which it is given up on.
    func run<Result: Sendable>(limit: Int, _ body: @escaping @Sendable () async throws -> Result) throws -> Result {
        precondition(World.current == nil, "one world at a time")
        World.current = self
        GlobalExecutor.hook { World.current?.add($0) }
        defer {
            GlobalExecutor.unhook()
            World.current = nil
        }
        let end = Mutex<Swift.Result<Result, any Error>?>(nil)
        Task {
            do {
                let result = try await body()
                end.withLock { $0 = .success(result) }
            } catch {
                end.withLock { $0 = .failure(error) }
            }
        }
        while true {
            if let end = end.withLock({ $0 }) { return try end.get() }
            if let job = take() {
                steps += 1
                job.runSynchronously(on: executor.asUnownedTaskExecutor())
            } else if let sleeper = removeFirst() {
                guard sleeper.continuation != nil else { continue }
                now = max(now, sleeper.due)
                sleeper.end()
            } else {
                throw Stuck(reason: "nothing can go on, and nothing is waited for")
            }
            if steps >= limit { throw Stuck(reason: "\(limit) steps were not enough") }
        }
    }

    struct Stuck: Error { var reason: String }
}

/// The runtime's own hook for jobs that are to run wherever there is a thread (`swift_task_enqueueGlobal_hook`).
private enum GlobalExecutor {
    typealias Original = @convention(thin) (UnownedJob) -> Void
    typealias Hook = @convention(thin) (UnownedJob, Original) -> Void

    nonisolated(unsafe) private static let place: UnsafeMutablePointer<Hook?> = {
        guard let symbol = dlsym(dlopen(nil, RTLD_LAZY), "swift_task_enqueueGlobal_hook") else {
            preconditionFailure("this Swift runtime has no hook for its executor")
        }
        return symbol.assumingMemoryBound(to: Hook?.self)
    }()
    nonisolated(unsafe) fileprivate static var take: (UnownedJob) -> Void = { _ in }

    static func hook(_ take: @escaping (UnownedJob) -> Void) {
        GlobalExecutor.take = take
        place.pointee = { job, _ in GlobalExecutor.take(job) }
    }

    static func unhook() { place.pointee = nil }
}
