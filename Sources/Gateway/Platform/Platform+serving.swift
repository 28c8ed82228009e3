internal import Billing
internal import Foundation
internal import HTTPSurface
internal import Jobs
internal import Kernel
internal import Logging
internal import Notifications
internal import Outbound
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
        let carrier = try connectCarrier()
        defer {
            WakeRelay.shared.connect(nil)
            WakeRelay.shared.listen(nil)
        }
        let export: [any Service] = try telemetryExport(automation).map { [$0] } ?? []
        let control = ControlSocket(path: folder.socketPath, logger: logger) { [self] command, arguments in
            command == "status" ? try await status(automation) : try await perform(command, arguments)
        }
        let carriers: [any Service] = carrier.map { [$0] } ?? []
        let health: [any Service] = configuration.healthBinding.map { [healthServer(automation, $0)] } ?? []
        // Before anything is taken up that may be of a kind which only those know.
        try await automation.engine.lookForOthers()
        var services: [any Service] = [control] + health + carriers + export + backgroundServices(automation)
        if configuration.roles.contains(.gateway) {
            let surface = try surface(automation)
            services.append(
                HTTPServer(surface: surface, binding: configuration.binding, logger: logger) { running in await onRunning(running.port) })
        } else {
            logger.notice("at work", metadata: ["roles": "\(configuration.roles.map(\.rawValue).sorted().joined(separator: ","))"])
        }
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
        let console = Console(
            files: files, entries: Platform.navigation, settings: Platform.settings, subjects: Platform.subjects, inbox: Platform.inboxEntry,
            question: Platform.questionEntry)
        let operators = Platform.operators(files)
        let endpoints = modules(console, operators, automation).flatMap(\.endpoints)
        let documented = Endpoint.documentation(of: endpoints, title: Self.title, version: Self.apiVersion, files: files)
        var settings = Surface.Settings()
        settings.platformHosts = ["localhost", "127.0.0.1", configuration.publicHost]
        settings.isSecure = configuration.usesTLS
        settings.isProxy = configuration.isProxy
        settings.streamsPerTenant = configuration.streamsPerTenant
        settings.handover = database.engine == .postgres ? Self.handover : .zero
        settings.errorPage = { problem in
            switch problem.code {
            case "impersonation_over": .redirect("/impersonation/over")
            case "operators_only": operators.problem(problem)
            case "other_tenant": console.otherTenant(problem)
            default: problem.status == 401 ? .redirect("/sign-in") : console.problem(problem)
            }
        }
        return Surface(
            endpoints: endpoints + documented + operations(automation) + [files.endpoint, DesignPage(console: console).endpoint], doors: doors,
            idempotency: idempotency, ids: ids, strings: strings, settings: settings,
            logger: logger)
    }

    /// What tells those who run the program how it is.
    private func operations(_ automation: Automation) -> [Endpoint] {
        Endpoint.operations(
            ready: { [self] in
                do {
                    _ = try await tenancy.plans()
                    return []
                } catch {
                    return ["The database does not answer."]
                }
            }, metricsToken: configuration.metricsToken,
            metrics: { [self] in
                await refreshFigures(automation)
                return Metrics.shared.prometheus()
            })
    }

    /// The same on a port of its own and without TLS, which is all that a process hears that is no gateway.
    private func healthServer(_ automation: Automation, _ binding: HTTPServer.Binding) -> HTTPServer {
        let surface = Surface(endpoints: operations(automation), doors: .closed, ids: ids, logger: logger)
        return HTTPServer(surface: surface, binding: binding, logger: logger) { [logger] running in
            logger.notice("health and figures are served", metadata: ["host": "\(binding.host)", "port": "\(running.port)"])
        }
    }

    /// Within what service managers wait for a process to stop.
    private static let handover: Duration = .seconds(40)

    var idempotency: Idempotency { Idempotency(database: database, clock: clock, ids: ids, vault: vault) }

    static let navigation: [Console.Entry] = [
        Console.Entry("gateway.nav.dashboard", "/dashboard", .executionsRead),
        Console.Entry("gateway.nav.workflows", "/workflows", .workflowsRead),
        Console.Entry("gateway.nav.executions", "/executions", .executionsRead),
        Console.Entry("gateway.nav.settings", "/settings", "tenant.read")
    ]

    static let inboxEntry = Console.Entry("notifications.bell", "/notifications", .notificationsRead)

    /// Where people are asked how satisfied they are.
    static let questionEntry = Console.Entry("billing.question", "/v1/satisfaction", .satisfactionAnswer)

    static let settings: [Console.Entry] = [
        Console.Entry("tenancy.settings.general", "/settings", "tenant.read"),
        Console.Entry("tenancy.settings.branding", "/settings/branding", "tenant.read"),
        Console.Entry("tenancy.settings.members", "/settings/members", "members.read"),
        Console.Entry("tenancy.settings.api_keys", "/settings/api-keys", "api_keys.read"),
        Console.Entry("workflows.settings.credentials", "/settings/credentials", .credentialsRead),
        Console.Entry("workflows.settings.variables", "/settings/variables", .variablesRead),
        Console.Entry("notifications.settings.webhooks", "/settings/webhooks", .webhooksRead),
        Console.Entry("notifications.settings.notifications", "/settings/notifications", .notificationsRead),
        Console.Entry("workflows.settings.data_tables", "/settings/data-tables", .dataTablesRead),
        Console.Entry("workflows.settings.files", "/settings/files", .filesRead),
        Console.Entry("tenancy.settings.audit_log", "/settings/audit-log", "audit.read"),
        Console.Entry("tenancy.settings.operator_access", "/settings/operator-access", "audit.read"),
        Console.Entry("tenancy.settings.usage", "/settings/usage", "usage.read"),
        Console.Entry("billing.settings.billing", "/settings/billing", .billingRead),
        Console.Entry("billing.settings.earnings", "/settings/earnings", .billingRead),
        Console.Entry("billing.settings.consulting", "/settings/consulting", .servicesRead),
        Console.Entry("billing.settings.courses", "/settings/courses", .servicesRead)
    ]

    static let subjects = [
        "workflow": "/workflows/", "execution": "/executions/", "credential": "/settings/credentials/", "webhook_endpoint": "/settings/webhooks/",
        "data_table": "/settings/data-tables/", "file": "/settings/files/"
    ]

    static func operators(_ files: StaticFiles) -> Console {
        var console = Console(
            files: files,
            entries: [
                Console.Entry("tenancy.operator.tenants", "/operator", "operator.tenants.read"),
                Console.Entry("billing.operator.figures", "/operator/figures", "operator.figures.read"),
                Console.Entry("gateway.operator.health", "/operator/health", "operator.health.read")
            ])
        console.home = "/operator"
        console.signOut = "/operator/sign-out"
        console.entries += [
            Console.Entry("billing.settings.consulting", "/operator/consulting", .operatorServices),
            Console.Entry("billing.settings.courses", "/operator/courses", .operatorServices)
        ]
        return console
    }

    func modules(_ console: Console, _ operators: Console, _ automation: Automation) -> [Module] {
        [
            TenancyModule.module(tenancy, console: console, operators: operators),
            OperatorHealth(platform: self, automation: automation, console: operators).module,
            NotificationsModule.module(
                webhooks: outgoing, inbox: inbox,
                pages: NotificationPageContext(
                    console: console, person: { [tenancy] principal in try await tenancy.visitor(principal) })),
            BillingModule.module(
                billing: billing,
                pages: BillingPageContext(
                    console: console, operators: operators, person: { [tenancy] principal in try await tenancy.visitor(principal) })),
            WorkflowsModule.module(
                workflows: workflows, credentials: credentials, variables: variables, dataTables: dataTables, disk: disk,
                executions: automation.executions, webhooks: automation.webhooks, forms: forms(console, automation), figures: figures, live: live,
                pages: pageContext(console)),
            ConsoleSearch(
                tenancy: tenancy, workflows: workflows, credentials: credentials, dataTables: dataTables,
                pages: Platform.navigation + Platform.settings + [Platform.inboxEntry]
            ).module
        ]
    }

    private func forms(_ console: Console, _ automation: Automation) -> Forms {
        Forms(
            webhooks: automation.webhooks, links: answerLinks, blobs: blobs, console: console,
            brand: { [tenancy] tenant in try await tenancy.visitorsBrand(of: tenant) })
    }

    var answerLinks: AnswerLinks {
        AnswerLinks(vault: vault) { [tenancy, configuration] door, tenant in
            let subdomain = try await tenancy.tenant(tenant)?.subdomain.text ?? ""
            return "\(configuration.publicURL)/\(door)/\(subdomain)"
        }
    }

    private func pageContext(_ console: Console) -> PageContext {
        PageContext(
            console: console, person: { [tenancy] principal in try await tenancy.visitor(principal) },
            names: { [tenancy] actors, tenant in try await tenancy.names(of: actors, in: tenant) },
            hooks: { [tenancy, configuration] tenant in
                let subdomain = try await tenancy.tenant(tenant)?.subdomain.text ?? ""
                return "\(configuration.publicURL)/hooks/\(subdomain)"
            },
            forms: { [tenancy, configuration] tenant in
                let subdomain = try await tenancy.tenant(tenant)?.subdomain.text ?? ""
                return "\(configuration.publicURL)/forms/\(subdomain)"
            }, usage: { [tenancy] tenant in try await tenancy.quotas(of: tenant) })
    }

    private func backgroundServices(_ automation: Automation) -> [any Service] {
        let engine = automation.engine
        let strings = try? Strings(directory: configuration.home + "/Locales")
        let mail = MailDelivery(
            smtp: configuration.relay.map { SMTP(relay: $0, clock: clock) },
            texts: MailTexts(strings: strings ?? .none, publicURL: configuration.publicURL), vault: vault, logger: logger)
        let roles = configuration.roles
        var services: [any Service] = [
            EngineService(engine: engine, database: database, logger: logger, recovers: roles.contains(.worker))
        ]
        if let serverClock { services.append(ServerClockService(serverClock, database: database, logger: logger)) }
        if configuration.databaseURL != nil {
            services.append(RunWatch(engine: engine, logger: logger))
            services.append(LiveRelay(live: live, clock: clock))
        }
        if roles.contains(.worker) {
            services.append(
                TimerService(
                    database: database, clock: clock, logger: logger,
                    handlers: [
                        Engine.timerKind: { timer in try await engine.resume(timer) },
                        DiskStarts.timerKind: { [starts = automation.diskStarts] timer in try await starts.start(timer) }
                    ], batches: [Engine.timerKind: { timers in await engine.resumeUntouched(timers) }],
                    room: { kind in kind == Engine.timerKind ? engine.room : .init(places: .max) }))
            services.append(
                SlowTimers(
                    database: database, clock: clock, logger: logger,
                    handlers: [Poller.timerKind: { [poller = automation.poller] timer in try await poller.poll(timer) }]))
            services.append(
                TimerHolder(database: database, clock: clock, logger: logger, kind: Listener.timerKind) { [listener = automation.listener] timer in
                    try await listener.listen(timer)
                })
        }
        if roles.contains(.scheduler) {
            services += [
                OutboxService(
                    database: database, logger: logger, subscribers: Self.subscribers,
                    subscriptions: [mail.subscription] + outgoing.subscriptions + inbox.subscriptions),
                WebhookSender(webhooks: outgoing, logger: logger) { [outbound] request, tenant in try await outbound.send(request, for: tenant) },
                DutyService(database: database, logger: logger, duties: duties(idempotency)),
                Scheduler(engine: engine, workflows: workflows, logger: logger)
            ]
            // A database server has a time of its own, see `ServerClock`.
            if database.engine == .sqlite {
                services.append(
                    ClockSetbacks(engine: engine, workflows: workflows, logger: logger) { [outgoing] in try await outgoing.bringNear() })
            }
        } else {
            OutboxSignal.shared.listen { WakeRelay.shared.tell(.outbox) }
        }
        return services
    }

    /// Wakes between the processes of a deployment, where there may be several.
    private func connectCarrier() throws -> (any WakeCarrier)? {
        guard let url = configuration.databaseURL else { return nil }
        let carrier = try WakeCarriers.make(configuration.broker, databaseURL: url, logger: logger) { WakeRelay.shared.receive($0) }
        WakeRelay.shared.connect { carrier.post($0) }
        WakeRelay.shared.listen { [live] in live.receive($0) }
        live.connect { WakeRelay.shared.say($0) }
        return carrier
    }

    private var doors: Doors {
        Doors(
            authenticate: { [tenancy] request in try await tenancy.principal(of: request) },
            resolveTenant: { [tenancy] address in
                switch address {
                case .subdomain(let name): try await tenancy.tenantID(subdomain: name)
                // A tenant's own domains come with branding.
                case .domain: nil
                }
            },
            authenticateOperator: { [tenancy] request in try await tenancy.operatorPrincipal(of: request) },
            limitRate: { [tenancy] subject in try await tenancy.countRequest(of: subject.principal, tenant: subject.tenant) })
    }
}
