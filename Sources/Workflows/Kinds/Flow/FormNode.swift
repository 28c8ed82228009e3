internal import Kernel

/// A further page of a form, or its end.
struct FormNode: NodeExecutor {
    static var kinds: [NodeKind] {
        let page: Parameter.ShowWhen = ["operation": ["page"]]
        let end: Parameter.ShowWhen = ["operation": ["completion"]]
        func ends(_ ways: [JSONText]) -> Parameter.ShowWhen { end.merging(["respondWith": ways]) { $1 } }
        return [
            NodeKind(
                kind: "form", version: 1, category: .action, title: "Form page", summary: "Asks on a further page of a form, or ends it.",
                icon: "form",
                parameters: [
                    Parameter(
                        "operation", .options, "Page", default: "page", options: [.init("page", "Next page"), .init("completion", "End of the form")]),
                    Parameter(
                        "defineForm", .options, "Define the form", default: "fields",
                        options: [.init("fields", "By fields"), .init("json", "By JSON")],
                        showWhen: page),
                    Parameter("jsonOutput", .json, "Fields as JSON", showWhen: page.merging(["defineForm": ["json"]]) { $1 }),
                    FormParameters.fields.shown(when: page),
                    Parameter(
                        "respondWith", .options, "At the end", default: "text",
                        options: [
                            .init("text", "A page"), .init("redirect", "Another address"), .init("showText", "A text"),
                            .init("returnBinary", "A file")
                        ], showWhen: end),
                    Parameter("redirectUrl", .string, "URL", default: "", required: true, showWhen: ends(["redirect"])),
                    Parameter("completionTitle", .string, "Title", default: "", required: true, showWhen: ends(["text", "returnBinary"])),
                    Parameter("completionMessage", .text, "Message", default: "", showWhen: ends(["text", "returnBinary"])),
                    Parameter("responseText", .text, "Text", default: "", showWhen: ends(["showText"])),
                    Parameter("inputDataFieldName", .string, "File field", default: "data", showWhen: ends(["returnBinary"]))
                ] + FormParameters.limits(when: page) + [
                    Parameter(
                        "options", .collection, "Options", default: .init([:]),
                        fields: [
                            Parameter("formTitle", .string, "Title"), Parameter("formDescription", .text, "Description"),
                            Parameter("buttonLabel", .string, "Button", default: "Submit")
                        ])
                ], n8nTypes: ["n8n-nodes-base.form"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if try await step.text("operation", default: "page") == "completion" {
            step.services.setState(["completion": try await end(step)])
            return .items([step.items])
        }
        switch step.resume {
        case .answered(let given)?: return .items([given])
        case .timer?: return .items([step.items])
        default:
            step.services.setState(["page": try await FormNode.page(step, title: "options.formTitle", description: "options.formDescription")])
            return .wait(until: try await step.waitLimit())
        }
    }

    /// What the page shows, with every expression evaluated now: nobody evaluates any when it is looked at.
    static func page(_ step: StepContext, title: String, description: String) async throws -> JSON {
        var config = JSONObject()
        config["defineForm"] = .string(try await step.text("defineForm", default: "fields"))
        config["jsonOutput"] = try await step.parameter("jsonOutput")
        config["formFields"] = ["values": try await step.parameter("formFields.values") ?? []]
        return [
            "kind": "form", "title": .string(try await step.text(title, default: "")),
            "description": .string(try await step.text(description, default: "")),
            "button": .string(try await step.rawOption("buttonLabel") == nil ? "" : step.text("options.buttonLabel")),
            "fields": FormDefinition.fields(of: config), "version": .number(step.version)
        ]
    }

    private func end(_ step: StepContext) async throws -> JSON {
        let way = try await step.text("respondWith", default: "text")
        switch way {
        case "redirect": return ["respondWith": "redirect", "url": .string(try await step.text("redirectUrl"))]
        case "showText": return ["respondWith": "showText", "text": .string(try await step.text("responseText", default: ""))]
        default:
            var page: JSONObject = [
                "respondWith": .string(way), "title": .string(try await step.text("completionTitle", default: "")),
                "message": .string(try await step.text("completionMessage", default: ""))
            ]
            if way == "returnBinary" {
                let name = try await step.text("inputDataFieldName", default: "data")
                guard let first = step.items.first(where: { $0.binary[name] != nil }) ?? step.items.first else { return .object(page) }
                _ = try step.attachment(name, of: first, at: 0)
                page["file"] = .string(name)
            }
            return .object(page)
        }
    }
}
