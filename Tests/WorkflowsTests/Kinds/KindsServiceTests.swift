import Foundation
import Kernel
import Outbound
import Scripting
import Synchronization
import TestKit
import Testing

@testable import Workflows

/// Service kinds against real servers on loopback, through the real address check.
@Suite struct KindsServiceTests {
    /// Their clients must be shut down before they go, so they stay until the process ends.
    private static let kept = Mutex<[Outbound]>([])

    /// A harness that may reach one port of this machine, and nothing else on it.
    func harness(_ port: Int, _ type: String, _ fields: JSONObject) throws -> KindsHarness {
        var harness = KindsHarness()
        let outbound = try Outbound(policy: AddressPolicy(allowing: ["127.0.0.1:\(port)"]))
        Self.kept.withLock { $0.append(outbound) }
        harness.network = { try await outbound.send($0) }
        harness.facilities.network = ServiceNetwork(outbound: outbound)
        harness.credentials[type] = fields
        return harness
    }

    func run(
        _ harness: KindsHarness, _ kind: String, _ version: Double, _ type: String, _ config: JSONObject, _ given: [Item],
        onError: WorkflowNode.OnError = .stop
    )
        async throws -> [Item]
    {
        var node = WorkflowNode.make(kind, version, config, onError: onError)
        node.credentials[type] = CredentialReference(id: "c", name: "c")
        return try await harness.items(node, inputs: [given])[0]
    }

    @Test func `Redis keys, hashes and lists are read and written`() async throws {
        let server = try await ServiceProcess { port, folder in
            ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", folder, "--requirepass", "s3cret"]
        }
        defer { server.stop() }
        let harness = try harness(
            server.port, "redis", ["host": "127.0.0.1", "port": .number(Double(server.port)), "password": "s3cret", "database": 2])
        func redis(_ config: JSONObject, _ given: [Item] = items(["in": 1])) async throws -> [JSON] {
            try await run(harness, "redis", 1, "redis", config, given).map { .object($0.json) }
        }
        #expect(try await redis(["operation": "set", "key": "a", "value": "1 ü"]) == [["in": 1]])
        #expect(try await redis(["operation": "get", "key": "a", "propertyName": "x.y"]) == [["x": ["y": "1 ü"]]])
        #expect(try await redis(["operation": "get", "key": "none", "options": ["dotNotation": false], "propertyName": "x.y"]) == [["x.y": nil]])
        #expect(try await redis(["operation": "incr", "key": "n", "expire": true, "ttl": 60], items([:], [:])) == [["n": 1], ["n": 2]])
        _ = try await redis(["operation": "set", "key": "h", "keyType": "hash", "value": "{\"f\":\"v\",\"g\":2}"])
        #expect(try await redis(["operation": "get", "key": "h"]) == [["propertyName": ["f": "v", "g": "2"]]])
        _ = try await redis(["operation": "set", "key": "l", "keyType": "list", "value": "=[\"a\",\"b\"]"])
        #expect(try await redis(["operation": "get", "key": "l", "keyType": "list"]) == [["propertyName": ["a", "b"]]])
        _ = try await redis(["operation": "push", "list": "q", "messageData": "{\"m\":1}", "tail": true])
        #expect(try await redis(["operation": "llen", "list": "q"]) == [["q": 1]])
        #expect(try await redis(["operation": "pop", "list": "q"]) == [["propertyName": ["m": 1]]])
        #expect(try await redis(["operation": "keys", "keyPattern": "h*"]) == [["h": ["f": "v", "g": "2"]]])
        #expect(try await redis(["operation": "keys", "keyPattern": "h*", "getValues": false]) == [["keys": ["h"]]])
        #expect(try await redis(["operation": "publish", "channel": "c", "messageData": "x"]) == [["in": 1]])
        #expect(try await redis(["operation": "delete", "key": "a"]) == [["in": 1]])
        let info = try await redis([:])[0]
        #expect(info["redis_version"]?.isNull == false && info["db2"]?["keys"]?.double ?? 0 >= 3)
        await #expect(throws: StepFailure.self) { try await redis(["operation": "incr", "key": "h"]) }
        let wrong = try self.harness(server.port, "redis", ["host": "127.0.0.1", "port": .number(Double(server.port)), "password": "no"])
        await #expect(throws: StepFailure.self) { try await run(wrong, "redis", 1, "redis", [:], items([:])) }
    }

