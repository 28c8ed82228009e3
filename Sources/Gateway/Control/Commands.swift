package import Kernel
internal import Tenancy
internal import Workflows

/// What the command asks of the owner of a data folder: the same code whether it owns the folder itself or a server does.
extension Platform {
    /// - Throws: refusals, which the command prints.
    package func perform(_ command: String, _ arguments: JSON) async throws -> JSON {
        switch command {
        case "tenant.create": return try await createTenant(arguments)
        case "sign_in_link": return ["path": .string(try await tenancy.makeSignInLink(email: arguments["email"]?.text ?? ""))]
        case "workflow.import": return try await importWorkflow(arguments)
        case "workflow.export": return try await exportWorkflows(arguments)
        default: throw Refusal(.missing, "unknown_command", "This server does not know the command \(command); it may be older than the program.")
        }
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
        return ["id": .string(made.workflow.id.description), "name": .string(made.workflow.name), "report": made.report.json]
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
            storageBytes: json["storage_bytes"]?.integer, users: json["users"]?.integer, requestsPerSecond: json["requests_per_second"]?.integer)
    }
}
