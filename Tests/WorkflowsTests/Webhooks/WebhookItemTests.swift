import HTTPSurface
import Kernel
import Logging
import TestKit
import Testing

@testable import Workflows

/// The item put together as text is the item made of values, byte for byte.
@Suite struct WebhookItemTests {
    private struct Case: Sendable, CustomTestStringConvertible {
        let body: String
        let type: String?
        let isText: Bool
        var options: JSONObject = [:]
        var query = ""
        var headers: [(name: String, value: String)] = []
        var testDescription: String { "\(type ?? "no type") \(query) \(body)" }
    }

    private static let cases: [Case] = [
        Case(body: #"{"a":1,"b":[true,null,"x\n\"é"]}"#, type: "application/json", isText: true),
        Case(body: "{ \"a\" : 1 ,\n \"b\" : { } }", type: "application/json; charset=utf-8", isText: true),
        Case(body: "[1, 2]", type: "application/vnd.api+json", isText: true),
        Case(body: "7", type: nil, isText: true),
        Case(body: "{}", type: "application/json", isText: true, query: "?a=1&a=2&b=%22&c"),
        Case(body: "{}", type: "application/json", isText: true, headers: [("X-Odd", "a\\b\"c"), ("Cookie", "secret=1"), ("X-Key", "hidden")]),
        Case(body: "{}", type: "application/json", isText: false, headers: [("X-Same", "1"), ("X-Same", "2")]),
        Case(body: #"{"a":1.0}"#, type: "application/json", isText: false),
        Case(body: "{not json", type: "application/json", isText: false),
        Case(body: "", type: "application/json", isText: false),
        Case(body: "a=1", type: "application/x-www-form-urlencoded", isText: false),
        Case(body: "hello", type: "text/plain", isText: false),
        Case(body: "{}", type: "application/json", isText: false, options: ["rawBody": true]),
        Case(body: "{}", type: "application/json", isText: false, options: ["binaryData": true])
    ]

    @Test(arguments: cases) private func `both ways give the same`(_ given: Case) async throws {
        let node = WorkflowNode(
            id: "hook", category: .trigger, kind: "webhook", kindVersion: 2, name: "Hook",
            config: ["path": "in", "httpMethod": "POST", "options": .object(given.options)])
        let kind = try #require(KindRegistry.builtIn.kind("webhook"))
        let endpoint = Endpoint.raw(.post, "/in", access: .public("A test."), summary: "In", tag: "Test") { call in
            let read = WebhookItem(
                call: call, path: "in", parameters: ["b": "2", "a": "\"1\""], hiddenHeader: "x-key", definition: WebhookDefinition(node, kind: kind))
            let store: WebhookItem.Store = { bytes, type, name in
                BinaryReference(id: "file", mimeType: type, fileName: name, byteCount: bytes.count)
            }
            let list = try await read.list(claims: nil, store: store)
            #expect((read.plainList != nil) == given.isText)
            #expect(list.bytes == ItemCodec.write([try await read.item(store: store)]))
            let claimed = try await read.list(claims: ["sub": "ana"], store: store)
            #expect(try claimed.items().first?.json["jwtPayload"] == ["sub": "ana"])
            return Answer(status: 204)
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let surface = Surface(
            endpoints: [endpoint], doors: Doors(authenticate: { _ in .anonymous }, resolveTenant: { _ in nil }), ids: IDs(clock: .system),
            strings: .none, logger: logger)
        let kinds: [(name: String, value: String)] = given.type.map { [("Content-Type", $0)] } ?? []
        let answer = try await surface.answer(
            LocalRequest("POST", "/in" + given.query, headers: kinds + given.headers, body: Array(given.body.utf8)))
        #expect(answer.status == 204, "\(String(decoding: answer.body, as: UTF8.self))")
    }
}
