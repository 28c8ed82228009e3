internal import HTTPSurface
internal import Kernel

/// The item a webhook node starts with: `{headers, params, query, body, webhookUrl, executionMode}`.
struct WebhookItem {
    let call: EndpointCall
    let path: String
    let parameters: [String: String]
    /// In lower case.
    let hiddenHeader: String?

    var item: Item {
        var headers = JSONObject()
        for header in call.head.headers {
            let name = header.name.lowercased()
            if name != Self.hidden, name != hiddenHeader { headers[name] = .string(header.value) }
        }
        var query = JSONObject()
        for pair in call.queryPairs { query[pair.name] = Self.joined(query[pair.name], .string(pair.value)) }
        let values = JSONObject(parameters.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) })
        return Item(json: [
            "headers": .object(headers), "params": .object(values), "query": .object(query), "body": body,
            "webhookUrl": .string("\(call.head.host)/\(path)"), "executionMode": "production"
        ])
    }

    /// What identifies somebody to this platform is not for a workflow's journal.
    private static let hidden = "cookie"

    private static func joined(_ known: JSON?, _ value: JSON) -> JSON {
        switch known {
        case nil: value
        case .array(let values): .array(values + [value])
        case let one?: .array([one, value])
        }
    }

    /// By content type: JSON, a form, or text; a body that is not what it says is kept as text.
    private var body: JSON {
        guard !call.body.isEmpty else { return .object([:]) }
        let type = call.header("Content-Type")?.prefix { $0 != ";" && $0 != " " }.lowercased() ?? "application/json"
        if type.hasSuffix("json"), let json = try? JSON(parsing: call.body) { return json }
        if type == "application/x-www-form-urlencoded", let form = try? call.form() {
            var members = JSONObject()
            for pair in form.pairs { members[pair.name] = Self.joined(members[pair.name], .string(pair.value)) }
            return .object(members)
        }
        return .string(String(decoding: call.body, as: UTF8.self))
    }
}
