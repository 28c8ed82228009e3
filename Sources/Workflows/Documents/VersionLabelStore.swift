internal import Kernel
internal import Persistence

/// What people call a version and say of it: the version itself never changes. A label stands in place of the note at publishing.
struct VersionLabelStore {
    let tx: TenantTransaction

    static let table = Table(
        "workflow_version_labels", .tenant, primaryKey: ["workflow_id", "number"],
        columns: [
            Column("workflow_id", .uuid), Column("number", .integer), Column("name", .text, optional: true), Column("note", .text, optional: true),
            Column("labelled_at", .timestamp), Column("labelled_by", .text)
        ],
        foreignKeys: [
            ForeignKey(
                ["tenant_id", "workflow_id", "number"], references: "workflow_versions", ["tenant_id", "workflow_id", "number"], onDelete: .cascade)
        ])

    /// The versions with their labels.
    func labelled(_ versions: [WorkflowVersion], of workflow: WorkflowID) throws -> [WorkflowVersion] {
        guard !versions.isEmpty else { return [] }
        let rows = try tx.all(
            """
            SELECT number, name, note FROM workflow_version_labels
            WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow) AND number IN \(list: versions.map(\.number))
            """
        ) { (try $0.column(0, as: Int.self), try $0.column(1, as: String?.self), try $0.column(2, as: String?.self)) }
        let labels = Dictionary(rows.map { ($0.0, (name: $0.1, note: $0.2)) }) { first, _ in first }
        return versions.map { version in
            guard let label = labels[version.number] else { return version }
            var version = version
            (version.name, version.note) = (label.name, label.note)
            return version
        }
    }

    func set(_ version: WorkflowVersion, by name: String) throws {
        try tx.execute(
            """
            INSERT INTO workflow_version_labels (tenant_id, workflow_id, number, name, note, labelled_at, labelled_by)
            VALUES (\(tx.tenant), \(version.workflow), \(version.number), \(version.name), \(version.note), \(tx.clock.now()), \(name))
            ON CONFLICT (tenant_id, workflow_id, number) DO UPDATE SET name = excluded.name, note = excluded.note,
                labelled_at = excluded.labelled_at, labelled_by = excluded.labelled_by
            """)
    }
}
