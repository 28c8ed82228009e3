internal import Foundation
internal import Jobs
internal import Kernel
internal import Logging
internal import Notifications
internal import Outbound
internal import Persistence
internal import Scripting
internal import Tenancy
internal import Workflows

/// What runs workflows: made when the platform serves, since it takes a lease.
struct Automation: Sendable {
    let engine: Engine
    let executions: Executions
    let webhooks: Webhooks
    let outbound: Outbound
    let poller: Poller
    let diskStarts: DiskStarts
    let listener: Listener
}

extension Platform {
    /// The services that steps use, on this platform's outbound, sandbox and vault.
    func engineServices(_ outbound: Outbound) -> EngineServices {
        let scripts = Sandbox()
        let expressions = Expressions(scripts: scripts)
        let binaries = Binaries(database: database, blobs: blobs)
        let converter = FileConverter()
        var services = EngineServices(
            evaluate: { value, tenant, scope, item in try await expressions.evaluate(value, tenant: tenant, scope: scope, itemIndex: item) },
            scripts: scripts, credential: { [credentials] id, type, tenant in try await credentials.fields(id, type: type, tenant: tenant) },
            send: { request, tenant in try await outbound.send(request, for: tenant) },
            readBinary: { reference, tenant in try await binaries.read(reference, tenant) },
            writeBinary: { bytes, type, name, holder in try await binaries.write(bytes, type, name, holder) },
            variables: { [variables] tenant in (try? await variables.values(of: tenant)) ?? [:] })
        services.accessToken = { [credentials] id, type, stale, tenant in
            try await credentials.accessToken(id, type: type, stale: stale, tenant: tenant)
        }
        services.openBinary = { reference, tenant in try await binaries.open(reference, tenant) }
        services.keepBinary = { pieces, type, name, holder in try await binaries.keep(pieces, type, name, holder) }
        services.facilities = StepFacilities(
            convert: { try await converter.convert($0) },
            addresses: { [answerLinks] tenant, run, place in try await answerLinks.addresses(of: run, place: place, tenant: tenant) })
        services.facilities.dataTables = dataTables
        services.facilities.disk = disk
        services.facilities.network = ServiceNetwork(outbound: outbound)
        return services
    }

    func makeAutomation(kinds: KindRegistry? = nil) async throws -> Automation {
        let isEmbedded = database.engine == .sqlite
        let roles = configuration.roles.map(\.rawValue).sorted().joined(separator: ",")
        let lease = try await database.writeSystem { tx in
            let store = LeaseStore(tx: tx)
            let lease = try store.acquire(
                name: ProcessInfo.processInfo.hostName, for: EngineService.leaseTime, roles: roles, version: Self.build)
            // The folder has one owner: whatever held a lease on its database before is dead.
            if isEmbedded { try store.endAll(except: lease) }
            // Before it writes any event: an older version would throw away those that it knows no subscriber of.
            try SubscriberStore(tx: tx).note(Self.subscribers)
            return lease
        }
        let services = engineServices(outbound)
        let engine = Engine(
            database: database, lease: lease, services: services, configuration: engineConfiguration(kinds ?? workflows.kinds),
            clock: clock, ids: ids, blobs: blobs)
        // Before it takes anything up: what it does not know may be for a process that is there already.
        if !isEmbedded { try await engine.lookForOthers() }
        let zone: @Sendable (TenantID) async throws -> String = { [tenancy] tenant in try await tenancy.timeZone(of: tenant) }
        let binaries = Binaries(database: database, blobs: blobs)
        return Automation(
            engine: engine, executions: Executions(database: database, engine: engine, workflows: workflows, blobs: blobs, timeZone: zone),
            webhooks: Webhooks(
                database: database, engine: engine, workflows: workflows, clock: clock, timeZone: zone,
                credential: { [credentials] id, type, tenant in try await credentials.fields(id, type: type, tenant: tenant) },
                openBinary: { reference, tenant in try await binaries.sized(reference, tenant) },
                store: { bytes, type, name, holder in try await binaries.write(bytes, type, name, holder) }), outbound: outbound,
            poller: Poller(engine: engine, workflows: workflows, services: services),
            diskStarts: DiskStarts(engine: engine, workflows: workflows),
            listener: Listener(engine: engine, workflows: workflows) { [outbound] request, tenant in
                try await outbound.send(request, for: tenant, isLasting: true)
            })
    }

    private func engineConfiguration(_ kinds: KindRegistry) -> Engine.Configuration {
        let (live, database, activity, outgoing) = (self.live, self.database, self.activity, self.outgoing)
        var configuration = Engine.Configuration(
            kinds: kinds,
            load: { tenant, workflow, number in
                let bytes = try await database.read(in: tenant) { tx in try WorkflowStore(tx: tx).document(of: workflow, version: number) }
                guard let bytes else { throw Refusal.missing("version") }
                return try WorkflowDocument(stored: bytes)
            },
            resolve: { call, tenant in
                guard call.document == nil else {
                    throw StepFailure(
                        "inline_workflow", "A workflow given inline cannot be called here; publish it and name its id.", isRetryable: false)
                }
                guard let found = try await Platform.callee(call.workflow, tenant, "execute_workflow_trigger", database) else {
                    throw StepFailure("no_such_workflow", "There is no published workflow \(call.workflow).", isRetryable: false)
                }
                return found
            },
            errorWorkflow: { id, tenant in try await Platform.callee(id, tenant, "error", database) },
            onFinish: { tx, facts, status, _ in
                try Platform.noteFinish(tx, facts, status, activity)
                try Platform.tellFinish(tx, facts, status, outgoing)
            },
            publish: { tenant, run, payload in live.publish(tenant, "run:\(run)", payload(), reach: .whereWatched) })
        configuration.liveRunsMaximum = self.configuration.liveRuns
        configuration.executionAddress = { [publicURL = self.configuration.publicURL] run in "\(publicURL)/executions/\(run)" }
        configuration.onStart = { tx, facts in
            if facts.mode == "schedule" || facts.mode == "trigger" { try tx.requireActiveTenant() }
            try tx.requireStorage()
            try tx.reserve(.executions)
            // With what lets it begin: however long it takes, it is charged by the terms of then.
            try tx.tally("executions", at: tx.clock.now())
            try Platform.noteStart(tx, facts, activity)
        }
        configuration.traceparent = { [logger] run, _ in
            do {
                return try await database.readSystem { tx in try RunTraceStore(tx: tx).traceparent(of: run) }
            } catch {
                logger.warning("a run's trace could not be read", metadata: ["run": "\(run)", "error": "\(error)"])
                return nil
            }
        }
        return configuration
    }

    /// The published version of a workflow with the trigger of a kind, or its first one.
    private static func callee(
        _ text: String, _ tenant: TenantID, _ kind: String, _ database: any Database
    ) async throws -> (workflow: WorkflowID, version: Int, trigger: String)? {
        guard let id = WorkflowID(text) else { return nil }
        let found = try await database.read(in: tenant) { tx in try WorkflowStore(tx: tx).published(id) }
        guard let (version, bytes) = found else { return nil }
        let triggers = try WorkflowDocument(stored: bytes).nodes.filter { $0.category == .trigger && !$0.disabled }
        guard let trigger = triggers.first(where: { $0.kind == kind }) ?? triggers.first else { return nil }
        return (id, version, trigger.name)
    }
}
