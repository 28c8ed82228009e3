import Kernel
import Outbound
import Testing

@testable import Workflows

/// An n8n instance as its public API describes it.
@Suite struct N8nApiNodeTests {
    private func harness(_ answers: [String: JSON], status: Int = 200) -> KindsHarness {
        var harness = KindsHarness()
        harness.credentials["n8nApi"] = ["apiKey": "k-1", "baseUrl": "http://n8n.test/api/v1/"]
        harness.network = { request in
            let place = request.url.replacing("http://n8n.test/api/v1", with: "")
            let answer = answers["\(request.method) \(place)"] ?? ["message": "unexpected"]
            return OutboundResponse(
                status: answers["\(request.method) \(place)"] == nil ? 404 : status, headers: [(name: "Content-Type", value: "application/json")],
                body: answer.bytes, url: request.url)
        }
        return harness
    }

    private func node(_ config: JSONObject) -> WorkflowNode {
        var node = WorkflowNode.make("n8n_api", 1, config)
        node.credentials["n8nApi"] = CredentialReference(id: "c", name: "n8n")
        return node
    }

    @Test func `all workflows are read page by page, with filters`() async throws {
        let harness = harness([
            "GET /workflows?active=true": ["data": [["id": "1"], ["id": "2"]], "nextCursor": "c2"],
            "GET /workflows?active=true&cursor=c2": ["data": [["id": "3"]], "nextCursor": .null]
        ])
        let given = try await harness.node(node(["filters": ["activeWorkflows": true]]), inputs: [items([:])])
        #expect(given[0].map { $0["id"] } == ["1", "2", "3"])
        #expect(harness.log.all.allSatisfy { $0.headers.contains { $0.name == "X-N8N-API-KEY" && $0.value == "k-1" } })
    }

    @Test func `executions are read up to the limit, of a workflow and with their data`() async throws {
        let harness = harness([
            "GET /executions?workflowId=7&status=error&includeData=false&limit=1": ["data": [["id": 9]], "nextCursor": "more"],
            "GET /executions/9?includeData=true": ["id": 9, "data": ["x": 1]], "DELETE /executions/9": ["id": 9]
        ])
        let config: JSONObject = [
            "resource": "execution", "limit": 1, "options": ["activeWorkflows": false],
            "filters": ["status": "error", "workflowId": ["__rl": true, "mode": "id", "value": "7"]]
        ]
        let many = try await harness.node(node(config), inputs: [items([:])])
        #expect(many[0] == [["id": 9]])
        let one = try await harness.node(
            node(["resource": "execution", "operation": "get", "executionId": "=9", "options": ["activeWorkflows": true]]),
            inputs: [items([:])])
        #expect(one[0][0]["data"]?["x"] == 1)
        let gone = try await harness.node(
            node(["resource": "execution", "operation": "delete", "executionId": "9"]), inputs: [items([:])])
        #expect(gone[0][0]["id"] == 9)
    }

    @Test func `a workflow is created of what the API takes, changed, switched and removed`() async throws {
        let harness = harness([
            "POST /workflows": ["id": "n"], "PUT /workflows/n": ["id": "n"], "POST /workflows/n/deactivate": ["active": false],
            "DELETE /workflows/n": ["id": "n"]
        ])
        let document: JSON = ["name": "w", "nodes": [], "connections": [:], "settings": [:], "id": "old", "active": true]
        _ = try await harness.node(node(["operation": "create", "workflowObject": .string(document.serialized)]), inputs: [items([:])])
        guard case .bytes(let bytes) = harness.log.all[0].body else { throw StepFailure("odd", "Nothing was sent.") }
        let sent = try JSON(parsing: bytes)
        #expect(sent["id"] == nil && sent["active"] == nil && sent["name"] == "w")
        let place: JSON = ["__rl": true, "mode": "url", "value": "https://n8n.test/workflow/n?projectId=x"]
        for (operation, config) in [("update", ["workflowObject": document]), ("deactivate", [:]), ("delete", [:])] as [(String, JSONObject)] {
            var config = config
            config["operation"] = .string(operation)
            config["workflowId"] = place
            _ = try await harness.node(node(config), inputs: [items([:])])
        }
        #expect(harness.log.all.map(\.method) == ["POST", "PUT", "POST", "DELETE"])
    }

    @Test func `a refusal says why, and an id cannot leave its place`() async throws {
        let harness = harness([:])
        let failure = await #expect(throws: StepFailure.self) {
            try await harness.node(node(["operation": "get", "workflowId": "a/../b"]), inputs: [items([:])])
        }
        #expect(failure?.message.contains("404") == true)
        #expect(harness.log.all.map(\.url) == ["http://n8n.test/api/v1/workflows/a%2F..%2Fb"])
        await #expect(throws: StepFailure.self) {
            try await harness.node(node(["operation": "get", "workflowId": ".."]), inputs: [items([:])])
        }
    }
}
