internal import HTTPSurface
internal import Kernel

/// The canvas on which a workflow is built; without scripts it shows the draft.
struct EditorPage {
    let workflows: Workflows
    let context: PageContext

    /// The prefix of the texts that the editor's scripts use.
    private static let strings = "workflows.editor."

    /// In place of a template: an empty draft with the guide to a first workflow beside it.
    static let guide = "guide"

    var endpoints: [Endpoint] {
        [
            .page(.get, "/workflows/{id}/editor", access: .tenant(.workflowsRead), summary: "Editor") { call in
                let id: WorkflowID = try call.id("id", noun: "workflow")
                let (workflow, draft) = try await workflows.workflow(id, by: call.principal)
                return try await page(call, workflow, draft)
            },
            .page(.post, "/workflows/drafts", access: .tenant(.workflowsWrite), summary: "New workflow") { call in
                let name = try call.form()["template"]
                if name == Self.guide {
                    let first = WorkflowDocument(name: call.localizer("workflows.guide.name"))
                    let made = try await workflows.create(first, by: call.principal)
                    return .redirect("/workflows/\(made.id)/editor?guide")
                }
                let document = try EditorTemplates.document(named: name) ?? WorkflowDocument(name: call.localizer("workflows.new.name"))
                let made = try await workflows.create(document, by: call.principal)
                return .redirect("/workflows/\(made.id)/editor")
            }
        ]
    }

    private func page(_ call: EndpointCall, _ workflow: Workflow, _ draft: WorkflowDocument) async throws -> Answer {
        let text = call.localizer
        // One a line, since in a page each quote of JSON takes six bytes.
        let strings = text.strings(withPrefix: Self.strings).sorted { $0.key < $1.key }
            .map { "\($0.key.dropFirst(Self.strings.count))=\($0.value)" }.joined(separator: "\n")
        let preview = WorkflowPreview(document: draft).svg(label: text("workflows.preview", ["name": workflow.name]))
        let hooks = try await context.hooks(call.tenant)
        let names: [HTML] = draft.nodes.map { "<li>\($0.name)</li>" }
        return try await context.fullPage(
            call, title: workflow.name, current: "/workflows", styles: ["styles/editor.css"], scripts: ["editor/main.js"],
            """
            <workflow-editor data-workflow="\(workflow.id.description)" data-name="\(workflow.name)" data-strings="\(strings)" \
            data-hooks="\(hooks)" data-published="\(workflow.publishedVersion.map(String.init) ?? "")"\
            \("data-may-write", if: call.principal.may(.workflowsWrite))\("data-may-run", if: call.principal.may(.executionsWrite))\
            \("data-may-read-runs", if: call.principal.may(.executionsRead))\("data-may-publish", if: call.principal.may(.workflowsPublish))\
            \("data-may-comment", if: call.principal.may(.commentsWrite))\
            \("data-may-read-credentials", if: call.principal.may(.credentialsRead))\("data-may-write-credentials", if: call.principal.may(.credentialsWrite))>
            <h1>\(workflow.name)</h1><noscript><p class="notice warn">\(text("workflows.editor_needs_scripts"))</p></noscript>
            \(preview)<ul class="visually-hidden">\(names)</ul></workflow-editor>
            """)
    }
}
