internal import Foundation
internal import HTTPSurface
internal import Jobs
internal import Kernel
internal import Logging
internal import Notifications
internal import Persistence
internal import ServiceLifecycle
internal import Tenancy
internal import Workflows
internal import Telemetry
internal import UnixSignals

extension Platform {
    /// Serves until the process is told to stop: no new requests, those under way end, then the database is closed.
    package func serve(onRunning: @escaping @Sendable (_ port: Int) async -> Void) async throws {
        let automation = try await makeAutomation()
        let surface = try surface(automation)
        let server = HTTPServer(surface: surface, binding: configuration.binding, logger: logger) { running in await onRunning(running.port) }
        let control = ControlSocket(path: folder.socketPath, logger: logger) { [self] command, arguments in try await perform(command, arguments) }
        let services: [any Service] = [control] + backgroundServices(automation) + [server]
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
    func surface(_ automation: Automation) throws -> Surface {
        let files = try StaticFiles(roots: [configuration.home + "/Web"])
        let strings = try Strings(directory: configuration.home + "/Locales")
        let console = Console(files: files, entries: Platform.navigation)
        let endpoints = modules(console, automation).flatMap(\.endpoints)
        let documented = Endpoint.documentation(of: endpoints, title: "AIAS", version: "1", files: files)
        let operations = Endpoint.operations(
            ready: { [self] in
                do {
                    _ = try await tenancy.plans()
                    return []
                } catch {
                    return ["The database does not answer."]
                }
            }, metrics: { Metrics.shared.prometheus() })
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
        ("gateway.nav.workflows", "/workflows"), ("gateway.nav.executions", "/executions"),
    ]

    func modules(_ console: Console, _ automation: Automation) -> [Module] {
        [
            TenancyModule.module(tenancy, console: console),
            WorkflowsModule.module(
                workflows: workflows, credentials: credentials, variables: variables, executions: automation.executions,
                webhooks: automation.webhooks, live: live, console: console, person: { [tenancy] principal in try await tenancy.displayName(of: principal) }),
        ]
    }

    private func backgroundServices(_ automation: Automation) -> [any Service] {
        let engine = automation.engine
        let strings = try? Strings(directory: configuration.home + "/Locales")
        let mail = MailDelivery(
            smtp: configuration.relay.map { SMTP(relay: $0, clock: clock) },
            texts: MailTexts(strings: strings ?? .none, publicURL: configuration.publicURL), vault: vault, logger: logger)
        return [
            EngineService(engine: engine, database: database, logger: logger),
            OutboxService(database: database, logger: logger, subscriptions: [mail.subscription]),
            TimerService(
                database: database, clock: clock, logger: logger, handlers: [Engine.timerKind: { timer in try await engine.resume(timer) }]),
            Scheduler(engine: engine, workflows: workflows, logger: logger),
        ]
    }

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
