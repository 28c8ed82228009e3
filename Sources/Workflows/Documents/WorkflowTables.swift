package import Persistence

/// The tables of documents, credentials and variables.
package enum WorkflowTables {
    package static let all: [Table] = [
        WorkflowStore.workflows, WorkflowStore.versions, TriggerStore.webhooks, TriggerStore.schedules, CredentialStore.table, VariableStore.table
    ]

    /// The tenants' own tables, which came later.
    static let dataTables: [Table] = [DataTableStore.tables, DataTableStore.rows]

    /// Drafts as they were tried out.
    static let trials: [Table] = [TrialStore.table]

    /// What people write on workflows.
    static let comments: [Table] = [WorkflowCommentStore.table]

    /// What people call versions.
    static let labels: [Table] = [VersionLabelStore.table]

    /// Folders and tags.
    static let organising: [Table] = FolderStore.all

    /// The tenants' disks, and what workflows wait for on them.
    static let disk: [Table] = [DiskStore.files, DiskStore.appends, DiskWatchStore.table]

    package static let migrations: [Migration] = [
        Migration("workflows.0001-documents-triggers-credentials-variables", all.map { .createTable($0) }),
        Migration("workflows.0002-data-tables", [DataTableStore.firstTables, DataTableStore.rows].map { .createTable($0) }),
        Migration("workflows.0003-trials", trials.map { .createTable($0) }),
        Migration("workflows.0007-comments", comments.map { .createTable($0) }),
        Migration("workflows.0008-version-labels", labels.map { .createTable($0) }),
        Migration("workflows.0009-folders-tags", organising.map { .createTable($0) }),
        Migration("workflows.0012-disk", disk.map { .createTable($0) }),
        Migration("workflows.0014-bytes-of-data-tables", [.addColumn(table: "data_tables", DataTableStore.addedBytes)])
    ]
}
