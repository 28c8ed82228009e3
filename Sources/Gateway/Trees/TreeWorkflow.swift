internal import Kernel
internal import Workflows

/// A workflow as a file: what is as usual is left out, members are in a fixed order, where nodes stand on the canvas comes last.
enum TreeWorkflow {
    private static let usual: [String: JSON] = [
        "on_error": "stop", "execute_once": false, "always_output": false, "disabled": false, "connections": [], "config": [:]
    ]
    private static let usualOfEdge: [String: JSON] = ["output": 0, "input": 0, "kind": "main"]

    /// The file's value of a document as the API gives it.
    static func file(_ document: JSON, _ references: TreeReferences) -> JSON {
        var layout = JSONObject()
        let nodes: [JSON] = (document["nodes"]?.array ?? []).map { node in
            guard var members = node.object else { return node }
            layout[members["id"]?.text ?? ""] = members.removeValue(forKey: "position")
            members["config"] = members["config"].map(TreeText.sorted)
            members["connections"] = .array((members["connections"]?.array ?? []).map(edge))
            for (key, value) in usual where members[key] == value { members.removeValue(forKey: key) }
            if let credentials = members["credentials"]?.object {
                members["credentials"] = .object(JSONObject(credentials.map { ($0.key, ["name": $0.value["name"] ?? ""]) }))
            }
            return references.named(.object(members))
        }
        var whole: JSONObject = ["name": document["name"] ?? "", "nodes": .array(nodes)]
        whole["settings"] = document["settings"].map { references.named(TreeText.sorted($0)) }
        whole["pinned_data"] = document["pinned_data"].map(TreeText.sorted)
        whole["origin"] = document["origin"].map(TreeText.sorted)
        whole["layout"] = .object(layout)
        return .object(whole)
    }

    private static func edge(_ json: JSON) -> JSON {
        guard var members = json.object else { return json }
        for (key, value) in usualOfEdge where members[key] == value { members.removeValue(forKey: key) }
        return members.count == 1 ? members["to"] ?? json : .object(members)
    }

    /// The document that a file's value stands for.
    static func document(_ file: JSON, _ references: TreeReferences) -> JSON {
        guard var members = file.object else { return file }
        let layout = members.removeValue(forKey: "layout")
        members["settings"] = members["settings"].map(references.resolved)
        members["nodes"] =
            members["nodes"]?.array.map { nodes in
                .array(
                    nodes.map { node in
                        guard var members = references.resolved(node).object else { return node }
                        if let place = members["id"]?.text.flatMap({ layout?[$0] }) { members["position"] = place }
                        if let credentials = members["credentials"]?.object {
                            members["credentials"] = .object(
                                JSONObject(
                                    credentials.map { type, reference in
                                        let name = reference["name"]?.text ?? ""
                                        let id = references.credential(name, type: type)
                                        return (type, ["id": id.map(JSON.string) ?? .null, "name": .string(name)])
                                    }))
                        }
                        return .object(members)
                    })
            } ?? members["nodes"]
        return .object(members)
    }

    /// Types and names of the credentials that a file's nodes use.
    static func credentials(in file: JSON) -> [(type: String, name: String)] {
        (file["nodes"]?.array ?? []).flatMap { node in
            (node["credentials"]?.object ?? [:]).map { ($0.key, $0.value["name"]?.text ?? "") }
        }
    }

    /// The faults of a file's value, each with its path in the file.
    static func faults(_ file: JSON) -> [Refusal.Fault] {
        guard let members = file.object else { return [Refusal.Fault(field: "", code: "wrong_type", message: "A workflow is a JSON object.")] }
        if let layout = members["layout"], layout.object == nil {
            return [Refusal.Fault(field: "layout", code: "wrong_type", message: "layout gives x and y by the nodes' ids.")]
        }
        do {
            _ = try WorkflowDocument(json: document(file, TreeReferences()), kinds: { KindRegistry.builtIn.kind($0) })
            return []
        } catch let refusal as Refusal {
            return refusal.faults.isEmpty ? [Refusal.Fault(field: "", code: refusal.code, message: refusal.message)] : refusal.faults
        } catch {
            return [Refusal.Fault(field: "", code: "invalid", message: "\(error)")]
        }
    }
}
