import HTTPTypes
import Hummingbird
import Kernel
import Logging
import Synchronization
import Testing

@testable import HTTPSurface

/// What people meet: forms, pages of problems; and what a slow client meets.
struct PeopleTests {
    static let endpoints: [Endpoint] = [
        .page(.get, "/console", access: .signedIn, summary: "Console") { _ in .text("<p>in</p>", contentType: "text/html") },
        .page(.post, "/form", access: .public("A test."), summary: "Form") { call in
            let form = try call.form()
            call.addHeader("Set-Cookie", "a=1")
            call.addHeader("Set-Cookie", "b=2")
            return .redirect("/\(form["name"])/\(form.verbatim("password").count)")
        },
        .events("/v1/events", access: .public("A test."), summary: "Events", tag: "Test") { _ in
            AsyncStream<ServerEvent> { stream in
                stream.yield(ServerEvent(id: "1", data: "x"))
                stream.finish()
            }
        },
        .raw(.post, "/hooks/{path*}", access: .public("A test."), summary: "Hook", tag: "Test", bodyLimit: 1 << 20) { _ in .text("ok") }
    ]

    static func surface(_ settings: Surface.Settings) -> Surface {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return Surface(endpoints: endpoints, doors: .closed, ids: IDs(clock: .system), settings: settings, logger: logger)
    }

    @Test func `no log shows an address that whoever has it may call`() async throws {
        struct Fault: Error {}
        let log = Lines()
        let endpoints: [Endpoint] = [
            .page(.get, "/answers/{path*}", access: .public("A test."), summary: "Answer") { _ in .text("ok") },
            .raw(.post, "/hooks/{path*}", access: .public("A test."), summary: "Hook", tag: "Test") { _ in throw Fault() },
            .page(.get, "/notes/{id}", access: .public("A test."), summary: "Note") { _ in .text("ok") }
        ]
        let surface = Surface(
            endpoints: endpoints, doors: .closed, ids: IDs(clock: .system), logger: Logger(label: "test") { _ in LineRecorder(lines: log) })
        #expect(try await surface.answer(LocalRequest("GET", "/answers/acme/run/signed")).status == 200)
        #expect(try await surface.answer(LocalRequest("POST", "/hooks/acme/signed")).status == 500)
        #expect(try await surface.answer(LocalRequest("GET", "/notes/seven")).status == 200)
        let all = log.all.withLock { $0.joined(separator: "\n") }
        #expect(all.contains("request answered") && all.contains("request failed") && all.contains("/notes/seven"))
        #expect(!all.contains("signed"))
    }

    @Test func `a form is read, and answered by a redirect with its cookies`() async throws {
        let surface = PeopleTests.surface(.init())
        let type = [(name: "Content-Type", value: "application/x-www-form-urlencoded")]
        let reply = try await surface.answer(LocalRequest("POST", "/form", headers: type, body: Array("name=+ana+&password=a%20b+".utf8)))
        #expect(reply.status == 303)
        #expect(reply.header("Location") == "/ana/4")
        #expect(reply.headers.filter { $0.name == "Set-Cookie" }.map(\.value) == ["a=1", "b=2"])
        #expect(try await surface.answer(LocalRequest("POST", "/form", headers: type, body: Array("name=%00".utf8))).status == 400)
        let json = [(name: "Content-Type", value: "application/json")]
        #expect(try await surface.answer(LocalRequest("POST", "/form", headers: json, body: Array("{}".utf8))).status == 415)
    }

    @Test func `a file's name may hold what divides a header, and is no other parameter of it`() {
        let named = #"form-data; name="f"; filename="a; b=\"c\".pdf"; size=3"#
        #expect(SubmittedForm.parameter("filename", of: named) == #"a; b="c".pdf"#)
        #expect(SubmittedForm.parameter("name", of: named) == "f" && SubmittedForm.parameter("size", of: named) == "3")
        let field = #"form-data; name="x; filename=y""#
        #expect(SubmittedForm.parameter("name", of: field) == "x; filename=y" && SubmittedForm.parameter("filename", of: field) == nil)
        #expect(SubmittedForm.parameter("boundary", of: "multipart/form-data; charset=utf-8; boundary=abc") == "abc")
    }

    @Test func `people see a page where programs see a problem document`() async throws {
        let plain = PeopleTests.surface(.init())
        let html = [(name: "Accept", value: "text/html,*/*;q=0.8")]
        let page = try await plain.answer(LocalRequest("GET", "/console", headers: html))
        #expect(page.status == 401)
        #expect(page.header("Content-Type") == "text/html; charset=utf-8")
        #expect(
            try await plain.answer(LocalRequest("GET", "/nowhere", headers: html)).header("Content-Security-Policy")?.contains("script-src 'self'")
                == true)
        #expect(try await plain.answer(LocalRequest("GET", "/nowhere")).header("Content-Type") == "application/problem+json")
        #expect(try await plain.answer(LocalRequest("GET", "/v1/nowhere", headers: html)).header("Content-Type") == "application/problem+json")
        var settings = Surface.Settings()
        settings.errorPage = { $0.status == 401 ? .redirect("/sign-in?next=\(Percent.encode($0.head.path))") : $0.plain }
        #expect(try await PeopleTests.surface(settings).answer(LocalRequest("GET", "/console")).header("Location") == "/sign-in?next=%2Fconsole")
    }

    @Test func `a stream is read to its end without a network`() async throws {
        let reply = try await PeopleTests.surface(.init()).answer(LocalRequest("GET", "/v1/events"))
        #expect(reply.text == "id: 1\ndata: x\n\n")
    }

    @Test(arguments: ["GET", "HEAD", "POST"], [true, false])
    func `a large body that nobody reads ends the connection, whatever the answer is`(method: String, leads: Bool) async throws {
        var settings = Surface.Settings()
        if leads { settings.errorPage = { _ in .redirect("/sign-in") } }
        let (body, source) = RequestBody.makeStream()
        let fields: HTTPFields = [.contentLength: "1000000", .accept: "text/html"]
        let head = HTTPRequest(
            method: try #require(HTTPRequest.Method(method)), scheme: "http", authority: "localhost", path: "/console", headerFields: fields)
        let response = await PeopleTests.surface(settings).respond(
            to: Request(head: head, body: body), context: SurfaceContext(remoteAddress: nil))
        #expect((response.status == .seeOther) == leads)
        #expect(response.headers[.connection] == "close")
        source.finish()
    }

    @Test func `a body that does not arrive is 408`() async throws {
        var settings = Surface.Settings()
        settings.bodyTime = .milliseconds(20)
        let (body, source) = RequestBody.makeStream()
        let head = HTTPRequest(
            method: .post, scheme: "http", authority: "localhost", path: "/hooks/x", headerFields: [.transferEncoding: "chunked"])
        let response = await PeopleTests.surface(settings).respond(
            to: Request(head: head, body: body), context: SurfaceContext(remoteAddress: nil))
        #expect(response.status == .requestTimeout)
        source.finish()
    }
}

private final class Lines: Sendable {
    let all = Mutex<[String]>([])
}

private struct LineRecorder: LogHandler {
    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level = .trace

    init(lines: Lines) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.all.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") } }
}