    @Test func `a PostgreSQL server that does not answer is given up`() async throws {
        let url = try #require(URL(string: try await PostgresLease.shared.createDatabase()))
        let port = try #require(url.port)
        let outbound = try Outbound(policy: AddressPolicy(allowing: ["127.0.0.1:\(port)"]))
        Self.kept.withLock { $0.append(outbound) }
        let destination = PostgresDestination(
            destination: OutboundDestination(host: "127.0.0.1", port: port), database: String(url.path.dropFirst()), user: "postgres", password: "",
            timeout: .seconds(3))
        // The server's own limit is its user's to lift.
        let statements = [PostgresStatement("SET statement_timeout = 0; SELECT pg_sleep(60)")]
        let outcome = try #require(try await outbound.postgres(destination, statements, inTransaction: false).first)
        guard case .failure(let error) = outcome else {
            Issue.record("it was answered")
            return
        }
        #expect(error.message.contains("in time") && error.isRetryable)
    }

    @Test func `a mail server whose counts are none is refused`() async throws {
        let server = try await ServiceProcess { port, _ in
            [
                "python3", "-c",
                "import socket\nserver = socket.create_server(('127.0.0.1', \(port)))\nwhile True: server.accept()[0].sendall(b'* OK {-5}\\r\\n')"
            ]
        }
        defer { server.stop() }
        let fields: JSONObject = [
            "host": "127.0.0.1", "port": .number(Double(server.port)), "user": "u", "password": "p", "secure": false
        ]
        let network = try #require(try harness(server.port, "imap", fields).facilities.network)
        let mailbox = try Mailbox(fields, network: network, tenant: TenantID(high: 0, low: 1))
        let wish = try MailWish(WorkflowNode.make("email_trigger", 2, [:]))
        let failure = await #expect(throws: StepFailure.self) { try await mailbox.newest(wish) }
        #expect(failure?.code == "imap_error")
    }

    @Test func `an address that is not allowed is not connected to`() async throws {
        let server = try await ServiceProcess { port, folder in
            ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        }
        defer { server.stop() }
        let closed = try harness(1, "redis", ["host": "127.0.0.1", "port": .number(Double(server.port))])
        for (kind, type) in [("redis", "redis"), ("postgres", "postgres"), ("email_send", "smtp")] {
            var other = closed
            other.credentials[type] = ["host": "localhost", "port": .number(Double(server.port)), "database": "x", "user": "x"]
            let config: JSONObject = [
                "operation": kind == "redis" ? "info" : kind == "postgres" ? "executeQuery" : "send", "query": "x", "fromEmail": "a@b.c",
                "toEmail": "a@b.c"
            ]
            let failure = await #expect(throws: (any Error).self) { try await run(other, kind, 2.1, type, config, items([:])) }
            #expect(StepFailure(wrapping: failure!, itemIndex: nil).code == "forbidden_address", "\(kind)")
        }
    }

