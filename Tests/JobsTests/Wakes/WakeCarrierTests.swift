import Foundation
import Kernel
import Logging
import Persistence
import ServiceLifecycle
import Synchronization
import TestKit
import Testing

@testable import Jobs

/// What carries wakes between processes, held to one list of promises on the real servers.
@Suite(.serialized, .timeLimit(.minutes(5))) struct WakeCarrierTests {
    enum Carrier: String, CaseIterable { case notify, redis, rabbitmq }

    /// Topics as they are heard.
    private final class Ear: Sendable {
        private let heard = Mutex<[String]>([])
        func hear(_ topic: String) { heard.withLock { $0.append(topic) } }
        var all: [String] { heard.withLock { $0 } }

        func waits(for topic: String, seconds: Int = 60) async -> Bool {
            for _ in 0..<(seconds * 50) {
                if all.contains(topic) { return true }
                try? await Task.sleep(for: .milliseconds(20))
            }
            return false
        }
    }

    /// A real broker, and how to reach it.
    private struct Broker {
        var make: @Sendable (Ear) throws -> any WakeCarrier
        /// Ends the server at once and starts it again on the same port; nil where the test runs' own server is used.
        var restart: ((_ meanwhile: () -> Void) async throws -> Void)?
        var stop: () -> Void
    }

    private func broker(_ carrier: Carrier) async throws -> Broker {
        switch carrier {
        case .notify:
            let url = try await PostgresLease.shared.createDatabase()
            return Broker(make: { ear in NotifyCarrier(url: url) { ear.hear($0) } }, restart: nil, stop: {})
        case .redis:
            let first = try await BrokerProcess.redis()
            let address = try BrokerAddress("redis://:secret@127.0.0.1:\(first.port)/3")
            return Broker(
                make: { ear in try RedisCarrier(address, logger: quiet) { ear.hear($0) } }, restart: { try await first.restart($0) },
                stop: { first.stop() })
        case .rabbitmq:
            let first = try await BrokerProcess.rabbitmq()
            let address = try BrokerAddress("amqp://127.0.0.1:\(first.port)")
            return Broker(
                make: { ear in try RabbitCarrier(address, logger: quiet) { ear.hear($0) } }, restart: { try await first.restart($0) },
                stop: { first.stop() })
        }
    }

    /// How long each of some topics, posted one after another, was on its way, the quickest first: a busy machine holds up one or another.
    private func waits(of topics: [String], from here: any WakeCarrier, to ear: Ear) async -> [Duration] {
        var waits: [Duration] = []
        for topic in topics {
            let began = ContinuousClock.now
            here.post(topic)
            #expect(await ear.waits(for: topic))
            waits.append(ContinuousClock.now - began)
        }
        return waits.sorted()
    }

    /// Two carriers at work, as in two processes.
    private func withTwo(_ broker: Broker, _ body: (any WakeCarrier, Ear, any WakeCarrier, Ear) async throws -> Void) async throws {
        let (first, second) = (Ear(), Ear())
        let (here, there) = (try broker.make(first), try broker.make(second))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for one in [here, there] { group.addTask { try await one.run() } }
            for ear in [first, second] { #expect(await ear.waits(for: WakeTopics.anything), "a new connection wakes all") }
            try await body(here, first, there, second)
            group.cancelAll()
        }
    }

    @Test(arguments: Carrier.allCases)
    func `what one process posts another hears, whatever it is`(_ carrier: Carrier) async throws {
        let broker = try await broker(carrier)
        defer { broker.stop() }
        try await withTwo(broker) { here, first, there, second in
            here.post("timers")
            #expect(await second.waits(for: "timers"))
            there.post("of-a-newer-version")
            #expect(await first.waits(for: "of-a-newer-version"))
            for number in 0..<50 { here.post("topic-\(number)") }
            for number in 0..<50 { #expect(await second.waits(for: "topic-\(number)")) }
        }
    }

    @Test(arguments: Carrier.allCases)
    func `a wake arrives within moments, and many are gathered`(_ carrier: Carrier) async throws {
        let broker = try await broker(carrier)
        defer { broker.stop() }
        try await withTwo(broker) { here, _, _, second in
            let waits = await waits(of: (0..<5).map { "runs-\($0)" }, from: here, to: second)
            #expect(waits[0] < .seconds(1), "\(waits)")
            for _ in 0..<5_000 { here.post("outbox") }
            #expect(await second.waits(for: "outbox"))
            here.post("last")
            #expect(await second.waits(for: "last"))
            #expect(second.all.filter { $0 == "outbox" }.count < 500)
        }
    }

    @Test(arguments: [Carrier.redis, .rabbitmq])
    func `a broker that dies is connected to again, and both sides hear and are heard`(_ carrier: Carrier) async throws {
        let broker = try await broker(carrier)
        defer { broker.stop() }
        try await withTwo(broker) { here, first, there, second in
            here.post("before")
            #expect(await second.waits(for: "before"))
            let connections = second.all.filter { $0 == WakeTopics.anything }.count
            try await broker.restart?({ here.post("meanwhile") })
            for _ in 0..<2_000 where second.all.filter({ $0 == WakeTopics.anything }).count == connections {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(second.all.filter { $0 == WakeTopics.anything }.count > connections, "who was away when it went out is told to look at all")
            there.post("after")
            #expect(await first.waits(for: "after"))
            here.post("back")
            #expect(await second.waits(for: "back"))
            // Nothing that is left of before the kill holds up what goes out now.
            let waits = await waits(of: (0..<5).map { "soon-\($0)" }, from: here, to: second)
            #expect(waits[2] < .seconds(1), "\(waits)")
        }
    }

    @Test func `an address names its broker, and nothing else is taken`() throws {
        let redis = try BrokerAddress("redis://r.example:7000/2")
        #expect(redis.port == 7_000 && redis.database == 2 && redis.user == "" && !redis.usesTLS)
        let secured = try BrokerAddress("rediss://u:p%40@mq.example")
        #expect(secured.port == 6_379 && secured.usesTLS && secured.user == "u" && secured.password == "p@" && !secured.shown.contains("p@"))
        let rabbit = try BrokerAddress("amqp://h")
        #expect(rabbit.kind == .rabbitmq && rabbit.port == 5_672 && rabbit.user == "guest" && rabbit.virtualHost == "/")
        let walled = try BrokerAddress("amqps://u:p%2F@mq.example/of%20aias")
        #expect(walled.port == 5_671 && walled.usesTLS && walled.password == "p/" && walled.virtualHost == "of aias")
        for text in ["kafka://x", "redis://", "redis://h/name", "amqp://", ""] { #expect(throws: Refusal.self) { try BrokerAddress(text) } }
    }
}

@Suite(.serialized) struct WakeRelayTests {
    @Test func `a topic that this version does not know wakes everything`() {
        let relay = WakeRelay()
        let woken = Mutex<[String]>([])
        relay.on(.timers) { woken.withLock { $0.append("timers") } }
        relay.on(.outbox) { woken.withLock { $0.append("outbox") } }
        relay.receive("timers")
        #expect(woken.withLock { $0 } == ["timers"])
        relay.receive("a-topic-of-the-next-version")
        #expect(woken.withLock { $0.sorted() } == ["outbox", "timers", "timers"])
    }

    @Test func `words are heard as they were said, wake nothing, and may be missed where anything may`() {
        let (one, other) = (WakeRelay(), WakeRelay())
        let woken = Mutex<[String]>([])
        let heard = Mutex<[String?]>([])
        other.on(.timers) { woken.withLock { $0.append("timers") } }
        other.listen { words in heard.withLock { $0.append(words) } }
        one.connect { other.receive($0) }
        one.say("a b {\"c\": 1}")
        #expect(heard.withLock { $0 } == ["a b {\"c\": 1}"] && woken.withLock { $0 }.isEmpty)
        other.receive("timers")
        other.receive(WakeTopics.anything)
        #expect(heard.withLock { $0 } == ["a b {\"c\": 1}", nil] && woken.withLock { $0 } == ["timers", "timers"])
    }
}
