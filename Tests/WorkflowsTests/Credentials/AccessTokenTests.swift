import Foundation
import Kernel
import Outbound
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct AccessTokenTests {
    private static let fields: JSONObject = [
        "accessTokenUrl": "https://id.test/token", "clientId": "me", "clientSecret": "s3cret-word", "scope": "a b"
    ]

    private func body(_ request: OutboundRequest?) -> String {
        guard case .bytes(let bytes)? = request?.body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func header(_ request: OutboundRequest?, _ name: String) -> String? { request?.headers.first { $0.name == name }?.value }

    @Test(arguments: DatabaseEngine.allCases)
    func `a token is kept sealed with its credential, and got anew where it has ended or was refused`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let made = try await harness.credentials.create(type: "oAuth2Api", name: "Shop", fields: Self.fields, by: me)
            func token(stale: String? = nil) async throws -> String {
                try await harness.credentials.accessToken(made.id.description, type: "oAuth2Api", stale: stale, tenant: harness.lease.tenant)
            }
            harness.outside.answer(with: 200, body: #"{"access_token":"tok-1","expires_in":3600,"token_type":"Bearer"}"#)
            for _ in 0..<2 {
                let got = try await token()
                #expect(got == "tok-1")
            }
            let asked = try #require(harness.outside.sent.first)
            #expect(harness.outside.sent.count == 1 && asked.url == "https://id.test/token" && asked.method == "POST")
            #expect(body(asked) == "grant_type=client_credentials&scope=a+b")
            #expect(header(asked, "Authorization") == "Basic " + Data("me:s3cret-word".utf8).base64EncodedString())
            let sealed = try #require(
                try await harness.lease.database.read(in: harness.lease.tenant) { tx in try CredentialStore(tx: tx).sealed(made.id) })
            #expect(!String(decoding: sealed, as: UTF8.self).contains("tok-1"))
            let opened = try await harness.credentials.fields(made.id.description, type: "oAuth2Api", tenant: harness.lease.tenant)
            #expect(opened["clientId"] == "me" && opened["oauthTokenData"] == nil)
            harness.outside.answer(with: 200, body: "access_token=tok-2&expires_in=3600")
            let renewed = try await token(stale: "tok-1")
            #expect(renewed == "tok-2" && harness.outside.sent.count == 2)
            harness.lease.clock.advance(by: .seconds(3_580))
            _ = try await token()
            #expect(harness.outside.sent.count == 3)
            _ = try await harness.credentials.update(made.id, fields: ["scope": "c"], by: me)
            _ = try await token()
            #expect(harness.outside.sent.count == 4 && body(harness.outside.sent.last).hasSuffix("scope=c"))
        }
    }

    @Test func `the client is named in the body where the server asks for it, with what else it wants`() throws {
        var fields = Self.fields
        fields.merge(["grantType": "clientCredentials", "authentication": "body", "additionalBodyProperties": #"{"audience":"x"}"#])
        let request = try AccessToken.request(fields)
        #expect(body(request) == "grant_type=client_credentials&audience=x&scope=a+b&client_id=me&client_secret=s3cret-word")
        #expect(header(request, "Authorization") == nil)
        fields["grantType"] = "authorizationCode"
        #expect(throws: StepFailure.self) { try AccessToken.request(fields) }
    }

    @Test func `a server that gives no token is told, without the secret`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let me = harness.principal()
            let made = try await harness.credentials.create(type: "oAuth2Api", name: "Shop", fields: Self.fields, by: me)
            harness.outside.answer(with: 401, body: #"{"error":"invalid_client"}"#)
            let test = try await harness.credentials.test(made.id, url: "https://api.test/me", by: me)
            #expect(!test.isAccepted && test.message.contains("invalid_client") && !test.message.contains("s3cret"))
            harness.outside.answer(with: 200, body: #"{"access_token":"tok-1"}"#)
            let accepted = try await harness.credentials.test(made.id, url: "https://api.test/me", by: me)
            #expect(accepted.isAccepted && header(harness.outside.sent.last, "Authorization") == "Bearer tok-1")
        }
    }

    @Test(
        arguments: [
            (4.2, ["authentication": "genericCredentialType", "genericAuthType": "oAuth2Api"]), (1, ["authentication": "oAuth2"])
        ] as [(Double, JSONObject)])
    func `a request carries the token, and is sent once more with a new one where it is refused`(_ version: Double, _ ways: JSONObject) async throws {
        var harness = KindsHarness()
        harness.network = { request in
            let isIn = request.headers.contains { $0.name == "Authorization" && $0.value == "Bearer new" }
            let type = [(name: "Content-Type", value: "application/json")]
            return OutboundResponse(status: isIn ? 200 : 401, headers: type, body: Array("{\"in\":true}".utf8), url: request.url)
        }
        harness.accessToken = { $0 == nil ? "old" : "new" }
        harness.credentials["oAuth2Api"] = ["clientId": "me"]
        var config = ways
        config["url"] = "http://a.test"
        var node = WorkflowNode.make("http_request", version, config)
        node.credentials["oAuth2Api"] = CredentialReference(id: "c", name: "c")
        let given = try await harness.node(node, inputs: [items([:])])[0]
        #expect(given == [["in": true]] && harness.log.all.count == 2)
        if version > 2 {
            node.config["options"] = ["batching": ["batch": ["batchSize": 1, "batchInterval": 0]]]
            _ = try await harness.node(node, inputs: [items([:], [:])])
            #expect(harness.log.all.count == 5, "the second item has the new token from the start")
        }
        let before = harness.log.all.count
        harness.accessToken = { _ in "old" }
        await #expect(throws: StepFailure.self) { try await harness.node(node, inputs: [items([:])]) }
        #expect(harness.log.all.count == before + 2)
    }
}
