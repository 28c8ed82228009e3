import HTTPSurface
import Kernel
import Testing

/// What one declaration brings: validation, permission, routing.
struct EndpointTests {
    static func view(_ title: String) -> NoteView {
        NoteView(id: ID(high: 9, low: 9), title: title, createdAt: Timestamp(seconds: 0), extra: ["camelKey": ["innerKey": 1]], children: [])
    }

    static let endpoints: [Endpoint] = [
        Endpoint(
            .post, "/v1/notes", access: .tenant("notes.write"), summary: "Create a note", tag: "Notes", body: CreateNote.self,
            returns: .created(NoteView.self, location: { "/v1/notes/\($0.id)" })
        ) { call, body in
            #expect(call.tenant == SurfaceHarness.acme)
            return view(body.title)
        },
        Endpoint(
            .get, "/v1/notes/{id}", access: .tenant("notes.read"), summary: "One note", tag: "Notes", returns: .ok(NoteView.self)
        ) { call in
            let id = try call.id("id", of: NoteView.self, noun: "note")
            guard id.low == 9 else { throw Refusal.missing("note") }
            return view("found")
        },
        Endpoint(.delete, "/v1/notes/{id}", access: .tenant("notes.write"), summary: "Remove a note", tag: "Notes", returns: .noContent) { call in
            _ = try call.id("id", of: NoteView.self)
        },
        .list("/v1/notes", access: .tenant("notes.read"), summary: "Notes", tag: "Notes", query: NoteQuery.self, of: NoteView.self) { call, page in
            let query = try call.query(NoteQuery.self)
            return Page(data: [view("\(query.color?.rawValue ?? "-") \(query.limitTo ?? 0) \(query.tag ?? []) \(page.limit)")], nextCursor: nil)
        },
        Endpoint(
            .post, "/v1/notes/{id}/copies", access: .tenant("notes.write"), summary: "Copy a note", tag: "Notes", body: CreateNote?.self,
            returns: .ok(String.self)
        ) { _, body in body?.title ?? "nothing" },
        Endpoint(.get, "/v1/platform", access: .platformOperator, summary: "Platform", tag: "Platform", returns: .ok([String].self)) { _ in ["yes"] },
        Endpoint(.get, "/v1/boom", access: .public("A test."), summary: "Fails", tag: "Test", returns: .ok(String.self)) { _ in
            throw PersistenceStandIn()
        },
        .raw(.any, "/hooks/{path*}", access: .public("Webhooks check themselves."), summary: "Webhook", tag: "Webhooks", bodyLimit: 10) { call in
            .text(
                "\(call.head.method) \(try call.parameter("path")) \(call.address.map { "\($0)" } ?? "-") \(String(decoding: call.body, as: UTF8.self))"
            )
        }
    ]
    struct PersistenceStandIn: Error {}

    let harness = SurfaceHarness(EndpointTests.endpoints)
    let key = ["Authorization": "Bearer key-acme"]

    @Test func `a valid body reaches the handler, its answer is in snake case, and data keys stay as they are`() async throws {
        let reply = try await harness.call(
            "POST", "/v1/notes", headers: key, body: #"{"title":"Milk","body_text":"2 l","color":"dark_blue","unknown":1}"#)
        #expect(reply.status == 201)
        #expect(reply.header("Location") == "/v1/notes/00000000-0000-0009-0000-000000000009")
        #expect(
            reply.text
                == #"{"id":"00000000-0000-0009-0000-000000000009","title":"Milk","created_at":"1970-01-01T00:00:00.000000Z","extra":{"camelKey":{"innerKey":1}},"children":[]}"#
        )
    }

