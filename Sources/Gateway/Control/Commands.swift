internal import Billing
package import Kernel
internal import Persistence
internal import Tenancy
internal import Workflows

/// What the command asks of the owner of a data folder: the same code whether it owns the folder itself or a server does.
extension Platform {
    /// - Throws: refusals, which the command prints.
    package func perform(_ command: String, _ arguments: JSON) async throws -> JSON {
        switch command {
        case "tenant.create": return try await createTenant(arguments)
        case "tenant.list": return try await listTenants()
        case "sign_in_link": return ["path": .string(try await tenancy.makeSignInLink(email: arguments["email"]?.text ?? ""))]
        case "operator.link": return ["path": .string(try await tenancy.makeOperatorLink(email: arguments["email"]?.text ?? ""))]
        case "operator.set":
            let isChanged = try await tenancy.setOperator(
                arguments["is_operator"]?.boolean ?? true, email: arguments["email"]?.text ?? "", by: .system(in: nil))
            return ["changed": .bool(isChanged)]
        case "operator.list":
            let list = try await tenancy.operators().map { user -> JSON in ["id": .string(user.id.description), "email": .string(user.email.text)] }
            return ["operators": .array(list)]
        case "keys.rotate": return try await rotateKeys(arguments)
        case "licence.issue": return try await issueLicence(arguments)
        case "licence.key": return ["key": .string(try await billing.licenceKey())]
        case "health": return ["ok": .bool(try await !tenancy.plans().isEmpty)]
        case "backup.create":
            return try await backups.make(to: arguments["to"]?.text, withKeys: arguments["with_keys"]?.boolean ?? false).json
        case "workflow.import": return try await importWorkflow(arguments)
        case "workflow.export": return try await exportWorkflows(arguments)
        default: throw Refusal(.missing, "unknown_command", "This server does not know the command \(command); it may be older than the program.")
        }
    }

    private func rotateKeys(_ arguments: JSON) async throws -> JSON {
        let isMaster = arguments["master"]?.boolean ?? false
        if isMaster {
            guard configuration.environment["AIAS_MASTER_KEY"] == nil else {
                throw Refusal(
                    .conflict, "master_key_elsewhere",
                    "The master key comes from AIAS_MASTER_KEY, which this program cannot change; only a key in the data folder is changed here.")
            }
            try await vault.changeMaster(at: folder.masterKeyPath)
            try await tenancy.noteMasterKeyChange(by: .system(in: nil))
        }
        let count = try await tenancy.rotateKeys(by: .system(in: nil))
        return ["data_keys": .number(Double(count)), "master_key": .bool(isMaster)]
    }

    private func createTenant(_ arguments: JSON) async throws -> JSON {
        let name = arguments["plan"]?.text ?? "starter"
        guard let plan = PlanName(rawValue: name) else {
            throw Refusal.invalid("plan", "unknown_plan", "plan is one of \(PlanName.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        let subdomain = arguments["subdomain"]?.text ?? ""
        let new = NewTenant(name: arguments["name"]?.text ?? subdomain, subdomain: subdomain, plan: plan, limits: limits(arguments["limits"]))
        let made = try await tenancy.createTenant(new, owner: arguments["owner"]?.text ?? "", by: .system(in: nil))
        return [
            "tenant": [
                "id": .string(made.tenant.id.description), "name": .string(made.tenant.name), "subdomain": .string(made.tenant.subdomain.text),
                "plan": .string(made.tenant.plan.rawValue), "status": .string(made.tenant.status.rawValue)
            ],
            "api_key": .string(made.apiKey)
        ]
    }

    /// By subdomain; members are those of now.
    private func listTenants() async throws -> JSON {
        let all = try await tenancy.tenants(TenantSearch()).sorted { $0.tenant.subdomain.text < $1.tenant.subdomain.text }
        let rows: [JSON] = all.map { one in
            [
                "id": .string(one.tenant.id.description), "subdomain": .string(one.tenant.subdomain.text), "name": .string(one.tenant.name),
                "plan": .string(one.tenant.plan.rawValue), "status": .string(one.tenant.status.rawValue), "members": .number(Double(one.members)),
                "created_at": .string(one.tenant.createdAt.description)
            ]
        }
        return ["tenants": .array(rows)]
    }

    /// The command acts for the folder's owner, with every right in the tenant.
    private func owner(of subdomain: String?) async throws -> Principal {
        guard let tenant = try await tenancy.tenant(subdomain: subdomain ?? "") else {
            throw Refusal.invalid("tenant", "unknown_tenant", "There is no tenant \(subdomain ?? "").")
        }
        return Principal(actor: .system, tenant: tenant.id, role: .owner)
    }

    private func importWorkflow(_ arguments: JSON) async throws -> JSON {
        let principal = try await owner(of: arguments["tenant"]?.text)
        let made = try await workflows.importN8n(
            arguments["document"] ?? .null, publish: arguments["publish"]?.boolean ?? false, by: principal)
        let faults: [JSON] = made.faults.map { ["field": .string($0.field), "code": .string($0.code), "message": .string($0.message)] }
        return [
            "id": .string(made.workflow.id.description), "name": .string(made.workflow.name), "published": .bool(made.version != nil),
            "faults": .array(faults), "report": made.report.json
        ]
    }

    private func exportWorkflows(_ arguments: JSON) async throws -> JSON {
        let principal = try await owner(of: arguments["tenant"]?.text)
        var documents: [JSON] = []
        var cursor: WorkflowID?
        while true {
            let page = try await workflows.list(before: cursor, limit: Limits.pageSizeMaximum, by: principal)
            for workflow in page {
                let isN8n = arguments["format"]?.text == "n8n"
                documents.append(
                    isN8n
                        ? try await workflows.exportN8n(workflow.id, by: principal)
                        : try await workflows.workflow(workflow.id, by: principal).draft.json)
            }
            guard page.count == Limits.pageSizeMaximum else { return ["workflows": .array(documents)] }
            cursor = page.last?.id
        }
    }

    private func limits(_ json: JSON?) -> PlanLimits? {
        guard let json, json.object?.isEmpty == false else { return nil }
        return PlanLimits(
            workflows: json["workflows"]?.integer, executionsPerMonth: json["executions_per_month"]?.integer,
            storageBytes: json["storage_bytes"]?.integer, users: json["users"]?.integer, requestsPerSecond: json["requests_per_second"]?.integer,
            runDays: json["run_days"]?.integer)
    }
}
