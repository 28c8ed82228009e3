import HTTPTypes
import Kernel
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import HTTPSurface

/// What ends a connection, and how many a network may have.
@Suite struct ConnectionTests {
    private static func open(_ connections: Connections = Connections(total: 100) { _ in false }) throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: ConnectionWatch(connections))
        try channel.connect(to: try SocketAddress(ipAddress: "192.0.2.1", port: 4_711)).wait()
        return channel
    }

    private static let head = HTTPRequestPart.head(HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: "/hooks/x"))

    @Test func `a body that comes byte by byte ends the connection when its time is over`() throws {
        let channel = try Self.open()
        try channel.writeInbound(Self.head)
        var seconds: Int64 = 0
        while channel.isActive, seconds < 600 {
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "a")))
            channel.embeddedEventLoop.advanceTime(by: .seconds(5))
            seconds += 5
        }
        #expect(!channel.isActive && seconds == Limits.wholeBodyTime.components.seconds)
    }

    @Test func `a request that came whole has no timer`() throws {
        let channel = try Self.open()
        for _ in 0..<2 {
            try channel.writeInbound(Self.head)
            try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "a")))
            try channel.writeInbound(HTTPRequestPart.end(nil))
            channel.embeddedEventLoop.advanceTime(by: .minutes(10))
        }
        #expect(channel.isActive)
        try channel.close().wait()
    }

    @Test func `a client that takes nothing of its answer is let go, one that takes it slowly is not`() throws {
        let channel = try Self.open()
        let idle = TimeAmount(Limits.idleTime)
        channel.write(ByteBuffer(repeating: 7, count: 100_000), promise: nil)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: idle - .seconds(1))
        // All was taken, but nobody says yet that more may be written.
        channel.flush()
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(channel.isActive)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        channel.write(ByteBuffer(repeating: 7, count: 100_000), promise: nil)
        channel.isWritable = false
        channel.pipeline.fireChannelWritabilityChanged()
        channel.embeddedEventLoop.advanceTime(by: idle)
        #expect(!channel.isActive)
    }

    @Test func `one network has a quarter of the connections at most`() throws {
        let connections = Connections(total: 8) { $0 == "10.0.0.1" }
        #expect(connections.enter("192.0.2.1") == .taken("192.0.2.1"))
        #expect(connections.enter("192.0.2.1") == .taken("192.0.2.1"))
        #expect(connections.enter("192.0.2.1") == .refused)
        #expect(connections.enter("192.0.2.2") == .taken("192.0.2.2"))
        connections.leave("192.0.2.1")
        #expect(connections.enter("192.0.2.1") == .taken("192.0.2.1"))
        for number in 1...2 { #expect(connections.enter("2001:db8::\(number)") == .taken("2001:db8:0:0")) }
        #expect(connections.enter("2001:db8::3") == .refused)
        for _ in 0..<100 { #expect(connections.enter("10.0.0.1") == .taken(nil)) }
        #expect(connections.enter(nil) == .taken(nil))
    }

    @Test func `a connection too many is closed at once, and one that ends makes room`() throws {
        let connections = Connections(total: 4) { _ in false }
        let first = try Self.open(connections)
        let second = try Self.open(connections)
        #expect(first.isActive && !second.isActive)
        try first.close().wait()
        let next = try Self.open(connections)
        #expect(next.isActive)
        try next.close().wait()
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"), ("2001:db8:1:2::9", "2001:db8:1:2"),
        ("2001:db8::1", "2001:db8:0:0"), ("::1", "0:0:0:0"), ("", "")
    ])
    func `attempts count for the network that somebody has`(address: String, network: String) {
        #expect(ClientNetwork.name(of: address) == network)
    }
}
