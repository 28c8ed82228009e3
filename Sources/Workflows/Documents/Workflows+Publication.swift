internal import Jobs
package import Kernel
package import Persistence
internal import Tenancy

extension Workflows {
    /// Makes the draft a numbered version and lets its triggers start it in place of the version before.
    /// - Parameter name: what people call the version, where it has a name.
    /// - Throws: `invalid_workflow` with every fault, `webhook_taken` where another workflow answers the path, `too_many` for more triggers that
    ///   wait for the disk than a tenant may have.
    package func publish(
        _ id: WorkflowID, name: String? = nil, note: String? = nil, by principal: Principal
    ) async throws -> WorkflowVersion {
        let tenant = try principal.tenant(for: .workflowsPublish)
        try Self.checkLabel(name, note)
        let zone = try await policies.timeZone(tenant)
        let (checked, document) = try await draft(of: id, in: tenant)
        try validator.check(document, for: .publication)
        return try await database.write(in: tenant) { [self] tx in
            var workflow = try active(id, in: tx)
            // Saved between the check and now: what would be published was not checked.
            guard workflow.draftRevision == checked else {
                throw Refusal(.conflict, "revision_conflict", "The draft was saved while it was being published; publish it again.")
            }
            try checkCredentials(of: document, for: principal, in: tx)
            workflow.lastVersion += 1
            workflow.publishedVersion = workflow.lastVersion
            workflow.updatedAt = tx.clock.now()
            let version = WorkflowVersion(
                workflow: id, number: workflow.lastVersion, publishedAt: workflow.updatedAt, publishedBy: principal.auditName,
                name: name, note: note)
            try WorkflowStore(tx: tx).insert(version, document: document.json.bytes)
            if name != nil { try VersionLabelStore(tx: tx).set(version, by: principal.auditName) }
            try WorkflowStore(tx: tx).update(workflow)
            try replaceTriggers(of: workflow, with: document, version: version.number, zone: zone, in: tx)
            try policies.audit(tx, principal, "workflow.publish", "workflow:\(id)", ["version": .number(Double(version.number))])
            try tx.emit(WorkflowEvents.Published(workflow: workflow))
            return version
        }
    }

    /// Gives a published version another name and note; nil takes one away.
    package func label(
        _ id: WorkflowID, version number: Int, name: String?, note: String?, by principal: Principal
    ) async throws -> WorkflowVersion {
        let tenant = try principal.tenant(for: .workflowsPublish)
        try Self.checkLabel(name, note)
        return try await database.write(in: tenant) { [self] tx in
            // The last number that there is has none above it.
            guard number < .max, var version = try WorkflowStore(tx: tx).versions(of: id, below: number + 1, limit: 1).first,
                version.number == number
            else { throw Refusal.missing("version") }
            (version.name, version.note) = (name, note)
            try VersionLabelStore(tx: tx).set(version, by: principal.auditName)
            try policies.audit(tx, principal, "workflow.label", "workflow:\(id)", ["version": .number(Double(number))])
            return version
        }
    }

    private static func checkLabel(_ name: String?, _ note: String?) throws {
        if let name, name.count > Limits.versionNameLength {
            throw Refusal.invalid("name", "too_long", "A name has at most \(Limits.versionNameLength) characters.")
        }
        if let note, note.count > Limits.versionNoteLength {
            throw Refusal.invalid("note", "too_long", "A note has at most \(Limits.versionNoteLength) characters.")
        }
    }

    /// Nothing starts the workflow any more; runs under way go on.
    package func unpublish(_ id: WorkflowID, by principal: Principal) async throws -> Workflow {
        let tenant = try principal.tenant(for: .workflowsPublish)
        return try await database.write(in: tenant) { [self] tx in
            var workflow = try active(id, in: tx)
            guard workflow.publishedVersion != nil else { return workflow }
            try unpublish(&workflow, by: principal, in: tx)
            return workflow
        }
    }

    /// The same of all that the tenant has published.
    /// - Returns: how many.
    package func unpublishAll(in tx: TenantTransaction, by principal: Principal) throws -> Int {
        var last: WorkflowID?
        var count = 0
        while true {
            let page = try WorkflowStore(tx: tx).page(.active, before: last, limit: Limits.pageSizeMaximum)
            for var workflow in page where workflow.publishedVersion != nil {
                try unpublish(&workflow, by: principal, in: tx)
                count += 1
            }
            guard page.count == Limits.pageSizeMaximum else { return count }
            last = page.last?.id
        }
    }

    /// Unpublishes it and takes it out of the plan's count.
    package func archive(_ id: WorkflowID, by principal: Principal) async throws -> Workflow {
        let tenant = try principal.tenant(for: .workflowsWrite)
        return try await database.write(in: tenant) { [self] tx in
            var workflow = try active(id, in: tx)
            if workflow.publishedVersion != nil { try principal.require(.workflowsPublish) }
            workflow.status = .archived
            try stop(&workflow, in: tx)
            try policies.reserve(tx, -1)
            try policies.audit(tx, principal, "workflow.archive", "workflow:\(id)", [:])
            try tx.emit(WorkflowEvents.Archived(workflow: workflow))
            return workflow
        }
    }

