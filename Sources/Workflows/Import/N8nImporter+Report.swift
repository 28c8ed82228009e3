internal import Kernel

extension N8nImporter {
    /// Fills in all of the report that can be told from the finished document.
    func remark(on document: WorkflowDocument, _ report: inout ImportReport) {
        var missing: [String: [String]] = [:]
        let origin = N8nOrigin(document.origin)
        for node in document.nodes where !node.disabled {
            let type = origin?.nodes[node.id]?.members["type"]?.text ?? node.kind
            if N8nTypes.annotations.contains(type) { continue }
            let declaration = kind(type)
            guard declaration != nil, supports(type, node.kindVersion, node.config) else {
                missing[type, default: []].append(node.name)
                if let reason = N8nTypes.refusals[type] {
                    report.notes.append(.init(code: "refused_type", message: "\(type) does not run here: \(reason).", node: node.name))
                }
                if let declaration {
                    var use = ["version \(JSON.numberText(node.kindVersion))"]
                    use += declaration.unknownChoices(version: node.kindVersion, parameters: node.config)
                    report.notes.append(
                        .init(
                            code: "unsupported_use", message: "\(type) runs here, but not as this node uses it (\(use.joined(separator: ", "))).",
                            node: node.name))
                }
                continue
            }
            report.unreadParameters += N8nImporter.unread(of: node, declaration)
            report.notes += N8nImporter.foreignNames(in: node, declaration) + N8nImporter.unknownChoices(in: node, declaration)
        }
        report.missing = missing.map { ImportReport.Missing(type: $0.key, nodes: $0.value) }
            .sorted { ($1.nodes.count, $0.type) < ($0.nodes.count, $1.type) }
        report.credentials = N8nImporter.credentials(of: document)
        remarkOnSettings(document.settings, &report)
        for setting in N8nSettings.leftOut(origin?.members["settings"]?.object ?? [:]) {
            report.notes.append(.init(code: "setting_left_out", message: "Its setting \(setting) has no counterpart here.", node: nil))
        }
    }

    /// Parameters that are not declared, and, of collections and of lists' entries that apply to the node, members that are not (`options.emoji`).
    private static func unread(of node: WorkflowNode, _ kind: NodeKind?) -> [ImportReport.UnreadParameter] {
        guard let kind, !kind.parameters.isEmpty else { return [] }
        let shown = kind.shownParameters(of: node)
        var paths: [String] = []
        for (name, value) in node.config {
            if kind.parameters.contains(where: { $0.name == name }) {
                gatherUnread(value, of: shown.filter { $0.name == name }, at: name, into: &paths)
            } else {
                paths.append(name)
            }
        }
        return paths.map { ImportReport.UnreadParameter(node: node.name, parameter: $0) }
    }

    private static func gatherUnread(_ value: JSON, of declarations: [Parameter], at path: String, into paths: inout [String]) {
        let haveMembers = declarations.allSatisfy { ($0.kind == .collection || $0.kind == .list) && !$0.fields.isEmpty }
        guard haveMembers, !declarations.isEmpty else { return }
        let fields = declarations.flatMap(\.fields)
        let entries: [JSONObject] = value.array?.compactMap(\.object) ?? [value.object ?? [:]]
        for (name, member) in entries.flatMap({ Array($0) }) {
            let named = fields.filter { $0.name == name }
            if !named.isEmpty {
                gatherUnread(member, of: named, at: "\(path).\(name)", into: &paths)
            } else if !paths.contains("\(path).\(name)") {
                paths.append("\(path).\(name)")
            }
        }
    }

    /// Ids of workflows and data tables that mean something in the n8n they came from alone. A table is found by its name where that stands beside.
    private static func foreignNames(in node: WorkflowNode, _ kind: NodeKind?) -> [ImportReport.Note] {
        (kind?.parameters ?? []).compactMap { parameter -> ImportReport.Note? in
            guard let value = node.config[parameter.name] else { return nil }
            let given: JSON = value["value"] ?? value
            let name = value["cachedResultName"]?.text ?? ""
            guard let id = given.text ?? given.integer.map({ String($0) }), !id.isEmpty, !id.hasPrefix("=") else { return nil }
            let named = name.isEmpty ? id : "\(name) (\(id))"
            switch parameter.resource {
            case .workflow where WorkflowID(id) == nil:
                return ImportReport.Note(
                    code: "foreign_workflow", message: "It calls the workflow \(named) of the n8n it came from; choose one here.", node: node.name)
            case .dataTable where DataTableID(id) == nil && name.isEmpty && value["mode"]?.text != "name":
                return ImportReport.Note(
                    code: "foreign_table", message: "It uses the data table \(named) of the n8n it came from; choose one here.", node: node.name)
            default: return nil
            }
        }
    }

    private static func credentials(of document: WorkflowDocument) -> [ImportReport.Credential] {
        var credentials: [ImportReport.Credential] = []
        // By type, by name.
        var places: [String: [String: Int]] = [:]
        for node in document.nodes {
            for (type, reference) in node.credentials.sorted(by: { $0.key < $1.key }) {
                if let place = places[type]?[reference.name] {
                    credentials[place].nodes.append(node.name)
                } else {
                    places[type, default: [:]][reference.name] = credentials.count
                    credentials.append(.init(type: type, name: reference.name, nodes: [node.name]))
                }
            }
        }
        return credentials
    }

    private func remarkOnSettings(_ settings: WorkflowSettings, _ report: inout ImportReport) {
        if settings.order == .n8nV0 {
            report.notes.append(.init(code: "legacy_order", message: "It runs in n8n's legacy order, breadth first.", node: nil))
        }
        if let workflow = settings.errorWorkflow {
            report.notes.append(
                .init(code: "error_workflow", message: "Its error workflow \(workflow) belongs to the n8n it came from; choose one here.", node: nil))
        }
    }
}
