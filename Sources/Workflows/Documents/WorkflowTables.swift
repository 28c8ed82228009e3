package import Persistence

/// The tables of documents, credentials and variables.
package enum WorkflowTables {
    package static let all: [Table] = [
        WorkflowStore.workflows, WorkflowStore.versions, TriggerStore.webhooks, TriggerStore.schedules, CredentialStore.table, VariableStore.table
    ]

    package static let migrations: [Migration] = [
        Migration("workflows.0001-documents-triggers-credentials-variables", all.map { .createTable($0) })
    ]
}
