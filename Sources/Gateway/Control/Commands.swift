package import Kernel
internal import Tenancy

/// What the command asks of the owner of a data folder: the same code whether it owns the folder itself or a server does.
extension Platform {
    /// - Throws: refusals, which the command prints.
    package func perform(_ command: String, _ arguments: JSON) async throws -> JSON {
        switch command {
        case "tenant.create": return try await createTenant(arguments)
        case "sign_in_link": return ["path": .string(try await tenancy.makeSignInLink(email: arguments["email"]?.text ?? ""))]
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
                "plan": .string(made.tenant.plan.rawValue), "status": .string(made.tenant.status.rawValue),
            ],
            "api_key": .string(made.apiKey),
        ]
    }

    private func limits(_ json: JSON?) -> PlanLimits? {
        guard let json, json.object?.isEmpty == false else { return nil }
        return PlanLimits(
            workflows: json["workflows"]?.integer, executionsPerMonth: json["executions_per_month"]?.integer,
            storageBytes: json["storage_bytes"]?.integer, users: json["users"]?.integer, requestsPerSecond: json["requests_per_second"]?.integer)
    }
}
