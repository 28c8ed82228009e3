package import Kernel
package import Persistence

/// A value of the tenant that expressions read as `$vars.name`. Not for secrets: those are credentials.
package struct Variable: Sendable, Hashable {
    package var name: String
    package var value: String
    package var updatedAt: Timestamp
}

/// The verbs on variables.
package struct Variables: Sendable {
    let database: any Database
    let policies: TenantPolicies

    package init(database: any Database, policies: TenantPolicies) {
        self.database = database
        self.policies = policies
    }

    /// By name.
    package func list(by principal: Principal) async throws -> [Variable] {
        let tenant = try principal.tenant(for: .variablesRead)
        return try await database.read(in: tenant) { tx in try VariableStore(tx: tx).all() }
    }

    /// Creates or replaces a variable.
    /// - Throws: `bad_name`, `too_long`, `too_many`.
    package func set(_ name: String, to value: String, by principal: Principal) async throws -> Variable {
        let tenant = try principal.tenant(for: .variablesWrite)
        try Variables.check(name, value)
        return try await database.write(in: tenant) { [self] tx in
            let store = VariableStore(tx: tx)
            let variable = Variable(name: name, value: value, updatedAt: tx.clock.now())
            if try store.variable(name) == nil, try store.count() >= Limits.variablesPerTenant {
                throw Refusal(.limitReached, "too_many", "A tenant has at most \(Limits.variablesPerTenant) variables.")
            }
            try store.set(variable)
            try policies.audit(tx, principal, "variable.set", "variable:\(name)", [:])
            return variable
        }
    }

    package func delete(_ name: String, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .variablesWrite)
        try await database.write(in: tenant) { [self] tx in
            guard try VariableStore(tx: tx).delete(name) else { throw Refusal.missing("variable") }
            try policies.audit(tx, principal, "variable.delete", "variable:\(name)", [:])
        }
    }

    /// `$vars` for a run of the tenant: `{name: value}`.
    package func values(of tenant: TenantID) async throws -> JSON {
        let all = try await database.read(in: tenant) { tx in try VariableStore(tx: tx).all() }
        return .object(JSONObject(all.map { ($0.name, .string($0.value)) }))
    }

    private static func check(_ name: String, _ value: String) throws {
        let isName = name.utf8.count <= Limits.variableNameLength && name.wholeMatch(of: #/[A-Za-z_][A-Za-z0-9_]*/#) != nil
        guard isName else {
            throw Refusal.invalid(
                "name", "bad_name", "A variable's name has letters, digits and _, begins with no digit, and has at most \(Limits.variableNameLength)."
            )
        }
        guard value.utf8.count <= Limits.variableBytes else {
            throw Refusal.invalid("value", "too_long", "A variable holds at most \(Limits.variableBytes) bytes.")
        }
    }
}

extension Limits {
    package static let variablesPerTenant = 1_000
    package static let variableNameLength = 60
    package static let variableBytes = 32 << 10
}