    /// Makes an archived workflow active again, unpublished.
    package func restore(_ id: WorkflowID, by principal: Principal) async throws -> Workflow {
        let tenant = try principal.tenant(for: .workflowsWrite)
        return try await database.write(in: tenant) { [self] tx in
            guard var workflow = try WorkflowStore(tx: tx).workflow(id) else { throw Refusal.missing("workflow") }
            guard workflow.status == .archived else { return workflow }
            try policies.reserve(tx, 1)
            workflow.status = .active
            workflow.updatedAt = tx.clock.now()
            try WorkflowStore(tx: tx).update(workflow)
            try policies.audit(tx, principal, "workflow.restore", "workflow:\(id)", [:])
            return workflow
        }
    }

    /// Removes the workflow with its draft, versions and triggers, and the files that it kept, for good.
    package func delete(_ id: WorkflowID, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .workflowsWrite)
        let (last, files) = try await database.read(in: tenant) { tx -> (Int, Set<PayloadHash>) in
            guard let workflow = try WorkflowStore(tx: tx).workflow(id) else { throw Refusal.missing("workflow") }
            return (workflow.lastVersion, try PayloadStore(tx: tx).uses(of: PayloadUser(id)))
        }
        try await database.write(in: tenant) { [self] tx in
            guard let workflow = try WorkflowStore(tx: tx).workflow(id) else { throw Refusal.missing("workflow") }
            // What a version names that was published meanwhile would be kept by nobody.
            guard workflow.lastVersion == last else {
                throw Refusal(.conflict, "revision_conflict", "The workflow was published while it was being deleted; delete it again.")
            }
            if workflow.publishedVersion != nil { try principal.require(.workflowsPublish) }
            try removeTriggers(of: id, in: tx)
            try WorkflowStore(tx: tx).delete(id)
            try PayloadStore(tx: tx).release(files, of: PayloadUser(id))
            if workflow.status == .active { try policies.reserve(tx, -1) }
            try policies.audit(tx, principal, "workflow.delete", "workflow:\(id)", ["name": .string(workflow.name)])
            try tx.emit(WorkflowEvents.Deleted(workflow: workflow))
        }
    }

    private func draft(of id: WorkflowID, in tenant: TenantID) async throws -> (revision: Int, document: WorkflowDocument) {
        let (revision, bytes) = try await database.read(in: tenant) { tx in
            let store = WorkflowStore(tx: tx)
            guard let workflow = try store.workflow(id), let draft = try store.draft(of: id) else { throw Refusal.missing("workflow") }
            return (workflow.draftRevision, draft)
        }
        return (revision, try WorkflowDocument(stored: bytes))
    }

    private func unpublish(_ workflow: inout Workflow, by principal: Principal, in tx: TenantTransaction) throws {
        try stop(&workflow, in: tx)
        try policies.audit(tx, principal, "workflow.unpublish", "workflow:\(workflow.id)", [:])
        try tx.emit(WorkflowEvents.Unpublished(workflow: workflow))
    }

    private func stop(_ workflow: inout Workflow, in tx: TenantTransaction) throws {
        workflow.publishedVersion = nil
        workflow.updatedAt = tx.clock.now()
        try WorkflowStore(tx: tx).update(workflow)
        try removeTriggers(of: workflow.id, in: tx)
    }

    private func removeTriggers(of workflow: WorkflowID, in tx: TenantTransaction) throws {
        try TriggerStore(tx: tx).removeAll(of: workflow)
        try DiskWatchStore(tx: tx).removeAll(of: workflow)
        try tx.cancelTimer(kind: Poller.timerKind, subject: workflow.description)
        try tx.cancelTimer(kind: Listener.timerKind, subject: workflow.description)
        tx.afterCommit { [targets, tenant = tx.tenant.id] in targets.changed(in: tenant) }
    }

    private func replaceTriggers(
        of workflow: Workflow, with document: WorkflowDocument, version: Int, zone: String, in tx: TenantTransaction
    ) throws {
        let store = TriggerStore(tx: tx)
        let due = try store.dueSlots(of: workflow.id, at: tx.clock.now())
        try removeTriggers(of: workflow.id, in: tx)
        let collector = FaultCollector()
        for (node, index, route) in document.webhookRoutes(kind: { kinds.kind($0) }) {
            guard let owner = try store.insert(route, of: workflow.id, version: version, node: node.id) else { continue }
            let whose = owner == workflow.id ? "another node" : "another workflow"
            collector.add(
                "nodes[\(index)].config.path", "webhook_taken", "\(node.name): \(route.method) /\(route.path) starts \(whose) already.")
        }
        guard collector.faults.isEmpty else {
            throw Refusal(.conflict, "webhook_taken", "A path is taken already: see the list.", faults: collector.faults)
        }
        for (node, slot) in try document.scheduleSlots(after: tx.clock.now(), due: due, zone: zone, kind: { kinds.kind($0) }) {
            try store.insert(slot: slot, of: workflow.id, version: version, node: node.id)
        }
        if let poll = try document.nextPoll(after: tx.clock.now(), zone: zone) {
            try tx.setTimer(kind: Poller.timerKind, subject: workflow.id.description, dueAt: poll)
        }
        try DiskWatchStore(tx: tx).add(try document.diskWatches(of: workflow.id))
        if document.listens { try tx.setTimer(kind: Listener.timerKind, subject: workflow.id.description, dueAt: tx.clock.now()) }
    }
}

extension Limits {
    package static let versionNoteLength = 1_000
    package static let versionNameLength = 100
}
