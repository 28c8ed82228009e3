import Kernel
import Outbound
import Synchronization
import Testing

@testable import Workflows

@Suite struct KindsHttpTests {
    static func answer(_ json: String, status: Int = 200, headers: [(String, String)] = [("Content-Type", "application/json")])
        -> KindsHarness.Network
    {
        { OutboundResponse(status: status, headers: headers.map { (name: $0.0, value: $0.1) }, body: Array(json.utf8), url: $0.url) }
    }

    func harness(_ network: @escaping KindsHarness.Network = KindsHttpTests.answer("{}")) -> KindsHarness {
        var harness = KindsHarness()
        harness.network = network
        return harness
    }

    func body(_ request: OutboundRequest?) -> String {
        guard case .bytes(let bytes)? = request?.body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    func header(_ request: OutboundRequest?, _ name: String) -> String? {
        request?.headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    @Test func `query, headers and a JSON body are sent for each item`() async throws {
        let harness = self.harness()
        let config: JSONObject = [
            "method": "POST", "url": "=http://a.test/p?x=1&id={{ $json.id }}", "sendQuery": true,
            "queryParameters": ["parameters": [["name": "q", "value": "a b&c"], ["name": "l", "value": "={{ [1, 2] }}"]]],
            "sendHeaders": true, "headerParameters": ["parameters": [["name": "X-A", "value": "1"]]],
            "sendBody": true, "bodyParameters": ["parameters": [["name": "n", "value": "={{ $json.id }}"]]]
        ]
        let given = try await harness.items(.make("http_request", 4.2, config), inputs: [items(["id": 1], ["id": 2])])[0]
        #expect(given.map { $0.pairedItem![0].item } == [0, 1])
        let requests = harness.log.all.sorted { $0.url < $1.url }
        #expect(requests.map(\.url) == [1, 2].map { "http://a.test/p?x=1&id=\($0)&q=a%20b%26c&l%5B%5D=1&l%5B%5D=2" })
        #expect(body(requests[1]) == "{\"n\":2}")
        #expect(header(requests[0], "content-type") == "application/json")
        #expect(header(requests[0], "x-a") == "1")
        #expect(header(requests[0], "idempotency-key") == "key-0")
    }

    @Test func `a request says what it comes from, unless the node says so`() async throws {
        let harness = self.harness()
        for own: JSON in [[], [["name": "user-agent", "value": "mine/1.0"]]] {
            let config: JSONObject = ["url": "http://a.test", "sendHeaders": true, "headerParameters": ["parameters": own]]
            _ = try await harness.items(.make("http_request", 4.2, config), inputs: [items([:])])
        }
        #expect(harness.log.all.map { header($0, "User-Agent") } == ["AIAS", "mine/1.0"])
    }

    @Test(arguments: [
        ("http://a.test/p/photo?size=2", "image/png", "", "photo", "png"), ("http://a.test/", "image/png", "", "data.png", "png"),
        ("http://a.test/a.pdf", "", "", "a.pdf", "pdf"), ("http://a.test/x", "application/pdf", "attachment; filename=\"a b.PDF\"", "a b.PDF", "pdf"),
        ("http://a.test/x", "text/csv; charset=utf-8", "attachment; filename*=UTF-8''%C3%A4.csv", "ä.csv", "csv")
    ])
    func `a file is named by its answer`(_ url: String, _ type: String, _ disposition: String, _ name: String, _ ending: String) async throws {
        let headers = [(name: "Content-Type", value: type), (name: "Content-Disposition", value: disposition)].filter { !$0.value.isEmpty }
        let harness = self.harness { OutboundResponse(status: 200, headers: headers, body: [1], url: $0.url) }
        let config: JSONObject = ["url": .string(url), "options": ["response": ["response": ["responseFormat": "file"]]]]
        let item = try await harness.items(.make("http_request", 4.2, config), inputs: [items([:])])[0][0]
        let file = try #require(item.binary["data"])
        #expect(file.fileName == name && file.fileExtension == ending)
        #expect(type.isEmpty ? file.mimeType == "application/pdf" : type.hasPrefix(file.mimeType))
    }

    @Test func `headers of an answer are in lower case, and cookies a list`() async throws {
        let headers = [("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("X-Two", "1"), ("Set-Cookie", "b=2"), ("x-two", "2")]
        let options: JSON = ["lowercaseHeaders": false, "response": ["response": ["fullResponse": true]]]
        let given = try await harness(Self.answer("{}", headers: headers)).node(
            .make("http_request", 4.2, ["url": "http://a.test", "options": options]), inputs: [items([:])])[0][0]
        #expect(given["headers"] == ["content-type": "application/json", "set-cookie": ["a=1", "b=2"], "x-two": "1, 2"])
    }

    @Test func `what an expression finds nothing for is not sent`() async throws {
        let harness = self.harness()
        let pairs: JSON = [
            "parameters": [
                ["name": "none", "value": "={{ $json.none }}"], ["name": "null", "value": "={{ $json.null }}"], ["name": "empty", "value": ""],
                ["name": "bare"]
            ]
        ]
        let config: JSONObject = [
            "method": "POST", "url": "http://a.test", "sendQuery": true, "queryParameters": pairs, "sendHeaders": true, "headerParameters": pairs,
            "sendBody": true, "bodyParameters": pairs
        ]
        _ = try await harness.items(.make("http_request", 4.2, config), inputs: [items(["null": .null])])
        let request = try #require(harness.log.all.first)
        #expect(request.url == "http://a.test?empty=&bare=")
        #expect(header(request, "none") == nil && header(request, "null") == nil && header(request, "empty") == "")
        #expect(body(request) == #"{"null":null,"empty":"","bare":""}"#)
    }

    @Test(arguments: [(4.2, "?q=3&r=2", "q=3&r=2", ["3"]), (4.3, "?q%5B%5D=1&q%5B%5D=3&r=2", "q%5B0%5D=1&q%5B1%5D=3&r=2", ["1", "3"])])
    func `of entries with one name the last is sent, and later all`(version: Double, query: String, form: String, headers: [String]) async throws {
        let harness = self.harness()
        let pairs: JSON = ["parameters": [["name": "q", "value": "1"], ["name": "r", "value": "2"], ["name": "q", "value": "3"]]]
        let config: JSONObject = [
            "method": "POST", "url": "http://a.test", "sendQuery": true, "queryParameters": pairs, "sendHeaders": true, "headerParameters": pairs,
            "sendBody": true, "contentType": "form-urlencoded", "bodyParameters": pairs
        ]
        _ = try await harness.items(.make("http_request", version, config), inputs: [items([:])])
        let request = try #require(harness.log.all.first)
        #expect(request.url == "http://a.test\(query)" && body(request) == form)
        #expect(request.headers.filter { $0.name == "q" }.map(\.value) == headers)
    }

    @Test func `pages are asked for beside JSON, and JSON first where the node reads it`() async throws {
        let harness = self.harness()
        for format: JSON in ["autodetect", "json"] {
            let config: JSONObject = ["url": "http://a.test", "options": ["response": ["response": ["responseFormat": format]]]]
            _ = try await harness.items(.make("http_request", 4.2, config), inputs: [items([:])])
        }
        let asked = harness.log.all.map { header($0, "Accept") ?? "" }
        #expect(asked[0].hasPrefix("application/json,text/html,") && asked[1] == "application/json,text/*;q=0.99")
    }

    @Test func `every form of body is written`() async throws {
        func sent(_ config: JSONObject, _ harness: KindsHarness, _ item: Item = Item(json: [:])) async throws -> OutboundRequest? {
            var all: JSONObject = ["method": "POST", "url": "http://a.test", "sendBody": true]
            all.merge(config)
            _ = try await harness.items(.make("http_request", 4.2, all), inputs: [[item]])
            return harness.log.all.last
        }
        let pair: JSON = ["parameters": [["name": "a", "value": "x y"]]]
        #expect(body(try await sent(["specifyBody": "json", "jsonBody": "={ \"a\": {{ 1 + 1 }} }"], harness())) == "{\"a\":2}")
        #expect(body(try await sent(["contentType": "form-urlencoded", "bodyParameters": pair], harness())) == "a=x+y")
        let raw = try await sent(["contentType": "raw", "rawContentType": "text/xml", "body": "<a/>"], harness())
        #expect(body(raw) == "<a/>" && header(raw, "content-type") == "text/xml")
        let shared = harness()
        let file = BinaryReference(id: shared.files.write(Array("FILE".utf8)), mimeType: "text/plain", fileName: "f.txt", byteCount: 4)
        let item = Item(json: [:], binary: ["data": file])
        let binary = try await sent(["contentType": "binaryData", "inputDataFieldName": "data"], shared, item)
        #expect(body(binary) == "FILE" && header(binary, "content-type") == "text/plain")
        let multipart: JSON = [
            "parameters": [["name": "a", "value": "1"], ["parameterType": "formBinaryData", "name": "f", "inputDataFieldName": "data"]]
        ]
        let parts = try await sent(["contentType": "multipart-form-data", "bodyParameters": multipart], shared, item)
        #expect(body(parts).contains("name=\"f\"; filename=\"f.txt\"\r\nContent-Type: text/plain\r\n\r\nFILE\r\n"))
        await #expect(throws: StepFailure.self) { try await sent(["specifyBody": "json", "jsonBody": "{"], harness()) }
    }

    @Test func `answers are read as the node asks`() async throws {
        func given(_ options: JSON, _ network: @escaping KindsHarness.Network) async throws -> [Item] {
            try await harness(network).items(
                .make("http_request", 4.2, ["url": "http://a.test/f.png", "options": ["response": ["response": options]]]), inputs: [items([:])])[0]
        }
        #expect(try await given([:], Self.answer("[{\"a\":1},2]")).map { JSON.object($0.json) } == [["a": 1], ["data": 2]])
        #expect(try await given([:], Self.answer("hi", headers: [("Content-Type", "text/plain")]))[0].json == ["data": "hi"])
        let full = try await given(["fullResponse": true], Self.answer("{\"a\":1}", status: 201))[0].json
        #expect(full["statusCode"] == 201 && full["body"] == ["a": 1] && full["headers"]?["content-type"] == "application/json")
        let file = try await given([:], Self.answer("PNG", headers: [("Content-Type", "image/png")]))[0]
        #expect(file.binary["data"]?.fileName == "f.png" && file.binary["data"]?.byteCount == 3)
        await #expect(throws: StepFailure.self) { try await given([:], Self.answer("{\"message\":\"no\"}", status: 404)) }
        #expect(try await given(["neverError": true], Self.answer("{\"message\":\"no\"}", status: 404))[0].json == ["message": "no"])
        var failing = WorkflowNode.make("http_request", 4.2, ["url": "http://a.test"])
        failing.onError = .continueRegular
        let failed = try await harness(Self.answer("{}", status: 500)).items(failing, inputs: [items([:])])[0]
        #expect(failed[0].error?["code"] == "http_error")
    }

    func read(_ body: [UInt8], _ type: String?, _ options: JSON = [:]) async throws -> Item {
        let headers: [(name: String, value: String)] = type.map { [(name: "Content-Type", value: $0)] } ?? []
        let harness = self.harness { OutboundResponse(status: 200, headers: headers, body: body, url: $0.url) }
        let config: JSONObject = ["url": "http://a.test/f", "options": ["response": ["response": options]]]
        return try await harness.items(.make("http_request", 4.2, config), inputs: [items([:])])[0][0]
    }

    @Test func `an answer is read in its charset, without a byte order mark`() async throws {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let page = #"<meta charset="windows-1252">"#
        #expect(try await read([0x63, 0x61, 0x66, 0xE9], "text/html; charset=ISO-8859-1").json == ["data": "café"])
        #expect(try await read(Array(page.utf8) + [0x80], "text/html").json == ["data": .string(page + "€")])
        #expect(try await read(Array("ä".utf8), "text/html; charset=unheard-of").json == ["data": "ä"])
        #expect(try await read(mark + Array("a,b".utf8), "text/csv").json == ["data": "a,b"])
        #expect(try await read(mark + Array("{\"a\":1}".utf8), "application/json").json == ["a": 1])
        let latin: [UInt8] = Array("{\"a\":\"".utf8) + [0xE9] + Array("\"}".utf8)
        #expect(try await read(latin, "application/json; charset=iso-8859-1").json == ["a": "é"])
    }

    @Test func `an answer without a body has no data`() async throws {
        #expect(try await read([], nil).json == [:])
        #expect(try await read(Array("null".utf8), "application/json").json == [:])
        #expect(try await read([], "text/plain", ["fullResponse": true]).json["data"] == nil)
        #expect(try await read([], nil, ["responseFormat": "text"]).json == ["data": ""])
    }

    @Test(arguments: ["application/vnd.api+json", "application/x-ndjson; charset=utf-8", "application/vnd.google-earth.kml+xml"])
    func `a program's own type that says it is text is text`(_ type: String) async throws {
        let item = try await read(Array("x: 1".utf8), type)
        #expect(item.json == ["data": "x: 1"] && item.binary.isEmpty)
    }

    @Test func `what is no JSON though it says so is nothing where every answer is taken`() async throws {
        #expect(try await read(Array("<p>".utf8), "application/json", ["neverError": true]).json == [:])
        await #expect(throws: StepFailure.self) { try await read(Array("<p>".utf8), "application/json") }
    }

    @Test func `a request goes through the node's proxy and shows its certificate`() async throws {
        var harness = self.harness()
        func block(_ text: String) -> String { "-----BEGIN CERTIFICATE-----\(text)-----END CERTIFICATE-----" }
        harness.credentials["httpSslAuth"] = [
            "ca": .string(block("aa") + block("bb")), "cert": .string(block(" ab cd ")), "key": "secret", "passphrase": "word"
        ]
        for version in [3.0, 4.2] {
            var node = WorkflowNode.make(
                "http_request", version, ["url": "http://a.test", "options": ["proxy": "={{ $json.p }}"], "provideSslCertificates": true])
            node.credentials["httpSslAuth"] = CredentialReference(id: "c", name: "c")
            _ = try await harness.items(node, inputs: [items(["p": "u:p@p.test:3128"], ["p": ""])])
        }
        let sent = harness.log.all
        #expect(sent.count == 4)
        let proxy = try OutboundProxy("http://u:p@p.test:3128")
        #expect(sent.filter { $0.proxy == proxy }.count == 2 && sent.filter { $0.proxy == nil }.count == 2)
        let shown = ClientCertificate(
            chain: block("\nabcd\n") + "\n", privateKey: "secret", passphrase: "word",
            authorities: block("\naa\n") + "\n\n" + block("\nbb\n") + "\n")
        #expect(sent.allSatisfy { $0.certificate == shown })
    }

    @Test func `a server is asked to compress nothing where the node says so`() async throws {
        let harness = self.harness()
        for asks in [true, false] {
            let config: JSONObject = ["url": "http://a.test", "options": ["requestUncompressedResponse": .bool(asks)]]
            _ = try await harness.items(.make("http_request", 4.2, config), inputs: [items([:])])
        }
        #expect(harness.log.all.map { header($0, "Accept-Encoding") } == ["identity", nil])
    }

    @Test func `a proxy that cannot be used is refused before anything is sent`() async throws {
        let harness = self.harness()
        for proxy: JSON in ["https://p.test", "socks5://u:p@p.test:1080", "socks4://p.test", "p.test:port"] {
            let node = WorkflowNode.make("http_request", 4.2, ["url": "http://a.test", "options": ["proxy": proxy]])
            let failure = await #expect(throws: StepFailure.self) { try await harness.items(node, inputs: [items([:])]) }
            #expect(failure?.code == "invalid_parameter")
        }
        #expect(harness.log.all.isEmpty)
    }

    @Test func `credentials go into the request`() async throws {
        func sent(_ type: String, _ fields: JSONObject) async throws -> OutboundRequest? {
            var harness = self.harness()
            harness.credentials[type] = fields
            var node = WorkflowNode.make(
                "http_request", 4.2, ["url": "http://a.test", "authentication": "genericCredentialType", "genericAuthType": .string(type)])
            node.credentials[type] = CredentialReference(id: "c", name: "c")
            _ = try await harness.items(node, inputs: [items([:])])
            return harness.log.all.first
        }
        #expect(header(try await sent("httpBasicAuth", ["user": "u", "password": "p"]), "authorization") == "Basic dTpw")
        #expect(header(try await sent("httpBearerAuth", ["token": "t"]), "authorization") == "Bearer t")
        #expect(header(try await sent("httpHeaderAuth", ["name": "X-Key", "value": "k"]), "x-key") == "k")
        #expect(try await sent("httpQueryAuth", ["name": "key", "value": "k"])?.url == "http://a.test?key=k")
        await #expect(throws: StepFailure.self) { try await sent("oAuth1Api", [:]) }
    }

    @Test func `pages are read until they are complete`() async throws {
        let pages: KindsHarness.Network = { request in
            let page = Int(request.url.split(separator: "=").last ?? "") ?? 0
            return OutboundResponse(
                status: 200, headers: [(name: "Content-Type", value: "application/json")], body: Array((page < 3 ? "[{\"p\":\(page)}]" : "[]").utf8),
                url: request.url)
        }
        let update: JSON = ["pagination": ["parameters": ["parameters": [["name": "page", "value": "={{ $pageCount + 1 }}"]]]]]
        let given = try await harness(pages).node(
            .make("http_request", 4.2, ["url": "http://a.test", "options": ["pagination": update]]), inputs: [items([:])])[0]
        #expect(given == [["p": 1], ["p": 2]])
        let linked: KindsHarness.Network = { request in
            let json = request.url.hasSuffix("/1") ? "{\"n\":1,\"next\":\"http://a.test/2\"}" : "{\"n\":2}"
            return OutboundResponse(
                status: 200, headers: [(name: "Content-Type", value: "application/json")], body: Array(json.utf8), url: request.url)
        }
        let next: JSON = [
            "pagination": [
                "paginationMode": "responseContainsNextURL", "nextURL": "={{ $response.body.next }}", "paginationCompleteWhen": "other",
                "completeExpression": "={{ !$response.body.next }}"
            ]
        ]
        let both = try await harness(linked).node(
            .make("http_request", 4.2, ["url": "http://a.test/1", "options": ["pagination": next]]), inputs: [items([:])])[0]
        #expect(both.map { $0["n"] } == [1, 2])
    }

    @Test func `a busy server is asked again`() async throws {
        let count = Mutex(0)
        let busy: KindsHarness.Network = { request in
            let hit = count.withLock { count in
                count += 1
                return count
            }
            return hit < 3
                ? OutboundResponse(status: 429, headers: [(name: "Retry-After", value: "0")], url: request.url)
                : OutboundResponse(
                    status: 200, headers: [(name: "Content-Type", value: "application/json")], body: Array("{\"ok\":true}".utf8), url: request.url)
        }
        let given = try await harness(busy).node(.make("http_request", 4.2, ["url": "http://a.test"]), inputs: [items([:])])[0]
        #expect(given == [["ok": true]])
        let lost: KindsHarness.Network = { _ in throw OutboundError(.unreachable, "no route") }
        await #expect(throws: StepFailure.self) {
            try await harness(lost).node(.make("http_request", 4.2, ["url": "http://a.test"]), inputs: [items([:])])
        }
        await #expect(throws: StepFailure.self) { try await harness().node(.make("http_request", 4.2, ["url": "a.test"]), inputs: [items([:])]) }
    }

    @Test func `the old versions' parameters mean the same`() async throws {
        let harness = self.harness(Self.answer("{\"a\":1}"))
        let config: JSONObject = [
            "requestMethod": "POST", "url": "http://a.test", "queryParametersUi": ["parameter": [["name": "q", "value": "1"]]],
            "bodyParametersUi": ["parameter": [["name": "b", "value": "2"]]], "options": ["bodyContentType": "form-urlencoded"]
        ]
        #expect(try await harness.node(.make("http_request", 1, config), inputs: [items([:])])[0] == [["a": 1]])
        #expect(harness.log.all.first?.url == "http://a.test?q=1" && body(harness.log.all.first) == "b=2")
        let text: JSONObject = ["url": "http://a.test", "responseFormat": "string", "dataPropertyName": "html"]
        #expect(try await harness.node(.make("http_request", 2, text), inputs: [items([:])])[0] == [["html": "{\"a\":1}"]])
    }

    @Test(arguments: [1.0, 2]) func `the old versions leave a list in one item, unless they split it`(_ version: Double) async throws {
        let harness = self.harness(Self.answer(#"[{"n":1},{"n":2}]"#))
        let whole = WorkflowNode.make("http_request", version, ["url": "http://a.test"])
        #expect(try await harness.node(whole, inputs: [items([:])])[0] == [["0": ["n": 1], "1": ["n": 2]]])
        let split = WorkflowNode.make("http_request", version, ["url": "http://a.test", "options": ["splitIntoItems": true]])
        #expect(try await harness.node(split, inputs: [items([:])])[0] == [["n": 1], ["n": 2]])
    }

    @Test func `a webhook is answered in every form`() async throws {
        func answered(_ config: JSONObject, _ input: [Item] = items(["a": 1], ["a": 2])) async throws -> (WebhookAnswer, String) {
            guard case .respond(let answer, let outputs) = try await harness().outcome(.make("respond_to_webhook", 1.1, config), inputs: [input])
            else {
                throw StepFailure("none", "no answer")
            }
            #expect(outputs[0].count == input.count)
            guard case .bytes(let bytes, let type) = answer.body else { return (answer, "") }
            return (answer, String(decoding: bytes, as: UTF8.self) + "|" + type)
        }
        #expect(try await answered([:]).1 == "{\"a\":1}|application/json; charset=utf-8")
        #expect(
            try await answered(["respondWith": "allIncomingItems", "options": ["responseKey": "rows"]]).1.hasPrefix(
                "{\"rows\":[{\"a\":1},{\"a\":2}]}"))
        #expect(try await answered(["respondWith": "json", "responseBody": "={ \"b\": {{ $json.a }} }"]).1.hasPrefix("{\"b\":1}"))
        let headers: JSON = [
            "responseCode": 201, "responseHeaders": ["entries": [["name": "Content-Type", "value": "text/xml"], ["name": "X-A", "value": "1"]]]
        ]
        let text = try await answered(["respondWith": "text", "responseBody": "<a/>", "options": headers])
        #expect(text.1 == "<a/>|text/xml" && text.0.status == 201 && text.0.headers.map(\.name) == ["X-A"])
        let keyed: JSONObject = ["respondWith": "json", "responseBody": "[1]", "options": ["responseKey": "rows"]]
        #expect(try await answered(keyed).1.hasPrefix("[1]"), "the key is of the items")
        for nothing: JSON in ["", "={{ $json.missing }}"] {
            let empty = try await answered(["respondWith": "json", "responseBody": nothing])
            guard case .none = empty.0.body else { throw StepFailure("odd", "An empty body is answered with \(empty.1).") }
        }
        #expect(try await answered(["respondWith": "redirect", "redirectURL": "http://b.test"]).0.status == 307)
        await #expect(throws: StepFailure.self) { try await answered(["respondWith": "json", "responseBody": "{"]) }
    }

    @Test func `an answer is told at an output of its own where the node has one`() async throws {
        let headers: JSON = [["name": "X-A", "value": "1"], ["name": "Content-Type", "value": "a/b"]]
        let options: JSON = ["responseCode": 201, "responseHeaders": ["entries": headers]]
        let told: JSON = ["headers": ["x-a": "1", "content-type": "a/b"], "statusCode": 201, "body": ["a": 1]]
        for (version, isAsked, outputs) in [(1.2, true, 1), (1.3, false, 2), (1.4, false, 1), (1.4, true, 2)] {
            var config: JSONObject = ["respondWith": "firstIncomingItem", "options": options]
            if isAsked { config["enableResponseOutput"] = true }
            let given = try await harness().items(.make("respond_to_webhook", version, config), inputs: [items(["a": 1])])
            #expect(given.count == outputs && given[0].map(\.json) == [["a": 1]])
            if outputs == 2 { #expect(given[1].map(\.json) == [["response": told]]) }
        }
    }

    @Test func `an answer that fails gives one item for all`() async throws {
        let node = WorkflowNode.make("respond_to_webhook", 1.1, ["respondWith": "json", "responseBody": "{"], onError: .continueRegular)
        let given = try await harness().items(node, inputs: [items(["a": 1], ["a": 2])])[0]
        #expect(given.count == 1 && given[0].json["error"] != nil && given[0].pairedItem?.map(\.item) == [0, 1])
    }

    @Test func `a file is added to the item that it was asked for`() async throws {
        let harness = self.harness(Self.answer("%PDF", headers: [("Content-Type", "application/pdf")]))
        let given = Item(json: ["kept": 1], binary: ["old": BinaryReference(id: "x", mimeType: "a/b", byteCount: 1)])
        let got = try await harness.items(.make("http_request", 4.2, ["url": "http://a.test/f.pdf"]), inputs: [[given]])[0][0]
        #expect(got.json == ["kept": 1] && Set(got.binary.keys) == ["old", "data"])
    }

    @Test(arguments: [(4.2, #"{"a":{"b":"1","c":"2"}}"#), (3, #"{"a.b":"1","a.c":"2"}"#)])
    func `fields of a body nest at their dots since version 4`(version: Double, sent: String) async throws {
        let harness = self.harness()
        let config: JSONObject = [
            "method": "POST", "url": "http://a.test", "sendBody": true,
            "bodyParameters": ["parameters": [["name": "a.b", "value": "1"], ["name": "a.c", "value": "2"]]]
        ]
        _ = try await harness.items(.make("http_request", version, config), inputs: [items([:])])
        #expect(body(harness.log.all.first) == sent)
    }

    @Test func `a failed answer is told by its members where the node goes on`() async throws {
        let harness = self.harness(Self.answer(#"{"m":"gone"}"#, status: 404))
        let node = WorkflowNode.make("http_request", 4.2, ["url": "http://a.test"], onError: .continueRegular)
        let error = try #require(try await harness.items(node, inputs: [items([:])])[0][0].json["error"])
        #expect(error["status"] == 404 && error["message"] == #"404 - {"m":"gone"}"# && error["error"]?["m"] == "gone")
        #expect(error["code"] == "ERR_BAD_REQUEST")
        let moved = try await self.harness(Self.answer("", status: 302)).items(node, inputs: [items([:])])[0][0].json["error"]
        #expect(moved?["status"] == 302 && moved?["code"] == nil)
        let busy = try await self.harness(Self.answer("", status: 429)).items(node, inputs: [items([:])])[0][0].json["error"]
        #expect(busy?["message"]?.text?.hasPrefix("Try spacing your requests out") == true)
    }
}
