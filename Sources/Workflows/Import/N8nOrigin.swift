internal import Kernel

/// What an imported document keeps of its n8n original beyond what our format expresses; the document's `origin`:
/// `{format, name, members, order: [id], nodes: {id: {name, kind, members, parameters?, width?}}, connections?, stretch?}`.
struct N8nOrigin {
    static let format = "n8n"

    struct Node {
        /// The name and kind the import gave it.
        var name: String
        var kind: String
        /// As n8n wrote it, without `parameters`.
        var members: JSONObject
        /// `absent`, or what stood there where it was no object; nil where our `config` holds it.
        var parameters: Parameters?
        /// A note's, where the arrangement was stretched and it had one.
        var width: Double?
        enum Parameters {
            case absent
            case other(JSON)
        }
    }

    /// The name the import gave the document.
    var name: String
    /// Top-level members other than nodes and connections; `pinData` is `{}` in place of the pinned items, which our document holds.
    var members: JSONObject
    var nodes: [String: Node] = [:]
    /// The ids in n8n's order.
    var order: [String] = []
    /// nil where it had none.
    var connections: JSON?
    /// nil where all stands where it stood in n8n.
    var stretch: N8nStretch?

    init(name: String, members: JSONObject, connections: JSON?) {
        self.name = name
        self.members = members
        self.connections = connections
    }

    /// Our ids by n8n's names; the first of several nodes with one name has its connections.
    var idsByName: [String: String] {
        var ids: [String: String] = [:]
        for id in order {
            guard let name = nodes[id]?.members["name"]?.text, ids[name] == nil else { continue }
            ids[name] = id
        }
        return ids
    }
}

extension N8nOrigin {
    var json: JSON {
        let written = nodes.sorted { $0.key < $1.key }.map { id, node -> (String, JSON) in
            var members: JSONObject = ["name": .string(node.name), "kind": .string(node.kind), "members": .object(node.members)]
            switch node.parameters {
            case .absent: members["parameters"] = ["absent": true]
            case .other(let value): members["parameters"] = ["other": value]
            case nil: break
            }
            members["width"] = node.width.map { .number($0) }
            return (id, .object(members))
        }
        var result: JSONObject = [
            "format": .string(Self.format), "name": .string(name), "members": .object(members),
            "order": .array(order.map { .string($0) }), "nodes": .object(JSONObject(written))
        ]
        if let connections { result["connections"] = connections }
        if let stretch { result["stretch"] = stretch.json }
        return .object(result)
    }

    /// nil where the document does not come from n8n.
    init?(_ json: JSON?) {
        guard let json, json["format"]?.text == Self.format else { return nil }
        name = json["name"]?.text ?? ""
        members = json["members"]?.object ?? [:]
        order = (json["order"]?.array ?? []).compactMap(\.text)
        connections = json.object?["connections"]
        stretch = N8nStretch(json["stretch"])
        nodes = (json["nodes"]?.object ?? [:]).reduce(into: [:]) { nodes, entry in
            let parameters: Node.Parameters? =
                if let other = entry.value["parameters"]?.object?["other"] { .other(other) } else { entry.value["parameters"].map { _ in .absent } }
            nodes[entry.key] = Node(
                name: entry.value["name"]?.text ?? "", kind: entry.value["kind"]?.text ?? "",
                members: entry.value["members"]?.object ?? [:], parameters: parameters, width: entry.value["width"]?.double)
        }
    }
}
