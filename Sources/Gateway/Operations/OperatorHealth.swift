internal import Foundation
internal import HTTPSurface
internal import Jobs
internal import Kernel
internal import Notifications
internal import Persistence
internal import Tenancy
internal import Workflows

/// The state of the platform, for its operators: queues, dead letters, processes, database and backups.
struct OperatorHealth: Sendable {
    let platform: Platform
    let automation: Automation
    let console: Console

    static let address = "/operator/health"
    private static let rowsShown = 50

    var module: Module {
        Module(
            name: "operations",
            endpoints: [
                .page(.get, Self.address, access: .platform("operator.health.read"), summary: "State of the platform") { call in try await page(call)
                }
            ])
    }

    private struct State: Sendable {
        var depths: QueueDepths
        var webhooks: (count: Int, lag: Duration)
        var dead: [DeadLetters]
        var processes: [WorkingProcess]
        var databaseBytes: Int
    }

    private func state() async throws -> State {
        let database = platform.database
        let limit = Self.rowsShown
        let isServer = database.engine == .postgres
        var state = try await database.readSystem { tx in
            let webhooks = try WebhookQueueStore(tx: tx).depth()
            return State(
                depths: try QueueDepthStore(tx: tx).depths(), webhooks: (webhooks.count, webhooks.lag),
                dead: try DeadLetterStore(tx: tx).tally(limit: limit),
                processes: try LeaseStore(tx: tx).processes(limit: limit),
                databaseBytes: isServer ? try DatabaseSizeStore(tx: tx).bytes() : 0)
        }
        if !isServer {
            state.databaseBytes = ["", "-wal"].reduce(0) { sum, suffix in
                let attributes = try? FileManager.default.attributesOfItem(atPath: platform.folder.databasePath + suffix)
                return sum + (attributes?[.size] as? Int ?? 0)
            }
        }
        return state
    }

    private func page(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let state = try await state()
        return console.page(
            call, title: text("gateway.operator.health"), current: Self.address, person: try await platform.tenancy.visitor(call.principal),
            """
            <header><h1>\(text("gateway.operator.health"))</h1></header>
            <section class="card" aria-labelledby="queues"><div class="title"><h2 id="queues">\(text("gateway.health.queues"))</h2></div>\(queues(text, state))</section>
            <section class="card" aria-labelledby="dead"><div class="title"><h2 id="dead">\(text("gateway.health.dead"))</h2></div>\(try await dead(text, state))</section>
            <section class="card" aria-labelledby="processes"><div class="title"><h2 id="processes">\(text("gateway.health.processes"))</h2></div>\(processes(text, state))</section>
            <section class="card" aria-labelledby="data"><div class="title"><h2 id="data">\(text("gateway.health.data"))</h2></div>\(data(text, state))</section>
            """)
    }

    private func queues(_ text: Localizer, _ state: State) -> HTML {
        let depths = state.depths
        let lines: [(name: String, count: Int, lag: Duration?)] = [
            ("timers", depths.timersDue, depths.timersLag), ("events", depths.outboxPending, depths.outboxLag),
            ("webhooks", state.webhooks.count, state.webhooks.lag), ("parked", depths.runsParked, nil)
        ]
        let rows: [HTML] = lines.map { line in
            let lag: HTML =
                line.lag.map { lag in
                    lag > Self.lateAfter
                        ? "<span class=\"status failed\">\(Console.duration(lag))</span>" : "\(line.count == 0 ? "–" : Console.duration(lag))"
                } ?? "–"
            return """
                <tr><td class="name">\(text("gateway.health.queue.\(line.name)"))<span class="sub">\(text("gateway.health.queue.\(line.name).hint"))</span></td>
                <td class="number" data-label="\(text("gateway.health.waiting"))">\(line.count)</td>
                <td class="number" data-label="\(text("gateway.health.lag"))">\(lag)</td></tr>
                """
        }
        return Console.table(
            [(text("gateway.health.queue"), nil), (text("gateway.health.waiting"), "number"), (text("gateway.health.lag"), "number")], rows)
    }

