internal import Kernel

/// Sets fields of each item: n8n's "Edit Fields" (3 and up) and its "Set" (1 and 2).
struct SetNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "set", version: 3.4, category: .action, title: "Edit fields", summary: "Sets, keeps or removes fields of each item.",
                icon: "pencil", parameters: SetParameters.all, n8nTypes: ["n8n-nodes-base.set"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if step.version < 3 {
            return .items([try await step.eachItem { [try await SetFields(step, $0).legacy($1)] }])
        }
        return .items([try await step.eachItem { [try await SetFields(step, $0).edited($1)] }])
    }
}

/// The work of a set node on one item.
struct SetFields: Sendable {
    private let step: StepContext
    private let index: Int

    init(_ step: StepContext, _ index: Int) {
        self.step = step
        self.index = index
    }

    /// Versions 1 and 2: `values.{string,number,boolean}[]`, `keepOnlySet`.
    func legacy(_ item: Item) async throws -> Item {
        let keepsOnlySet = try await step.flag("keepOnlySet", item: index)
        let dotNotation = try await self.dotNotation()
        var out = Item(json: keepsOnlySet ? [:] : item.json, binary: keepsOnlySet ? [:] : item.binary)
        let values = try await step.value("values", item: index)
        for type in ["boolean", "number", "string"] {
            for entry in values?[type]?.array ?? [] {
                let name = entry["name"]?.displayText ?? "propertyName"
                let fallback: JSON = type == "boolean" ? false : type == "number" ? 0 : ""
                let unwritten: JSON? = isWritten(entry, type: type, name: name) ? nil : fallback
                guard let value = entry["value"] ?? unwritten else { continue }
                DotPath(name, dotNotation: dotNotation).set(value, in: &out.json)
            }
        }
        return out
    }

    /// A value that is written but evaluates to undefined sets nothing.
    private func isWritten(_ entry: JSON, type: String, name: String) -> Bool {
        step.rawParameter("values.\(type)")?.array?.contains { $0["name"]?.displayText == name && $0["value"] != nil } ?? false
    }

    /// Versions 3 and up.
    func edited(_ item: Item) async throws -> Item {
        let mode = try await step.text("mode", item: index, default: "manual")
        let made = mode == "raw" ? Made(fields: try await raw().map { ($0.key, $0.value) }) : try await assigned(item)
        let dotNotation = try await self.dotNotation()
        var out = Item(json: try await kept(of: item.json, dotNotation: dotNotation))
        if try await keepsBinary() { out.binary = item.binary }
        out.binary.merge(made.files) { $1 }
        for (name, value) in made.fields {
            DotPath(name, dotNotation: dotNotation).set(value, in: &out.json)
        }
        return out
    }

    private func dotNotation() async throws -> Bool {
        try await step.parameter("options.dotNotation", item: index)?.isTruthy ?? true
    }

    private func include() async throws -> String {
        if step.version >= 3.3 {
            guard try await step.flag("includeOtherFields", item: index) else { return "none" }
        }
        return try await step.text("include", item: index, default: "all")
    }

    private func kept(of json: JSONObject, dotNotation: Bool) async throws -> JSONObject {
        switch try await include() {
        case "none": return [:]
        case "selected":
            var kept = JSONObject()
            for name in try await step.names("includeFields", item: index) {
                let path = DotPath(name, dotNotation: dotNotation)
                // Under the last part of its path.
                if let value = path.value(in: json) { DotPath(path.keys.last ?? name, dotNotation: false).set(value, in: &kept) }
            }
            return kept
        case "except":
            var kept = json
            for name in try await step.names("excludeFields", item: index) { DotPath(name, dotNotation: dotNotation).remove(from: &kept) }
            return kept
        default: return json
        }
    }

    private func keepsBinary() async throws -> Bool {
        // An option that was never added is off, whatever it begins with once it is.
        func isOn(_ option: String) async throws -> Bool {
            guard step.rawOption(option) != nil else { return false }
            return try await step.parameter("options.\(option)", item: index)?.isTruthy ?? false
        }
        if step.version < 3.4 { return try await isOn("includeBinary") }
        guard try await !isOn("stripBinary") else { return false }
        return try await include() != "none"
    }

