import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Kernel
import Logging
import ServiceLifecycle
import Synchronization
import Testing

@testable import HTTPSurface

/// Over a real socket.
struct ServerTests {
    static func server(
        _ endpoints: [Endpoint], handover: Duration = .zero, onRunning: @escaping @Sendable (RunningServer) async -> Void = { _ in }
    ) -> HTTPServer {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var settings = Surface.Settings()
        settings.handover = handover
        let surface = Surface(endpoints: endpoints, doors: .closed, ids: IDs(clock: .system), settings: settings, logger: logger)
        return HTTPServer(surface: surface, binding: .init(port: 0), logger: logger, onRunning: onRunning)
    }

    /// One connection to a running server.
    struct Client: Sendable {
        let connection: TestClient

        func execute(
            uri: String, method: HTTPRequest.Method, headers: HTTPFields = [:], body: ByteBuffer? = nil
        ) async throws -> (status: HTTPResponse.Status, headers: HTTPFields, body: ByteBuffer) {
            let response = try await connection.execute(
                TestClient.Request(uri, method: method, authority: "localhost", headers: headers, body: body))
            return (response.status, response.headers, response.body ?? ByteBuffer())
        }
    }

    static func serving(_ endpoints: [Endpoint], _ body: @escaping @Sendable (Client) async throws -> Void) async throws {
        let (ports, running) = AsyncStream<Int>.makeStream()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let group = ServiceGroup(configuration: .init(services: [server(endpoints) { running.yield($0.port) }], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            let client = TestClient(host: "127.0.0.1", port: port, configuration: .init(timeout: .seconds(120)))
            client.connect()
            let result: Result<Void, any Error>
            do { result = .success(try await body(Client(connection: client))) } catch { result = .failure(error) }
            try? await client.shutdown()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    static let endpoints: [Endpoint] =
        Endpoint.operations(ready: { ["The database is away."] }, metrics: { "up 1\n" }) + [
            .raw(.any, "/echo/{rest*}", access: .public("A test."), summary: "Echo", tag: "Test", bodyLimit: 1 << 20) { call in
                Answer(contentType: "application/octet-stream", body: .bytes(call.body))
            },
            .raw(.get, "/page", access: .public("A test."), summary: "Page", tag: "Test") { _ in .text("<script>x</script>", contentType: "text/html")
            },
            .events("/v1/events", access: .public("A test."), summary: "Events", tag: "Test") { call in
                let after = Int(call.lastEventID ?? "") ?? 0
                return AsyncStream<ServerEvent> { stream in
                    for number in (after + 1)..<(after + 4) { stream.yield(ServerEvent(id: "\(number)", name: "tick", data: "a\nb \(number)")) }
                    stream.finish()
                }
            },
            Endpoint(.get, "/v1/slow", access: .public("A test."), summary: "Slow", tag: "Test", returns: .noContent) { _ in
                try await Task.sleep(for: .seconds(60))
            }.limitingTime(to: .milliseconds(20))
        ]

    @Test func `operations answer in plain text`() async throws {
        try await ServerTests.serving(ServerTests.endpoints) { client in
            #expect(try await String(buffer: client.execute(uri: "/healthz", method: .get).body) == "ok\n")
            let ready = try await client.execute(uri: "/readyz", method: .get)
            #expect(ready.headers[.date]?.hasSuffix(" GMT") == true)
            #expect(ready.status == .serviceUnavailable)
            #expect(String(buffer: ready.body).contains("The database is away."))
            #expect(try await String(buffer: client.execute(uri: "/metrics", method: .get).body) == "up 1\n")
        }
    }

    @Test func `bodies small and large come through whole`() async throws {
        try await ServerTests.serving(ServerTests.endpoints) { client in
            for count in [0, 1, 1_024, 200_000, 1 << 20] {
                let body = ByteBuffer(repeating: 7, count: count)
                let reply = try await client.execute(uri: "/echo/x", method: .put, body: body)
                #expect(reply.body == body)
            }
            // The rest of it is not read, so this answer is the connection's last.
            let refused = try await client.execute(uri: "/echo/x", method: .put, body: ByteBuffer(repeating: 7, count: (1 << 20) + 1))
            #expect(refused.status == .contentTooLarge && refused.headers[.connection] == "close")
        }
    }

    @Test func `the lines of an event break where a reader of streams breaks them, and nowhere else`() {
        let event = ServerEvent(id: "1\r\n2", name: "a\nb", data: "a\r\nb\rc\nd\u{2028}e\u{2029}f\u{85}g\u{B}h\u{C}i")
        #expect(event.text == "id: 12\nevent: ab\ndata: a\ndata: b\ndata: c\ndata: d\u{2028}e\u{2029}f\u{85}g\u{B}h\u{C}i\n\n")
    }

    @Test func `whatever statuses workflows answer with, figures have few`() {
        #expect([200, 303, 404, 429, 503].map(Surface.statusLabel) == ["200", "303", "404", "429", "503"])
        #expect([299, 477, 599].map(Surface.statusLabel) == ["2xx", "4xx", "5xx"])
        #expect(Set((100...599).map(Surface.statusLabel)).count < 50)
        // Of problems of our own none is hidden.
        for kind in Refusal.Kind.allCases { #expect(Surface.statusLabel(kind.status) == String(kind.status)) }
    }

    @Test func `HTML of a webhook gets an origin of its own`() async throws {
        try await ServerTests.serving(ServerTests.endpoints) { client in
            let reply = try await client.execute(uri: "/page", method: .get)
            #expect(reply.headers[.contentSecurityPolicy]?.hasPrefix("sandbox") == true)
        }
    }

    @Test(arguments: ["TEXT/HTML", "application/json, text/html", "image/svg+xml", "text/xsl;charset=utf-8", "application/x-unknown"])
    func `what a browser may run gets an origin of its own whatever policy it comes with`(type: String) async throws {
        try await ServerTests.serving([Self.own(type)]) { client in
            let policies = try await client.execute(uri: "/own", method: .get).headers[values: .contentSecurityPolicy]
            #expect(policies.contains("default-src *") && policies.contains { $0.hasPrefix("sandbox ") })
        }
    }

    @Test func `what no browser runs is left as it is`() async throws {
        try await ServerTests.serving([Self.own("application/json; charset=utf-8")]) { client in
            let policies = try await client.execute(uri: "/own", method: .get).headers[values: .contentSecurityPolicy]
            #expect(policies == ["default-src *"])
        }
        let refused = ["Set-Cookie", "content-length", "Transfer-Encoding", "Alt-Svc", "Clear-Site-Data", "X-Content-Type-Options"]
        #expect(!refused.contains(where: Answer.mayBeSetByTenants))
        #expect(["Location", "X-Mine", "Cache-Control", "Content-Disposition", "Access-Control-Allow-Origin"].allSatisfy(Answer.mayBeSetByTenants))
    }

    private static func own(_ type: String) -> Endpoint {
        .raw(.any, "/own", access: .public("A test."), summary: "Own", tag: "Test") { _ in
            Answer(contentType: type, headers: [("Content-Security-Policy", "default-src *")], body: .bytes(Array("<p>x".utf8)))
        }
    }

    @Test func `events are written with id, name and lines, and go on after the last one seen`() async throws {
        try await ServerTests.serving(ServerTests.endpoints) { client in
            let reply = try await client.execute(uri: "/v1/events", method: .get, headers: [.init("Last-Event-ID")!: "4"])
            #expect(reply.headers[.contentType] == "text/event-stream")
            // A heartbeat may come at any time, but not before the stream is open.
            let all = String(buffer: reply.body)
            #expect(all.hasPrefix(": open\n"))
            let text = all.replacing(": heartbeat\n\n", with: "")
            #expect(text.prefixMatch(of: /: open\nretry: [1-2]\d{3}\n\nid: 5\nevent: tick\ndata: a\ndata: b 5\n\n/) != nil)
            #expect(text.hasSuffix("data: b 7\n\n"))
        }
    }

    @Test func `a handler that takes too long is cancelled and answered 503`() async throws {
        try await ServerTests.serving(ServerTests.endpoints) { client in
            let reply = try await client.execute(uri: "/v1/slow", method: .get)
            #expect(reply.status == .serviceUnavailable)
            #expect(reply.headers[.retryAfter] == "5")
            #expect(String(buffer: reply.body).contains("\"timeout\""))
        }
    }

    @Test func `the date of an answer is in the form of HTTP`() {
        #expect(DateHeader.text(second: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(DateHeader.text(second: -1) == "Wed, 31 Dec 1969 23:59:59 GMT")
    }

    @Test func `a header too large is refused`() async throws {
        try await ServerTests.serving(ServerTests.endpoints) { client in
            let reply = try await client.execute(uri: "/healthz", method: .get, headers: [.cookie: String(repeating: "a", count: 20 << 10)])
            #expect(reply.status == .badRequest || reply.status.code == 431)
        }
    }

    @Test func `a stop ends open streams and the server`() async throws {
        let (ports, running) = AsyncStream<Int>.makeStream()
        let (starts, started) = AsyncStream<Void>.makeStream()
        let endless = Endpoint.events("/v1/events", access: .public("A test."), summary: "Events", tag: "Test") { _ in
            started.yield()
            return AsyncStream<ServerEvent> { stream in stream.yield(ServerEvent(data: "first")) }
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = ServerTests.server([endless]) { running.yield($0.port) }
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            let client = TestClient(host: "127.0.0.1", port: port, configuration: .init(timeout: .seconds(120)))
            client.connect()
            async let reply = client.execute(TestClient.Request("/v1/events", method: .get, authority: "localhost"))
            _ = await starts.first { _ in true }
            await group.triggerGracefulShutdown()
            let text = String(buffer: try #require(try await reply.body))
            #expect(text.prefixMatch(of: /: open\nretry: \d+\n\n/) != nil)
            try? await client.shutdown()
            try await tasks.waitForAll()
        }
    }

    private final class Sources: Sendable {
        let all = Mutex<[AsyncStream<ServerEvent>.Continuation]>([])
    }

    /// What readers of a stream heard of a process that others take over from, which tells them something all the time until it has let them go.
    private func heard(by readers: Int) async throws -> [String] {
        let (ports, running) = AsyncStream<Int>.makeStream()
        let sources = Sources()
        let (starts, started) = AsyncStream<Void>.makeStream()
        let endless = Endpoint.events("/v1/events", access: .public("A test."), summary: "Events", tag: "Test") { _ in
            let (stream, source) = AsyncStream<ServerEvent>.makeStream()
            sources.all.withLock { $0.append(source) }
            started.yield()
            return stream
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = ServerTests.server([endless], handover: .seconds(20)) { running.yield($0.port) }
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        return try await withThrowingTaskGroup(of: String?.self) { tasks in
            tasks.addTask {
                try await group.run()
                return nil
            }
            let port = try #require(await ports.first { _ in true })
            for _ in 0..<readers {
                tasks.addTask {
                    let client = TestClient(host: "127.0.0.1", port: port, configuration: .init(timeout: .seconds(120)))
                    client.connect()
                    let reply = try await client.execute(TestClient.Request("/v1/events", method: .get, authority: "localhost"))
                    try? await client.shutdown()
                    return reply.body.map { String(buffer: $0) }
                }
            }
            var coming = starts.makeAsyncIterator()
            for _ in 0..<readers { await coming.next() }
            await group.triggerGracefulShutdown()
            let telling = Task {
                var number = 0
                while !Task.isCancelled {
                    number += 1
                    let event = ServerEvent(data: "late \(number)")
                    for source in sources.all.withLock({ $0 }) { source.yield(event) }
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            var texts: [String] = []
            for try await text in tasks { if let text { texts.append(text) } }
            telling.cancel()
            return texts
        }
    }

    @Test func `a process that others take over from lets its streams go one after another, and they hear of all until then`() async throws {
        let readers = 16
        // How much each heard tells when it was let go: not all in the same moment.
        var moments: Set<Int> = []
        // They are let go within moments: on a busy machine before anything was told in between.
        for _ in 0..<20 where moments.count <= 2 {
            let texts = try await heard(by: readers)
            #expect(texts.count == readers)
            #expect(texts.allSatisfy { $0.contains(/retry: [12]\d{3}\n\n$/) })
            moments = Set(texts.map { $0.matches(of: /late/).count })
        }
        #expect(moments.count > 2)
    }
}
