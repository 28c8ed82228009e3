package import Kernel
package import Persistence

/// The verbs on workflows: who may, is it valid, one transaction, an event.
package struct Workflows: Sendable {
    let database: any Database
    package let kinds: KindRegistry
    let validator: WorkflowValidator
    let policies: TenantPolicies
    let targets: WebhookTargets

    package init(
        database: any Database, kinds: KindRegistry, policies: TenantPolicies, clock: Clock,
        expressionFault: @escaping @Sendable (_ text: String) -> String? = { _ in nil }
    ) {
        self.database = database
        self.kinds = kinds
        self.policies = policies
        targets = WebhookTargets(clock: clock)
        validator = WorkflowValidator(kind: { kinds.kind($0) }, expressionFault: expressionFault)
    }

    /// Reads a document as a caller sends it.
    /// - Throws: `invalid_workflow` with all faults of form, or, where the form is right, all of a draft.
    package func document(from json: JSON) throws -> WorkflowDocument {
        let document = try WorkflowDocument(json: json, kinds: { kinds.kind($0) })
        try validator.check(document, for: .draft)
        return document
    }

    /// What stands in the way of publishing a document.
    package func faults(in document: WorkflowDocument) -> [WorkflowFault] { validator.faults(in: document, for: .publication) }

    /// - Throws: `invalid_workflow`, `limit_reached`.
    package func create(_ document: WorkflowDocument, by principal: Principal) async throws -> Workflow {
        let tenant = try principal.tenant(for: .workflowsWrite)
        try validator.check(document, for: .draft)
        let bytes = document.json.bytes
        return try await database.write(in: tenant) { [self] tx in
            try policies.reserve(tx, 1)
            try checkCredentials(of: document, for: principal, in: tx)
            let now = tx.clock.now()
            let workflow = Workflow(
                id: tx.ids.next(), name: document.name, status: .active, draftRevision: 1, publishedVersion: nil, lastVersion: 0,
                createdAt: now, updatedAt: now)
            try WorkflowStore(tx: tx).insert(workflow, draft: bytes)
            try policies.audit(tx, principal, "workflow.create", "workflow:\(workflow.id)", ["name": .string(workflow.name)])
            try tx.emit(WorkflowEvents.Created(workflow: workflow))
            return workflow
        }
    }

    /// Saves the draft that began with `revision`; the document's name becomes the workflow's.
    /// - Throws: `invalid_workflow`; `revision_conflict` where someone else has saved since.
    package func update(
        _ id: WorkflowID, draft document: WorkflowDocument, expecting revision: Int, by principal: Principal
    ) async throws -> Workflow {
        let tenant = try principal.tenant(for: .workflowsWrite)
        try validator.check(document, for: .draft)
        let bytes = document.json.bytes
        return try await database.write(in: tenant) { [self] tx in
            var workflow = try active(id, in: tx)
            guard workflow.draftRevision == revision else { throw Workflows.conflict(workflow.draftRevision, expected: revision) }
            try checkCredentials(of: document, for: principal, in: tx)
            workflow.name = document.name
            workflow.draftRevision += 1
            workflow.updatedAt = tx.clock.now()
            guard try WorkflowStore(tx: tx).update(workflow, draft: bytes, expecting: revision) else {
                throw Workflows.conflict(revision + 1, expected: revision)
            }
            try policies.audit(
                tx, principal, "workflow.update", "workflow:\(id)", ["draft_revision": .number(Double(workflow.draftRevision))])
            return workflow
        }
    }

    package func workflow(_ id: WorkflowID, by principal: Principal) async throws -> (workflow: Workflow, draft: WorkflowDocument) {
        let tenant = try principal.tenant(for: .workflowsRead)
        let (workflow, bytes) = try await database.read(in: tenant) { tx in
            let store = WorkflowStore(tx: tx)
            guard let workflow = try store.workflow(id), let draft = try store.draft(of: id) else { throw Refusal.missing("workflow") }
            return (workflow, draft)
        }
        return (workflow, try WorkflowDocument(stored: bytes))
    }

    /// Newest first.
    package func list(
        _ status: Workflow.Status = .active, before cursor: WorkflowID?, limit: Int, by principal: Principal
    ) async throws -> [Workflow] {
        let tenant = try principal.tenant(for: .workflowsRead)
        return try await database.read(in: tenant) { tx in try WorkflowStore(tx: tx).page(status, before: cursor, limit: limit) }
    }

    /// Ids and names of those that are not archived, newest first.
    package func titles(limit: Int, by principal: Principal) async throws -> [(id: WorkflowID, name: String)] {
        let tenant = try principal.tenant(for: .workflowsRead)
        return try await database.read(in: tenant) { tx in try WorkflowStore(tx: tx).titles(limit: limit) }
    }

    /// The names of those that there are.
    package func names(of ids: Set<WorkflowID>, by principal: Principal) async throws -> [WorkflowID: String] {
        let tenant = try principal.tenant(for: .workflowsRead)
        return try await database.read(in: tenant) { tx in try WorkflowStore(tx: tx).names(of: ids) }
    }

    /// The requests that start the published version.
    func webhooks(of id: WorkflowID, by principal: Principal) async throws -> [WebhookRoute] {
        let tenant = try principal.tenant(for: .workflowsRead)
        return try await database.read(in: tenant) { tx in try TriggerStore(tx: tx).routes(of: id) }
    }

    /// Newest first.
    package func versions(
        of id: WorkflowID, below number: Int?, limit: Int, by principal: Principal
    ) async throws -> [WorkflowVersion] {
        let tenant = try principal.tenant(for: .workflowsRead)
        return try await database.read(in: tenant) { tx in
            let store = WorkflowStore(tx: tx)
            guard try store.workflow(id) != nil else { throw Refusal.missing("workflow") }
            return try store.versions(of: id, below: number, limit: limit)
        }
    }

    package func document(of id: WorkflowID, version number: Int, by principal: Principal) async throws -> WorkflowDocument {
        let tenant = try principal.tenant(for: .workflowsRead)
        let bytes = try await database.read(in: tenant) { tx in try WorkflowStore(tx: tx).document(of: id, version: number) }
        guard let bytes else { throw Refusal.missing("version") }
        return try WorkflowDocument(stored: bytes)
    }

    func active(_ id: WorkflowID, in tx: TenantTransaction) throws -> Workflow {
        guard let workflow = try WorkflowStore(tx: tx).workflow(id) else { throw Refusal.missing("workflow") }
        guard workflow.status == .active else {
            throw Refusal(.conflict, "workflow_archived", "The workflow is archived; restore it first.")
        }
        return workflow
    }

    private static func conflict(_ current: Int, expected: Int) -> Refusal {
        Refusal(
            .conflict, "revision_conflict", "The draft was saved by someone else; load revision \(current) and make the change there.",
            field: "draft_revision", arguments: ["current": String(current), "expected": String(expected)])
    }

    /// A node may only use credentials of this tenant that the person's role allows.
    func checkCredentials(of document: WorkflowDocument, for principal: Principal, in tx: TenantTransaction) throws {
        let collector = FaultCollector()
        var known: [String: Credential?] = [:]
        for (index, node) in document.nodes.enumerated() {
            for (type, reference) in node.credentials.sorted(by: { $0.key < $1.key }) {
                guard let text = reference.id else { continue }
                let credential = try known[text] ?? ID(text).flatMap { try CredentialStore(tx: tx).credential($0) }
                known[text] = credential
                let field = "nodes[\(index)].credentials.\(type)"
                if credential == nil || credential?.type != type {
                    collector.add(field, "unknown_credential", "\(node.name): there is no credential of the type \(type) with this id.")
                } else if credential?.isUsable(by: principal) == false {
                    collector.add(field, "credential_not_allowed", "\(node.name): your role may not use the credential \(credential?.name ?? "").")
                }
            }
        }
        guard collector.faults.isEmpty else { throw Refusal.invalidWorkflow(collector.faults) }
    }
}

extension WorkflowDocument {
    /// Reads bytes that this program wrote.
    package init(stored bytes: [UInt8]) throws { self = try WorkflowDocument(json: JSON(parsing: bytes)) }
}
