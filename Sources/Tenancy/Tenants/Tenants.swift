package import Kernel
internal import Persistence

/// What an operator, or a person who signs up, asks for.
package struct NewTenant: Sendable, Hashable {
    package var name: String
    package var subdomain: String
    package var plan: PlanName
    /// Only for the custom plan; the others bring their own.
    package var limits: PlanLimits?

    package init(name: String, subdomain: String, plan: PlanName, limits: PlanLimits? = nil) {
        self.name = name
        self.subdomain = subdomain
        self.plan = plan
        self.limits = limits
    }
}

/// A change of a tenant; nil leaves as it is.
package struct TenantChange: Sendable, Hashable {
    package var name: String?
    package var plan: PlanName?
    package var status: Tenant.Status?
    package var features: [String]?
    package var limits: PlanLimits?
    package var timeZone: String?
    /// 0 is as long as the plan and the deployment allow.
    package var keepSucceededDays: Int?
    package var keepFailedDays: Int?

    package init(
        name: String? = nil, plan: PlanName? = nil, status: Tenant.Status? = nil, features: [String]? = nil, limits: PlanLimits? = nil,
        timeZone: String? = nil, keepSucceededDays: Int? = nil, keepFailedDays: Int? = nil
    ) {
        self.name = name
        self.plan = plan
        self.status = status
        self.features = features
        self.limits = limits
        self.timeZone = timeZone
        self.keepSucceededDays = keepSucceededDays
        self.keepFailedDays = keepFailedDays
    }
}

extension Tenancy {
    static let nameLengths = 1...80

    /// Adds the seeded plans; called at every start.
    package func seedPlans() async throws {
        try await database.writeDirectory { tx in try PlanStore(tx: tx).seed() }
    }

    package func plans() async throws -> [Plan] {
        try await database.readDirectory { tx in try PlanStore(tx: tx).all() }
    }

    /// Creates a tenant with its owner, who is made a user where the address is new, and an API key for programs.
    /// - Throws: `subdomain_taken`, and what the values refuse.
    package func createTenant(_ new: NewTenant, owner: String, by principal: Principal) async throws -> (tenant: Tenant, apiKey: String) {
        let subdomain = try Subdomain(new.subdomain)
        let email = try EmailAddress(owner)
        let name = try Self.checkedName(new.name)
        defer { known.forget() }
        return try await database.writeDirectory { tx in
            let user = try vouchFor(email, in: tx)
            let tenant = try Self.insertTenant(new, name: name, subdomain: subdomain, owner: user, by: principal, in: tx)
            let (_, secret) = try Self.insertKey(
                name: "First key", role: .owner, scopes: [], expiresAt: nil, madeBy: nil, tenant: tenant.id, in: tx)
            return (tenant, secret)
        }
    }

    package func tenant(_ id: TenantID) async throws -> Tenant? {
        try await database.readDirectory { tx in try TenantStore(tx: tx).tenant(id) }
    }

    package func tenant(subdomain: String) async throws -> Tenant? {
        try await database.readDirectory { tx in try TenantStore(tx: tx).tenant(subdomain: subdomain.lowercased()) }
    }

    /// Newest first; for operators.
    package func tenants(before cursor: TenantID?, limit: Int) async throws -> [Tenant] {
        try await database.readDirectory { tx in try TenantStore(tx: tx).page(before: cursor, limit: limit) }
    }

    /// Plan, status, features and limits are the operator's to change; name, time zone and how long runs are kept the tenant's.
    package func updateTenant(_ id: TenantID, _ change: TenantChange, by principal: Principal) async throws -> Tenant {
        defer { known.forget() }
        return try await database.writeDirectory { tx in
            guard var tenant = try TenantStore(tx: tx).tenant(id) else { throw Refusal.missing("tenant") }
            if let name = change.name { tenant.name = try Self.checkedName(name) }
            if let zone = change.timeZone { tenant.timeZone = try Self.checkedZone(zone) }
            if let status = change.status, status != tenant.status {
                try Self.requireHere(id, in: tx)
                tenant.status = status
                tenant.statusReason = nil
            }
            if let features = change.features { tenant.features = try features.map(Self.checkedFeature) }
            let isOtherPlan = change.plan.map { $0 != tenant.plan } ?? false
            if let plan = change.plan { tenant.plan = plan }
            if isOtherPlan || change.limits != nil {
                tenant.limits = try Self.limits(of: tenant.plan, given: change.limits, in: tx)
            }
            if let days = change.keepSucceededDays {
                tenant.runKeeping.succeededDays = try Self.keptDays(days, field: "keep_succeeded_days", limits: tenant.limits)
            }
            if let days = change.keepFailedDays {
                tenant.runKeeping.failedDays = try Self.keptDays(days, field: "keep_failed_days", limits: tenant.limits)
            }
            try TenantStore(tx: tx).update(tenant)
            let scoped = try tx.tenant(id)
            try QuotaStore(tx: scoped).setAllowed(tenant.limits, at: tx.clock.now())
            try StorageUse(tx: scoped).allow(tenant.limits.storageBytes)
            try scoped.audit(
                principal, "tenant.update", "tenant:\(id)", ["plan": .string(tenant.plan.rawValue), "status": .string(tenant.status.rawValue)])
            return tenant
        }
    }

