internal import Kernel
internal import ServiceLifecycle
internal import Synchronization

/// The event streams that are open in a process: keeps them open, and lets them go when the process ends.
///
/// A timer for each of ten thousand streams wakes a thread for every heartbeat. So one timer keeps them all, a part at a time.
final class EventStreams: Sendable {
    typealias Feed = AsyncStream<String>.Continuation

    /// Parts that get their heartbeats one after another.
    private static let parts = 30
    private static let pause = Limits.heartbeat / parts
    /// Time between two steps of letting go.
    private static let step: Duration = .milliseconds(20)

    /// Heartbeats of a stream between two looks at whether its reader still may read it: five minutes.
    private static let beatsPerLook = 20

    struct Reader: Sendable {
        var feed: Feed
        var mayRead: (@Sendable () async -> Bool)?
    }

    private struct State {
        var feeds: [[Int: Reader]] = Array(repeating: [:], count: EventStreams.parts)
        var next = 0
        /// The part whose heartbeats are next.
        var beaten = 0
        /// How often all parts had theirs.
        var rounds = 0
        var count = 0
        var isOver = false
    }

    /// For how long at most the streams of a process that ends go on.
    private let handover: Duration
    private let state = Mutex(State())

    init(handover: Duration) { self.handover = handover }

    /// Adds a stream; one that comes when all are let go already ends at once.
    /// - Returns: the number with which it leaves.
    func enter(_ feed: Feed, mayRead: (@Sendable () async -> Bool)?) -> Int {
        // Before it is among those that get heartbeats or are let go: those come after it.
        feed.yield(": open\n\(patience)\n\n")
        let (number, isOver): (Int, Bool) = state.withLock { state in
            state.next += 1
            guard !state.isOver else { return (state.next, true) }
            state.feeds[state.next % Self.parts][state.next] = Reader(feed: feed, mayRead: mayRead)
            state.count += 1
            return (state.next, false)
        }
        if isOver { feed.finish() }
        return number
    }

    func leave(_ number: Int) {
        state.withLock { state in if state.feeds[number % Self.parts].removeValue(forKey: number) != nil { state.count -= 1 } }
    }

    /// Sends heartbeats until the process is to end; then lets all go.
    func run() async {
        await cancelWhenGracefulShutdown { [self] in
            await withDiscardingTaskGroup { group in
                while (try? await Task.sleep(for: Self.pause)) != nil {
                    let readers = beat()
                    if !readers.isEmpty { group.addTask { await Self.review(readers) } }
                }
            }
        }
        await handOver()
    }

    /// - Returns: the readers whose right is to be looked at.
    @discardableResult
    private func beat() -> [Reader] {
        let (all, due): ([Reader], [Reader]) = state.withLock { state in
            let part = state.feeds[state.beaten]
            // Numbers of one part are `parts` apart.
            let due = part.filter { ($0.key / Self.parts + state.rounds) % Self.beatsPerLook == 0 }
            state.beaten = (state.beaten + 1) % Self.parts
            if state.beaten == 0 { state.rounds += 1 }
            return (Array(part.values), Array(due.values))
        }
        for reader in all { reader.feed.yield(": heartbeat\n\n") }
        return due
    }

    /// Ends the streams of those who may no longer read them: signed out, no member any more, or of a tenant that is suspended.
    static func review(_ readers: [Reader]) async {
        for reader in readers { if let mayRead = reader.mayRead, !(await mayRead()) { reader.feed.finish() } }
    }

    /// All readers, for whoever cannot wait for their turns.
    var readers: [Reader] { state.withLock { state in state.feeds.flatMap(\.values) } }

    /// Ten thousand streams that end in one moment hold up every request. And a reader that is let go while the others still read can come back at
    /// once: those that stay hear of all that happens.
    private func handOver() async {
        var steps = 0
        let reopened: Double = Double(Limits.streamsReopenedPerSecond) * (Self.step / .seconds(1))
        let inTime: Double = handover > .zero ? Double(count) * (Self.step / handover) : 0
        while handover > .zero, count > 0 {
            letGo(Int(max(reopened, inTime).rounded(.up)), comingBackIn: 1_000...2_000)
            guard (try? await Task.sleep(for: Self.step)) != nil else { break }
            steps += 1
            if Self.step * steps >= Self.pause {
                steps = 0
                beat()
            }
        }
        letGo(.max, comingBackIn: 1_000...(1_000 + max(1_000, reopening)))
    }

    private func letGo(_ most: Int, comingBackIn pause: ClosedRange<Int>) {
        let leaving: [Feed] = state.withLock { state in
            var leaving: [Feed] = []
            for part in state.feeds.indices {
                while leaving.count < most, let (number, reader) = state.feeds[part].first {
                    state.feeds[part][number] = nil
                    leaving.append(reader.feed)
                }
            }
            state.count -= leaving.count
            state.isOver = state.isOver || most == .max
            return leaving
        }
        for feed in leaving {
            feed.yield("retry: \(Int.random(in: pause))\n\n")
            feed.finish()
        }
    }

    private var count: Int { state.withLock { $0.count } }

    /// Milliseconds in which the streams open now can come to another process.
    private var reopening: Int { count * 1_000 / Limits.streamsReopenedPerSecond }

    /// After how long a reader is to come back that is cut off (WHATWG HTML, 9.2.6, `retry`): by chance, and the later the more streams there are,
    /// so that those of a process that dies do not all come to the others at once.
    private var patience: String { "retry: \(Int.random(in: 1_000...(1_000 + max(1_000, reopening))))" }
}
