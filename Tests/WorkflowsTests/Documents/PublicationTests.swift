import Kernel
import Persistence
import Scripting
import TestKit
import Testing

@testable import Workflows

/// What stands in the way of publishing: credentials that are not there, and expressions that cannot be evaluated.
@Suite struct PublicationTests {
    /// A schedule, an HTTP request, and a request that nothing leads to.
    private func document(_ config: JSONObject, _ credentials: [String: CredentialReference] = [:]) -> WorkflowDocument {
        var request = WorkflowNode(id: "get", category: .action, kind: "http_request", kindVersion: 4.2, name: "Get", config: config)
        request.config["url"] = request.config["url"] ?? "https://a.test"
        request.credentials = credentials
        var idle = request
        (idle.id, idle.name) = ("idle", "Idle")
        return WorkflowDocument(
            name: "Report",
            nodes: [
                WorkflowNode(id: "daily", category: .trigger, kind: "schedule", kindVersion: 1.2, name: "Daily", connections: [.init(to: "get")]),
                request, idle
            ])
    }

    private func faults(_ document: WorkflowDocument) -> [String] {
        WorkflowValidator(kind: { KindRegistry.builtIn.kind($0) }, expressionFault: { Expressions.syntaxFault(in: $0) })
            .faults(in: document, for: .publication).map { "\($0.node ?? "") \($0.field) \($0.code)" }
    }

    @Test func `a node without the credential it uses is named, with field and reason`() {
        let generic: JSONObject = ["authentication": "genericCredentialType", "genericAuthType": "httpBasicAuth"]
        #expect(faults(document(generic)) == ["Get nodes[1].credentials.httpBasicAuth credential_missing"])
        let foreign = CredentialReference(id: nil, name: "Their account")
        #expect(faults(document(generic, ["httpBasicAuth": foreign])) == ["Get nodes[1].credentials.httpBasicAuth credential_unmapped"])
        let predefined: JSONObject = ["authentication": "predefinedCredentialType", "nodeCredentialType": "openAiApi"]
        #expect(faults(document(predefined)) == ["Get nodes[1].credentials.openAiApi credential_missing"])
        #expect(faults(document(generic, ["httpBasicAuth": CredentialReference(id: "x", name: "Ours")])) == [])
        // n8n leaves references to credentials that a node no longer uses.
        #expect(faults(document([:], ["httpBasicAuth": foreign])) == [])
        var disabled = document(generic)
        disabled.nodes[1].disabled = true
        #expect(faults(disabled) == [])
        var hook = WorkflowDocument.hook()
        hook.nodes[0].config["authentication"] = "jwtAuth"
        #expect(faults(hook) == ["In nodes[0].credentials.jwtAuth credential_missing"])
    }

    @Test(arguments: DatabaseEngine.allCases) func `an import with a foreign credential is published once it is mapped`(_ engine: DatabaseEngine)
        async throws
    {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let json: JSON = [
                "name": "Theirs",
                "nodes": [
                    ["id": "1", "name": "Daily", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2, "position": [0, 0], "parameters": [:]],
                    [
                        "id": "2", "name": "Get", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2, "position": [0, 0],
                        "parameters": ["url": "https://a.test", "authentication": "genericCredentialType", "genericAuthType": "httpBasicAuth"],
                        "credentials": ["httpBasicAuth": ["id": "aBcDeF123", "name": "Shop"]]
                    ]
                ],
                "connections": ["Daily": ["main": [[["node": "Get", "type": "main", "index": 0]]]]]
            ]
            let stuck = try await harness.workflows.importN8n(json, publish: true, by: me)
            #expect(stuck.version == nil)
            #expect(stuck.faults.map { "\($0.field) \($0.code)" } == ["nodes[1].credentials.httpBasicAuth credential_unmapped"])
            #expect(stuck.faults.first?.message.hasPrefix("Get: ") == true && stuck.faults.first?.message.contains("Shop") == true)
            let refusal = await #expect(throws: Refusal.self) { try await harness.workflows.publish(stuck.workflow.id, by: me) }
            #expect(refusal?.code == "invalid_workflow")

            let credential = try await harness.credentials.create(
                type: "httpBasicAuth", name: "Shop", fields: ["user": "u", "password": "p"], by: me)
            var draft = try await harness.workflows.workflow(stuck.workflow.id, by: me).draft
            draft.mapCredentials { _, _ in credential.id }
            _ = try await harness.workflows.update(stuck.workflow.id, draft: draft, expecting: 1, by: me)
            let version = try await harness.workflows.publish(stuck.workflow.id, by: me)
            #expect(version.number == 1)

            let mapped = try await harness.workflows.importN8n(json, publish: true, by: me)
            #expect(mapped.version?.number == 1 && mapped.faults.isEmpty, "the same type and name is found by itself")

            try await harness.credentials.delete(credential.id, by: me)
            let gone = await #expect(throws: Refusal.self) { try await harness.workflows.publish(stuck.workflow.id, by: me) }
            #expect(gone?.faults.map(\.code) == ["unknown_credential"])
        }
    }

    @Test func `an expression that no JavaScript can be is named`() async throws {
        #expect(faults(document(["url": "=https://a.test/{{ $json.id + }}"])) == ["Get nodes[1].config.url invalid_expression"])
        #expect(faults(document(["url": "={{ $json.a }}"])) == [])
        try await WorkflowHarness.run(.sqlite, expressionFault: { Expressions.syntaxFault(in: $0) }) { harness in
            let me = harness.principal()
            let made = try await harness.workflows.create(document(["url": "={{ $json.a b }}"]), by: me)
            let refusal = await #expect(throws: Refusal.self) { try await harness.workflows.publish(made.id, by: me) }
            #expect(refusal?.faults.map(\.field) == ["nodes[1].config.url"])
        }
    }
}

@Suite struct CorpusExpressionTests {
    @Test(.enabled(if: Corpus.isPresent)) func `the templates' expressions pass, but for the few that are broken`() throws {
        var texts: Set<String> = []
        func gather(_ value: JSON) {
            switch value {
            case .string(let text): if text.hasPrefix("=") { texts.insert(text) }
            case .array(let elements): elements.forEach(gather)
            case .object(let members): members.forEach { gather($0.value) }
            default: break
            }
        }
        for entry in try Corpus.entries(["templates.jsonl", "hermetic.jsonl"]) {
            for node in entry.workflow["nodes"]?.array ?? [] { gather(node["parameters"] ?? [:]) }
        }
        let faults = texts.compactMap { text in Expressions.syntaxFault(in: text).map { "\($0)" } }
        #expect(texts.count > 3_000)
        #expect(faults.count < texts.count / 500, "\(faults.sorted().joined(separator: "\n"))")
    }
}