    @Test func `PostgreSQL tables are read and written with values beside the text`() async throws {
        let url = try #require(URL(string: try await PostgresLease.shared.createDatabase()))
        let port = try #require(url.port)
        let harness = try harness(
            port, "postgres",
            ["host": "127.0.0.1", "port": .number(Double(port)), "database": .string(String(url.path.dropFirst())), "user": "postgres"])
        func sql(_ config: JSONObject, _ given: [Item] = items([:]), version: Double = 2.6) async throws -> [JSON] {
            try await run(harness, "postgres", version, "postgres", config, given).map { .object($0.json) }
        }
        let create: JSON = "CREATE  TABLE \"it's\" (id int PRIMARY KEY, name text, tags text[], data jsonb, at timestamptz, n numeric, ok bool)"
        #expect(try await sql(["operation": "executeQuery", "query": create]) == [["success": true]])
        let table: JSON = ["__rl": true, "mode": "list", "value": "it's"]
        let columns: JSON = ["mappingMode": "autoMapInputData", "value": nil]
        let rows = items(
            ["id": 1, "name": "x'; DELETE", "data": ["a": [1]], "at": "2026-03-10T12:00:00+01:00", "n": 1.50, "ok": true], ["id": 2, "name": nil])
        let inserted = try await sql(["table": table, "columns": columns], rows)
        #expect(inserted.count == 2 && inserted[0]["name"] == "x'; DELETE" && inserted[0]["data"] == ["a": [1]])
        #expect(
            inserted[0]["at"] == "2026-03-10T11:00:00.000Z" && inserted[0]["n"] == "1.5" && inserted[0]["ok"] == true && inserted[1]["name"] == .null)
        let upsert: JSONObject = [
            "operation": "upsert", "table": table,
            "columns": ["mappingMode": "defineBelow", "matchingColumns": ["id"], "value": ["id": "={{ $json.id }}", "name": "={{ $json.name }}"]]
        ]
        #expect(try await sql(upsert, items(["id": 2, "name": "two"], ["id": 3, "name": "three"])).map { $0["name"] } == ["two", "three"])
        let update: JSONObject = [
            "operation": "update", "table": table, "dataMode": "defineBelow", "columnToMatchOn": "id", "valueToMatchOn": "3",
            "valuesToSend": ["values": [["column": "name", "value": "drei"]]], "options": ["outputColumns": ["name"]]
        ]
        #expect(try await sql(update, version: 2) == [["name": "drei"]])
        let select: JSONObject = [
            "operation": "select", "table": table, "limit": 2,
            "where": ["values": [["column": "id", "condition": ">", "value": 0], ["column": "name", "condition": "IS NOT NULL"]]],
            "sort": ["values": [["column": "id", "direction": "DESC"]]], "options": ["outputColumns": ["id"]]
        ]
        #expect(try await sql(select) == [["id": 3], ["id": 2]])
        let query: JSONObject = [
            "operation": "executeQuery", "query": "SELECT $1::int + 1 AS n, $2::text AS t, ARRAY['a','b,c'] AS l, 5::bigint AS b",
            "options": ["queryReplacement": "={{ $json.n }}, {{ $json.t }}"]
        ]
        #expect(try await sql(query, items(["n": 1, "t": "a, b"])) == [["n": 2, "t": "a, b", "l": ["a", "b,c"], "b": "5"]])
        #expect(try await sql(["operation": "executeQuery", "query": "SELECT 1 WHERE false"]).isEmpty)
        let several: [String: [JSON]] = [
            "SELECT 1 AS a; SELECT 2 AS b UNION ALL SELECT 3": [["b": 2], ["b": 3]], "SELECT 1 AS a; SELECT 2 AS b WHERE false": []
        ]
        for (text, last) in several {
            #expect(try await sql(["operation": "executeQuery", "query": .string(text)]) == last)
        }
        for (text, reason) in [
            "SELECT repeat('x', 1000000) FROM generate_series(1, 300)": "128 MB", "COPY (SELECT 1) TO STDOUT": "COPY", "SELECT 1/0": "division"
        ] {
            let refused = await #expect(throws: StepFailure.self) { try await sql(["operation": "executeQuery", "query": .string(text)]) }
            #expect(refused?.message.contains(reason) == true)
        }
        let failure = await #expect(throws: StepFailure.self) {
            try await sql(["table": table, "columns": columns], items(["id": 9, "name": "nine"], ["id": 1]))
        }
        #expect(failure?.code == "postgres_error" && failure?.details?["code"] == "23505" && failure?.itemIndex == 1)
        #expect(try await sql(["operation": "executeQuery", "query": "SELECT count(*)::int AS n FROM \"it's\" WHERE id = 9"]) == [["n": 0]])
        let each: JSONObject = ["table": table, "columns": columns, "options": ["queryBatching": "independently"]]
        let kept = try await run(harness, "postgres", 2.6, "postgres", each, items(["id": 9], ["id": 1]), onError: .continueRegular)
        #expect(kept[0].json["id"] == 9 && kept[1].error?["code"] == "postgres_error")
        #expect(
            try await sql([
                "operation": "deleteTable", "table": table, "deleteCommand": "delete", "where": ["values": [["column": "id", "value": "9"]]]
            ]) == [["success": true]])
        #expect(try await sql(["operation": "deleteTable", "table": table]) == [["success": true]])
        #expect(try await sql(["operation": "select", "table": table]).isEmpty)
        #expect(try await sql(["operation": "deleteTable", "table": table, "deleteCommand": "drop"]) == [["success": true]])
        await #expect(throws: StepFailure.self) { try await sql(["operation": "select", "table": table]) }
        await #expect(throws: StepFailure.self) {
            try await sql(["operation": "executeQuery", "query": "SELECT pg_sleep(30)", "options": ["connectionTimeout": 1]])
        }
    }

    @Test func `e-mail is sent with its parts through the tenant's server`() async throws {
        let server = try await ServiceProcess { port, folder in
            [ServiceProcess.python, "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:\(port)", "-c", "aiosmtpd.handlers.Mailbox", folder + "/box"]
        }
        defer { server.stop() }
        let harness = try harness(server.port, "smtp", ["host": "127.0.0.1", "port": .number(Double(server.port)), "secure": false])
        let file = BinaryReference(id: harness.files.write(Array("FILE".utf8)), mimeType: "text/plain", fileName: "ü \"x\".txt", byteCount: 4)
        let config: JSONObject = [
            "fromEmail": "\"Ann, A\" <ann@a.test>", "toEmail": "bob@b.test, Cy <cy@c.test>", "subject": "Grüße\r\nBcc: evil@e.test",
            "emailFormat": "both",
            "text": "=Hi {{ $json.n }}", "html": "<b>Hi</b>",
            "options": ["ccEmail": "di@d.test", "bccEmail": "eve@e.test", "replyTo": "r@r.test", "attachments": "data"]
        ]
        let sent = try await run(harness, "email_send", 2.1, "smtp", config, [Item(json: ["n": 7], binary: ["data": file])])
        #expect(
            sent[0].json["accepted"] == ["bob@b.test", "cy@c.test", "di@d.test", "eve@e.test"]
                && sent[0].json["messageId"]?.text?.hasSuffix("@a.test>") == true)
        let names = try FileManager.default.contentsOfDirectory(atPath: server.folder + "/box/new")
        let mail = try String(contentsOfFile: "\(server.folder)/box/new/\(names[0])", encoding: .utf8)
        #expect(names.count == 1 && mail.contains("X-RcptTo: bob@b.test, cy@c.test, di@d.test, eve@e.test"))
        #expect(!mail.contains("\nBcc:") && mail.contains("Cc: di@d.test") && mail.contains("Reply-To: r@r.test"))
        #expect(mail.contains(Data("Hi 7".utf8).base64EncodedString()) && mail.contains(Data("<b>Hi</b>".utf8).base64EncodedString()))
        #expect(mail.contains(Data("FILE".utf8).base64EncodedString()) && mail.contains("filename*=UTF-8''%C3%BC%20%22x%22.txt"))
        let failing = await #expect(throws: StepFailure.self) {
            try await run(harness, "email_send", 2.1, "smtp", ["fromEmail": "a@a.test", "toEmail": "nobody"], items([:]))
        }
        #expect(failing?.code == "invalid_parameter")
    }

    @Test func `files of a store are signed for, listed, copied and deleted`() async throws {
        let server = try await ServiceProcess { port, _ in [ServiceProcess.python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"] }
        defer { server.stop() }
        let fields: JSONObject = [
            "endpoint": .string("http://127.0.0.1:\(server.port)"), "region": "us-east-1", "accessKeyId": "key", "secretAccessKey": "secret",
            "forcePathStyle": true
        ]
        let harness = try harness(server.port, "s3", fields)
        func s3(_ config: JSONObject, _ item: Item = Item(json: [:])) async throws -> [Item] { try await run(harness, "s3", 1, "s3", config, [item]) }
        #expect(try await s3(["resource": "bucket", "operation": "create", "name": "box"])[0].json == ["success": true])
        #expect(try await s3(["resource": "bucket", "operation": "getAll"])[0].json["Name"] == "box")
        let file = BinaryReference(id: harness.files.write(Array("hello".utf8)), mimeType: "text/plain", fileName: "h.txt", byteCount: 5)
        let upload: JSONObject = ["operation": "upload", "bucketName": "box", "fileName": "a b/ü+.txt"]
        #expect(try await s3(upload, Item(json: [:], binary: ["data": file]))[0].json == ["success": true])
        let text: JSONObject = ["operation": "upload", "bucketName": "box", "fileName": "plain", "binaryData": false, "fileContent": "text"]
        _ = try await s3(text.merging("additionalFields", ["parentFolderKey": "dir"]))
        let down = try await s3(["bucketName": "box", "fileKey": "a b/ü+.txt"])[0]
        #expect(harness.files.read(down.binary["data"]!.id) == Array("hello".utf8) && down.binary["data"]?.mimeType == "text/plain")
        #expect(try await s3(["operation": "getAll", "bucketName": "box"]).map { $0.json["Key"] } == ["a b/ü+.txt", "dir/plain"])
        #expect(try await s3(["operation": "getAll", "bucketName": "box", "limit": 1]).count == 1)
        let copied = try await s3(["operation": "copy", "sourcePath": "/box/a b/ü+.txt", "destinationPath": "/box/copy.txt"])
        #expect(copied[0].json["ETag"] != nil)
        _ = try await s3(["resource": "folder", "bucketName": "box", "folderName": "empty"])
        #expect(try await s3(["resource": "folder", "operation": "getAll", "bucketName": "box"]).map { $0.json["Key"] } == ["empty/"])
        _ = try await s3(["operation": "delete", "bucketName": "box", "fileKey": "copy.txt"])
        let gone = try await s3(["resource": "folder", "operation": "delete", "bucketName": "box", "folderKey": "dir"])[0]
        #expect(gone.json["deleted"] == [["Key": "dir/plain"]])
        #expect(try await s3(["resource": "bucket", "operation": "search", "bucketName": "box"]).map { $0.json["Key"] } == ["a b/ü+.txt", "empty/"])
        let failure = await #expect(throws: StepFailure.self) { try await s3(["bucketName": "box", "fileKey": "none"]) }
        #expect(failure?.code == "s3_error" && failure?.details?["code"] == "NoSuchKey")
    }

    @Test func `a request is signed as AWS's example shows`() {
        // GET Object of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
        let signer = RequestSigner(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", sessionToken: "", region: "us-east-1",
            service: "s3")
        let request = signer.signed(
            "GET", origin: "https://examplebucket.s3.amazonaws.com", path: "/test.txt", query: [], headers: [("Range", "bytes=0-9")], body: [],
            now: Timestamp("2013-05-24T00:00:00Z")!)
        let header = request.headers.first { $0.name == "Authorization" }?.value
        #expect(header?.hasSuffix("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41") == true)
    }

    @Test func `a GraphQL query goes out as its format says`() async throws {
        func sent(_ version: Double, _ config: JSONObject, answer: String = "{\"data\":{\"a\":1}}") async throws -> (OutboundRequest?, [Item]) {
            var harness = KindsHarness()
            harness.network = { OutboundResponse(status: 200, headers: [], body: Array(answer.utf8), url: $0.url) }
            var all: JSONObject = ["endpoint": "http://a.test/g", "query": "query Q { a }"]
            all.merge(config)
            let given = try await harness.items(.make("graphql", version, all), inputs: [items([:])])[0]
            return (harness.log.all.first, given)
        }
        func body(_ request: OutboundRequest?) -> String {
            guard case .bytes(let bytes)? = request?.body else { return "" }
            return String(decoding: bytes, as: UTF8.self)
        }
        let (plain, given) = try await sent(1, [:])
        #expect(body(plain) == "query Q { a }" && given[0].json == ["data": ["a": 1]])
        let (json, _) = try await sent(1.1, ["variables": "{\"x\":1}", "operationName": "Q"])
        #expect(body(json) == "{\"query\":\"query Q { a }\",\"variables\":{\"x\":1},\"operationName\":\"Q\"}")
        let (get, text) = try await sent(1.1, ["requestMethod": "GET", "responseFormat": "string"])
        #expect(get?.url == "http://a.test/g?query=query%20Q%20%7B%20a%20%7D" && text[0].json == ["data": "{\"data\":{\"a\":1}}"])
        let failure = await #expect(throws: StepFailure.self) { try await sent(1.1, [:], answer: "{\"errors\":[{\"message\":\"no such field\"}]}") }
        #expect(failure?.message == "no such field")
    }
}
