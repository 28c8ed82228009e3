internal import HTTPSurface
internal import Kernel
internal import Notifications

struct WorkflowView: Codable, Sendable {
    var id: WorkflowID
    var name: String
    var status: String
    var draftRevision: Int
    var publishedVersion: Int?
    var createdAt: Timestamp
    var updatedAt: Timestamp
    /// Where it lies, in lists.
    var folderID: FolderID?
    /// What it is marked with, in lists.
    var tagIds: [LabelID]?

    init(_ workflow: Workflow, in arrangement: Arrangement) {
        self.init(workflow)
        folderID = arrangement.places[workflow.id]
        tagIds = arrangement.tags(of: workflow.id).map(\.id)
    }

    init(_ workflow: Workflow) {
        id = workflow.id
        name = workflow.name
        status = workflow.status.rawValue
        draftRevision = workflow.draftRevision
        publishedVersion = workflow.publishedVersion
        createdAt = workflow.createdAt
        updatedAt = workflow.updatedAt
    }
}

struct WorkflowListQuery: Codable, Sendable, Described {
    var q: String?
    var folderID: String?
    var tagID: LabelID?
    var state: String?
    var order: String?

    static let notes: [FieldNote] = [
        FieldNote("q", "Words of the name.", length: 0...100),
        FieldNote("folderID", "A folder, with those within it; none for those in no folder.", length: 1...36),
        FieldNote("tagID", "A tag."),
        FieldNote("state", "active (all that are not archived, the standard), published, draft or archived.", length: 1...20),
        FieldNote("order", "newest (the standard), name or changed.", length: 1...20)
    ]

    var search: WorkflowSearch {
        get throws {
            guard let state = WorkflowSearch.State(rawValue: state ?? "active") else {
                throw Refusal.invalid("state", "unknown_state", "state is one of active, published, draft, archived.")
            }
            guard let order = WorkflowSearch.Order(rawValue: order ?? "newest") else {
                throw Refusal.invalid("order", "unknown_order", "order is one of newest, name, changed.")
            }
            let place = WorkflowSearch.Place(folderID ?? "")
            if folderID != nil, place == .anywhere { throw Refusal.invalid("folder_id", "bad_id", "folder_id is an id or none.") }
            return WorkflowSearch(words: q ?? "", place: place, tag: tagID, state: state, order: order)
        }
    }
}

struct WorkflowDetail: Codable, Sendable {
    var workflow: WorkflowView
    var document: JSON
}

struct DocumentBody: Codable, Sendable, Described {
    var document: JSON
    static let notes: [FieldNote] = [FieldNote("document", "A workflow document: name, nodes, settings.")]
}

struct DraftBody: Codable, Sendable, Described {
    var document: JSON
    var revision: Int
    static let notes: [FieldNote] = [
        FieldNote("document", "A workflow document."), FieldNote("revision", "Of the draft that was read and changed.", range: 1...1e9)
    ]
}

struct VersionView: Codable, Sendable {
    var number: Int
    var publishedAt: Timestamp
    var publishedBy: String
    /// What people call it.
    var name: String?
    var note: String?

    init(_ version: WorkflowVersion) {
        number = version.number
        publishedAt = version.publishedAt
        publishedBy = version.publishedBy
        name = version.name
        note = version.note
    }
}

struct PublicationBody: Codable, Sendable, Described {
    var name: String?
    var note: String?
    static let notes: [FieldNote] = [
        FieldNote("name", "What people call this version.", example: "Summer prices", length: 0...Limits.versionNameLength),
        FieldNote("note", "What is new in this version.", length: 0...Limits.versionNoteLength)
    ]

    /// Without what is only blank.
    var named: String? { name.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 } }
}

struct ImportBody: Codable, Sendable, Described {
    var format: String
    var document: JSON
    var publish: Bool?
    var name: String?
    static let notes: [FieldNote] = [
        FieldNote("format", "n8n.", example: "n8n", length: 1...20), FieldNote("document", "The exported workflow."),
        FieldNote("publish", "Publish it at once where nothing stands in the way."),
        FieldNote("name", "Where the document has none.", length: 1...200)
    ]
}

struct FaultView: Codable, Sendable {
    var field: String
    var code: String
    var message: String
}

struct ImportView: Codable, Sendable {
    var workflow: WorkflowView
    var report: JSON
    var version: Int?
    /// What stood in the way of publishing it.
    var faults: [FaultView]
}

struct WorkflowRoutes {
    let workflows: Workflows
    let live: LiveEvents
    static let tag = "Workflows"
    static let invalid = ErrorDeclaration(.invalid, "invalid_workflow", "Every fault of the document, with its place.")
    static let documentBytes = 8 << 20

    var endpoints: [Endpoint] { drafts + versions + imports }

