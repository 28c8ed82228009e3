internal import Kernel

/// Fills values into an HTML text: the template operation of n8n's HTML node.
struct HtmlTemplate: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "html", version: 1.2, category: .action, title: "HTML", summary: "Fills values into an HTML text.", icon: "code",
                parameters: [
                    Parameter(
                        "operation", .options, "Operation", default: "generateHtmlTemplate",
                        options: [.init("generateHtmlTemplate", "Fill a template")]),
                    Parameter("html", .code, "HTML", help: "{{ }} holds expressions.", default: "", required: true),
                ], n8nTypes: ["n8n-nodes-base.html"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let operation = try await step.text("operation", default: "generateHtmlTemplate")
        guard operation == "generateHtmlTemplate" else {
            throw StepFailure.invalid("operation", "The operation '\(operation)' of the HTML node is not supported.")
        }
        let template = TemplateText(String((step.rawParameter("html")?.text ?? "").drop { $0 == "=" }))
        return .items([
            try await step.eachItem { index, _ in
                let html = try await template.resolved(step, item: index)
                return [Item(json: ["html": .string(html.displayText)])]
            }
        ])
    }
}
