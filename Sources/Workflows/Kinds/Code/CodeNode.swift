internal import Kernel
internal import Scripting

/// Runs JavaScript or Python over all items, or over each, in the sandbox.
struct CodeNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "code", version: 2, category: .action, title: "Code", summary: "Runs JavaScript or Python over the items.", icon: "code",
                parameters: [
                    Parameter(
                        "mode", .options, "Mode", default: "runOnceForAllItems",
                        options: [.init("runOnceForAllItems", "Once for all items"), .init("runOnceForEachItem", "Once for each item")]),
                    Parameter(
                        "language", .options, "Language", default: "javaScript",
                        options: [.init("javaScript", "JavaScript"), .init("python", "Python"), .init("pythonNative", "Python (native)")],
                        showWhen: ["@version": [">=2"]]),
                    Parameter("jsCode", .code, "JavaScript", default: "", required: true, showWhen: ["language": ["javaScript"]]),
                    Parameter(
                        "pythonCode", .code, "Python", help: "Python has _input, _json and _('Node'); native Python has _items or _item alone.",
                        default: "", required: true, showWhen: ["language": ["python", "pythonNative"]]),
                    Parameter("notice", .notice, "", default: "")
                ], n8nTypes: ["n8n-nodes-base.code"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let name = try await step.text("language", default: "javaScript")
        guard let language = Script.Language(rawValue: name) else {
            throw StepFailure.invalid("language", "The language '\(name)' is not supported; use JavaScript or Python.")
        }
        let parameter = language == .javaScript ? "jsCode" : "pythonCode"
        let source = step.rawParameter(parameter)?.text ?? step.kind.rawParameter(parameter, of: step.node)?.text ?? ""
        let mode: Script.Mode = step.node.config["mode"] == "runOnceForEachItem" ? .eachItem : .allItems
        return .items([
            try await ScriptStep(step).items(of: source.isEmpty ? Self.example(language, mode) : source, language: language, mode: mode)
        ])
    }

    /// What n8n puts into a new node.
    private static func example(_ language: Script.Language, _ mode: Script.Mode) -> String {
        switch (language, mode) {
        case (.javaScript, .eachItem): "$input.item.json.myNewField = 1;\nreturn $input.item;"
        case (.javaScript, _): "for (const item of $input.all()) { item.json.myNewField = 1; }\nreturn $input.all();"
        case (.python, .eachItem): "_input.item.json.myNewField = 1\nreturn _input.item"
        case (.python, _): "for item in _input.all():\n  item.json.myNewField = 1\nreturn _input.all()"
        case (.pythonNative, .eachItem): "_item[\"json\"][\"my_new_field\"] = 1\nreturn _item"
        case (.pythonNative, _): "for item in _items:\n  item[\"json\"][\"my_new_field\"] = 1\nreturn _items"
        }
    }
}

/// Runs a node's script and takes over what it gives: items, log lines, static data.
struct ScriptStep: Sendable {
    private let step: StepContext

    init(_ step: StepContext) { self.step = step }

    /// - Throws: `code_error`; where the node continues on errors the failure becomes one `{error}` item, of each failed item where each has a turn
    ///   of its own.
    func items(of source: String, language: Script.Language = .javaScript, mode: Script.Mode) async throws -> [Item] {
        let data = step.services.staticData()
        let requests = ScriptRequests(step)
        let isSending = ScriptRequests.areNamed(in: source)
        let readsFiles = source.contains("getBinaryDataBuffer") || source.contains("data") && source.lowercased().contains("binary")
        let isAsking = language == .javaScript && (isSending || readsFiles)
        let helper: ScriptHelper = { question in
            guard isSending || question["what"] != "http" else {
                throw ScopeError(code: "unknown_question", message: "the script asked for something unknown")
            }
            return try await requests.answer(question)
        }
        let script = Script(
            source: source, language: language, mode: mode, staticGlobal: data.global, staticNode: data.node,
            continuesOnError: step.continuesOnError, helper: isAsking ? helper : nil)
        let isPerItem = mode == .eachItem || mode == .functionItem
        let result: ScriptResult
        do {
            result = try await step.services.scripts.run(script, tenant: step.tenant, scope: step.services.scope())
        } catch {
            guard step.continuesOnError else { throw failure(error, requests) }
            guard isPerItem, language != .pythonNative else { return [try step.failed(error, at: 0)] }
            return try step.items.indices.map { try step.failed(error, at: $0) }
        }
        for line in result.logs { step.services.log(line) }
        if result.staticGlobal != nil || result.staticNode != nil {
            step.services.setStaticData(global: result.staticGlobal, node: result.staticNode)
        }
        return try result.items.enumerated().map { try item($1, at: $0, isOneToOne: isPerItem && result.items.count == step.items.count) }
    }

    /// Says which request was refused, so that a retry asks anew under another key.
    private func failure(_ error: any Error, _ requests: ScriptRequests) -> StepFailure {
        var failure = StepFailure(wrapping: error, itemIndex: nil)
        guard let refused = requests.refused else { return failure }
        var details = failure.details?.object ?? [:]
        details["status"] = .number(Double(refused.status))
        details["request"] = .number(Double(refused.number))
        failure.details = .object(details)
        return failure
    }

    private func item(_ value: JSON, at index: Int, isOneToOne: Bool) throws -> Item {
        if let fault = value["fault"] {
            return try step.failed(ScriptError(fault: fault), at: value["pairedItem"]?["item"]?.integer ?? index)
        }
        guard case .object(let json)? = value["json"] else {
            throw StepFailure(
                "code_error", "The script returned an item whose 'json' is no object [item \(index)].", itemIndex: index, isRetryable: false)
        }
        var item = Item(json: json, binary: files(value["binary"]), pairedItem: PairedItem.list(value["pairedItem"]))
        if item.pairedItem == nil, isOneToOne { item.pairedItem = [PairedItem(item: index)] }
        return item
    }

    private func files(_ value: JSON?) -> [String: BinaryReference] {
        Dictionary(uniqueKeysWithValues: (value?.object ?? [:]).map { ($0.key, BinaryReference(script: $0.value)) })
    }
}

extension BinaryReference {
    /// A file of an input item goes on by its id; one made in the script comes inline as base64.
    init(script file: JSON) {
        let inline = file["data"]?.text ?? ""
        self.init(
            id: file["id"]?.text ?? "data:\(inline)", mimeType: file["mimeType"]?.text ?? "application/octet-stream",
            fileName: file["fileName"]?.text, fileExtension: file["fileExtension"]?.text,
            byteCount: file["bytes"]?.integer ?? file["byteCount"]?.integer ?? inline.utf8.count / 4 * 3)
    }
}

extension PairedItem {
    /// n8n's forms: a number, `{item, input?}`, or a list of them; nil where there is none.
    static func list(_ value: JSON?) -> [PairedItem]? {
        switch value {
        case .number?: value?.integer.map { [PairedItem(item: $0)] }
        case .object(let members)?: members["item"]?.integer.map { [PairedItem(item: $0, input: members["input"]?.integer ?? 0)] }
        case .array(let elements)?: elements.compactMap { list($0)?.first }
        default: nil
        }
    }
}
