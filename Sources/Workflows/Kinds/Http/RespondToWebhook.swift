internal import Kernel

/// Answers the request that started the run, and passes its items on.
struct RespondToWebhook: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "respond_to_webhook", version: 1.4, category: .action, title: "Respond to webhook",
                summary: "Answers the request that started the workflow.", icon: "reply", parameters: parameters,
                credentials: ["jwtAuth"], n8nTypes: ["n8n-nodes-base.respondToWebhook"]
            )
            .withOutputs(.fixed(["items", "response"]), when: ["@version": ["1.3"]])
            .withOutputs(.fixed(["items", "response"]), when: ["@version": [">=1.4"], "enableResponseOutput": [true]])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let items = step.items.enumerated().map { $1.paired(with: $0) }
        do {
            let (answer, told) = try await answer(step)
            guard step.kind.outputNames(of: step.node).count > 1 else { return .respond(answer, [items]) }
            return .respond(answer, [items, [Item(json: ["response": told])]])
        } catch {
            guard step.continuesOnError else { throw StepFailure(wrapping: error, itemIndex: 0) }
            // The answer is one for all items, and so is its failure.
            var failed = try step.failed(error, at: 0)
            failed.pairedItem = step.items.indices.map { PairedItem(item: $0) }
            return .items([[failed]])
        }
    }

    /// An answer as the second output has it.
    private static func told(_ answer: WebhookAnswer, contentType: String?, body: JSON?) -> JSON {
        var headers = JSONObject()
        for header in answer.headers { headers[header.name.lowercased()] = .string(header.value) }
        if let contentType { headers["content-type"] = .string(contentType) }
        var members: JSONObject = ["headers": .object(headers), "statusCode": .number(Double(answer.status))]
        members["body"] = body
        return .object(members)
    }

    private func answer(_ step: StepContext) async throws -> (WebhookAnswer, told: JSON) {
        let mode = try await step.text("respondWith", default: "firstIncomingItem")
        let (headers, contentType) = try await headers(step)
        var answer = WebhookAnswer(status: try await status(step, default: mode == "redirect" ? 307 : 200), headers: headers, body: .none)
        var given: JSON?
        var type = contentType
        switch mode {
        case "noData": break
        case "redirect":
            answer.headers.append((name: "Location", value: try await step.text("redirectURL")))
        case "text":
            let text = try await step.text("responseBody")
            given = .string(text)
            answer.body = .bytes(Array(text.utf8), contentType: contentType ?? "text/html; charset=utf-8")
        case "binary":
            let file = try await self.file(step)
            given = ["binaryData": file.shown]
            answer.body = .binary(file)
            if let contentType { answer.headers.append((name: "Content-Type", value: contentType)) }
            type = contentType ?? file.mimeType
        default:
            guard let value = try await json(step, mode: mode) else { break }
            given = value
            answer.body = .bytes(value.bytes, contentType: contentType ?? "application/json; charset=utf-8")
        }
        return (answer, Self.told(answer, contentType: type, body: given))
    }

    /// nil for a body that is written and empty.
    private func json(_ step: StepContext, mode: String) async throws -> JSON? {
        switch mode {
        case "firstIncomingItem": return try await keyed(.object(step.items.first?.json ?? [:]), step)
        case "allIncomingItems": return try await keyed(.array(step.items.map { .object($0.json) }), step)
        case "jwt": return ["token": .string(try await token(step))]
        case "json":
            let value = try await step.value("responseBody") ?? .null
            guard value.isTruthy else { return nil }
            guard let text = value.text else { return value }
            do { return try JSON(parsing: text) } catch {
                throw StepFailure.invalid("responseBody", "Invalid JSON in the response body: \(error)")
            }
        default: throw StepFailure.invalid("respondWith", "'\(mode)' is no way to respond.")
        }
    }

    /// A token of the payload, signed with the node's credential.
    private func token(_ step: StepContext) async throws -> String {
        let written = try await step.value("payload") ?? [:]
        let payload = written.text.map { try? JSON(parsing: $0) } ?? written
        guard let claims = payload?.object else { throw StepFailure.invalid("payload", "The payload must be a JSON object.") }
        let key = JSONWebKey(try await step.services.credential(ofType: "jwtAuth"))
        do { return try JSONWebToken.signed(claims, by: key, now: step.now) } catch let fault as JSONWebToken.Fault {
            throw StepFailure.invalid("payload", "Error signing JWT token: \(fault.message)")
        }
    }

    private func keyed(_ value: JSON, _ step: StepContext) async throws -> JSON {
        let key = try await step.text("options.responseKey")
        guard !key.isEmpty else { return value }
        var members = JSONObject()
        DotPath(key).set(value, in: &members)
        return .object(members)
    }

    private func file(_ step: StepContext) async throws -> BinaryReference {
        let files = step.items.first?.binary ?? [:]
        let isNamed = try await step.text("responseDataSource") == "set"
        let name = isNamed ? try await step.text("inputFieldName") : files.keys.sorted().first ?? "data"
        guard let file = files[name] else { throw StepFailure.invalid("inputFieldName", "The first item has no file '\(name)'.") }
        return file
    }

    private func status(_ step: StepContext, default fallback: Int) async throws -> Int {
        guard let number = try await step.parameter("options.responseCode", item: 0)?.coercedNumber else { return fallback }
        guard number >= 100, number <= 599 else { throw StepFailure.invalid("options.responseCode", "The status must lie between 100 and 599.") }
        return Int(number)
    }

    private func headers(_ step: StepContext) async throws -> ([(name: String, value: String)], contentType: String?) {
        var headers: [(name: String, value: String)] = []
        var contentType: String?
        for entry in try await step.value("options.responseHeaders.entries")?.array ?? [] {
            guard let name = entry["name"]?.text, !name.isEmpty else { continue }
            let value = entry["value"]?.displayText ?? ""
            if name.lowercased() == "content-type" { contentType = value } else { headers.append((name: name, value: value)) }
        }
        return (headers, contentType)
    }

    private static var parameters: [Parameter] {
        [
            Parameter(
                "enableResponseOutput", .boolean, "Give the answer at an output of its own", default: false, showWhen: ["@version": [">=1.4"]]),
            Parameter(
                "respondWith", .options, "Respond with", default: "firstIncomingItem",
                options: [
                    .init("firstIncomingItem", "First item"), .init("allIncomingItems", "All items"), .init("json", "JSON"),
                    .init("text", "Text"), .init("jwt", "Signed token (JWT)"), .init("noData", "Nothing"), .init("redirect", "Redirect"),
                    .init("binary", "File")
                ]),
            Parameter("redirectURL", .string, "Redirect to", default: "", required: true, showWhen: ["respondWith": ["redirect"]]),
            Parameter("responseBody", .json, "Body", default: "{\n  \"myField\": \"value\"\n}", showWhen: ["respondWith": ["json"]]),
            Parameter("payload", .json, "Payload", default: "{\n  \"myField\": \"value\"\n}", showWhen: ["respondWith": ["jwt"]]),
            Parameter("responseBody", .text, "Body", default: "", showWhen: ["respondWith": ["text"]]),
            Parameter(
                "responseDataSource", .options, "File", default: "automatically",
                options: [.init("automatically", "The first one"), .init("set", "By name")], showWhen: ["respondWith": ["binary"]]),
            Parameter("inputFieldName", .string, "File property", default: "data", showWhen: ["responseDataSource": ["set"]]),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter("responseCode", .number, "Status code"),
                    Parameter("responseHeaders", .collection, "Headers", fields: [ResponseParameters.headerEntries]),
                    Parameter("responseKey", .string, "Put into member", default: ""),
                    Parameter(
                        "enableStreaming", .boolean, "Stream", help: "Without effect here: an answer is sent when it is whole.", default: true,
                        showWhen: ["@version": [">=1.5"]])
                ])
        ]
    }
}
