internal import Kernel
internal import Scripting

/// Renames fields of each item, by name or by pattern.
struct RenameKeys: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "rename_keys", category: .action, title: "Rename keys", summary: "Renames fields of each item.", icon: "pencil",
                parameters: [
                    Parameter(
                        "keys", .collection, "Fields", default: .init([:]),
                        fields: [
                            Parameter(
                                "key", .list, "Fields",
                                fields: [Parameter("currentKey", .string, "Name", default: ""), Parameter("newKey", .string, "New name", default: "")]
                            )
                        ]),
                    Parameter(
                        "additionalOptions", .collection, "Options", default: .init([:]),
                        fields: [
                            Parameter(
                                "regexReplacement", .collection, "Regular expressions", default: .init([:]),
                                fields: [Parameter("replacements", .list, "Regular expressions", fields: RenameKeys.patternFields)])
                        ])
                ], n8nTypes: ["n8n-nodes-base.renameKeys"])
        ]
    }

    private static var patternFields: [Parameter] {
        [
            Parameter("searchRegex", .string, "Pattern", default: ""), Parameter("replaceRegex", .string, "Replacement", default: ""),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter("caseInsensitive", .boolean, "Ignore case", default: false), Parameter("depth", .number, "Levels", default: -1)
                ])
        ]
    }

    /// A renamed field goes to the end, as a new member does.
    func run(_ step: StepContext) async throws -> StepOutcome {
        .items([
            try await step.eachItem { index, item in
                var item = item.paired(with: index)
                let original = item.json
                for entry in try await step.value("keys.key", item: index)?.array ?? [] {
                    guard let old = entry["currentKey"]?.text, let new = entry["newKey"]?.text, !old.isEmpty, !new.isEmpty, old != new else {
                        continue
                    }
                    let path = DotPath(old)
                    guard let value = path.value(in: original) else { continue }
                    DotPath(new).set(value, in: &item.json)
                    path.remove(from: &item.json)
                }
                for entry in try await step.parameter("additionalOptions.regexReplacement.replacements", item: index)?.array ?? [] {
                    let renaming = KeyRenaming(entry, step: step, item: index)
                    if case .object(let json) = try await renaming.renamed(.object(item.json)) { item.json = json }
                }
                return [item]
            }
        ])
    }
}

/// Renames the members whose names match a pattern, on so many levels.
struct KeyRenaming: Sendable {
    private let pattern: String
    private let replacement: String
    private let ignoresCase: Bool
    /// Levels below the first; negative is all.
    private let depth: Int
    private let step: StepContext
    private let item: Int

    init(_ entry: JSON, step: StepContext, item: Int) {
        pattern = entry["searchRegex"]?.displayText ?? ""
        replacement = entry["replaceRegex"]?.displayText ?? ""
        ignoresCase = entry["options"]?["caseInsensitive"]?.isTruthy ?? false
        depth = entry["options"]?["depth"]?.integer ?? -1
        self.step = step
        self.item = item
    }

    func renamed(_ value: JSON) async throws -> JSON {
        var names: Set<String> = []
        collect(value, depth, &names)
        let renamings = try await renamings(names.sorted())
        return renamed(value, depth, renamings)
    }

    private func collect(_ value: JSON, _ depth: Int, _ names: inout Set<String>) {
        switch value {
        case .object(let members):
            names.formUnion(members.keys)
            if depth != 0 { for (_, member) in members { collect(member, depth - 1, &names) } }
        case .array(let elements): if depth != 0 { for element in elements { collect(element, depth - 1, &names) } }
        default: break
        }
    }

    /// New names by old ones, by ECMAScript's regular expressions, which run in the sandbox.
    private func renamings(_ names: [String]) async throws -> [String: String] {
        let texts = JSON.array(names.map { .string($0) }).serialized
        let flags = ignoresCase ? "i" : ""
        let source =
            "\(texts).map((name) => name.replace(new RegExp(\(JSON.string(pattern).serialized), '\(flags)'), \(JSON.string(replacement).serialized)))"
        let block = ScriptBlock(source: source, itemIndex: item)
        let results = try await step.services.scripts.evaluate([block], tenant: step.tenant, scope: step.services.scope())
        guard let renamed = try results.first?.get().json.array, renamed.count == names.count else {
            throw StepFailure.invalid("additionalOptions", "The pattern '\(pattern)' could not be used.", item: item)
        }
        return Dictionary(uniqueKeysWithValues: zip(names, renamed.map(\.displayText)))
    }

    private func renamed(_ value: JSON, _ depth: Int, _ renamings: [String: String]) -> JSON {
        switch value {
        case .object(let members):
            var out = members
            for (name, member) in members {
                let inner = depth == 0 ? member : renamed(member, depth - 1, renamings)
                out[name] = inner
                guard let new = renamings[name], new != name else { continue }
                out[name] = nil
                out[new] = inner
            }
            return .object(out)
        case .array(let elements): return depth == 0 ? value : .array(elements.map { renamed($0, depth - 1, renamings) })
        default: return value
        }
    }
}
