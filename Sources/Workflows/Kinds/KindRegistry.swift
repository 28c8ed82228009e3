package import Kernel

/// The kinds that this program knows, with what runs them.
package struct KindRegistry: Sendable {
    /// In the order they were added; the catalogue of `GET /v1/node-kinds`.
    package private(set) var kinds: [NodeKind] = []
    private var executors: [String: any NodeExecutor] = [:]
    private var indexByKind: [String: Int] = [:]
    private var indexByN8nType: [String: Int] = [:]

    /// Kinds that never run, such as notes, have a declaration alone.
    package init(executors types: [any NodeExecutor.Type], declarations: [NodeKind] = []) {
        for type in types { add(type) }
        for kind in declarations { declare(kind) }
    }

    package mutating func add(_ type: any NodeExecutor.Type) {
        let executor = type.init()
        for kind in type.kinds {
            declare(kind)
            executors[kind.kind] = executor
        }
    }

    private mutating func declare(_ kind: NodeKind) {
        precondition(indexByKind[kind.kind] == nil, "the kind \(kind.kind) is declared twice")
        indexByKind[kind.kind] = kinds.count
        for type in kind.n8nTypes { indexByN8nType[type] = kinds.count }
        kinds.append(kind)
    }

    package func kind(_ name: String) -> NodeKind? { indexByKind[name].map { kinds[$0] } }

    /// Before the name of a kind that n8n does not have, where a workflow is written in n8n's form: `aias.qr_code`.
    static let ownPrefix = "aias."

    /// `n8n-nodes-base.set` → `set`; nil where the type is not supported.
    package func kind(n8nType: String) -> NodeKind? {
        if let index = indexByN8nType[n8nType] { return kinds[index] }
        guard n8nType.hasPrefix(Self.ownPrefix), let own = kind(String(n8nType.dropFirst(Self.ownPrefix.count))) else { return nil }
        return own.n8nTypes.isEmpty ? own : nil
    }

    /// nil for an unknown kind, and for one that never runs.
    package func executor(for kind: String) -> (any NodeExecutor)? { executors[kind] }

    /// Whether a node of an import runs here as in n8n: its type is known, and each choice it makes is one of the declared ones.
    /// A choice made by an expression counts as known.
    package func supports(n8nType: String, version: Double, parameters: JSONObject) -> Bool {
        kind(n8nType: n8nType)?.unknownChoices(version: version, parameters: parameters).isEmpty ?? false
    }
}

extension NodeKind {
    /// The choices of a node that are none of the declared ones, such as `source: localFile`.
    func unknownChoices(version: Double, parameters: JSONObject) -> [String] {
        var unknown: [String] = []
        if parameters["authentication"] == "predefinedCredentialType" {
            let type = parameters["nodeCredentialType"]?.text ?? ""
            if CredentialType.named(type)?.applications.isEmpty != false { unknown.append("nodeCredentialType: \(type)") }
        }
        let node = WorkflowNode(id: "", category: category, kind: kind, kindVersion: version, name: "", config: parameters)
        let shown = shownParameters(of: node)
        for parameter in shown where parameter.kind == .options && !parameter.options.isEmpty {
            guard let value = parameters[parameter.name] else { continue }
            if case .string(let text) = value, text.hasPrefix("=") { continue }
            let isKnown = shown.contains { $0.name == parameter.name && $0.options.contains { $0.value.value == value } }
            let choice = "\(parameter.name): \(value.displayText)"
            if !isKnown, !unknown.contains(choice) { unknown.append(choice) }
        }
        return unknown
    }
}