    /// What the tenant has used of each limit.
    package func quotas(of id: TenantID) async throws -> [QuotaUse] {
        let now = clock.now()
        return try await database.read(in: id) { tx in
            let limits = try TenantStore(tx: tx.directory).tenant(id)?.limits ?? PlanLimits()
            return try QuotaKey.all.map { key in
                if key == .storageBytes { return QuotaUse(key: key, used: try StorageUse(tx: tx).bytes(), limit: key.limit(limits)) }
                let use = try QuotaStore(tx: tx).use(key, at: now)
                return QuotaUse(key: key, used: use?.used ?? 0, limit: key.limit(limits))
            }
        }
    }

    static func checkedName(_ name: String) throws -> String {
        let name = name.trimmingPrefix { $0.isWhitespace }
        let hasControl = name.unicodeScalars.contains { $0.properties.generalCategory == .control }
        guard nameLengths.contains(name.count), !hasControl else {
            throw Refusal.invalid("name", "bad_name", "A name has 1 to 80 printable characters.")
        }
        return String(name)
    }

    static func limits(of plan: PlanName, given: PlanLimits?, in tx: DirectoryTransaction) throws -> PlanLimits {
        if plan == .custom { return try checked(given ?? PlanLimits()) }
        guard given == nil else {
            throw Refusal.invalid(
                "limits", "plan_brings_limits", "The plan \(plan.rawValue) brings its own limits; take the custom plan to set them.")
        }
        guard let listed = try PlanStore(tx: tx).plan(plan) else {
            throw Refusal.invalid("plan", "unknown_plan", "The plan \(plan.rawValue) is not on the price list.")
        }
        return listed.limits
    }

    static func insertTenant(
        _ new: NewTenant, name: String, subdomain: Subdomain, owner: UserID, by principal: Principal, in tx: DirectoryTransaction
    ) throws -> Tenant {
        guard try TenantStore(tx: tx).tenant(subdomain: subdomain.text) == nil else {
            throw Refusal(.conflict, "subdomain_taken", "The subdomain \(subdomain) is taken; choose another.", field: "subdomain")
        }
        let now = tx.clock.now()
        let tenant = Tenant(
            id: tx.ids.next(), name: name, subdomain: subdomain, plan: new.plan, status: .active, features: [],
            limits: try limits(of: new.plan, given: new.limits, in: tx), timeZone: "UTC", createdAt: now)
        try TenantStore(tx: tx).insert(tenant)
        try MembershipStore(tx: tx).insert(Membership(tenant: tenant.id, user: owner, role: .owner, createdAt: now))
        let scoped = try tx.tenant(tenant.id)
        try scoped.reserve(.users)
        try StorageUse(tx: scoped).allow(tenant.limits.storageBytes)
        try scoped.audit(principal, "tenant.create", "tenant:\(tenant.id)", ["plan": .string(new.plan.rawValue)])
        return tenant
    }

    /// Somebody to whom an operator gives rights: nobody else may have a password or a session of the account, unless its address was proven.
    func vouchFor(_ email: EmailAddress, in tx: DirectoryTransaction) throws -> UserID {
        let id = try Self.findOrMakeUser(email, name: nil, in: tx)
        guard var user = try UserStore(tx: tx).user(id) else { throw Refusal.missing("person") }
        try takeFromStranger(&user, in: tx)
        try UserStore(tx: tx).update(user)
        return id
    }

    static func findOrMakeUser(_ email: EmailAddress, name: String?, in tx: DirectoryTransaction) throws -> UserID {
        if let user = try UserStore(tx: tx).user(email: email) { return user.id }
        let user = User(
            id: tx.ids.next(), email: email, name: name ?? String(email.text.prefix { $0 != "@" }), passwordHash: nil, emailVerifiedAt: nil,
            failedAttempts: 0, lockedUntil: nil, isOperator: false, createdAt: tx.clock.now())
        try UserStore(tx: tx).insert(user)
        return user.id
    }
}
