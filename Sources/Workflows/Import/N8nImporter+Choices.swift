internal import Kernel

extension N8nImporter {
    /// Choices inside collections, lists and conditions that are none of the declared ones: the node runs, and what they ask for is not done.
    static func unknownChoices(in node: WorkflowNode, _ kind: NodeKind?) -> [ImportReport.Note] {
        var choices: [String] = []
        for parameter in kind?.shownParameters(of: node) ?? [] {
            guard let value = node.config[parameter.name] else { continue }
            gatherChoices(value, of: [parameter], at: parameter.name, into: &choices)
        }
        return choices.map { ImportReport.Note(code: "unknown_choice", message: "Its choice \($0) is not known here.", node: node.name) }
    }

    private static func gatherChoices(_ value: JSON, of declarations: [Parameter], at path: String, into choices: inout [String]) {
        if declarations.contains(where: { $0.kind == .filter }) { gatherOperators(value, at: path, into: &choices) }
        let fields: [Parameter] = declarations.filter { $0.kind == .collection || $0.kind == .list }.flatMap(\.fields)
        guard !fields.isEmpty else { return }
        let entries: [JSONObject] = value.array?.compactMap(\.object) ?? [value.object ?? [:]]
        for (name, member) in entries.flatMap({ Array($0) }) {
            let named: [Parameter] = fields.filter { $0.name == name }
            let options: [Parameter.Option] = named.allSatisfy { $0.kind == .options } ? named.flatMap(\.options) : []
            if !options.isEmpty, !options.contains(where: { $0.value.value == member }) { add(member, at: "\(path).\(name)", to: &choices) }
            gatherChoices(member, of: named, at: "\(path).\(name)", into: &choices)
        }
    }

    /// A number may choose an output, and what an expression chooses is not known yet.
    private static func add(_ value: JSON, at path: String, to choices: inout [String]) {
        guard let text = value.text, !text.isEmpty, !text.hasPrefix("=") else { return }
        let choice = "\(path): \(text)"
        if !choices.contains(choice) { choices.append(choice) }
    }

    private static func gatherOperators(_ value: JSON, at path: String, into choices: inout [String]) {
        for condition in value["conditions"]?.array ?? [] {
            guard let type = condition["operator"]?["type"]?.text, let operation = condition["operator"]?["operation"]?.text,
                !type.hasPrefix("="), !operation.hasPrefix("="), !FilterComparison.knows(operation, of: type)
            else { continue }
            add(.string("\(type) \(operation)"), at: "\(path).conditions.operator", to: &choices)
        }
    }
}
