/// A right, named by the module that checks it: `workflows.write`.
package struct Permission: Sendable, Hashable, Codable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let name: String
    package init(_ name: String) { self.name = name }
    package init(stringLiteral value: String) { name = value }
    package var description: String { name }
}

/// A person's part in a tenant.
package enum Role: String, Sendable, Hashable, Codable, CaseIterable {
    case owner, admin, editor, viewer, billing
}

/// An operator's time-limited access to a tenant, as the one who acts carries it.
package struct Impersonation: Sendable, Hashable {
    package var id: ID<Impersonation>
    package var until: Timestamp

    package init(id: ID<Impersonation>, until: Timestamp) {
        self.id = id
        self.until = until
    }
}

/// Who acts, in which tenant, with which rights.
package struct Principal: Sendable, Hashable {
    package enum Actor: Sendable, Hashable {
        case anonymous
        case user(UserID)
        case apiKey(APIKeyID)
        /// Runs the platform; belongs to no tenant.
        case platformOperator(UserID)
        case system
    }

    package var actor: Actor
    /// The tenant acted in, where there is one.
    package var tenant: TenantID?
    package var role: Role?
    package var permissions: Set<Permission>
    /// Set where an operator acts in a tenant that is not theirs.
    package var impersonation: Impersonation?

    package init(actor: Actor, tenant: TenantID? = nil, role: Role? = nil, permissions: Set<Permission> = [], impersonation: Impersonation? = nil) {
        self.actor = actor
        self.tenant = tenant
        self.role = role
        self.permissions = permissions
        self.impersonation = impersonation
    }

    package static let anonymous = Principal(actor: .anonymous)
    package static func system(in tenant: TenantID?) -> Principal { Principal(actor: .system, tenant: tenant) }

    package func may(_ permission: Permission) -> Bool { actor == .system || permissions.contains(permission) }

    /// - Throws: a `forbidden` refusal that names the missing permission.
    package func require(_ permission: Permission) throws {
        guard may(permission) else {
            throw Refusal(
                .forbidden, "permission_denied", "This needs the permission \(permission.name).",
                arguments: ["permission": permission.name])
        }
    }
}
