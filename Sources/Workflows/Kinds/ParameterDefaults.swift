package import Kernel

/// What a node's parameters are where its document leaves them out: n8n omits every parameter that equals its default, and
/// defaults differ by the node's version and by other parameters.
extension NodeKind {
    /// A parameter as written, expressions unevaluated, or its default; nil where there is neither. Entries of lists come with
    /// their own defaults filled in; members of collections do not, unless they are asked for by path.
    package func rawParameter(_ path: String, of node: WorkflowNode) -> JSON? {
        var value: JSON? = .object(node.config)
        for part in path.split(separator: ".") { value = value?[String(part)] }
        guard let value else { return defaultValue(of: path, for: node) }
        guard let declaration = declaration(of: path, for: node) else { return value }
        return declaration.completing(value, version: node.kindVersion, root: node.config, declarations: parameters)
    }

    /// The default of a parameter at this node's version and settings, by path (`options.timeout`).
    package func defaultValue(of path: String, for node: WorkflowNode) -> JSON? {
        declaration(of: path, for: node)?.defaultValue?.value
    }

    /// The parameters that apply to a node, in the declaration's order.
    package func shownParameters(of node: WorkflowNode) -> [Parameter] {
        parameters.filter { $0.isShown(in: node.config, declarations: parameters, version: node.kindVersion, root: node.config) }
    }

    private func declaration(of path: String, for node: WorkflowNode) -> Parameter? {
        var declarations = parameters
        var config = node.config
        var found: Parameter?
        for part in path.split(separator: ".") {
            let candidates = declarations.filter { $0.name == part }
            found = candidates.first { $0.isShown(in: config, declarations: declarations, version: node.kindVersion, root: node.config) }
            guard let parameter = found else { return nil }
            declarations = parameter.fields
            config = config[String(part)]?.object ?? [:]
        }
        return found
    }
}

extension Parameter {
    /// Whether the parameter applies beside these values. `@version` in `showWhen` takes numbers and ranges (`>=2`, `<3`); a name
    /// that is no sibling is looked up at the node's top level; a value that is an expression shows everything.
    package func isShown(in values: JSONObject, declarations: [Parameter], version: Double, root: JSONObject) -> Bool {
        showWhen.allSatisfy { name, accepted in
            if name == "@version" { return accepted.contains { Parameter.version(version, matches: $0.value) } }
            let value = values[name] ?? Parameter.default(of: name, among: declarations, values: values, version: version) ?? root[name]
            guard let value else { return false }
            if case .string(let text) = value, text.hasPrefix("=") { return true }
            return accepted.contains { $0.value == value }
        }
    }

    /// Fills the defaults into each entry of a list.
    func completing(_ value: JSON, version: Double, root: JSONObject, declarations: [Parameter]) -> JSON {
        guard kind == .list, case .array(let entries) = value, !fields.isEmpty else { return value }
        return .array(
            entries.map { entry in
                guard case .object(var members) = entry else { return entry }
                for field in fields where !members.contains(key: field.name) {
                    guard let fallback = field.defaultValue,
                        field.isShown(in: members, declarations: fields, version: version, root: root)
                    else { continue }
                    members[field.name] = fallback.value
                }
                return .object(members)
            })
    }

    private static func `default`(of name: String, among declarations: [Parameter], values: JSONObject, version: Double) -> JSON? {
        let named = declarations.filter { $0.name == name }
        let shown = named.first { parameter in
            parameter.showWhen.allSatisfy { key, accepted in
                if key == "@version" { return accepted.contains { Parameter.version(version, matches: $0.value) } }
                guard key != name else { return true }
                let value = values[key] ?? declarations.first { $0.name == key }?.defaultValue?.value
                return value.map { value in accepted.contains { $0.value == value } } ?? false
            }
        }
        return shown?.defaultValue?.value
    }

    private static func version(_ version: Double, matches rule: JSON) -> Bool {
        switch rule {
        case .number(let exact): return version == exact
        case .string(let range):
            let digits = range.drop { !$0.isNumber }
            guard let bound = Double(digits) else { return false }
            switch range.prefix(range.count - digits.count) {
            case ">=": return version >= bound
            case ">": return version > bound
            case "<=": return version <= bound
            case "<": return version < bound
            default: return version == bound
            }
        default: return false
        }
    }
}
