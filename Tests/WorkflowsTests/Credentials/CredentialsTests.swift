import Kernel
import Outbound
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct CredentialsTests {
    @Test(arguments: DatabaseEngine.allCases) func `secrets go in, are used by a step, and are never shown`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let made = try await harness.credentials.create(
                type: "httpBasicAuth", name: "Shop", fields: ["user": "ana", "password": "s3cret-word"], by: me)
            #expect(made.shownFields == ["user": "ana"])
            let shown = try await harness.credentials.credential(made.id, by: me)
            #expect(shown == made)
            #expect(try await harness.credentials.list(before: nil, limit: 5, by: me) == [made])
            let fields = try await harness.credentials.fields(made.id.description, type: "httpBasicAuth", tenant: harness.lease.tenant)
            #expect(fields == ["user": "ana", "password": "s3cret-word"])
            let sealed = try #require(
                try await harness.lease.database.read(in: harness.lease.tenant) { tx in try CredentialStore(tx: tx).sealed(made.id) })
            #expect(!String(decoding: sealed, as: UTF8.self).contains("s3cret"))
            #expect(try await harness.auditActions() == ["credential.create"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a step gets no credential of another type or tenant`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let made = try await harness.credentials.create(type: "httpBearerAuth", name: "T", fields: ["token": "t"], by: harness.principal())
            await #expect(throws: StepFailure.self) {
                try await harness.credentials.fields(made.id.description, type: "httpBasicAuth", tenant: harness.lease.tenant)
            }
            await #expect(throws: StepFailure.self) {
                try await harness.credentials.fields(made.id.description, type: "httpBearerAuth", tenant: harness.lease.other)
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a change keeps the secrets that are not named`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let made = try await harness.credentials.create(type: "httpBasicAuth", name: "A", fields: ["user": "u", "password": "p"], by: me)
            let changed = try await harness.credentials.update(made.id, name: "B", fields: ["user": "v"], by: me)
            #expect(changed.name == "B" && changed.revision == 2 && changed.shownFields == ["user": "v"])
            let fields = try await harness.credentials.fields(made.id.description, type: "httpBasicAuth", tenant: harness.lease.tenant)
            #expect(fields == ["user": "v", "password": "p"])
            let refusal = await #expect(throws: Refusal.self) { try await harness.credentials.update(made.id, fields: ["password": nil], by: me) }
            #expect(refusal?.faults.map(\.field) == ["fields.password"])
            try await harness.credentials.delete(made.id, by: me)
            await #expect(throws: Refusal.self) { try await harness.credentials.credential(made.id, by: me) }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `faults of the fields are listed at once, and a name is taken once a type`(
        _ engine: DatabaseEngine
    ) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let refusal = await #expect(throws: Refusal.self) {
                try await harness.credentials.create(type: "httpBasicAuth", name: "A", fields: ["user": 5, "pasword": "x"], by: me)
            }
            #expect(
                Set(refusal?.faults.map { "\($0.field) \($0.code)" } ?? []) == [
                    "fields.pasword unknown_field", "fields.user wrong_type", "fields.password required"
                ])
            await #expect(throws: Refusal.self) { try await harness.credentials.create(type: "nosuch", name: "A", fields: [:], by: me) }
            _ = try await harness.credentials.create(type: "httpBearerAuth", name: "A", fields: ["token": "t"], by: me)
            let taken = await #expect(throws: Refusal.self) {
                try await harness.credentials.create(type: "httpBearerAuth", name: "A", fields: ["token": "t"], by: me)
            }
            #expect(taken?.code == "name_taken")
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a credential for some roles is used by those roles alone`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let made = try await harness.credentials.create(
                type: "httpHeaderAuth", name: "Bank", fields: ["name": "X", "value": "y"], roles: [.admin], by: harness.principal())
            var document = WorkflowDocument.hook()
            document.nodes[0].credentials = ["httpHeaderAuth": CredentialReference(id: made.id.description, name: "Bank")]
            let refusal = await #expect(throws: Refusal.self) { try await harness.workflows.create(document, by: harness.principal(.editor)) }
            #expect(refusal?.faults.map(\.code) == ["credential_not_allowed"])
            await #expect(throws: Refusal.self) { try await harness.credentials.update(made.id, name: "x", by: harness.principal(.editor)) }
            _ = try await harness.workflows.create(document, by: harness.principal(.admin))
            document.nodes[0].credentials["httpHeaderAuth"]?.id = "0192f0c1-0000-7000-8000-000000000000"
            let missing = await #expect(throws: Refusal.self) { try await harness.workflows.create(document, by: harness.principal()) }
            #expect(missing?.faults.map(\.code) == ["unknown_credential"])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `the button sends the type's test request with the credential on it`(_ engine: DatabaseEngine)
        async throws
    {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let made = try await harness.credentials.create(type: "openAiApi", name: "AI", fields: ["apiKey": "sk-1"], by: me)
            let accepted = try await harness.credentials.test(made.id, by: me)
            #expect(accepted.isAccepted)
            let sent = try #require(harness.outside.sent.first)
            #expect(sent.url == "https://api.openai.com/v1/models")
            #expect(sent.headers.map { "\($0.name): \($0.value)" } == ["Authorization: Bearer sk-1"])
            harness.outside.answer(with: 401)
            #expect(
                try await harness.credentials.test(made.id, by: me)
                    == CredentialTest(isAccepted: false, status: 401, message: "The service answered 401."))
            harness.outside.answer(with: 0)
            #expect(try await harness.credentials.test(made.id, by: me).message == "nobody answers")
            let plain = try await harness.credentials.create(type: "httpBearerAuth", name: "P", fields: ["token": "t"], by: me)
            let refusal = await #expect(throws: Refusal.self) { try await harness.credentials.test(plain.id, by: me) }
            #expect(refusal?.faults.map(\.field) == ["url"])
        }
    }

    @Test func `each way of applying a credential puts it where it belongs`() throws {
        func applied(_ type: String, _ fields: JSONObject, _ request: OutboundRequest = OutboundRequest(url: "https://e.com/a?x=1#f")) throws
            -> OutboundRequest
        {
            var request = request
            try #require(CredentialType.named(type)).apply(fields, to: &request)
            return request
        }
        #expect(try applied("httpBasicAuth", ["user": "Aladdin", "password": "open sesame"]).headers[0].value == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        #expect(try applied("httpQueryAuth", ["name": "k y", "value": "a&b"]).url == "https://e.com/a?x=1&k%20y=a%26b#f")
        let own = OutboundRequest(url: "https://e.com", headers: [("authorization", "old")], body: .bytes(Array(#"{"a":1}"#.utf8)))
        let bearer = try applied("httpBearerAuth", ["token": "t"], own)
        #expect(bearer.headers.count == 1 && bearer.headers[0].value == "Bearer t")
        let custom = try applied("httpCustomAuth", ["json": #"{"headers":{"X-A":"1"},"qs":{"q":2},"body":{"b":3}}"#], own)
        #expect(custom.headers.contains { $0.name == "X-A" && $0.value == "1" } && custom.url == "https://e.com?q=2")
        guard case .bytes(let body) = custom.body else { throw StepFailure("x", "x") }
        #expect(try JSON(parsing: body) == ["a": 1, "b": 3])
        #expect(throws: StepFailure.self) { try applied("httpHeaderAuth", ["name": "X", "value": "a\r\nEvil: 1"]) }
    }
}
