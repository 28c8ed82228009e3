internal import Kernel

/// What a broker refused, in its words.
package struct AMQPError: Error, Sendable, Hashable {
    package let message: String

    static let malformed = AMQPError(message: "The broker's answer is not AMQP 0-9-1, or too large.")
}

/// A connection to a broker that speaks AMQP 0-9-1 (https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf), with one channel, which either takes
/// messages or gives them out. Used by one task at a time; after an error it cannot be used any more.
package actor AMQPConnection {
    package struct Delivery: Sendable {
        package var tag: UInt64
        package var body: [UInt8]
    }

    private enum Kind { static let (method, header, body, heartbeat): (UInt8, UInt8, UInt8, UInt8) = (1, 2, 3, 8) }

    private struct Frame {
        var kind: UInt8
        var payload: [UInt8]
    }

    private static let end: UInt8 = 0xCE
    private static let frameBytesMaximum = 131_072
    private static let bodyBytesMaximum = 1 << 20
    /// How long an answer may take.
    private static let answerWait: Duration = .seconds(10)
    /// Both sides say something at least this often, or are taken for dead after twice the time.
    private static let heartbeat: UInt16 = 10

    private let stream: OutboundStream
    private var buffer: [UInt8] = []
    private var frameBytes = AMQPConnection.frameBytesMaximum
    private var published: UInt64 = 0

    package init(_ stream: OutboundStream) { self.stream = stream }

    /// Makes itself known (PLAIN, RFC 4616) and opens the channel.
    /// - Throws: `AMQPError`, `OutboundError`
    package func enter(user: String, password: String, virtualHost: String) async throws {
        try await inTime { [self] in try await open(user, password, virtualHost) }
    }

    private func open(_ user: String, _ password: String, _ virtualHost: String) async throws {
        try await stream.write(Array("AMQP".utf8) + [0, 0, 9, 1])
        _ = try await answer(.start)
        try await send(.startOK, channel: 0) {
            $0.table([("product", .text("AIAS"))])
            $0.short("PLAIN")
            $0.long([0] + Array(user.utf8) + [0] + Array(password.utf8))
            $0.short("en_US")
        }
        var tune = try await answer(.tune)
        let channels: UInt16 = try tune.number()
        let offered = Int(try tune.number(UInt32.self))
        frameBytes = offered == 0 ? Self.frameBytesMaximum : min(offered, Self.frameBytesMaximum)
        let size = UInt32(frameBytes)
        try await send(.tuneOK, channel: 0) {
            $0.number(channels)
            $0.number(size)
            $0.number(Self.heartbeat)
        }
        try await send(.open, channel: 0) {
            $0.short(virtualHost)
            $0.short("")
            $0.number(UInt8(0))
        }
        _ = try await answer(.openOK)
        try await send(.channelOpen) { $0.short("") }
        _ = try await answer(.channelOpenOK)
    }

    /// An exchange that gives each message to all queues bound to it, and outlives the broker.
    package func declareFanout(_ exchange: String) async throws {
        try await ask(.declareExchange, .declareExchangeOK) {
            $0.number(UInt16(0))
            $0.short(exchange)
            $0.short("fanout")
            $0.number(UInt8(0b10))
            $0.table([])
        }
    }

    /// A queue of this connection alone (exclusive, https://www.rabbitmq.com/docs/queues#exclusive-queues), bound to an exchange. It goes with the connection
    /// and with the broker.
    /// - Parameter messages: it keeps, the newest ones.
    package func declareOwnQueue(_ queue: String, boundTo exchange: String, messages: Int32) async throws {
        try await ask(.declareQueue, .declareQueueOK) {
            $0.number(UInt16(0))
            $0.short(queue)
            // Exclusive, and deleted with its last reader.
            $0.number(UInt8(0b1100))
            $0.table([("x-queue-type", .text("classic")), ("x-max-length", .number(messages))])
        }
        try await ask(.bind, .bindOK) {
            $0.number(UInt16(0))
            $0.short(queue)
            $0.short(exchange)
            $0.short("")
            $0.number(UInt8(0))
            $0.table([])
        }
    }

    /// Has the messages of a queue sent here, so many before the first has to be acknowledged.
    package func consume(_ queue: String, ahead count: UInt16) async throws {
        try await ask(.limit, .limitOK) {
            $0.number(UInt32(0))
            $0.number(count)
            $0.number(UInt8(0))
        }
        try await ask(.consume, .consumeOK) {
            $0.number(UInt16(0))
            $0.short(queue)
            $0.short("")
            $0.number(UInt8(0))
            $0.table([])
        }
    }

    /// The next message; nil where the broker only says that it is there, which is answered.
    /// - Throws: `OutboundError` with `timeout` where it says nothing for too long.
    package func next() async throws -> Delivery? {
        try await inTime(.seconds(2 * Int(Self.heartbeat))) { [self] in try await receive() }
    }

    private func receive() async throws -> Delivery? {
        let frame = try await frame()
        guard frame.kind == Kind.method else {
            try await beat()
            return nil
        }
        var reader = AMQPReader(frame.payload)
        guard try method(&reader) == .deliver else { throw AMQPError.malformed }
        _ = try reader.short()
        let tag: UInt64 = try reader.number()
        return Delivery(tag: tag, body: try await content())
    }

    /// - Parameter tag: of a message; all before it are acknowledged too.
    package func acknowledge(through tag: UInt64) async throws {
        try await send(.acknowledge) {
            $0.number(tag)
            $0.number(UInt8(1))
        }
    }

    /// Has each published message confirmed (https://www.rabbitmq.com/docs/confirms).
    package func confirmPublished() async throws { try await ask(.confirm, .confirmOK) { $0.number(UInt8(0)) } }

    /// Publishes messages, and returns when all are confirmed: every queue has them.
    /// - Throws: `AMQPError` where the broker does not take one.
    package func publish(_ bodies: [[UInt8]], to exchange: String) async throws {
        try await inTime { [self] in try await deliver(bodies, exchange) }
    }

    private func deliver(_ bodies: [[UInt8]], _ exchange: String) async throws {
        guard !bodies.isEmpty else { return }
        try await stream.write(bodies.flatMap { message($0, exchange) })
        var open = Set((published + 1)...(published + UInt64(bodies.count)))
        published += UInt64(bodies.count)
        while !open.isEmpty {
            let frame = try await frame()
            guard frame.kind == Kind.method else { continue }
            var reader = AMQPReader(frame.payload)
            guard try method(&reader) == .acknowledge else { throw AMQPError(message: "The broker did not take a message.") }
            let tag: UInt64 = try reader.number()
            let isMultiple = try reader.number(UInt8.self) & 1 == 1
            if isMultiple { open = open.filter { $0 > tag } } else { open.remove(tag) }
        }
    }

    private func message(_ body: [UInt8], _ exchange: String) -> [UInt8] {
        var out = Self.method(.publish, channel: 1) {
            $0.number(UInt16(0))
            $0.short(exchange)
            $0.short("")
            $0.number(UInt8(0))
        }
        var header = AMQPWriter()
        header.number(AMQPMethod.publish.group)
        header.number(UInt16(0))
        header.number(UInt64(body.count))
        // Without properties: it is not kept on disk.
        header.number(UInt16(0))
        out += Self.frame(Kind.header, channel: 1, header.bytes)
        // A part with its head and end fits a frame.
        for start in stride(from: 0, to: body.count, by: frameBytes - 8) {
            out += Self.frame(Kind.body, channel: 1, Array(body[start..<min(start + frameBytes - 8, body.count)]))
        }
        return out
    }

    /// Says that this side is there.
    package func beat() async throws { try await stream.write(AMQPConnection.frame(Kind.heartbeat, channel: 0, [])) }

    // MARK: Frames

    private func inTime<Value: Sendable>(_ limit: Duration = answerWait, _ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withDeadline(limit, work)
    }

    private func ask(_ method: AMQPMethod, _ expected: AMQPMethod, _ write: @Sendable (inout AMQPWriter) -> Void) async throws {
        try await send(method, write)
        try await inTime { [self] in _ = try await answer(expected) }
    }

    private func send(_ method: AMQPMethod, channel: UInt16 = 1, _ write: @Sendable (inout AMQPWriter) -> Void) async throws {
        try await stream.write(AMQPConnection.method(method, channel: channel, write))
    }

    private static func method(_ method: AMQPMethod, channel: UInt16, _ write: (inout AMQPWriter) -> Void) -> [UInt8] {
        var writer = AMQPWriter()
        writer.number(method.group)
        writer.number(method.number)
        write(&writer)
        return frame(Kind.method, channel: channel, writer.bytes)
    }

    private static func frame(_ kind: UInt8, channel: UInt16, _ payload: [UInt8]) -> [UInt8] {
        var writer = AMQPWriter()
        writer.number(kind)
        writer.number(channel)
        writer.long(payload)
        writer.number(end)
        return writer.bytes
    }

    /// The fields of the answer that is expected next.
    private func answer(_ expected: AMQPMethod) async throws -> AMQPReader {
        while true {
            let frame = try await frame()
            guard frame.kind == Kind.method else { continue }
            var reader = AMQPReader(frame.payload)
            guard try method(&reader) == expected else { throw AMQPError.malformed }
            return reader
        }
    }

    /// - Throws: where the broker ends the connection, the channel, or what is consumed.
    private func method(_ reader: inout AMQPReader) throws -> AMQPMethod {
        let method = try AMQPMethod(&reader)
        switch method {
        case .close, .channelClose:
            let code: UInt16 = try reader.number()
            throw AMQPError(message: "\(code) \(try reader.short())")
        case .cancel: throw AMQPError(message: "The queue is gone.")
        default: return method
        }
    }

    private func content() async throws -> [UInt8] {
        let header = try await frame()
        guard header.kind == Kind.header else { throw AMQPError.malformed }
        var reader = AMQPReader(header.payload)
        _ = try reader.number(UInt32.self)
        let count: UInt64 = try reader.number()
        guard count <= UInt64(Self.bodyBytesMaximum) else { throw AMQPError.malformed }
        var body: [UInt8] = []
        while body.count < Int(count) {
            let part = try await frame()
            guard part.kind == Kind.body, !part.payload.isEmpty else { throw AMQPError.malformed }
            body += part.payload
        }
        return body
    }

    private func frame() async throws -> Frame {
        while buffer.count < 7 { buffer += try await stream.read() }
        // A broker that knows no such version answers with its own greeting.
        guard buffer[0] != UInt8(ascii: "A") else { throw AMQPError(message: "The broker does not speak AMQP 0-9-1.") }
        let count = buffer[3..<7].reduce(0) { $0 << 8 | Int($1) }
        guard count <= Self.frameBytesMaximum else { throw AMQPError.malformed }
        while buffer.count < 7 + count + 1 { buffer += try await stream.read() }
        guard buffer[7 + count] == Self.end else { throw AMQPError.malformed }
        defer { buffer.removeFirst(7 + count + 1) }
        return Frame(kind: buffer[0], payload: Array(buffer[7..<(7 + count)]))
    }
}
