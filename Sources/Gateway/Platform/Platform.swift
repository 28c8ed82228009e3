internal import Billing
package import HTTPSurface
internal import Jobs
package import Kernel
package import Logging
internal import Notifications
internal import Outbound
package import Persistence
internal import Scripting
internal import ServiceLifecycle
package import Tenancy
package import Workflows

/// All modules put together on one database: used by the server, the command and the tests.
package final class Platform: Sendable {
    package let configuration: PlatformConfiguration
    package let database: any Database
    package let tenancy: Tenancy
    package let workflows: Workflows
    let credentials: Credentials
    let variables: Variables
    let dataTables: DataTables
    let disk: Disk
    let billing: Billing
    let blobs: any BlobStore
    let outbound: Outbound
    let folder: DataFolder
    let clock: Clock
    /// Where `clock` is a database server's.
    let serverClock: ServerClock?
    let ids: IDs
    let vault: KeyVault
    let live: LiveEvents
    let activity: Activity
    let backupSchedule: BackupSchedule
    let outgoing: OutgoingWebhooks
    let inbox: Inbox
    let logger: Logger

    /// Opens the folder, the database (the embedded one is migrated) and the key vault.
    /// - Throws: `PersistenceError` with a sentence that says what to do.
    package init(_ configuration: PlatformConfiguration, clock machine: Clock = .system, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        serverClock = configuration.databaseURL == nil ? nil : ServerClock(machine: machine, logger: logger)
        let clock = serverClock?.clock ?? machine
        self.clock = clock
        ids = IDs(clock: clock)
        folder = try DataFolder(path: configuration.dataFolder)
        backupSchedule = try BackupSchedule(environment: configuration.environment, dataFolder: folder.path)
        database = try Platform.open(configuration, folder: folder, clock: clock, ids: ids)
        try await serverClock?.ask(database)
        let master = try MasterKey(environment: configuration.environment, path: folder.masterKeyPath)
        vault = KeyVault(database: database, master: master)
        try await vault.settle(at: folder.masterKeyPath)
        try await vault.requireMaster(at: folder.masterKeyPath)
        live = LiveEvents()
        activity = Activity(clock: clock)
        blobs = try BlobPlace.open(configuration.blobsPlace, folder: folder, environment: configuration.environment, clock: clock)
        tenancy = Tenancy(
            database: database, clock: clock, vault: vault, permissions: PermissionTable(Platform.permissions), usesTLS: configuration.usesTLS,
            blobs: blobs)
        outgoing = OutgoingWebhooks(database: database, vault: vault, clock: clock, ids: ids)
        inbox = Inbox(database: database, tenancy: tenancy, vault: vault, clock: clock)
        let outbound = try Outbound(policy: AddressPolicy(allowing: configuration.outboundAllow))
        self.outbound = outbound
        let policies = TenantPolicies.tenancy { [tenancy] tenant in try await tenancy.timeZone(of: tenant) }
        workflows = Workflows(
            database: database, kinds: .builtIn, policies: policies, clock: clock, expressionFault: { Expressions.syntaxFault(in: $0) })
        credentials = Credentials(database: database, vault: vault, ids: ids, policies: policies) { request, tenant in
            try await outbound.send(request, for: tenant)
        }
        variables = Variables(database: database, policies: policies)
        dataTables = DataTables(database: database, ids: ids, policies: policies)
        disk = Disk(database: database, blobs: blobs, policies: policies)
        billing = Billing(
            database: database, tenancy: tenancy, clock: clock, seller: try configuration.seller.checked(),
            providers: Providers(
                database: database, vault: vault, clock: clock, environment: configuration.environment, publicURL: configuration.publicURL,
                send: { request in try await outbound.send(request) }), print: Self.printer())
        tenancy.strangersDoors.add("endpoints") { [outgoing] tx, principal in try outgoing.pauseAll(in: tx, by: principal) }
        tenancy.strangersDoors.add("payees") { [billing] tx, principal in try billing.forgetPayee(in: tx, by: principal) }
        tenancy.strangersDoors.add("workflows") { [workflows] tx, principal in try workflows.unpublishAll(in: tx, by: principal) }
        tenancy.strangersDoors.add("runs") { [workflows] tx, principal in try workflows.pauseRuns(in: tx, by: principal) }
        try await tenancy.seedPlans()
    }

    /// Invoices are printed by the converter of files, where it can.
    private static func printer() -> @Sendable ([UInt8]) async throws -> [UInt8] {
        let converter = FileConverter()
        return { page in
            do {
                return try await converter.convert(FileConversion(.printPage, files: [.init(bytes: page)])).files.first?.bytes ?? []
            } catch let error as FileConversionError {
                throw Refusal(.unavailable, "printer_missing", "The page cannot be printed here: \(error.message).")
            }
        }
    }

    var figures: Figures { Figures(database: database, clock: clock) }

    package func close() async {
        await outbound.shutdown()
        await database.close()
        await blobs.close()
    }

    private static func open(_ configuration: PlatformConfiguration, folder: DataFolder, clock: Clock, ids: IDs) throws -> any Database {
        if let url = configuration.databaseURL {
            return try Databases.server(url: url, tables: tables, migrations: migrations, clock: clock, ids: ids)
        }
        return try Databases.embedded(path: folder.databasePath, tables: tables, migrations: migrations, clock: clock, ids: ids)
    }

    /// Brings a server's schema up to date, as its owner.
    package static func migrate(url: String) throws { try PostgresDatabase.migrate(url: url, migrations: migrations) }

    /// - Throws: where a server's database does not answer, its schema is behind or ahead of this program, or a wall between tenants is missing.
    package static func checkSchema(url: String) throws { try Databases.checkServer(url: url, tables: tables, migrations: migrations) }

    package static let tables: [Table] =
        PersistenceModule.tables + JobsModule.tables + Module.httpSurface.tables + TenancyModule.tables + NotificationsModule.tables
        + BillingModule.tables + WorkflowsModule.tables
    package static let migrations: [Migration] =
        PersistenceModule.migrations + JobsModule.migrations + Module.httpSurface.migrations + TenancyModule.migrations
        + NotificationsModule.migrations + BillingModule.migrations + WorkflowsModule.migrations
    package static let permissions: [PermissionDeclaration] =
        TenancyModule.permissions + NotificationsModule.permissions + BillingModule.permissions + WorkflowsModule.permissions
}
