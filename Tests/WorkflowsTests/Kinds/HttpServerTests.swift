import Foundation
import Kernel
import NIOHTTP1
import Outbound
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// The HTTP request node against a real server on loopback.
@Suite(.timeLimit(.minutes(4))) struct HttpServerTests {
    /// Runs `body` with a harness whose network is real, and the server's address.
    private func with(
        _ reply: @escaping @Sendable (TestServer.Request) -> TestServer.Reply, _ body: (KindsHarness, String, TestServer) async throws -> Void
    ) async throws {
        try await TestServer.with(reply: reply) { server in
            let outbound = try Outbound(policy: AddressPolicy(allowing: ["127.0.0.1:\(server.port)"]))
            var harness = KindsHarness()
            harness.network = { try await outbound.send($0) }
            do {
                try await body(harness, "http://127.0.0.1:\(server.port)", server)
                await outbound.shutdown()
            } catch {
                await outbound.shutdown()
                throw error
            }
        }
    }

    private static func json(_ text: String, status: Int = 200, _ headers: [(String, String)] = []) -> TestServer.Reply {
        .answer(status: status, headers: [("Content-Type", "application/json")] + headers, body: Array(text.utf8))
    }

    @Test func `every form of body arrives`() async throws {
        try await with({ _ in Self.json("{}") }) { harness, origin, server in
            let bytes: [UInt8] = [0, 255, 13, 10, 45, 45, 128]
            let file = BinaryReference(id: harness.files.write(bytes), mimeType: "image/png", fileName: "ä.png", byteCount: bytes.count)
            let item = Item(json: ["n": 7], binary: ["data": file])
            func sent(_ config: JSONObject) async throws -> TestServer.Request {
                var all: JSONObject = ["method": "POST", "url": .string(origin + "/in"), "sendBody": true]
                all.merge(config)
                _ = try await harness.items(.make("http_request", 4.2, all), inputs: [[item]])
                return try #require(server.requests.last)
            }
            let fields: JSON = ["parameters": [["name": "a", "value": "x y&z"], ["name": "n", "value": "={{ $json.n }}"]]]
            let keyed = try await sent(["bodyParameters": fields])
            #expect(keyed.body == #"{"a":"x y&z","n":7}"# && keyed.headers["content-type"] == ["application/json"])
            let json = try await sent(["specifyBody": "json", "jsonBody": "={{ { o: [$json.n] } }}"])
            #expect(json.body == #"{"o":[7]}"#)
            let form = try await sent(["contentType": "form-urlencoded", "bodyParameters": fields])
            #expect(form.body == "a=x+y%26z&n=7" && form.headers["content-type"] == ["application/x-www-form-urlencoded"])
            let text = try await sent(["contentType": "form-urlencoded", "specifyBody": "string", "body": "k=v"])
            #expect(text.body == "k=v" && text.headers["content-type"] == ["application/x-www-form-urlencoded"])
            let raw = try await sent(["contentType": "raw", "rawContentType": "text/csv", "body": "a;b"])
            #expect(raw.body == "a;b" && raw.headers["content-type"] == ["text/csv"])
            let binary = try await sent(["contentType": "binaryData", "inputDataFieldName": "data"])
            #expect(binary.bytes == bytes && binary.headers["content-type"] == ["image/png"])
            let parts: JSON = [
                "parameters": [["name": "a", "value": "1"], ["parameterType": "formBinaryData", "name": "f", "inputDataFieldName": "data"]]
            ]
            let multipart = try await sent(["contentType": "multipart-form-data", "bodyParameters": parts])
            let boundary = try #require(multipart.headers.first(name: "content-type")?.split(separator: "boundary=").last.map(String.init))
            let head = "--\(boundary)\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--\(boundary)\r\nContent-Disposition: form-data; "
            let second = "name=\"f\"; filename=\"ä.png\"\r\nContent-Type: image/png\r\n\r\n"
            #expect(multipart.bytes == Array((head + second).utf8) + bytes + Array("\r\n--\(boundary)--\r\n".utf8))
        }
    }

    @Test func `answers come in the form that the node asks for`() async throws {
        let reply: @Sendable (TestServer.Request) -> TestServer.Reply = { request in
            switch request.uri {
            case "/json": Self.json(#"{"a":[1]}"#, [("X-Own", "1")])
            case "/list": Self.json("[{\"a\":1},{\"a\":2}]")
            case "/text": .answer(headers: [("Content-Type", "text/html; charset=utf-8")], body: Array("<p>ö</p>".utf8))
            case "/report.pdf": .answer(headers: [("Content-Type", "application/pdf")], body: [37, 80, 68, 70])
            case "/named": .answer(headers: [("Content-Type", "text/csv"), ("Content-Disposition", "attachment; filename=\"a.csv\"")], body: [65])
            case "/empty": .answer(status: 204)
            default: Self.json(#"{"message":"gone away"}"#, status: 404)
            }
        }
        try await with(reply) { harness, origin, _ in
            func got(_ path: String, _ response: JSON = [:]) async throws -> [Item] {
                let config: JSONObject = ["url": .string(origin + path), "options": ["response": ["response": response]]]
                return try await harness.items(.make("http_request", 4.2, config), inputs: [items([:])])[0]
            }
            #expect(try await got("/json")[0].json == ["a": [1]])
            #expect(try await got("/list").map { JSON.object($0.json) } == [["a": 1], ["a": 2]])
            #expect(try await got("/text")[0].json == ["data": "<p>ö</p>"])
            #expect(try await got("/json", ["responseFormat": "text", "outputPropertyName": "t"])[0].json == ["t": #"{"a":[1]}"#])
            let report = try await got("/report.pdf")[0]
            let file = try #require(report.binary["data"])
            #expect(file.mimeType == "application/pdf" && file.fileName == "report.pdf" && harness.files.read(file.id) == [37, 80, 68, 70])
            let download = try await got("/named", ["responseFormat": "file", "outputPropertyName": "f"])[0]
            let named = try #require(download.binary["f"])
            #expect(named.fileName == "a.csv" && named.byteCount == 1)
            let full = try await got("/json", ["fullResponse": true])[0].json
            #expect(full["body"] == ["a": [1]] && full["statusCode"] == 200 && full["headers"]?["x-own"] == "1" && full["statusMessage"] == "OK")
            #expect(try await got("/empty", ["responseFormat": "json"])[0].json == [:])
            await #expect(throws: StepFailure.self) { try await got("/text", ["responseFormat": "json"]) }
            let failure = await #expect(throws: StepFailure.self) { try await got("/none") }
            #expect(failure?.code == "http_error" && failure?.message.contains("404: gone away") == true)
            let taken = try await got("/none", ["neverError": true, "fullResponse": true])[0].json
            #expect(taken["statusCode"] == 404 && taken["body"] == ["message": "gone away"])
        }
    }

    @Test func `each credential opens the door it is for`() async throws {
        let reply: @Sendable (TestServer.Request) -> TestServer.Reply = { request in
            let isIn =
                switch request.uri.split(separator: "?")[0] {
                case "/basic": request.headers["authorization"] == ["Basic " + Data("u:p".utf8).base64EncodedString()]
                case "/bearer": request.headers["authorization"] == ["Bearer t"]
                case "/header": request.headers["x-key"] == ["k"]
                case "/query": request.uri == "/query?key=k"
                case "/custom": request.headers["x-c"] == ["1"] && request.uri == "/custom?q=2"
                case "/github": request.headers["authorization"] == ["Bearer gh"]
                case "/digest":
                    request.headers.first(name: "authorization")?.contains("username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/digest\"") == true
                default: false
                }
            return isIn
                ? Self.json("{}")
                : Self.json("{}", status: 401, [("WWW-Authenticate", #"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256"#)])
        }
        try await with(reply) { harness, origin, server in
            func opens(_ path: String, _ type: String, _ fields: JSONObject, predefined: Bool = false) async throws {
                var harness = harness
                harness.credentials[type] = fields
                var config: JSONObject =
                    predefined
                    ? ["authentication": "predefinedCredentialType", "nodeCredentialType": .string(type)]
                    : ["authentication": "genericCredentialType", "genericAuthType": .string(type)]
                config["url"] = .string(origin + path)
                var node = WorkflowNode.make("http_request", 4.2, config)
                node.credentials[type] = CredentialReference(id: "c", name: "c")
                _ = try await harness.items(node, inputs: [items([:])])
            }
            try await opens("/basic", "httpBasicAuth", ["user": "u", "password": "p"])
            try await opens("/bearer", "httpBearerAuth", ["token": "t"])
            try await opens("/header", "httpHeaderAuth", ["name": "X-Key", "value": "k"])
            try await opens("/query", "httpQueryAuth", ["name": "key", "value": "k"])
            try await opens("/custom", "httpCustomAuth", ["json": "{\"headers\":{\"X-C\":\"1\"},\"qs\":{\"q\":2}}"])
            try await opens("/github", "githubApi", ["accessToken": "gh"], predefined: true)
            let before = server.requests.count
            try await opens("/digest", "httpDigestAuth", ["user": "u", "password": "p"])
            #expect(server.requests.count == before + 2)
            await #expect(throws: StepFailure.self) { try await opens("/basic", "httpBasicAuth", ["user": "u", "password": "no"]) }
        }
    }

    @Test func `pages are asked for until the server has no more`() async throws {
        let reply: @Sendable (TestServer.Request) -> TestServer.Reply = { request in
            let query = Dictionary((URLComponents(string: request.uri)?.queryItems ?? []).map { ($0.name, $0.value ?? "") }) { $1 }
            let page = Int(query["page"] ?? request.headers.first(name: "x-page") ?? "") ?? (try? JSON(parsing: request.bytes))?["page"]?.integer ?? 1
            switch request.uri.split(separator: "?")[0] {
            case "/status": return page > 2 ? Self.json("{}", status: 404) : Self.json("{\"p\":\(page)}")
            case "/next":
                return Self.json(page < 3 ? "{\"p\":\(page),\"next\":\"http://\(request.headers["host"][0])/next?page=\(page + 1)\"}" : "{\"p\":3}")
            default: return Self.json(page > 3 ? "[]" : "[{\"p\":\(page)}]")
            }
        }
        try await with(reply) { harness, origin, server in
            func pages(_ path: String, _ pagination: JSON, method: String = "GET") async throws -> [JSON?] {
                let config: JSONObject = [
                    "url": .string(origin + path), "method": .string(method), "options": ["pagination": ["pagination": pagination]],
                    "sendBody": .bool(method == "POST")
                ]
                return try await harness.node(.make("http_request", 4.2, config), inputs: [items([:])])[0].map { $0["p"] }
            }
            func update(_ type: String, _ name: String) -> JSON {
                ["parameters": ["parameters": [["type": .string(type), "name": .string(name), "value": "={{ $pageCount + 1 }}"]]]]
            }
            let read1 = try await pages("/list", update("qs", "page"))
            #expect(read1 == [1, 2, 3])
            let read2 = try await pages("/list", update("headers", "X-Page"))
            #expect(read2 == [1, 2, 3])
            let read3 = try await pages("/list", update("body", "page"), method: "POST")
            #expect(read3 == [1, 2, 3])
            let keys = server.requests.suffix(4).map { $0.headers["idempotency-key"][0] }
            #expect(keys == ["key-0", "key-0-1", "key-0-2", "key-0-3"], "each page has a key of its own")
            var limited = update("qs", "page").object ?? [:]
            limited.merge(["limitPagesFetched": true, "maxRequests": 2])
            let read4 = try await pages("/list", .object(limited))
            #expect(read4 == [1, 2])
            var byStatus = update("qs", "page").object ?? [:]
            byStatus.merge(["paginationCompleteWhen": "receiveSpecificStatusCodes", "statusCodesWhenComplete": "404"])
            let read5 = try await pages("/status", .object(byStatus))
            #expect(read5 == [1, 2, nil], "the answer that ends the pages counts")
            let next: JSON = [
                "paginationMode": "responseContainsNextURL", "nextURL": "={{ $response.body.next }}", "paginationCompleteWhen": "other",
                "completeExpression": "={{ !$response.body.next }}", "requestInterval": 1
            ]
            let read6 = try await pages("/next", next)
            #expect(read6 == [1, 2, 3])
        }
    }

    @Test func `a server that fails, hangs up or is busy is asked again with the same key`() async throws {
        let turn = Mutex(0)
        try await with({ _ in
            switch turn.withLock({ turn in
                turn += 1
                return turn
            }) {
            case 1: .hangUp
            case 2: Self.json("{}", status: 500)
            case 3: Self.json("{}", status: 429, [("Retry-After", "0")])
            default: Self.json("{\"ok\":true}")
            }
        }) { harness, origin, server in
            let config: JSONObject = [
                "method": "POST", "url": .string(origin), "options": ["retry": ["maxTries": 4, "waitBetweenTries": 1], "timeout": 60_000]
            ]
            let given = try await harness.node(.make("http_request", 4.2, config), inputs: [items([:])])[0]
            #expect(given == [["ok": true]] && server.requests.count == 4)
            #expect(Set(server.requests.map { $0.headers["idempotency-key"] }) == [["key-0"]])
        }
    }

    @Test func `redirects and time limits are the node's own`() async throws {
        try await with({ request in
            switch request.uri {
            case "/from": .answer(status: 302, headers: [("Location", "/to")])
            case "/to": Self.json("{\"to\":true}")
            default: .silence
            }
        }) { harness, origin, _ in
            #expect(try await harness.node(.make("http_request", 4.2, ["url": .string(origin + "/from")]), inputs: [items([:])])[0] == [["to": true]])
            let response: JSON = ["response": ["fullResponse": true, "neverError": true]]
            let still: JSON = ["redirect": ["redirect": ["followRedirects": false]], "response": response]
            let ways: [(Double, JSON)] = [(4.2, still), (3, ["response": response])]
            for (version, options) in ways {
                let config: JSONObject = ["url": .string(origin + "/from"), "options": options]
                let stayed = try await harness.node(.make("http_request", version, config), inputs: [items([:])])
                #expect(stayed[0][0]["statusCode"] == 302 && stayed[0][0]["headers"]?["location"] == "/to")
            }
            let refused = await #expect(throws: StepFailure.self) {
                try await harness.node(.make("http_request", 3, ["url": .string(origin + "/from")]), inputs: [items([:])])
            }
            #expect(refused?.message.contains("302") == true)
            for (method, follows) in [("GET", true), ("POST", false)] {
                let config: JSONObject = ["url": .string(origin + "/from"), "requestMethod": .string(method), "options": ["ignoreResponseCode": true]]
                let given = try await harness.node(.make("http_request", 2, config), inputs: [items([:])])[0]
                #expect((given == [["to": true]]) == follows)
            }
            let failure = await #expect(throws: StepFailure.self) {
                try await harness.node(
                    .make("http_request", 4.2, ["url": .string(origin + "/slow"), "options": ["timeout": 50]]), inputs: [items([:])])
            }
            #expect(failure?.code == "timeout")
        }
    }
}