    private var drafts: [Endpoint] {
        [
            Endpoint.list(
                "/v1/workflows", access: .tenant("workflows.read"), summary: "List the workflows", tag: Self.tag, query: WorkflowListQuery.self,
                of: WorkflowView.self
            ) { call, page in
                let search = try call.query(WorkflowListQuery.self).search
                guard search.order == .newest else {
                    let (found, arrangement) = try await workflows.search(search, by: call.principal)
                    return try Page(of: found.map { WorkflowView($0, in: arrangement) }, page)
                }
                let last: WorkflowID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let (found, arrangement) = try await workflows.search(search, after: last, by: call.principal)
                let rows = found.prefix(page.limit + 1)
                return Page(rows.map { WorkflowView($0, in: arrangement) }, limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .post, "/v1/workflows", access: .tenant("workflows.write"), summary: "Create a workflow", tag: Self.tag, body: DocumentBody.self,
                returns: .created(WorkflowView.self, location: { "/v1/workflows/\($0.id)" }),
                errors: [Self.invalid, ErrorDeclaration(.limitReached, "limit_reached", "The plan's workflows are used up.")]
            ) { call, body in
                WorkflowView(try await workflows.create(try workflows.document(from: body.document), by: call.principal))
            }.limitingBody(to: Self.documentBytes),
            Endpoint(
                .get, "/v1/workflows/{id}", access: .tenant("workflows.read"), summary: "Show a workflow with its draft", tag: Self.tag,
                returns: .ok(WorkflowDetail.self)
            ) { call in
                let found = try await workflows.workflow(try call.id("id", noun: "workflow"), by: call.principal)
                return WorkflowDetail(workflow: WorkflowView(found.workflow), document: found.draft.json)
            },
            Endpoint(
                .put, "/v1/workflows/{id}/draft", access: .tenant("workflows.write"), summary: "Save the draft", tag: Self.tag, body: DraftBody.self,
                returns: .ok(WorkflowView.self),
                errors: [Self.invalid, ErrorDeclaration(.conflict, "revision_conflict", "Somebody else has saved since.")]
            ) { call, body in
                let document = try workflows.document(from: body.document)
                let id: WorkflowID = try call.id("id", noun: "workflow")
                let saved = try await workflows.update(id, draft: document, expecting: body.revision, by: call.principal)
                live.publish(call.tenant, EditorRoutes.topic(id), ["draft_revision": .number(Double(saved.draftRevision))])
                return WorkflowView(saved)
            }.limitingBody(to: Self.documentBytes),
            Endpoint(
                .delete, "/v1/workflows/{id}", access: .tenant("workflows.write"), summary: "Delete a workflow", tag: Self.tag, returns: .noContent
            ) { call in
                try await workflows.delete(try call.id("id", noun: "workflow"), by: call.principal)
            }
        ]
    }

    private var versions: [Endpoint] {
        [
            Endpoint.list(
                "/v1/workflows/{id}/versions", access: .tenant("workflows.read"), summary: "List the published versions", tag: Self.tag,
                of: VersionView.self
            ) { call, page in
                let below: Int? = try page.cursor.map { try Cursor($0, keys: 1).integer(at: 0) }
                let id: WorkflowID = try call.id("id", noun: "workflow")
                let rows = try await workflows.versions(of: id, below: below, limit: page.limit + 1, by: call.principal)
                return Page(rows.map(VersionView.init), limit: page.limit) { Cursor([.number(Double($0.number))]) }
            },
            Endpoint(
                .post, "/v1/workflows/{id}/publication", access: .tenant("workflows.publish"), summary: "Publish the draft as a new version",
                tag: Self.tag, body: PublicationBody?.self, returns: .created(VersionView.self),
                errors: [
                    Self.invalid, ErrorDeclaration(.conflict, "webhook_taken", "Another workflow answers the same address."),
                    ErrorDeclaration(.limitReached, "too_many", "More triggers than a tenant may have wait for its disk.")
                ]
            ) { call, body in
                VersionView(try await workflows.publish(try call.id("id", noun: "workflow"), name: body?.named, note: body?.note, by: call.principal))
            },
            Endpoint(
                .delete, "/v1/workflows/{id}/publication", access: .tenant("workflows.publish"), summary: "Stop running it", tag: Self.tag,
                returns: .noContent, errors: [ErrorDeclaration(.conflict, "workflow_archived", "It is archived.")]
            ) { call in
                _ = try await workflows.unpublish(try call.id("id", noun: "workflow"), by: call.principal)
            }
        ]
    }

    private var imports: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/workflow-imports", access: .tenant("workflows.write"), summary: "Import a workflow from another system", tag: Self.tag,
                body: ImportBody.self, returns: .created(ImportView.self),
                errors: [
                    ErrorDeclaration(.invalid, "invalid_import", "Every fault of the document."),
                    ErrorDeclaration(.limitReached, "limit_reached", "The plan's workflows are used up.")
                ]
            ) { call, body in
                guard body.format == "n8n" else {
                    throw Refusal.invalid("format", "unknown_format", "format is n8n.")
                }
                let made = try await workflows.importN8n(
                    body.document, name: body.name ?? "Imported workflow", publish: body.publish ?? false, by: call.principal)
                return ImportView(
                    workflow: WorkflowView(made.workflow), report: made.report.json, version: made.version?.number,
                    faults: made.faults.map { FaultView(field: $0.field, code: $0.code, message: $0.message) })
            }.limitingBody(to: Self.documentBytes),
            Endpoint(
                .get, "/v1/workflows/{id}/export", access: .tenant("workflows.read"), summary: "The draft in n8n's format", tag: Self.tag,
                returns: .ok(JSON.self)
            ) { call in
                try await workflows.exportN8n(try call.id("id", noun: "workflow"), by: call.principal)
            },
            Endpoint.list(
                "/v1/node-kinds", access: .public("The catalogue is the same for everybody."), summary: "List the kinds of nodes", tag: Self.tag,
                of: JSON.self
            ) { _, _ in Page(data: try workflows.kinds.kinds.map { try Wire.encode($0) }, nextCursor: nil) }.packed()
        ]
    }
}
