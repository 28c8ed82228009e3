package import HTTPSurface
package import Kernel
package import Notifications
package import Persistence

/// The module's door.
package enum WorkflowsModule {
    package static let tables: [Table] = WorkflowTables.all + RunTables.all
    package static let migrations: [Migration] = RunTables.migrations + WorkflowTables.migrations
    package static let permissions: [PermissionDeclaration] = WorkflowPermissions.all

    package static func module(
        workflows: Workflows, credentials: Credentials, variables: Variables, executions: Executions, webhooks: Webhooks, live: LiveEvents, console: Console,
        person: @escaping @Sendable (Principal) async throws -> String
    ) -> Module {
        let endpoints: [Endpoint] =
            WorkflowRoutes(workflows: workflows).endpoints + ExecutionRoutes(executions: executions, live: live).endpoints
            + HookRoutes(webhooks: webhooks).endpoints + CredentialRoutes(credentials: credentials).endpoints
            + VariableRoutes(variables: variables).endpoints
            + WorkflowPages(workflows: workflows, executions: executions, console: console, person: person).endpoints
        return Module(name: "workflows", tables: tables, migrations: migrations, endpoints: endpoints, permissions: permissions)
    }
}
