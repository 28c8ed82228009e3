internal import Foundation
package import HTTPSurface
internal import Jobs
internal import Kernel
internal import Logging
internal import Notifications
internal import Persistence
internal import ServiceLifecycle
internal import Tenancy
internal import Telemetry
internal import UnixSignals

extension Platform {
    /// Serves until the process is told to stop: no new requests, those under way end, then the database is closed.
    package func serve(onRunning: @escaping @Sendable (_ port: Int) async -> Void) async throws {
        let surface = try surface()
        let server = HTTPServer(surface: surface, binding: configuration.binding, logger: logger) { running in await onRunning(running.port) }
        let control = ControlSocket(path: folder.socketPath, logger: logger) { [self] command, arguments in try await perform(command, arguments) }
        let services: [any Service] = [control] + backgroundServices + [server]
        let group = ServiceGroup(
            configuration: .init(
                services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do {
            try await group.run()
        } catch {
            await close()
            throw error
        }
        await close()
    }

    /// Every endpoint and page of every module behind one responder.
    package func surface() throws -> Surface {
        let files = try StaticFiles(roots: [configuration.home + "/Web"])
        let strings = try Strings(directory: configuration.home + "/Locales")
        let console = Console(files: files, entries: Platform.navigation)
        let endpoints = modules(console).flatMap(\.endpoints)
        let documented = Endpoint.documentation(of: endpoints, title: "AIAS", version: "1", files: files)
        let operations = Endpoint.operations(
            ready: { [self] in
                do {
                    _ = try await tenancy.plans()
                    return []
                } catch {
                    return ["The database does not answer."]
                }
            }, metrics: { "" })
        var settings = Surface.Settings()
        settings.platformHosts = ["localhost", "127.0.0.1", configuration.publicHost]
        settings.isSecure = configuration.usesTLS
        settings.errorPage = { problem in
            guard problem.status == 401 else { return problem.plain }
            return .redirect("/sign-in")
        }
        return Surface(
            endpoints: endpoints + documented + operations + [files.endpoint], doors: doors,
            idempotency: Idempotency(database: database, clock: clock, ids: ids, vault: vault), ids: ids, strings: strings, settings: settings,
            logger: logger)
    }

    static let navigation: [(key: String, href: String)] = [
        ("gateway.nav.workflows", "/workflows"), ("gateway.nav.executions", "/executions"), ("gateway.nav.settings", "/settings"),
    ]

    func modules(_ console: Console) -> [Module] { [TenancyModule.module(tenancy, console: console)] }

    var backgroundServices: [any Service] {
        [
            OutboxService(database: database, logger: logger, subscriptions: subscriptions),
            TimerService(database: database, clock: clock, logger: logger, handlers: timerHandlers),
        ]
    }

    var subscriptions: [Subscription] { [] }
    var timerHandlers: [String: TimerService.Handler] { [:] }

    private var doors: Doors {
        Doors(
            authenticate: { [tenancy] request in
                try await tenancy.principal(
                    Presented(bearer: request.head.bearerToken, session: request.head.cookie(SessionCookie.name), tenant: request.tenant))
            },
            resolveTenant: { [tenancy] address in
                switch address {
                case .subdomain(let name): try await tenancy.tenantID(subdomain: name)
                // A tenant's own domains come with branding.
                case .domain: nil
                }
            },
            limitRate: { [tenancy] subject in try await tenancy.countRequest(of: subject.principal, tenant: subject.tenant) })
    }
}