    /// A JSON object written as text; each `{{ }}` that gives an object stands in it as JSON.
    private func raw() async throws -> JSONObject {
        let written = step.rawParameter("jsonOutput")
        if case .string(let text)? = written, text.hasPrefix("=") {
            let resolved = try await TemplateText(String(text.drop { $0 == "=" })).resolved(step, item: index)
            return try object(resolved)
        }
        return try object(try await step.value("jsonOutput", item: index) ?? [:])
    }

    private func object(_ value: JSON) throws -> JSONObject {
        if case .object(let members) = value { return members }
        let read: JSON? = value.text.map { LooseJSON.parse($0) } ?? value
        guard let read else {
            throw StepFailure.invalid("jsonOutput", "The 'JSON Output' in item \(index) contains invalid JSON", item: index)
        }
        guard case .object(let members) = read else {
            throw StepFailure.invalid("jsonOutput", "The 'JSON Output' in item \(index) does not contain a valid JSON object", item: index)
        }
        return members
    }

    /// What an item gets.
    private struct Made {
        var fields: [(String, JSON)] = []
        var files: [String: BinaryReference] = [:]
    }

    private func assigned(_ item: Item) async throws -> Made {
        let ignoresErrors = try await step.parameter("options.ignoreConversionErrors", item: index)?.isTruthy ?? false
        var made = Made()
        if step.version >= 3.3 {
            for entry in try await step.value("assignments.assignments", item: index)?.array ?? [] {
                let name = entry["name"]?.displayText ?? ""
                let type = entry["type"]?.text ?? "string"
                if type == "binary" {
                    made.files[name] = try file(entry["value"], of: item, for: name)
                } else {
                    made.fields.append((name, try typed(name, type, entry["value"], ignoresErrors)))
                }
            }
            return made
        }
        let written = step.rawParameter("fields.values")?.array ?? []
        for (place, entry) in (try await step.value("fields.values", item: index)?.array ?? []).enumerated() {
            let name = entry["name"]?.displayText ?? ""
            let type = entry["type"]?.text ?? "stringValue"
            // One that is written and not there evaluated to undefined.
            let isWritten = written.indices.contains(place) && written[place][type] != nil
            let value: JSON? = entry[type] ?? (isWritten ? JSON?.none : SetParameters.typedDefault(type))
            made.fields.append((name, try typed(name, String(type.dropLast("Value".count)), value, ignoresErrors)))
        }
        return made
    }

    /// A file of the item, by its name or as expressions see it.
    private func file(_ value: JSON?, of item: Item, for name: String) throws -> BinaryReference {
        if let known = value?.text, let file = item.binary[known] { return file }
        if let id = value?["id"]?.text, let file = item.binary.values.first(where: { $0.id == id }) { return file }
        throw StepFailure.invalid(name, "Could not find binary data specified in field \(name)", item: index)
    }

    private func typed(_ name: String, _ type: String, _ value: JSON?, _ ignoresErrors: Bool) throws -> JSON {
        guard let value, value != .null else { return try nothing(name, type, value == nil ? "undefined" : "null", ignoresErrors) }
        if let converted = TypeConversion.convert(value, to: type, timeZone: step.timeZone) { return converted }
        if ignoresErrors { return value }
        throw unfit(name, type, String(value.displayText.prefix(200)))
    }

    /// As a text it was a word in version 3, and is refused in 3.1.
    private func nothing(_ name: String, _ type: String, _ word: String, _ ignoresErrors: Bool) throws -> JSON {
        guard type == "string", step.version < 3.2 else { return .null }
        if step.version == 3 { return .string(word) }
        if ignoresErrors { return .null }
        throw unfit(name, type, word)
    }

    private func unfit(_ name: String, _ type: String, _ value: String) -> StepFailure {
        .invalid(name, "'\(name)' expects \(TypeConversion.article(type)) but we got '\(value)' [item \(index)]", item: index)
    }
}
