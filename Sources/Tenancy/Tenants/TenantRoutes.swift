internal import HTTPSurface
internal import Kernel

/// A tenant as its members see it.
struct TenantView: Codable, Sendable {
    var id: TenantID
    var name: String
    var subdomain: String
    var plan: String
    var status: String
    var features: [String]
    var limits: PlanLimits
    var timeZone: String
    var keepSucceededDays: Int?
    var keepFailedDays: Int?
    var createdAt: Timestamp

    init(_ tenant: Tenant) {
        id = tenant.id
        name = tenant.name
        subdomain = tenant.subdomain.text
        plan = tenant.plan.rawValue
        status = tenant.status.rawValue
        features = tenant.features
        limits = tenant.limits
        timeZone = tenant.timeZone
        keepSucceededDays = tenant.runKeeping.succeededDays
        keepFailedDays = tenant.runKeeping.failedDays
        createdAt = tenant.createdAt
    }
}

struct TenantUpdate: Codable, Sendable, Described {
    var name: String?
    var timeZone: String?
    var keepSucceededDays: Int?
    var keepFailedDays: Int?

    static let notes: [FieldNote] = [
        FieldNote("name", "Shown to its members.", length: 1...80), FieldNote("timeZone", "IANA name, such as Europe/Berlin.", length: 1...64),
        FieldNote(
            "keepSucceededDays", "For how many days executions that succeeded are kept after their end: 2 or more, 0 for as long as the plan allows.",
            example: 14, range: 0...36_500),
        FieldNote("keepFailedDays", "The same for executions that failed or were cancelled.", example: 90, range: 0...36_500)
    ]
}

/// What an operator sends to create a tenant.
struct NewTenantBody: Codable, Sendable, Described {
    var name: String
    var subdomain: String
    var plan: String
    var owner: String
    var limits: PlanLimits?

    static let notes: [FieldNote] = [
        FieldNote("name", "Shown to its members.", length: 1...80),
        FieldNote("subdomain", "A DNS label; the tenant's address.", example: "acme", length: 3...40),
        FieldNote("plan", "starter, professional, enterprise or custom.", example: "starter", length: 1...20),
        FieldNote("owner", "E-mail address of the owner.", example: "ana@example.com", length: 3...254),
        FieldNote("limits", "For the custom plan: its limits; what is left out is unlimited.")
    ]
}

struct CreatedTenant: Codable, Sendable {
    var tenant: TenantView
    /// Shown this once.
    var apiKey: String
}

struct TenantChangeBody: Codable, Sendable {
    var name: String?
    var plan: String?
    var status: String?
    var features: [String]?
    var limits: PlanLimits?
}

struct QuotaView: Codable, Sendable {
    var name: String
    var used: Int
    var limit: Int?

    init(_ use: QuotaUse) {
        name = use.key.name
        used = use.used
        limit = use.limit
    }

    enum CodingKeys: String, CodingKey { case name, used, limit }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(used, forKey: .used)
        try container.encode(limit, forKey: .limit)
    }
}

struct TenantRoutes {
    let tenancy: Tenancy

    var endpoints: [Endpoint] { own + operated }

    private var own: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/tenant", access: .tenant("tenant.read"), summary: "Show the tenant", tag: "Tenant", returns: .ok(TenantView.self)
            ) { call in
                guard let tenant = try await tenancy.tenant(call.tenant) else { throw Refusal.missing("tenant") }
                return TenantView(tenant)
            },
            Endpoint(
                .patch, "/v1/tenant", access: .tenant("tenant.write"),
                summary: "Change the tenant's name, time zone, or how long executions are kept", tag: "Tenant",
                body: TenantUpdate.self, returns: .ok(TenantView.self)
            ) { call, body in
                let change = TenantChange(
                    name: body.name, timeZone: body.timeZone, keepSucceededDays: body.keepSucceededDays, keepFailedDays: body.keepFailedDays)
                return TenantView(try await tenancy.updateTenant(call.tenant, change, by: call.principal))
            },
            Endpoint.list(
                "/v1/usage", access: .tenant("usage.read"), summary: "Show what is used of each limit", tag: "Tenant", of: QuotaView.self
            ) { call, page in
                try Page(of: try await tenancy.quotas(of: call.tenant).map(QuotaView.init), page)
            }
        ]
    }

    private var operated: [Endpoint] {
        [
            Endpoint.list("/v1/tenants", access: .platformOperator, summary: "List all tenants", tag: "Operator", of: TenantView.self) { _, page in
                let cursor: TenantID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await tenancy.tenants(before: cursor, limit: page.limit + 1)
                return Page(rows.map(TenantView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .post, "/v1/tenants", access: .platformOperator, summary: "Create a tenant with its owner", tag: "Operator",
                body: NewTenantBody.self, returns: .created(CreatedTenant.self, holdsSecret: true),
                errors: [ErrorDeclaration(.conflict, "subdomain_taken", "Another tenant has this subdomain.")]
            ) { call, body in
                let new = NewTenant(name: body.name, subdomain: body.subdomain, plan: try Tenancy.planName(body.plan), limits: body.limits)
                let made = try await tenancy.createTenant(new, owner: body.owner, by: call.principal)
                return CreatedTenant(tenant: TenantView(made.tenant), apiKey: made.apiKey)
            },
            Endpoint(
                .patch, "/v1/tenants/{id}", access: .platformOperator, summary: "Change a tenant's plan, status, features or limits",
                tag: "Operator", body: TenantChangeBody.self, returns: .ok(TenantView.self)
            ) { call, body in
                let change = TenantChange(
                    name: body.name, plan: try body.plan.map(Tenancy.planName), status: try body.status.map(Tenancy.status),
                    features: body.features, limits: body.limits)
                return TenantView(try await tenancy.updateTenant(try call.id("id", noun: "tenant"), change, by: call.principal))
            }
        ]
    }
}
