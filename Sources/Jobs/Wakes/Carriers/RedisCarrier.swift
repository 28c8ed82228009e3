internal import Kernel
package import Logging
internal import Outbound
internal import ServiceLifecycle

/// Wakes over a stream of Redis (https://redis.io/docs/latest/develop/data-types/streams/): every process appends to it, and reads on
/// from the newest entry of when it connected.
package final class RedisCarrier: WakeCarrier {
    static let stream = "aias:wakes"
    private static let field = "topic"
    /// About how many entries the stream keeps.
    private static let entriesKept = 1_000
    private static let batchMaximum = 100
    /// How long one read waits, and how much longer its answer may take before the connection is given up.
    private static let readWait: Duration = .seconds(5)
    private static let answerWait: Duration = .seconds(5)
    /// Of one connection; the next is made at once.
    private static let connectionLifetime: Duration = .seconds(6 * 3_600)
    private static let elementsMaximum = 1_000

    private let address: BrokerAddress
    private let outbound: Outbound
    private let logger: Logger
    private let onWake: @Sendable (_ topic: String) -> Void
    private let box = PostBox()
    private let posted = Wake()

    package init(_ address: BrokerAddress, logger: Logger, onWake: @escaping @Sendable (_ topic: String) -> Void) throws {
        self.address = address
        self.logger = logger
        self.onWake = onWake
        // The operator's own server, wherever it is.
        let host = address.host.contains(":") ? "[\(address.host)]" : address.host
        outbound = try Outbound(policy: AddressPolicy(allowing: ["\(host):\(address.port)"]))
        box.onPost { [posted] in posted.raise() }
    }

    package func post(_ topic: String) { box.put([topic]) }

    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            let log = BrokerLog(logger, address.shown)
            while !Task.isCancelled {
                do { try await exchange(log) } catch {
                    if !Task.isCancelled { log.lost((error as? RedisError)?.message ?? "\(error)") }
                }
                try? await Task.sleep(for: WakeTopics.reconnection)
            }
        }
        await outbound.shutdown()
    }

    /// Reads on one connection and writes on another, since a read waits; the end of either ends both.
    private func exchange(_ log: BrokerLog) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in try await connected { connection in try await self.read(connection, log) } }
            group.addTask { [self] in try await connected { connection in try await self.write(connection) } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func connected(_ body: @escaping @Sendable (RedisConnection) async throws -> Void) async throws {
        let destination = OutboundDestination(host: address.host, port: address.port)
        try await outbound.withStream(to: destination, tls: address.usesTLS, timeout: Self.connectionLifetime) { [address] stream in
            let connection = RedisConnection(stream, elementsMaximum: Self.elementsMaximum)
            try await connection.enter(user: address.user, password: address.password, database: address.database)
            try await body(connection)
        }
    }

    private func read(_ connection: RedisConnection, _ log: BrokerLog) async throws {
        let newest = try await connection.send(["XREVRANGE", Self.stream, "+", "-", "COUNT", "1"], within: Self.answerWait)
        var place = newest.array?.first?.array?.first?.text ?? "0-0"
        log.connected()
        onWake(WakeTopics.anything)
        let wait = String(Self.readWait.microseconds / 1_000)
        let command = ["XREAD", "COUNT", "\(Self.batchMaximum)", "BLOCK", wait, "STREAMS", Self.stream]
        while !Task.isCancelled {
            let answer = try await connection.send(command + [place], within: Self.readWait + Self.answerWait)
            let entries = answer.array?.first?.array?.last?.array ?? []
            if let latest = entries.last?.array?.first?.text { place = latest }
            for topic in Set(entries.compactMap { $0.array?.last?.array?.last?.text }) { onWake(topic) }
        }
    }

    private func write(_ connection: RedisConnection) async throws {
        while !Task.isCancelled {
            let topics = box.take()
            guard !topics.isEmpty else {
                await posted.wait(atMost: Self.readWait)
                continue
            }
            var unsent = topics[...]
            // What the broker has not taken goes out with the next connection.
            defer { box.put(unsent) }
            while let topic = unsent.first {
                _ = try await connection.send(
                    ["XADD", Self.stream, "MAXLEN", "~", "\(Self.entriesKept)", "*", Self.field, topic], within: Self.answerWait)
                unsent = unsent.dropFirst()
            }
            try await Task.sleep(for: WakeTopics.pause)
        }
    }
}
