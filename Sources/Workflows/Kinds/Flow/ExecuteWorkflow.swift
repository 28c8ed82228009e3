internal import Kernel

/// Runs another workflow with its items, once for all or once for each.
struct ExecuteWorkflow: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "execute_workflow", version: 1.2, category: .action, title: "Execute workflow", summary: "Runs another workflow.",
                icon: "subflow", parameters: parameters, effect: .keyed, n8nTypes: ["n8n-nodes-base.executeWorkflow"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let runsEach = try await step.text("mode", default: "once") == "each"
        if case .called(let results)? = step.resume { return .items([try outputs(step, results, runsEach: runsEach)]) }
        if step.items.isEmpty { return .items([[]]) }
        var workflows: [String] = []
        for index in 0..<(runsEach ? step.items.count : 1) { workflows.append(try await workflow(step, item: index)) }
        let items = try await inputs(step)
        let waits = try await step.parameter("options.waitForSubWorkflow", item: 0)?.isTruthy ?? true
        let inputs = runsEach ? items.map { [$0] } : [items]
        return .call(WorkflowCall(workflow: workflows[0], workflows: workflows, inputs: inputs, waits: waits))
    }

    /// Where the call does not wait, the engine gives no results and the input goes on.
    private func outputs(_ step: StepContext, _ results: [Result<[Item], StepFailure>], runsEach: Bool) throws -> [Item] {
        if results.isEmpty { return step.items.enumerated().map { $1.paired(with: $0) } }
        // What one run made of all items comes of all of them.
        let all = step.items.indices.map { PairedItem(item: $0) }
        var out: [Item] = []
        for (index, result) in results.enumerated() {
            switch result {
            case .success(let items):
                let isOneToOne = !runsEach && items.count == step.items.count
                out += items.enumerated().map { place, item in
                    var item = item
                    item.pairedItem = runsEach || isOneToOne ? [PairedItem(item: runsEach ? index : place)] : all
                    return item
                }
            case .failure(let failure):
                var failed = try step.failed(failure, at: runsEach ? index : 0)
                if !runsEach { failed.pairedItem = all }
                out.append(failed)
            }
        }
        return out
    }

    /// The id of the workflow to run; where each item has its own run, the item's own.
    private func workflow(_ step: StepContext, item: Int) async throws -> String {
        let source = try await step.text("source", item: item, default: "database")
        guard source == "database" else { throw StepFailure.invalid("source", Self.refusal(of: source), item: item) }
        let value = try await step.value("workflowId", item: item) ?? .null
        let id = value["__rl"] != nil || value["value"] != nil ? value["value"] ?? .null : value
        guard !id.isNull, !id.displayText.isEmpty else { throw StepFailure.invalid("workflowId", "Choose the workflow to run.", item: item) }
        return id.displayText
    }

    private static func refusal(of source: String) -> String {
        let way = "Import the workflow, and choose it in this node."
        switch source {
        case "localFile": return "A workflow of the server's disk is not run: tenants share it. \(way)"
        case "url": return "A workflow of an address is not run: whoever has the address would decide what runs here. \(way)"
        case "parameter": return "A workflow written in the node itself is not run. \(way)"
        default: return "A workflow from '\(source)' is not supported. \(way)"
        }
    }

    /// From 1.2 on the fields defined in the node are put over the items' own, as the types of its schema, and those that its schema has removed are left out; the trigger of
    /// the workflow that is called takes what it declares.
    private func inputs(_ step: StepContext) async throws -> [Item] {
        var items = step.items.enumerated().map { $1.paired(with: $0) }
        guard step.version >= 1.2 else { return items }
        let isDefined = !(step.rawParameter("workflowInputs.value")?.object?.isEmpty ?? true)
        let schema = step.rawParameter("workflowInputs.schema")?.array ?? []
        let removed = schema.filter { $0["removed"] == true }.compactMap { $0["displayName"]?.text }
        for index in items.indices {
            if isDefined {
                let defined = try await step.value("workflowInputs.value", item: index)?.object ?? [:]
                items[index].json.merge(try typed(defined, by: schema, step, item: index))
            }
            for name in removed { items[index].json.removeValue(forKey: name) }
        }
        return items
    }

    /// Values are converted to the types of the schema unless the node says that they must be of them; texts are such a type only where it says so.
    private func typed(_ defined: JSONObject, by schema: [JSON], _ step: StepContext, item: Int) throws -> JSONObject {
        let isStrict = step.rawParameter("workflowInputs.attemptToConvertTypes") == false
        let checksTexts = step.rawParameter("workflowInputs.convertFieldsToString")?.isTruthy ?? false
        var typed = defined
        for entry in schema {
            guard let name = entry["id"]?.text, let type = entry["type"]?.text, let value = defined[name], !value.isNull else { continue }
            if type == "string", !checksTexts { continue }
            let mayConvert = !isStrict || TypeConversion.isOf(value, type)
            guard mayConvert, let made = TypeConversion.convert(value, to: type, timeZone: step.timeZone) else {
                let message = "Invalid input for '\(name)': it must be \(TypeConversion.article(type)), not '\(value.displayText)'."
                throw StepFailure.invalid("workflowInputs", message, item: item)
            }
            typed[name] = made
        }
        return typed
    }

    private static var parameters: [Parameter] {
        [
            Parameter("source", .options, "Source", default: "database", options: [.init("database", "This tenant's workflows")]),
            Parameter(
                "workflowId", .resourceLocator, "Workflow", default: "", required: true, showWhen: ["source": ["database"]], resource: .workflow),
            Parameter(
                "workflowInputs", .json, "Inputs", default: .init(["mappingMode": "defineBelow", "value": .null]), showWhen: ["@version": [">=1.2"]]),
            Parameter(
                "mode", .options, "Run", default: "once",
                options: [.init("once", "Once with all items"), .init("each", "Once for each item")]),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [Parameter("waitForSubWorkflow", .boolean, "Wait for its end", default: true)])
        ]
    }
}
