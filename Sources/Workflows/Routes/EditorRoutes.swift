internal import HTTPSurface
internal import Kernel
internal import Notifications

struct ConversionBody: Codable, Sendable, Described {
    var format: String
    var document: JSON
    static let notes: [FieldNote] = [
        FieldNote("format", "n8n.", example: "n8n", length: 1...20), FieldNote("document", "A whole workflow, or nodes with their connections.")
    ]
}

struct ConversionView: Codable, Sendable {
    var document: JSON
    var report: JSON
}

struct VersionDetail: Codable, Sendable {
    var number: Int
    var document: JSON
}

struct CredentialTypeView: Codable, Sendable {
    struct Field: Codable, Sendable {
        var name: String
        var label: String
        var kind: String
        var secret: Bool
        var required: Bool
        var defaultValue: String?
    }
    var type: String
    var title: String
    var fields: [Field]

    init(_ declared: CredentialType) {
        type = declared.type
        title = declared.title
        fields = declared.fields.map {
            Field(
                name: $0.name, label: $0.label, kind: $0.kind.rawValue, secret: $0.isSecret, required: $0.isRequired,
                defaultValue: $0.defaultValue)
        }
    }
}

/// A kind of node without its parameters, for lists of kinds and for ports.
struct NodeKindSummary: Codable, Sendable {
    var kind: String
    var version: Double
    var category: WorkflowCategory
    var title: String
    var summary: String
    var icon: String
    var inputs: JSON
    var outputs: JSON
    var outputRules: JSON
    var credentials: [String]

    init(_ declared: NodeKind) throws {
        kind = declared.kind
        version = declared.version
        category = declared.category
        title = declared.title
        summary = declared.summary
        icon = declared.icon
        inputs = try Wire.encode(declared.inputs)
        outputs = try Wire.encode(declared.outputs)
        outputRules = try Wire.encode(declared.outputRules)
        credentials = declared.credentials
    }
}

/// Texts to be shown, such as notes.
struct MarkdownBody: Codable, Sendable, Described {
    var texts: [String]
    static let notes: [FieldNote] = [FieldNote("texts", "Each in Markdown, of at most 20,000 characters.", items: 0...100)]
    static let lengthMaximum = 20_000
}

struct MarkdownView: Codable, Sendable, Described {
    var html: [String]
    static let notes: [FieldNote] = [FieldNote("html", "In the order of the texts.")]
}

/// What the editor asks beside the workflow itself.
struct EditorRoutes {
    let workflows: Workflows
    let live: LiveEvents

    static func topic(_ id: WorkflowID) -> String { "workflow:\(id)" }

    /// What a draft's watchers hear: that it was saved, where somebody is in it, or that somebody wrote a comment.
    static func name(of payload: JSON) -> String {
        if payload["presence"] != nil { return "presence" }
        return payload["comments"] == nil ? "draft" : "comments"
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/workflow-conversions", access: .tenant("workflows.write"), summary: "Read nodes of another system", tag: "Editor",
                body: ConversionBody.self, returns: .ok(ConversionView.self),
                errors: [ErrorDeclaration(.invalid, "invalid_import", "Every fault of the document.")]
            ) { call, body in
                guard body.format == "n8n" else { throw Refusal.invalid("format", "unknown_format", "format is n8n.") }
                let made = try await workflows.convertN8n(body.document, by: call.principal)
                return ConversionView(document: made.document.json, report: made.report.json)
            }.limitingBody(to: WorkflowRoutes.documentBytes),
            Endpoint(
                .get, "/v1/workflows/{id}/versions/{number}", access: .tenant("workflows.read"), summary: "Show a published version",
                tag: WorkflowRoutes.tag, returns: .ok(VersionDetail.self)
            ) { call in
                guard let number = Int(try call.parameter("number")), number > 0 else { throw Refusal.missing("version") }
                let document = try await workflows.document(of: try call.id("id", noun: "workflow"), version: number, by: call.principal)
                return VersionDetail(number: number, document: document.json)
            },
            Endpoint(
                .put, "/v1/workflows/{id}/versions/{number}/label", access: .tenant("workflows.publish"),
                summary: "Name a published version and say what it is", tag: WorkflowRoutes.tag, body: PublicationBody.self,
                returns: .ok(VersionView.self)
            ) { call, body in
                guard let number = Int(try call.parameter("number")), number > 0 else { throw Refusal.missing("version") }
                let id: WorkflowID = try call.id("id", noun: "workflow")
                return VersionView(
                    try await workflows.label(id, version: number, name: body.named, note: body.note, by: call.principal))
            },
            Endpoint(
                .post, "/v1/markdown", access: .tenant("workflows.read"), summary: "Write Markdown as HTML",
                description: "CommonMark. The HTML holds no tag that a text brings along, and loads nothing.", tag: "Editor",
                body: MarkdownBody.self, returns: .ok(MarkdownView.self)
            ) { _, body in
                guard body.texts.allSatisfy({ $0.unicodeScalars.count <= MarkdownBody.lengthMaximum }) else {
                    throw Refusal.invalid("texts", "text_too_long", "A text has at most \(MarkdownBody.lengthMaximum) characters.")
                }
                return MarkdownView(html: body.texts.map { MarkdownText($0).html.text })
            },
            Endpoint.list(
                "/v1/credential-types", access: .public("The catalogue is the same for everybody."), summary: "List the types of credentials",
                tag: "Credentials", of: CredentialTypeView.self
            ) { _, _ in Page(data: CredentialType.builtIn.map(CredentialTypeView.init), nextCursor: nil) }.packed(),
            Endpoint.list(
                "/v1/node-kind-summaries", access: .public("The catalogue is the same for everybody."),
                summary: "List the kinds of nodes without their parameters", tag: "Editor", of: NodeKindSummary.self
            ) { _, _ in Page(data: try workflows.kinds.kinds.map(NodeKindSummary.init), nextCursor: nil) }.packed(),
            Endpoint(
                .get, "/v1/node-kinds/{kind}", access: .public("The catalogue is the same for everybody."),
                summary: "Show a kind of node", tag: WorkflowRoutes.tag, returns: .ok(JSON.self)
            ) { call in
                guard let kind = workflows.kinds.kind(try call.parameter("kind")) else { throw Refusal.missing("kind") }
                return try Wire.encode(kind)
            }.packed(),
            Endpoint.events(
                "/v1/workflows/{id}/events", access: .tenant("workflows.read"), summary: "Watch a draft", tag: "Editor"
            ) { call in
                let id: WorkflowID = try call.id("id", noun: "workflow")
                _ = try await workflows.workflow(id, by: call.principal)
                return live.events(call.tenant, Self.topic(id), resuming: call.lastEventID).map { event in
                    // What passes leaves the place at which a reader resumes.
                    ServerEvent(id: live.mark(of: event), name: Self.name(of: event.payload), data: event.payload.serialized)
                }
            }
        ]
    }
}