    /// A queue whose oldest entry waits longer is late.
    private static let lateAfter: Duration = .seconds(60)

    private func dead(_ text: Localizer, _ state: State) async throws -> HTML {
        guard !state.dead.isEmpty else { return "<p class=\"stack\">\(text("gateway.health.dead.none"))</p>" }
        var rows: [HTML] = []
        for letters in state.dead {
            let tenant: Tenant? = if let id = letters.tenant { try await platform.tenancy.tenant(id) } else { nil }
            let name: HTML =
                tenant.map { "<a href=\"/operator/tenants/\($0.id.description)\">\($0.name)</a><span class=\"sub\">\($0.subdomain.text)</span>" }
                ?? "\(text("gateway.health.platform"))"
            rows.append(
                """
                <tr><td class="name">\(name)</td><td class="number" data-label="\(text("gateway.health.dead.count"))">\(letters.count)</td>
                <td class="time">\(Console.time(letters.oldest))</td></tr>
                """)
        }
        return Console.table(
            [(text("tenancy.operator.tenant"), nil), (text("gateway.health.dead.count"), "number"), (text("gateway.health.dead.oldest"), nil)], rows)
    }

    private func processes(_ text: Localizer, _ state: State) -> HTML {
        let now = platform.clock.now()
        let rows: [HTML] = state.processes.map { process in
            let own: HTML? = process.epoch == automation.engine.lease.epoch ? " <span class=\"status\">\(text("gateway.health.this"))</span>" : nil
            let holds = process.expiresAt > now
            return """
                <tr><td class="name">\(process.name)\(own)<span class="sub">\(text("gateway.health.epoch", ["epoch": String(process.epoch)]))</span></td>
                <td>\(process.roles.replacing(",", with: ", "))</td><td>\(process.version)</td><td class="time">\(Console.time(process.startedAt))</td>
                <td><span class="status \(holds ? "succeeded" : "failed")">\(text(holds ? "gateway.health.lease.held" : "gateway.health.lease.late"))</span></td></tr>
                """
        }
        return Console.table(
            [
                (text("gateway.health.process"), nil), (text("gateway.health.roles"), nil), (text("gateway.health.version"), nil),
                (text("gateway.health.started"), nil), (text("gateway.health.lease"), nil)
            ], rows)
    }

    private func data(_ text: Localizer, _ state: State) -> HTML {
        let backups = BackupState.read(platform.folder.path)
        func note(_ note: BackupState.Note?, _ none: String) -> HTML {
            guard let note else { return "<span class=\"status waiting\">\(text(none))</span>" }
            return "\(Console.time(note.at))<span class=\"sub\">\(note.path), \(UsageLine.size(note.byteCount))</span>"
        }
        let every = platform.backupSchedule.interval.map { Console.duration($0) } ?? text("gateway.health.backup.by_hand")
        let isServer = platform.database.engine == .postgres
        return """
            <dl class="facts">
            <div><dt>\(text("gateway.health.database"))</dt><dd>\(isServer ? "PostgreSQL" : "SQLite"), \(UsageLine.size(state.databaseBytes))</dd></div>
            <div><dt>\(text("gateway.health.backup.every"))</dt><dd>\(every)</dd></div>
            <div><dt>\(text("gateway.health.backup.last"))</dt><dd>\(note(backups.lastBackup, "gateway.health.backup.none"))</dd></div>
            <div><dt>\(text("gateway.health.backup.tested"))</dt><dd>\(note(backups.lastVerified, "gateway.health.backup.untested"))</dd></div></dl>
            """
    }
}

/// How large a server's database is.
struct DatabaseSizeStore {
    let tx: SystemTransaction

    func bytes() throws -> Int { try tx.first("SELECT pg_database_size(current_database())") { try $0.column(0) } ?? 0 }
}