    @Test func `an optional body is read where there is one`() async throws {
        for (sent, text) in [(#"{"title":"Milk"}"#, #""Milk""#), ("null", #""nothing""#), ("", #""nothing""#)] {
            let reply = try await harness.call("POST", "/v1/notes/\(ID<NoteView>(high: 9, low: 9))/copies", headers: key, body: sent)
            #expect(reply.status == 200 && reply.text == text)
        }
    }

    @Test func `every fault of a body is listed with its place`() async throws {
        let reply = try await harness.call(
            "POST", "/v1/notes", headers: key, body: #"{"title":"","color":"pink","priority":9,"tags":[{"name":"a"},{"name":1},{}]}"#)
        #expect(reply.status == 422)
        #expect(reply.header("Content-Type") == "application/problem+json")
        let problem = try reply.json
        #expect(problem["code"] == "invalid")
        #expect(problem["request_id"]?.text == reply.header("X-Request-Id"))
        let faults = problem["faults"]?.array?.map { "\($0["field"]?.text ?? "") \($0["code"]?.text ?? "")" }
        #expect(
            faults == ["title too_short", "color unknown_value", "tags[1].name wrong_type", "tags[2].name required", "priority too_large"])
    }

    @Test func `malformed JSON is refused with its place`() async throws {
        let reply = try await harness.call("POST", "/v1/notes", headers: key, body: "{\n  \"title\": nope}")
        #expect(reply.status == 400)
        #expect(try reply.json["code"] == "malformed_json")
        #expect(try reply.json["detail"]?.text?.contains("line 2, column 12") == true)
    }

    @Test func `an empty body is refused, and another media type`() async throws {
        #expect(try await harness.call("POST", "/v1/notes", headers: key).status == 400)
        let form = key.merging(["Content-Type": "application/x-www-form-urlencoded"]) { $1 }
        #expect(try await harness.call("POST", "/v1/notes", headers: form, body: "title=x").status == 415)
        let charset = key.merging(["Content-Type": "application/json; charset=utf-8"]) { $1 }
        #expect(try await harness.call("POST", "/v1/notes", headers: charset, body: #"{"title":"x"}"#).status == 201)
    }

    @Test func `a client that rules JSON out gets 406`() async throws {
        let reply = try await harness.call("GET", "/v1/notes", headers: key.merging(["Accept": "text/html, application/json;q=0"]) { $1 })
        #expect(reply.status == 406)
        #expect(try await harness.call("GET", "/v1/notes", headers: key.merging(["Accept": "application/*"]) { $1 }).status == 200)
    }

    @Test func `unknown addresses are 404, other methods 405 with Allow, HEAD answers without a body`() async throws {
        #expect(try await harness.call("GET", "/v1/nothing", headers: key).status == 404)
        #expect(try await harness.call("GET", "/v1/notes/", headers: key).status == 404)
        let reply = try await harness.call("PATCH", "/v1/notes/1", headers: key)
        #expect(reply.status == 405)
        #expect(reply.header("Allow") == "GET, HEAD, DELETE")
        let head = try await harness.call("HEAD", "/v1/notes", headers: key)
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head.header("Content-Length") != "0")
    }

    @Test func `a malformed id is of no thing`() async throws {
        #expect(try await harness.call("GET", "/v1/notes/00000000-0000-0009-0000-000000000009", headers: key).status == 200)
        for id in ["x", "%FF", "%zz", "00000000-0000-0009-0000-00000000000"] {
            #expect(try await harness.call("GET", "/v1/notes/\(id)", headers: key).status == 404)
        }
        #expect(try await harness.call("DELETE", "/v1/notes/00000000-0000-0009-0000-000000000009", headers: key).status == 204)
    }

    @Test func `query parameters are typed, and their faults listed`() async throws {
        let good = try await harness.call("GET", "/v1/notes?color=red&limit_to=7&tag=a&tag=b%20c&limit=3", headers: key)
        #expect(try good.json["data"]?[0]?["title"] == #"red 7 ["a", "b c"] 3"#)
        #expect(try good.json["next_cursor"] == .some(.null))
        let bad = try await harness.call("GET", "/v1/notes?color=pink&limit_to=x", headers: key)
        #expect(bad.status == 422)
        #expect(try bad.json["faults"]?.array?.count == 2)
        #expect(try await harness.call("GET", "/v1/notes?limit=0", headers: key).status == 422)
        #expect(try await harness.call("GET", "/v1/notes?cursor=%00", headers: key).status == 400)
    }

    @Test func `an error of our own is 500 with an id and nothing of its text`() async throws {
        let reply = try await harness.call("GET", "/v1/boom")
        #expect(reply.status == 500)
        #expect(try reply.json["code"] == "internal")
        #expect(!reply.text.contains("StandIn"))
    }

    @Test func `a raw endpoint below a prefix takes any method and keeps slashes and bytes`() async throws {
        let reply = try await harness.call("PURGE", "/hooks/acme/a%20b/c?x=1", body: "raw")
        #expect(reply.text == "PURGE acme/a b/c - raw")
        #expect(try await harness.call("GET", "/hooks/x", host: "acme.localhost:8080").text == #"GET x subdomain("acme") "#)
        #expect(try await harness.call("GET", "/hooks").status == 404)
    }

    @Test func `a body beyond the endpoint's limit is 413`() async throws {
        #expect(try await harness.call("POST", "/hooks/x", body: String(repeating: "a", count: 11)).status == 413)
        let chunked = try await harness.call(
            "POST", "/hooks/x", headers: ["Content-Length": "5"], body: String(repeating: "a", count: 11))
        #expect(chunked.status == 413)
    }

    @Test func `a target that is too long is 414`() async throws {
        #expect(try await harness.call("GET", "/hooks/" + String(repeating: "a", count: 9_000)).status == 414)
    }
}
