internal import Kernel

/// Converts between Markdown and HTML.
struct MarkdownNode: NodeExecutor {
    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "markdown", category: .action, title: "Markdown", summary: "Converts between Markdown and HTML.", icon: "text",
                parameters: MarkdownParameters.all, n8nTypes: ["n8n-nodes-base.markdown"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let mode = try await step.text("mode", default: "htmlToMarkdown")
        return .items([
            try await step.eachItem { index, item in
                let options = try await step.value("options", item: index)?.object ?? [:]
                let result: String
                switch mode {
                case "htmlToMarkdown":
                    let document = try HtmlDocument(try await step.text("html", item: index))
                    var markdown = HtmlMarkdown(document, options: MarkdownParameters.writing(options))
                    result = markdown.text()
                case "markdownToHtml":
                    var page = MarkdownPage(options: MarkdownParameters.reading(options))
                    result = try page.html(of: try await step.text("markdown", item: index))
                default: throw StepFailure.invalid("mode", "The mode '\(mode)' is unknown.", item: index)
                }
                var item = item.paired(with: index)
                DotPath(try await step.text("destinationKey", item: index, default: "data")).set(.string(result), in: &item.json)
                return [item]
            }
        ])
    }
}
