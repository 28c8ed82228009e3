package import Kernel

/// What the receiver of requests must know of a webhook node; its parameters hold no expressions that need a run. An object, since all requests for
/// a node share it.
package final class WebhookDefinition: Sendable {
    package enum ResponseMode: String, Sendable, Hashable {
        case onReceived, lastNode, responseNode
        /// As `responseNode`, and as `lastNode` where no node answers; sent when it is whole.
        case streaming
    }
    package enum ResponseData: String, Sendable, Hashable {
        case firstEntryJson, allEntries, firstEntryBinary, noData
    }

    package let methods: [String]
    /// Without slashes at its ends; segments that begin with a colon take any value.
    package let path: String
    package let authentication: String
    /// Addresses and ranges that may call; empty where all may.
    package let allowedAddresses: [String]
    package let refusesBots: Bool
    let condition: WebhookCondition?
    /// Of the pages that may call; empty where all may.
    package let allowedOrigins: [String]
    package let responseMode: ResponseMode
    package let responseData: ResponseData
    package let responseStatus: Int
    package let responseHeaders: [String: String]
    private let sortedHeaders: [(name: String, value: String)]
    /// Answered at once where the mode is `onReceived`.
    package let responseText: String?
    /// Answers with this member of the first item where the mode is `lastNode`.
    package let responseProperty: String?
    package let responseBinaryProperty: String
    package let sendsNoBody: Bool
    package let keepsRawBody: Bool
    package let bodyIsBinary: Bool
    /// The name of the item's file, and the beginning of the names of a form's; nil where the node does not say.
    package let binaryProperty: String?
    /// Whether a body of a type that is not read becomes a file.
    package let takesFiles: Bool

    package init(_ node: WorkflowNode, kind: NodeKind) {
        func raw(_ path: String) -> JSON? { kind.rawParameter(path, of: node) }
        func option(_ name: String) -> JSON? { node.config["options"]?[name] }
        let method = raw("httpMethod")
        methods = method?.array?.compactMap(\.text) ?? [method?.text ?? "GET"]
        path = String((raw("path")?.text ?? "").drop { $0 == "/" }.reversed().drop { $0 == "/" }.reversed())
        authentication = (raw("incomingAuthentication") ?? raw("authentication"))?.text ?? "none"
        allowedAddresses = StepContext.names(in: option("ipWhitelist")?.text ?? "")
        refusesBots = option("ignoreBots")?.boolean ?? false
        condition = WebhookCondition(node)
        let origins = StepContext.names(in: option("allowedOrigins")?.text ?? "*")
        allowedOrigins = origins.contains("*") ? [] : origins
        responseMode = raw("responseMode")?.text.flatMap(ResponseMode.init) ?? .onReceived
        responseData = node.config["responseData"]?.text.flatMap(ResponseData.init) ?? .firstEntryJson
        let code = option("responseCode")?["values"]
        let status = code?["responseCode"]?.integer ?? code?["customCode"]?.integer ?? node.config["responseCode"]?.integer ?? 200
        responseStatus = (100...599).contains(status) ? status : 200
        var headers: [String: String] = [:]
        for entry in option("responseHeaders")?["entries"]?.array ?? [] {
            if let name = entry["name"]?.text, let value = entry["value"] { headers[name] = FormField.plain(value) }
        }
        if let type = option("responseContentType")?.text { headers["Content-Type"] = type }
        responseHeaders = headers
        sortedHeaders = headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        responseText = option("responseData").map(FormField.plain).flatMap { $0.isEmpty ? nil : $0 }
        responseProperty = option("responsePropertyName")?.text
        responseBinaryProperty = raw("responseBinaryPropertyName")?.text ?? "data"
        sendsNoBody = option("noResponseBody")?.boolean ?? false
        keepsRawBody = option("rawBody")?.boolean ?? false
        bodyIsBinary = option("binaryData")?.boolean ?? false
        binaryProperty = option("binaryPropertyName")?.text.flatMap { $0.isEmpty ? nil : $0 }
        takesFiles = node.kindVersion > 1
    }

    /// The answer of `onReceived`, given as soon as the run is saved.
    package var immediateAnswer: WebhookAnswer {
        if sendsNoBody { return answer(.none) }
        if let responseText { return answer(.bytes(Array(responseText.utf8), contentType: "text/html; charset=utf-8")) }
        return answer(.json(["message": "Workflow was started"]))
    }

    /// The answer of `lastNode`, from the items of the last node's first output that has any.
    /// - Throws: where stored items cannot be read.
    func answer(lastNode list: ItemList) throws -> WebhookAnswer {
        if responseData == .firstEntryJson, responseProperty == nil, let text = list.plainJSON {
            return answer(.bytes(Array(text), contentType: WebhookAnswer.Body.jsonType))
        }
        let items = try list.items()
        switch responseData {
        case .noData: return answer(.none)
        case .allEntries: return answer(.json(.array(items.map { .object($0.json) })))
        case .firstEntryBinary:
            guard let file = items.first?.binary[responseBinaryProperty] else {
                return WebhookAnswer(status: 500, body: .json(["message": "The last node gave no file to answer with."]))
            }
            return answer(.binary(file))
        case .firstEntryJson:
            guard let first = items.first else {
                return WebhookAnswer(status: 500, body: .json(["message": "The last node gave no item to answer with."]))
            }
            guard let responseProperty else { return answer(.json(.object(first.json))) }
            let member = DotPath(responseProperty).value(in: first.json) ?? .null
            guard let type = responseHeaders["Content-Type"] else { return answer(.json(member)) }
            return answer(.bytes(Array(member.displayText.utf8), contentType: type))
        }
    }

    private func answer(_ body: WebhookAnswer.Body) -> WebhookAnswer {
        WebhookAnswer(status: responseStatus, headers: sortedHeaders, body: body)
    }
}

extension WebhookAnswer.Body {
    static let jsonType = "application/json; charset=utf-8"

    package static func json(_ value: JSON) -> Self { .bytes(value.bytes, contentType: jsonType) }
}
