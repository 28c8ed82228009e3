internal import Kernel
internal import Scripting

/// Changes images, makes them, and tells what they are.
struct EditImage: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "edit_image", category: .action, title: "Edit image",
                summary: "Resizes, crops, rotates, draws on and puts together images, and tells their size and format.", icon: "image",
                parameters: [
                    Parameter(
                        "operation", .options, "Operation", default: "border",
                        options: ImageParameters.operations + [.init("information", "Get information"), .init("multiStep", "Several steps")]),
                    Parameter("dataPropertyName", .string, "File field", help: "The field of the image; the new one goes there.", default: "data"),
                    Parameter(
                        "operations", .collection, "Steps", default: .init([:]),
                        fields: [
                            Parameter(
                                "operations", .list, "Steps",
                                fields: [Parameter("operation", .options, "Operation", default: "", options: ImageParameters.operations)]
                                    + ImageParameters.fields + [ImageParameters.font])
                        ], showWhen: ["operation": ["multiStep"]])
                ] + ImageParameters.fields + [ImageParameters.options], effect: .repeatable, n8nTypes: ["n8n-nodes-base.editImage"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        .items([
            try await step.eachItem { index, item in
                let operation = try await step.text("operation", item: index, default: "border")
                let name = try await step.text("dataPropertyName", item: index, default: "data")
                if operation == "information" { return [try await information(step, item, name, index)] }
                return [try await edited(step, item, name, index, operation)]
            }
        ])
    }

    /// The facts take the place of the item's JSON, as in n8n; the file stays as it is.
    private func information(_ step: StepContext, _ item: Item, _ name: String, _ index: Int) async throws -> Item {
        let bytes = try await step.bytes(name, of: item, at: index)
        let answer = try await step.convert(FileConversion(.describeImage, files: [.init(bytes: bytes)]), item: index)
        return Item(json: answer.facts["facts"]?.object ?? [:], binary: item.binary)
    }

    private func edited(_ step: StepContext, _ item: Item, _ name: String, _ index: Int, _ operation: String) async throws -> Item {
        var steps = operation == "multiStep" ? try await listed(step, index) : [try await single(step, operation, index)]
        guard let first = steps.first else { throw StepFailure.invalid("operations", "Add at least one step.", item: index) }
        var files: [FileConversion.File] = []
        if first["operation"] != "create" { files.append(.init(bytes: try await step.bytes(name, of: item, at: index))) }
        for place in steps.indices where steps[place]["operation"] == "composite" {
            let field = steps[place]["dataPropertyNameComposite"]?.text ?? ""
            steps[place]["file"] = .number(Double(files.count))
            files.append(.init(bytes: try await step.bytes(field, of: item, at: index)))
        }
        var settings: JSONObject = ["steps": .array(steps.map { .object($0) })]
        let format = try await option("format", step, index)?.displayText
        settings["format"] = format.map { .string($0) }
        if try await option("quality", step, index) != nil {
            settings["quality"] = .number((try await step.number("options.quality", item: index) ?? 100).rounded())
        }
        let answer = try await step.convert(FileConversion(.editImage, settings: settings, files: files), item: index)
        let made = answer.facts["format"]?.text ?? "png"
        let fileName = try await self.fileName(step, item.binary[name]?.fileName, format: format, index)
        var file = try await step.store(answer.files.first?.bytes ?? [], name: fileName, type: "image/\(made)")
        file.fileExtension = made
        return Item(json: item.json, binary: item.binary.merging([name: file]) { $1 })
    }

    /// The one asked for; else the image's, with the ending of a format that was asked for.
    private func fileName(_ step: StepContext, _ given: String?, format: String?, _ index: Int) async throws -> String? {
        if let asked = try await option("fileName", step, index)?.displayText, !asked.isEmpty { return asked }
        guard let format, let given, let dot = given.lastIndex(of: ".") else { return given }
        return "\(given[..<dot]).\(format)"
    }

    /// nil where the option was not added: its default is what the form begins with.
    private func option(_ name: String, _ step: StepContext, _ index: Int) async throws -> JSON? {
        step.rawOption(name) == nil ? nil : try await step.parameter("options.\(name)", item: index)
    }

    private func listed(_ step: StepContext, _ index: Int) async throws -> [JSONObject] {
        var steps: [JSONObject] = []
        for entry in try await step.value("operations.operations", item: index)?.array ?? [] {
            steps.append(try numbered(entry.object ?? [:], index))
        }
        return steps
    }

    private func single(_ step: StepContext, _ operation: String, _ index: Int) async throws -> JSONObject {
        var members: JSONObject = ["operation": .string(operation)]
        for field in ImageParameters.fields where field.showWhen["operation"] == [.init(.string(operation))] {
            if let value = try await step.value(field.name, item: index) { members[field.name] = value }
        }
        if operation == "text" { members["font"] = try await option("font", step, index) }
        return try numbered(members, index)
    }

    /// Numbers that expressions gave as text become numbers.
    private func numbered(_ members: JSONObject, _ index: Int) throws -> JSONObject {
        var members = members
        let operation = JSONText(members["operation"] ?? "")
        for field in ImageParameters.fields where field.kind == .number && field.showWhen["operation"] == [operation] {
            guard let value = members[field.name] else { continue }
            let number = value.coercedNumber
            guard !number.isNaN, !value.isNull, value != "" else {
                throw StepFailure.invalid(field.name, "'\(field.name)' must be a number, not '\(value.displayText)'.", item: index)
            }
            members[field.name] = .number(number)
        }
        return members
    }
}
