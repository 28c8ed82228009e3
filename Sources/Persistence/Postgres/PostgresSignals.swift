internal import CPostgres
internal import Foundation
internal import Glibc
internal import Kernel

/// Tells the other processes of a deployment that there is something to look at, by NOTIFY on a connection of its own: within a
/// transaction of work it would hold up the commits of others. Signals are short, are coalesced, and may be lost: whoever acts on them
/// looks from time to time without one.
package final class PostgresSignals: @unchecked Sendable {
    private static let channel = "aias"
    /// The shortest time between two rounds of posting, so that a busy process costs the server little.
    private static let pause: useconds_t = 5_000
    private static let reconnection: TimeInterval = 1
    /// Signals that wait to go out; beyond it one stands for all.
    private static let topicsMaximum = 500

    private let lock = NSLock()
    private var topics: Set<String> = []
    private var isClosed = false
    private var pipe: [Int32] = [-1, -1]
    private let url: String
    private let onSignal: @Sendable (_ topic: String) -> Void

    /// - Parameter onSignal: called for what other processes post, on a thread of its own.
    package init(url: String, onSignal: @escaping @Sendable (_ topic: String) -> Void) throws {
        self.url = url
        self.onSignal = onSignal
        guard Glibc.pipe(&pipe) == 0 else {
            throw PersistenceError.unavailable("No pipe can be made: \(String(cString: strerror(errno)))")
        }
        for end in pipe {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        let thread = Thread { [self] in run() }
        thread.name = "postgres-signals"
        thread.start()
    }

    package func post(_ topic: String) {
        lock.lock()
        defer { lock.unlock() }
        guard !isClosed else { return }
        if topics.count >= Self.topicsMaximum { topics = [Self.anything] }
        if topics.insert(topic).inserted, topics.count == 1 { poke() }
    }

    package func close() {
        lock.lock()
        defer { lock.unlock() }
        if !isClosed { poke() }
        isClosed = true
    }

    private func poke() {
        var byte: UInt8 = 1
        _ = write(pipe[1], &byte, 1)
    }

    private func taken() -> (topics: Set<String>, isClosed: Bool) {
        lock.lock()
        defer { lock.unlock() }
        defer { topics = [] }
        return (topics, isClosed)
    }

    private func run() {
        while true {
            if let connection = try? PostgresConnection(url: url), (try? connection.simple("LISTEN \(Self.channel)")) != nil {
                // What was posted while there was no connection was not heard.
                onSignal(PostgresSignals.anything)
                if serve(connection) { break }
            }
            if taken().isClosed { break }
            Thread.sleep(forTimeInterval: Self.reconnection)
        }
        Glibc.close(pipe[0])
        Glibc.close(pipe[1])
    }

    /// Stands for every topic.
    package static let anything = "*"

    /// - Returns: whether it was told to close; false where the connection was lost.
    private func serve(_ connection: PostgresConnection) -> Bool {
        while true {
            connection.waitForNews(or: pipe[0])
            var bytes = [UInt8](repeating: 0, count: 64)
            while read(pipe[0], &bytes, bytes.count) > 0 {}
            let (topics, isClosed) = taken()
            if isClosed { return true }
            guard let heard = connection.notifications() else { return false }
            for topic in heard { onSignal(topic) }
            guard !topics.isEmpty else { continue }
            for topic in topics.sorted() {
                // What the function itself gives has a type that holds nothing and is not read.
                guard (try? connection.run("SELECT 1 FROM pg_notify(\(Self.channel), \(topic))")) != nil else { return false }
            }
            // Those that came with the answers are heard at once.
            guard let late = connection.notifications() else { return false }
            for topic in late { onSignal(topic) }
            usleep(Self.pause)
        }
    }
}
