internal import Kernel

/// Checks one node against its kind's declaration.
struct NodeCheck {
    let node: WorkflowNode
    let kind: NodeKind
    /// `nodes[2]`
    let path: String
    let expressionFault: @Sendable (_ text: String) -> String?

    /// What is asked of a node that edges lead to, worked out once for all of them.
    struct Target {
        let name: String
        /// nil where its kind is unknown.
        let inputCount: Int?

        /// By id.
        static func all(of document: WorkflowDocument, kinds: (String) -> NodeKind?) -> [String: Target] {
            let all = document.nodes.map { node in (node.id, Target(name: node.name, inputCount: kinds(node.kind)?.inputNames(of: node).count)) }
            return Dictionary(all, uniquingKeysWith: { first, _ in first })
        }
    }

    func faults(order: WorkflowSettings.Order, targets: [String: Target]) -> [WorkflowFault] {
        var faults = parameterFaults(kind.parameters, in: node.config, place: "\(path).config")
        faults += expressionFaults(.object(node.config), place: "\(path).config")
        // n8n leaves edges from or to ports that are not there unused, and so do its documents here.
        if order == .parallel { faults += portFaults(targets) }
        faults += triggerFaults()
        faults += credentialFaults()
        return faults
    }

    private func fault(_ field: String, _ code: String, _ reason: String) -> WorkflowFault {
        WorkflowFault(node: node.name, field: field, code: code, reason: reason)
    }

    /// Required parameters that are missing, and values that are no option, here and in the entries of lists.
    private func parameterFaults(_ declarations: [Parameter], in values: JSONObject, place: String) -> [WorkflowFault] {
        let shown = declarations.filter { $0.isShown(in: values, declarations: declarations, version: node.kindVersion, root: node.config) }
        return shown.flatMap { parameter -> [WorkflowFault] in
            let field = "\(place).\(parameter.name)"
            let value = values[parameter.name]
            if NodeCheck.isEmpty(value ?? parameter.defaultValue?.value) {
                guard parameter.isRequired else { return [] }
                return [fault(field, "required", "\(parameter.label) is missing.")]
            }
            guard let value, !NodeCheck.isExpression(value) else { return [] }
            if parameter.kind == .options { return optionFaults(parameter, value, shown: shown, field: field) }
            return entryFaults(parameter, value, field: field)
        }
    }

    /// Several declarations may share a name; any of those shown may allow the value. A switch's fallback may be any output's number.
    private func optionFaults(_ parameter: Parameter, _ value: JSON, shown: [Parameter], field: String) -> [WorkflowFault] {
        let declared = shown.filter { $0.name == parameter.name }
        let allowed = declared.flatMap { $0.options.map(\.value.value) }
        guard declared.first == parameter, !allowed.isEmpty, declared.allSatisfy({ $0.kind == .options }) else { return [] }
        let chosen = value.array ?? [value]
        if parameter.name == "fallbackOutput", value.integer != nil { return [] }
        guard let stranger = chosen.first(where: { !allowed.contains($0) }) else { return [] }
        let words = allowed.map { $0.text ?? $0.serialized }.joined(separator: ", ")
        return [fault(field, "not_an_option", "\(stranger.text ?? stranger.serialized) is no option of \(parameter.label); choose one of \(words).")]
    }

    private func entryFaults(_ parameter: Parameter, _ value: JSON, field: String) -> [WorkflowFault] {
        guard !parameter.fields.isEmpty else { return [] }
        if parameter.kind == .collection, let members = value.object { return parameterFaults(parameter.fields, in: members, place: field) }
        guard parameter.kind == .list, let entries = value.array else { return [] }
        return entries.enumerated().flatMap { index, entry in
            parameterFaults(parameter.fields, in: entry.object ?? [:], place: "\(field)[\(index)]")
        }
    }

    static func isExpression(_ value: JSON) -> Bool { value.text?.hasPrefix("=") ?? false }

    /// A resource locator without a value is empty too.
    private static func isEmpty(_ value: JSON?) -> Bool {
        switch value {
        case nil, .null: true
        case .string(let text): text.isEmpty
        case .object(let members) where members["__rl"] == true: isEmpty(members["value"])
        default: false
        }
    }

    private func expressionFaults(_ value: JSON, place: String) -> [WorkflowFault] {
        switch value {
        case .string(let text) where text.hasPrefix("="):
            guard let reason = expressionFault(text) else { return [] }
            return [fault(place, "invalid_expression", reason)]
        case .array(let elements):
            return elements.enumerated().flatMap { expressionFaults($1, place: "\(place)[\($0)]") }
        case .object(let members):
            return members.flatMap { expressionFaults($0.value, place: "\(place).\($0.key)") }
        default: return []
        }
    }

    /// Edges from outputs that the node does not have, and to inputs that the target does not have.
    private func portFaults(_ targets: [String: Target]) -> [WorkflowFault] {
        let outputs = kind.outputNames(of: node).count + (node.onError == .continueErrorOutput ? 1 : 0)
        return node.connections.enumerated().flatMap { index, edge -> [WorkflowFault] in
            guard edge.kind == "main", let target = targets[edge.to] else { return [] }
            let place = "\(path).connections[\(index)]"
            var faults: [WorkflowFault] = []
            if edge.output < 0 || edge.output >= outputs {
                faults.append(fault("\(place).output", "no_such_output", "The node has \(outputs) outputs, and none with the number \(edge.output)."))
            }
            guard let inputs = target.inputCount else { return faults }
            if edge.input < 0 || edge.input >= inputs {
                faults.append(
                    fault("\(place).input", "no_such_input", "\(target.name) has \(inputs) inputs, and none with the number \(edge.input)."))
            }
            return faults
        }
    }

    /// Credentials that the node will use and does not have. An import names those of another installation, which have no id here.
    private func credentialFaults() -> [WorkflowFault] {
        kind.credentialTypes(of: node).compactMap { type in
            let field = "\(path).credentials.\(type)"
            guard let reference = node.credentials[type] else {
                return fault(field, "credential_missing", "Choose a credential of the type \(type).")
            }
            guard reference.id == nil else { return nil }
            return fault(field, "credential_unmapped", "The credential '\(reference.name)' of the type \(type) is not set up here; choose one.")
        }
    }

    /// What must be known without a run: a webhook's path and methods, a schedule's slots.
    private func triggerFaults() -> [WorkflowFault] {
        switch node.kind {
        case "webhook":
            return ["path", "httpMethod"].filter { node.config[$0].map(NodeCheck.isExpression) ?? false }.map {
                fault("\(path).config.\($0)", "expression_not_allowed", "It must be known before a run, so that it cannot be an expression.")
            }
        case "schedule", "cron", "interval":
            do {
                _ = try Schedule(node, kind: kind, timeZone: "UTC")
                return []
            } catch let refusal as Refusal {
                return [fault("\(path).config.rule", refusal.code, refusal.message)]
            } catch {
                return [fault("\(path).config.rule", "invalid_schedule", "The schedule cannot be read.")]
            }
        default: return []
        }
    }
}
