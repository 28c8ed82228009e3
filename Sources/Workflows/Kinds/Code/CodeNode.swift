internal import Kernel
internal import Scripting

/// Runs JavaScript over all items, or over each, in the sandbox.
struct CodeNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "code", version: 2, category: .action, title: "Code", summary: "Runs JavaScript over the items.", icon: "code",
                parameters: [
                    Parameter(
                        "mode", .options, "Mode", default: "runOnceForAllItems",
                        options: [.init("runOnceForAllItems", "Once for all items"), .init("runOnceForEachItem", "Once for each item")]),
                    Parameter(
                        "language", .options, "Language", default: "javaScript", options: [.init("javaScript", "JavaScript")],
                        showWhen: ["@version": [">=2"]]),
                    Parameter("jsCode", .code, "JavaScript", default: "", required: true, showWhen: ["language": ["javaScript"]]),
                    Parameter("notice", .notice, "", default: "")
                ], n8nTypes: ["n8n-nodes-base.code"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let language = try await step.text("language", default: "javaScript")
        guard language == "javaScript" else {
            throw StepFailure.invalid("language", "The language '\(language)' is not supported; use JavaScript.")
        }
        let source = step.rawParameter("jsCode")?.text ?? step.kind.rawParameter("jsCode", of: step.node)?.text ?? ""
        let isEach = step.node.config["mode"] == "runOnceForEachItem"
        let defaultSource =
            isEach
            ? "$input.item.json.myNewField = 1;\nreturn $input.item;"
            : "for (const item of $input.all()) { item.json.myNewField = 1; }\nreturn $input.all();"
        return .items([try await ScriptStep(step).items(of: source.isEmpty ? defaultSource : source, mode: isEach ? .eachItem : .allItems)])
    }
}

/// Runs a node's script and takes over what it gives: items, log lines, static data.
struct ScriptStep: Sendable {
    private let step: StepContext

    init(_ step: StepContext) { self.step = step }

    /// - Throws: `code_error`; where the node continues on errors the failure becomes one `{error}` item.
    func items(of source: String, mode: Script.Mode) async throws -> [Item] {
        let data = step.services.staticData()
        let script = Script(source: source, mode: mode, staticGlobal: data.global, staticNode: data.node)
        let result: ScriptResult
        do {
            result = try await step.services.scripts.run(script, tenant: step.tenant, scope: step.services.scope())
        } catch {
            guard step.continuesOnError else { throw StepFailure(wrapping: error, itemIndex: nil) }
            return [try step.failed(error, at: 0)]
        }
        for line in result.logs { step.services.log(line) }
        if result.staticGlobal != nil || result.staticNode != nil {
            step.services.setStaticData(global: result.staticGlobal, node: result.staticNode)
        }
        let isPerItem = mode == .eachItem || mode == .functionItem
        return try result.items.enumerated().map { try item($1, at: $0, isOneToOne: isPerItem && result.items.count == step.items.count) }
    }

    private func item(_ value: JSON, at index: Int, isOneToOne: Bool) throws -> Item {
        guard case .object(let json)? = value["json"] else {
            throw StepFailure(
                "code_error", "The script returned an item whose 'json' is no object [item \(index)].", itemIndex: index, isRetryable: false)
        }
        var item = Item(json: json, binary: files(value["binary"]), pairedItem: PairedItem.list(value["pairedItem"]))
        if item.pairedItem == nil, isOneToOne { item.pairedItem = [PairedItem(item: index)] }
        return item
    }

    /// A file of an input item goes on by its id; one made in the script comes inline as base64.
    private func files(_ value: JSON?) -> [String: BinaryReference] {
        var files: [String: BinaryReference] = [:]
        for (name, file) in value?.object ?? [:] {
            let inline = file["data"]?.text ?? ""
            let id = file["id"]?.text ?? "data:\(inline)"
            let count = file["bytes"]?.integer ?? file["byteCount"]?.integer ?? inline.utf8.count / 4 * 3
            files[name] = BinaryReference(
                id: id, mimeType: file["mimeType"]?.text ?? "application/octet-stream", fileName: file["fileName"]?.text,
                fileExtension: file["fileExtension"]?.text, byteCount: count)
        }
        return files
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
