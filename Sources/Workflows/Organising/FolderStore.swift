internal import Kernel
internal import Persistence

extension Label.Colour: SQLBindable, SQLReadable {}

/// Folders, tags, and which workflows have them.
struct FolderStore {
    let tx: TenantTransaction

    static let folders = Table(
        "workflow_folders", .tenant, primaryKey: ["id"],
        columns: [Column("id", .uuid), Column("path", .text), Column("path_key", .text), Column("created_at", .timestamp)],
        indexes: [Index("workflow_folders_path", on: ["tenant_id", "path_key"], unique: true)])

    static let tags = Table(
        "workflow_tags", .tenant, primaryKey: ["id"],
        columns: [Column("id", .uuid), Column("name", .text), Column("name_key", .text), Column("colour", .text)],
        indexes: [Index("workflow_tags_name", on: ["tenant_id", "name_key"], unique: true)],
        checks: [.oneOf(column: "colour", values: Label.Colour.allCases.map(\.rawValue))])

    static let places = Table(
        "workflow_places", .tenant, primaryKey: ["workflow_id"],
        columns: [Column("workflow_id", .uuid), Column("folder_id", .uuid)],
        indexes: [Index("workflow_places_folder", on: ["tenant_id", "folder_id"])],
        foreignKeys: [
            ForeignKey(["tenant_id", "workflow_id"], references: "workflows", ["tenant_id", "id"], onDelete: .cascade),
            ForeignKey(["tenant_id", "folder_id"], references: "workflow_folders", ["tenant_id", "id"], onDelete: .cascade)
        ])

    static let marks = Table(
        "workflow_marks", .tenant, primaryKey: ["workflow_id", "tag_id"],
        columns: [Column("workflow_id", .uuid), Column("tag_id", .uuid)],
        indexes: [Index("workflow_marks_tag", on: ["tenant_id", "tag_id"])],
        foreignKeys: [
            ForeignKey(["tenant_id", "workflow_id"], references: "workflows", ["tenant_id", "id"], onDelete: .cascade),
            ForeignKey(["tenant_id", "tag_id"], references: "workflow_tags", ["tenant_id", "id"], onDelete: .cascade)
        ])

    static let all = [folders, tags, places, marks]

    func arrangement() throws -> Arrangement {
        var found = Arrangement()
        for folder in try listFolders() { found.folders[folder.id] = folder }
        for tag in try listTags() { found.tags[tag.id] = tag }
        for row in try tx.all("SELECT workflow_id, folder_id FROM workflow_places WHERE tenant_id = \(tx.tenant)") {
            found.places[try row.column(0)] = try row.column(1)
        }
        for row in try tx.all("SELECT workflow_id, tag_id FROM workflow_marks WHERE tenant_id = \(tx.tenant)") {
            found.marks[try row.column(0), default: []].append(try row.column(1))
        }
        return found
    }

    // MARK: Folders

    func listFolders() throws -> [Folder] {
        try tx.all(
            """
            SELECT id, path, created_at FROM workflow_folders WHERE tenant_id = \(tx.tenant) ORDER BY path_key LIMIT \(Limits.foldersPerTenant)
            """
        ) { Folder(id: try $0.column(0), path: try $0.column(1), createdAt: try $0.column(2)) }
    }

    func insert(_ folder: Folder) throws {
        try tx.execute(
            """
            INSERT INTO workflow_folders (tenant_id, id, path, path_key, created_at)
            VALUES (\(tx.tenant), \(folder.id), \(folder.path), \(folder.path.lowercased()), \(folder.createdAt))
            """)
    }

    func update(_ folder: Folder) throws {
        try tx.execute(
            """
            UPDATE workflow_folders SET path = \(folder.path), path_key = \(folder.path.lowercased())
            WHERE tenant_id = \(tx.tenant) AND id = \(folder.id)
            """)
    }

    func remove(_ folder: FolderID) throws {
        try tx.execute("DELETE FROM workflow_places WHERE tenant_id = \(tx.tenant) AND folder_id = \(folder)")
        try tx.execute("DELETE FROM workflow_folders WHERE tenant_id = \(tx.tenant) AND id = \(folder)")
    }

    func place(_ workflow: WorkflowID, in folder: FolderID?) throws {
        guard let folder else {
            try tx.execute("DELETE FROM workflow_places WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow)")
            return
        }
        try tx.execute(
            """
            INSERT INTO workflow_places (tenant_id, workflow_id, folder_id) VALUES (\(tx.tenant), \(workflow), \(folder))
            ON CONFLICT (tenant_id, workflow_id) DO UPDATE SET folder_id = excluded.folder_id
            """)
    }

    // MARK: Tags

    func listTags() throws -> [Label] {
        try tx.all(
            "SELECT id, name, colour FROM workflow_tags WHERE tenant_id = \(tx.tenant) ORDER BY name_key LIMIT \(Limits.tagsPerTenant)"
        ) { Label(id: try $0.column(0), name: try $0.column(1), colour: try $0.column(2)) }
    }

    func insert(_ tag: Label) throws {
        try tx.execute(
            """
            INSERT INTO workflow_tags (tenant_id, id, name, name_key, colour)
            VALUES (\(tx.tenant), \(tag.id), \(tag.name), \(tag.name.lowercased()), \(tag.colour))
            """)
    }

    func update(_ tag: Label) throws {
        try tx.execute(
            """
            UPDATE workflow_tags SET name = \(tag.name), name_key = \(tag.name.lowercased()), colour = \(tag.colour)
            WHERE tenant_id = \(tx.tenant) AND id = \(tag.id)
            """)
    }

    func remove(_ tag: LabelID) throws {
        try tx.execute("DELETE FROM workflow_marks WHERE tenant_id = \(tx.tenant) AND tag_id = \(tag)")
        try tx.execute("DELETE FROM workflow_tags WHERE tenant_id = \(tx.tenant) AND id = \(tag)")
    }

    func mark(_ workflow: WorkflowID, with tags: [LabelID]) throws {
        try tx.execute("DELETE FROM workflow_marks WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow)")
        for tag in tags {
            try tx.execute("INSERT INTO workflow_marks (tenant_id, workflow_id, tag_id) VALUES (\(tx.tenant), \(workflow), \(tag))")
        }
    }
}
