import Crypto
import CryptoExtras
import Foundation
import HTTPSurface
import Jobs
import Kernel
import Logging
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Workflows

/// Published webhooks called through the surface, with real credentials.
@Suite struct WebhookGuardTests {
    struct Rig {
        let harness: WorkflowHarness
        let surface: Surface

        /// Publishes a webhook of this authentication with a credential, at `/hooks/t/orders`.
        func publish(_ authentication: String, _ type: String, _ fields: JSONObject) async throws {
            let me = harness.principal()
            let credential = try await harness.credentials.create(type: type, name: "Door", fields: fields, by: me)
            var document = WorkflowDocument.hook(authentication)
            document.nodes[0].config["authentication"] = .string(authentication)
            document.nodes[0].config["responseMode"] = "lastNode"
            document.nodes[0].credentials[type] = CredentialReference(id: credential.id.description, name: "Door")
            document.nodes[1].config = ["includeOtherFields": true]
            _ = try await harness.workflows.publish(harness.workflows.create(document, by: me).id, by: me)
        }

        func call(_ headers: [(name: String, value: String)] = []) async throws -> LocalAnswer {
            try await surface.answer(LocalRequest("POST", "/hooks/t/orders", headers: headers, body: Array("{}".utf8)))
        }
    }

    private func withRig(_ body: (Rig) async throws -> Void) async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let lease = harness.lease
            let worker = try await lease.database.writeSystem { tx in try LeaseStore(tx: tx).acquire(name: "test", for: .seconds(3_600)) }
            let engine = Engine(
                database: lease.database, lease: worker, services: .plain,
                configuration: Engine.Configuration(
                    kinds: .builtIn, load: { _, _, _ in throw Refusal.missing("workflow") }, resolve: { _, _ in throw Refusal.missing("workflow") },
                    errorWorkflow: { _, _ in nil }),
                clock: lease.clock.clock, ids: lease.ids, blobs: lease.blobs)
            let webhooks = Webhooks(
                database: lease.database, engine: engine, workflows: harness.workflows, clock: lease.clock.clock, timeZone: { _ in "UTC" },
                credential: { [credentials = harness.credentials] in try await credentials.fields($0, type: $1, tenant: $2) },
                openBinary: { _, _ in (0, BytePieces([])) }, store: { _, _, _, _ in throw Refusal.missing("file") })
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let surface = Surface(
                endpoints: HookRoutes(webhooks: webhooks).endpoints,
                doors: Doors(authenticate: { _ in .anonymous }, resolveTenant: { $0 == .subdomain("t") ? lease.tenant : nil }), ids: lease.ids,
                logger: logger)
            try await body(Rig(harness: harness, surface: surface))
        }
    }

    private func basic(_ pair: String) -> [(name: String, value: String)] { [("Authorization", "Basic " + Data(pair.utf8).base64EncodedString())] }

    @Test func `basic authentication lets in who knows the password`() async throws {
        try await withRig { rig in
            try await rig.publish("basicAuth", "httpBasicAuth", ["user": "ana", "password": "s3:cret"])
            let bare = try await rig.call()
            #expect(bare.status == 401 && bare.header("WWW-Authenticate") == "Basic realm=\"webhook\", charset=\"UTF-8\"")
            #expect(bare.headers.count { $0.name.lowercased() == "www-authenticate" } == 1)
            for wrong in ["ana:nope", "ana", "bob:s3:cret", ":"] {
                let answer = try await rig.call(basic(wrong))
                #expect(answer.status == 403, "\(wrong)")
            }
            let garbled = try await rig.call([("Authorization", "Basic %%%")])
            #expect(garbled.status == 403)
            let other = try await rig.call([("Authorization", "Bearer x")])
            #expect(other.status == 401)
            let open = try await rig.call(basic("ana:s3:cret"))
            #expect(open.status == 200)
            let item = try JSON(parsing: open.body)
            #expect(item["headers"]?["authorization"] == nil, "a password is not for a journal")
            #expect(item["body"] == [:])
        }
    }

    @Test func `header authentication lets in who sends the header`() async throws {
        try await withRig { rig in
            try await rig.publish("headerAuth", "httpHeaderAuth", ["name": "X-Key", "value": "k1"])
            let bare = try await rig.call()
            #expect(bare.status == 401 && bare.header("WWW-Authenticate") != nil)
            let wrong = try await rig.call([("X-Key", "k2")])
            #expect(wrong.status == 403)
            let open = try await rig.call([("x-key", "k1")])
            #expect(open.status == 200)
            #expect(try JSON(parsing: open.body)["headers"]?["x-key"] == nil)
        }
    }

    @Test func `a key of a request that is too long for an index is refused, and starts nothing`() async throws {
        try await withRig { rig in
            try await rig.publish("headerAuth", "httpHeaderAuth", ["name": "X-Key", "value": "k1"])
            func call(_ key: String) async throws -> LocalAnswer { try await rig.call([("X-Key", "k1"), ("Idempotency-Key", key)]) }
            let refused = try await call(String(repeating: "k", count: 256))
            #expect(refused.status == 400)
            #expect(try JSON(parsing: refused.body)["code"] == "invalid_idempotency_key")
            let longest = String(repeating: "k", count: 255)
            let (first, second) = (try await call(longest), try await call(longest))
            #expect(first.status == 200)
            #expect(first.header("X-Execution-Id") == second.header("X-Execution-Id"))
        }
        for key in ["", "a\0b", "a\nb", String(repeating: "é", count: 256)] {
            #expect(throws: Refusal.self) { try Webhooks.checked(key: key) }
        }
        #expect(try Webhooks.checked(key: "Bestellung 7 für Ana") == "Bestellung 7 für Ana")
        #expect(try Webhooks.checked(key: nil) == nil)
    }

    private static func base64(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// A token signed by `sign`.
    private func token(_ algorithm: String, _ claims: JSON, more: JSONObject = [:], sign: (Data) throws -> [UInt8]) rethrows -> String {
        var header: JSONObject = ["alg": .string(algorithm), "typ": "JWT"]
        header.merge(more)
        let text = Self.base64(JSON.object(header).bytes) + "." + Self.base64(claims.bytes)
        return text + "." + Self.base64(try sign(Data(text.utf8)))
    }

    private func hmac(_ secret: String) -> (Data) -> [UInt8] {
        { Array(HMAC<SHA256>.authenticationCode(for: $0, using: SymmetricKey(data: Data(secret.utf8)))) }
    }

    @Test func `a token lets in while it is valid, and its claims go to the workflow`() async throws {
        try await withRig { rig in
            try await rig.publish("jwtAuth", "jwtAuth", ["keyType": "passphrase", "secret": "s3cret", "algorithm": "HS256"])
            let now = Double(rig.harness.lease.clock.clock.now().seconds)
            func status(_ token: String) async throws -> Int { try await rig.call([("Authorization", "Bearer \(token)")]).status }
            let bare = try await rig.call()
            #expect(bare.status == 401 && bare.header("WWW-Authenticate") == "Bearer realm=\"webhook\"")
            let good = token("HS256", ["sub": "ana", "exp": .number(now + 60)], sign: hmac("s3cret"))
            let open = try await rig.call([("Authorization", "Bearer \(good)")])
            #expect(open.status == 200)
            #expect(try JSON(parsing: open.body)["jwtPayload"]?["sub"] == "ana")
            let refused = [
                token("HS256", [:], sign: hmac("other")), token("HS256", ["exp": .number(now - 1)], sign: hmac("s3cret")),
                token("HS256", ["nbf": .number(now + 60)], sign: hmac("s3cret")), token("HS256", ["exp": "soon"], sign: hmac("s3cret")),
                token("HS512", [:], sign: hmac("s3cret")), token("none", [:], sign: { _ in [] }), token("HS256", [:], sign: { _ in [] }),
                token("HS256", [:], more: ["crit": ["x"]], sign: hmac("s3cret")), good + "A", String(good.dropLast(4)), "a.b.c", "", "x"
            ]
            for token in refused where !token.isEmpty {
                let code = try await status(token)
                #expect(code == 403, "\(token)")
            }
        }
    }

    @Test(arguments: ["HS256", "HS512", "RS256", "PS384", "ES256", "ES512"])
    func `a webhook is answered with a token that its own credential lets in`(_ algorithm: String) async throws {
        let (rsa, p256, p521) = (try _RSA.Signing.PrivateKey(keySize: .bits2048), P256.Signing.PrivateKey(), P521.Signing.PrivateKey())
        let keys: (own: String, open: String) =
            switch algorithm {
            case "ES256": (p256.pemRepresentation, p256.publicKey.pemRepresentation)
            case "ES512": (p521.pemRepresentation, p521.publicKey.pemRepresentation)
            default: (rsa.pemRepresentation, rsa.publicKey.pemRepresentation)
            }
        let fields: JSONObject = [
            "keyType": algorithm.hasPrefix("HS") ? "passphrase" : "pemKey", "secret": "s3cret", "algorithm": .string(algorithm),
            "privateKey": .string(keys.own), "publicKey": .string(keys.open)
        ]
        var harness = KindsHarness()
        harness.credentials["jwtAuth"] = fields
        var node = WorkflowNode.make("respond_to_webhook", 1.4, ["respondWith": "jwt", "payload": "={ \"sub\": \"{{ $json.name }}\" }"])
        await #expect(throws: StepFailure.self) { try await harness.outcome(node, inputs: [items(["name": "ana"])]) }
        node.credentials["jwtAuth"] = CredentialReference(id: "1", name: "Door")
        guard case .respond(let answer, _) = try await harness.outcome(node, inputs: [items(["name": "ana"])]),
            case .bytes(let body, let type) = answer.body
        else {
            throw StepFailure("none", "no answer")
        }
        let token = try JSON(parsing: body)["token"]?.text ?? ""
        let claims = try JSONWebToken(token).claims(verifiedBy: JSONWebKey(fields), now: KindsHarness.now)
        #expect(claims == ["sub": "ana", "iat": .number(Double(KindsHarness.now.seconds))] && type.hasPrefix("application/json"))
    }

    @Test func `tokens signed with a private key are checked with the public one`() async throws {
        let rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let p256 = P256.Signing.PrivateKey()
        let ways: [(String, String, (Data) throws -> [UInt8])] = [
            (
                "RS256", rsa.publicKey.pemRepresentation,
                { Array(try rsa.signature(for: SHA256.hash(data: $0), padding: .insecurePKCS1v1_5).rawRepresentation) }
            ),
            ("PS512", rsa.publicKey.pemRepresentation, { Array(try rsa.signature(for: SHA512.hash(data: $0), padding: .PSS).rawRepresentation) }),
            ("ES256", p256.publicKey.pemRepresentation, { Array(try p256.signature(for: SHA256.hash(data: $0)).rawRepresentation) })
        ]
        let now = Timestamp(seconds: 1_000)
        for (algorithm, pem, sign) in ways {
            let fields: JSONObject = ["keyType": "pemKey", "publicKey": .string(pem), "algorithm": .string(algorithm)]
            func verdict(_ token: String, _ fields: JSONObject) -> Bool {
                guard case .open = WebhookGuard.verdict(type: "jwtAuth", fields: fields, header: { _ in "Bearer \(token)" }, now: now) else {
                    return false
                }
                return true
            }
            let good = try token(algorithm, ["sub": "x"], sign: sign)
            #expect(verdict(good, fields), "\(algorithm)")
            let dot = good.lastIndex(of: ".")!
            #expect(!verdict(good[..<dot] + "." + String(good[good.index(after: dot)...].reversed()), fields))
            // The public key as the secret of HS256, the classic confusion.
            #expect(!verdict(token("HS256", [:], sign: hmac(pem)), fields))
            var asShared = fields
            asShared["keyType"] = "passphrase"
            #expect(!verdict(good, asShared))
        }
    }

    @Test func `a webhook whose credential is gone is closed`() async throws {
        try await withRig { rig in
            try await rig.publish("headerAuth", "httpHeaderAuth", ["name": "X-Key", "value": "k1"])
            let me = rig.harness.principal()
            for credential in try await rig.harness.credentials.list(before: nil, limit: 5, by: me) {
                try await rig.harness.credentials.delete(credential.id, by: me)
            }
            let answer = try await rig.call([("X-Key", "k1")])
            #expect(answer.status == 403)
        }
    }

    @Test func `lists of addresses and bots keep others out`() {
        func admits(_ options: JSON, _ address: String?, _ agent: String? = nil) -> Bool {
            var node = WorkflowDocument.hook().nodes[0]
            node.config["options"] = options
            return WebhookGuard.admits(WebhookDefinition(node, kind: KindRegistry.builtIn.kind("webhook")!), address: address, userAgent: agent)
        }
        let list: JSON = ["ipWhitelist": "192.0.2.7, 198.51.100.0/24, 2001:db8::1"]
        #expect(admits([:], nil) && admits(list, "192.0.2.7") && admits(list, "198.51.100.9") && admits(list, "2001:db8:0::1"))
        // As a socket of both families names those who come by IPv4.
        #expect(admits(list, "::ffff:192.0.2.7") && admits(list, "::ffff:198.51.100.9") && !admits(list, "::ffff:192.0.2.70"))
        #expect(!admits(list, "192.0.2.70") && !admits(list, "203.0.113.1") && !admits(list, nil) && !admits(["ipWhitelist": "office"], "192.0.2.7"))
        #expect(
            admits(["ignoreBots": true], nil, "Mozilla/5.0") && !admits(["ignoreBots": true], nil, "Googlebot/2.1") && admits([:], nil, "Googlebot"))
    }
}
