internal import Foundation
internal import Kernel
package import Logging
internal import Outbound
internal import ServiceLifecycle

/// Wakes over RabbitMQ: a fanout exchange, and a queue for each connection of a process, which goes with it. What is posted has gone out once the broker
/// has confirmed it.
///
/// A queue that outlives its connection would be of no use, since a new connection looks at everything anyway, and it does harm: quorum queues can be
/// without a leader after a kill of the broker (RabbitMQ 3.10), are then never removed, and hold up the confirmation of all that goes to the exchange.
package final class RabbitCarrier: WakeCarrier {
    /// Not `aias.wakes`, to which such quorum queues of earlier versions may still be bound.
    static let exchange = "aias.wakes.2"
    /// Messages that a queue keeps; what is older is left out, and told by the wake of a new connection.
    private static let messagesKept: Int32 = 1_000
    private static let ahead: UInt16 = 100
    /// Half of what the broker takes for silence.
    private static let beat: Duration = .seconds(5)
    /// Of one connection; the next is made at once.
    private static let connectionLifetime: Duration = .seconds(6 * 3_600)

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
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [self] in await keep(log) { connection in try await self.read(connection, log) } }
                group.addTask { [self] in await keep(log) { connection in try await self.write(connection, log) } }
            }
        }
        await outbound.shutdown()
    }

    /// Reads on one connection and writes on another, as RabbitMQ advises. Neither minds what becomes of the other.
    private func keep(_ log: BrokerLog, _ body: @escaping @Sendable (AMQPConnection) async throws -> Void) async {
        while !Task.isCancelled {
            do { try await connected(body) } catch {
                if !Task.isCancelled { log.lost((error as? AMQPError)?.message ?? "\(error)") }
            }
            try? await Task.sleep(for: WakeTopics.reconnection)
        }
    }

    private func connected(_ body: @escaping @Sendable (AMQPConnection) async throws -> Void) async throws {
        let destination = OutboundDestination(host: address.host, port: address.port)
        try await outbound.withStream(to: destination, tls: address.usesTLS, timeout: Self.connectionLifetime) { [address] stream in
            let connection = AMQPConnection(stream)
            try await connection.enter(user: address.user, password: address.password, virtualHost: address.virtualHost)
            try await connection.declareFanout(Self.exchange)
            try await body(connection)
        }
    }

    private func read(_ connection: AMQPConnection, _ log: BrokerLog) async throws {
        let queue = "\(Self.exchange).\(UUID().uuidString.lowercased())"
        try await connection.declareOwnQueue(queue, boundTo: Self.exchange, messages: Self.messagesKept)
        try await connection.consume(queue, ahead: Self.ahead)
        log.connected()
        onWake(WakeTopics.anything)
        while !Task.isCancelled {
            guard let delivery = try await connection.next() else { continue }
            onWake(String(decoding: delivery.body, as: UTF8.self))
            try await connection.acknowledge(through: delivery.tag)
        }
    }

    private func write(_ connection: AMQPConnection, _ log: BrokerLog) async throws {
        try await connection.confirmPublished()
        while !Task.isCancelled {
            let topics = box.take()
            guard !topics.isEmpty else {
                await posted.wait(atMost: Self.beat)
                try await connection.beat()
                continue
            }
            do { try await connection.publish(topics.map { Array($0.utf8) }, to: Self.exchange) } catch {
                // What the broker has not confirmed goes out with the next connection.
                box.put(topics)
                throw error
            }
            log.connected()
            try await Task.sleep(for: WakeTopics.pause)
        }
    }
}
