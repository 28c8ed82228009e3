internal import HTTPSurface
internal import Kernel

struct FolderView: Codable, Sendable {
    var id: FolderID
    var name: String
    /// `Sales/Leads`
    var path: String
    var parentID: FolderID?

    init(_ folder: Folder, _ all: [Folder]) {
        id = folder.id
        name = folder.name
        path = folder.path
        parentID = folder.parentPath.flatMap { parent in all.first { $0.path.lowercased() == parent.lowercased() }?.id }
    }
}

struct NewFolderBody: Codable, Sendable, Described {
    var name: String
    var parentID: FolderID?
    static let notes: [FieldNote] = [
        FieldNote("name", "Without a slash.", example: "Sales", length: 1...60),
        FieldNote("parentID", "The folder around it; none for one at the top.")
    ]
}

struct FolderNameBody: Codable, Sendable, Described {
    var name: String
    static let notes: [FieldNote] = [FieldNote("name", "Without a slash.", example: "Sales", length: 1...60)]
}

struct WorkflowTagView: Codable, Sendable {
    var id: LabelID
    var name: String
    var colour: String

    init(_ tag: Label) {
        id = tag.id
        name = tag.name
        colour = tag.colour.rawValue
    }
}

struct WorkflowTagBody: Codable, Sendable, Described {
    var name: String
    var colour: String
    static let notes: [FieldNote] = [
        FieldNote("name", "A word.", example: "urgent", length: 1...60),
        FieldNote("colour", "grey, blue, green, amber, red or violet.", example: "red", length: 1...20)
    ]
}

struct WorkflowMoveBody: Codable, Sendable, Described {
    var workflowIds: [WorkflowID]
    var folderID: FolderID?
    static let notes: [FieldNote] = [
        FieldNote("workflowIds", "At most 500."), FieldNote("folderID", "Where they go; out of all folders where it is left out.")
    ]
}

struct WorkflowMarksBody: Codable, Sendable, Described {
    var tagIds: [LabelID]
    static let notes: [FieldNote] = [FieldNote("tagIds", "These and no others; at most 20.")]
}

struct OrganisingRoutes {
    let organising: Organising
    let workflows: Workflows
    static let tag = "Folders and tags"
    private static let taken = ErrorDeclaration(.conflict, "folder_taken", "There is a folder of this name already.")
    private static let tagTaken = ErrorDeclaration(.conflict, "tag_taken", "There is a tag of this name already.")

    var endpoints: [Endpoint] { folders + tags + places }

    private var folders: [Endpoint] {
        [
            Endpoint.list("/v1/folders", access: .tenant("workflows.read"), summary: "List the folders", tag: Self.tag, of: FolderView.self) {
                call, page in
                let all = try await organising.arrangement(by: call.principal).sortedFolders
                return try Page(of: all.map { FolderView($0, all) }, page)
            },
            Endpoint(
                .post, "/v1/folders", access: .tenant("workflows.write"), summary: "Create a folder", tag: Self.tag, body: NewFolderBody.self,
                returns: .created(FolderView.self), errors: [Self.taken]
            ) { call, body in
                let made = try await organising.createFolder(body.name, in: body.parentID, by: call.principal)
                return FolderView(made, try await organising.arrangement(by: call.principal).sortedFolders)
            },
            Endpoint(
                .patch, "/v1/folders/{id}", access: .tenant("workflows.write"), summary: "Rename a folder", tag: Self.tag, body: FolderNameBody.self,
                returns: .ok(FolderView.self), errors: [Self.taken]
            ) { call, body in
                let made = try await organising.renameFolder(try call.id("id", noun: "folder"), to: body.name, by: call.principal)
                return FolderView(made, try await organising.arrangement(by: call.principal).sortedFolders)
            },
            Endpoint(
                .delete, "/v1/folders/{id}", access: .tenant("workflows.write"), summary: "Delete a folder; its workflows stay", tag: Self.tag,
                returns: .noContent
            ) { call in try await organising.deleteFolder(try call.id("id", noun: "folder"), by: call.principal) }
        ]
    }

    private var tags: [Endpoint] {
        [
            Endpoint.list("/v1/tags", access: .tenant("workflows.read"), summary: "List the tags", tag: Self.tag, of: WorkflowTagView.self) {
                call, page in
                try Page(of: try await organising.arrangement(by: call.principal).sortedTags.map(WorkflowTagView.init), page)
            },
            Endpoint(
                .post, "/v1/tags", access: .tenant("workflows.write"), summary: "Create a tag", tag: Self.tag, body: WorkflowTagBody.self,
                returns: .created(WorkflowTagView.self), errors: [Self.tagTaken]
            ) { call, body in WorkflowTagView(try await organising.createTag(body.name, colour: body.colour, by: call.principal)) },
            Endpoint(
                .put, "/v1/tags/{id}", access: .tenant("workflows.write"), summary: "Change a tag", tag: Self.tag, body: WorkflowTagBody.self,
                returns: .ok(WorkflowTagView.self), errors: [Self.tagTaken]
            ) { call, body in
                let id: LabelID = try call.id("id", noun: "tag")
                return WorkflowTagView(try await organising.updateTag(id, name: body.name, colour: body.colour, by: call.principal))
            },
            Endpoint(
                .delete, "/v1/tags/{id}", access: .tenant("workflows.write"), summary: "Delete a tag", tag: Self.tag, returns: .noContent
            ) { call in try await organising.deleteTag(try call.id("id", noun: "tag"), by: call.principal) }
        ]
    }

    private var places: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/workflow-moves", access: .tenant("workflows.write"), summary: "Put workflows into a folder, or out of all", tag: Self.tag,
                body: WorkflowMoveBody.self, returns: .noContent
            ) { call, body in try await organising.move(body.workflowIds, to: body.folderID, by: call.principal) },
            Endpoint(
                .put, "/v1/workflows/{id}/tags", access: .tenant("workflows.write"), summary: "Mark a workflow with tags", tag: Self.tag,
                body: WorkflowMarksBody.self, returns: .noContent
            ) { call, body in try await organising.mark(try call.id("id", noun: "workflow"), with: body.tagIds, by: call.principal) },
            Endpoint(
                .post, "/v1/workflows/{id}/archival", access: .tenant("workflows.write"),
                summary: "Archive a workflow: it starts no more and counts no more",
                tag: WorkflowRoutes.tag, returns: .ok(WorkflowView.self)
            ) { call in WorkflowView(try await workflows.archive(try call.id("id", noun: "workflow"), by: call.principal)) },
            Endpoint(
                .delete, "/v1/workflows/{id}/archival", access: .tenant("workflows.write"), summary: "Take a workflow out of the archive",
                tag: WorkflowRoutes.tag, returns: .noContent
            ) { call in _ = try await workflows.restore(try call.id("id", noun: "workflow"), by: call.principal) }
        ]
    }
}
