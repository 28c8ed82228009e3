package import Kernel
internal import Persistence

/// What became of an import: the workflow, what it needs, and, where it was to be published, what stood in the way.
package struct WorkflowImport: Sendable {
    package var workflow: Workflow
    package var report: ImportReport
    package var version: WorkflowVersion?
    package var faults: [Refusal.Fault]
}

extension Workflows {
    package var n8nImporter: N8nImporter {
        let kinds = kinds
        return N8nImporter(kind: { kinds.kind(n8nType: $0) }, supports: kinds.supports)
    }

    package var n8nExporter: N8nExporter {
        let kinds = kinds
        return N8nExporter { kinds.kind($0)?.n8nTypes.first }
    }

    /// Imports n8n's JSON as a draft; credentials that this tenant has under the same type and name are used. With `publish` it is
    /// published as well, unless something stands in the way: then it stays a draft, and `faults` says why.
    package func importN8n(
        _ json: JSON, name: String = "Imported workflow", publish: Bool, by principal: Principal
    ) async throws -> WorkflowImport {
        if publish { try principal.require(.workflowsPublish) }
        let (document, report) = try await convertN8n(json, name: name, by: principal)
        let workflow = try await create(document, by: principal)
        guard publish else { return WorkflowImport(workflow: workflow, report: report, version: nil, faults: []) }
        do {
            let version = try await self.publish(workflow.id, by: principal)
            let published = try await self.workflow(workflow.id, by: principal).workflow
            return WorkflowImport(workflow: published, report: report, version: version, faults: [])
        } catch let refusal as Refusal where refusal.code == "invalid_workflow" || refusal.code == "webhook_taken" {
            return WorkflowImport(workflow: workflow, report: report, version: nil, faults: refusal.faults)
        }
    }

    /// Reads n8n's JSON, with this tenant's credentials of the same type and name; nothing is kept of it.
    package func convertN8n(
        _ json: JSON, name: String = "Imported workflow", by principal: Principal
    ) async throws -> (document: WorkflowDocument, report: ImportReport) {
        let tenant = try principal.tenant(for: .workflowsWrite)
        var (document, report) = try n8nImporter.read(json, name: name)
        let credentials = try await usableCredentials(of: tenant, by: principal)
        document.mapCredentials { type, name in credentials[WorkflowDocument.MissingCredential(type: type, name: name)] }
        let missing = document.unmappedCredentials
        report.credentials.removeAll { !missing.contains(WorkflowDocument.MissingCredential(type: $0.type, name: $0.name)) }
        return (document, report)
    }

    /// The tenant's credentials that somebody may use, by type and name.
    private func usableCredentials(
        of tenant: TenantID, by principal: Principal
    ) async throws -> [WorkflowDocument.MissingCredential: CredentialID] {
        let all = try await database.read(in: tenant) { tx in try CredentialStore(tx: tx).all() }
        return all.filter { $0.isUsable(by: principal) }.reduce(into: [:]) { known, credential in
            known[WorkflowDocument.MissingCredential(type: credential.type, name: credential.name)] = credential.id
        }
    }

    /// Gives the draft's references without an id the tenant's credentials of the same type and name; what is published stays as it is.
    /// - Returns: whether there was one for any.
    package func mapCredentials(of id: WorkflowID, by principal: Principal) async throws -> Bool {
        let tenant = try principal.tenant(for: .workflowsWrite)
        let (workflow, draft) = try await self.workflow(id, by: principal)
        let credentials = try await usableCredentials(of: tenant, by: principal)
        var mapped = draft
        mapped.mapCredentials { type, name in credentials[WorkflowDocument.MissingCredential(type: type, name: name)] }
        guard mapped != draft else { return false }
        _ = try await update(id, draft: mapped, expecting: workflow.draftRevision, by: principal)
        return true
    }

    /// n8n's JSON of the draft.
    package func exportN8n(_ id: WorkflowID, by principal: Principal) async throws -> JSON {
        n8nExporter.write(try await workflow(id, by: principal).draft)
    }
}

extension WorkflowDocument {
    /// A credential that enabled nodes name, but that is none of the tenant's yet.
    struct MissingCredential: Hashable {
        var type: String
        var name: String
    }

    /// In the order of the nodes, each once.
    var missingCredentials: [MissingCredential] {
        var found: [MissingCredential] = []
        var seen: Set<MissingCredential> = []
        for node in nodes where !node.disabled {
            for (type, reference) in node.credentials.sorted(by: { $0.key < $1.key }) where reference.id == nil {
                let missing = MissingCredential(type: type, name: reference.name)
                if seen.insert(missing).inserted { found.append(missing) }
            }
        }
        return found
    }

    /// The same of all nodes, disabled ones too.
    fileprivate var unmappedCredentials: Set<MissingCredential> {
        nodes.reduce(into: []) { found, node in
            for (type, reference) in node.credentials where reference.id == nil { found.insert(MissingCredential(type: type, name: reference.name)) }
        }
    }

    /// Gives each reference without an id the one that `find` names for its type and name.
    package mutating func mapCredentials(_ find: (_ type: String, _ name: String) -> CredentialID?) {
        for index in nodes.indices {
            for (type, reference) in nodes[index].credentials where reference.id == nil {
                nodes[index].credentials[type]?.id = find(type, reference.name)?.description
            }
        }
    }
}
