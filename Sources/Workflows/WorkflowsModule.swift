package import HTTPSurface
package import Notifications
package import Persistence

/// The module's door.
package enum WorkflowsModule {
    package static let tables: [Table] =
        WorkflowTables.all + WorkflowTables.dataTables + WorkflowTables.trials + WorkflowTables.comments
        + WorkflowTables.labels + WorkflowTables.organising + WorkflowTables.disk + RunTables.all
    package static let migrations: [Migration] = RunTables.migrations + WorkflowTables.migrations
    package static let permissions: [PermissionDeclaration] = WorkflowPermissions.all

    package static func module(
        workflows: Workflows, credentials: Credentials, variables: Variables, dataTables: DataTables, disk: Disk, executions: Executions,
        webhooks: Webhooks, forms: Forms, figures: Figures, live: LiveEvents, pages: PageContext
    ) -> Module {
        let organising = Organising(workflows)
        let endpoints: [Endpoint] =
            WorkflowRoutes(workflows: workflows, live: live).endpoints + TrialRoutes(executions: executions).endpoints
            + ExecutionRoutes(executions: executions, live: live).endpoints
            + LiveRoutes(workflows: workflows, executions: executions, live: live).endpoints
            + FormRoutes(forms: forms).endpoints + HookRoutes(webhooks: webhooks).endpoints + CredentialRoutes(credentials: credentials).endpoints
            + VariableRoutes(variables: variables).endpoints
            + DashboardPage(figures: figures, workflows: workflows, context: pages).endpoints
            + OrganisingRoutes(organising: organising, workflows: workflows).endpoints
            + OrganisingPages(organising: organising, context: pages).endpoints
            + WorkflowPages(workflows: workflows, organising: organising, context: pages).endpoints
            + WorkflowPage(workflows: workflows, organising: organising, executions: executions, context: pages).endpoints
            + EditorPage(workflows: workflows, context: pages).endpoints + EditorRoutes(workflows: workflows, live: live).endpoints
            + PresenceRoutes(workflows: workflows, live: live, names: pages.names).endpoints
            + ResourceRoutes(workflows: workflows, dataTables: dataTables, variables: variables).endpoints
            + WorkflowCommentRoutes(comments: WorkflowComments(workflows: workflows), live: live, names: pages.names).endpoints
            + ExecutionPages(workflows: workflows, executions: executions, context: pages).endpoints
            + ExecutionBulkPages(executions: executions, workflows: workflows, context: pages).endpoints
            + CredentialPages(credentials: credentials, context: pages).endpoints + VariablePages(variables: variables, context: pages).endpoints
            + DataTableRoutes(tables: dataTables).endpoints + DataTablePages(tables: dataTables, context: pages).endpoints
        let files = DiskRoutes(disk: disk).endpoints + DiskPages(disk: disk, context: pages).endpoints
        return Module(name: "workflows", tables: tables, migrations: migrations, endpoints: endpoints + files, permissions: permissions)
    }
}
