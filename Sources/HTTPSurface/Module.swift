package import Kernel
package import Persistence
package import ServiceLifecycle

/// A module's one door: all that the composition root mounts, migrates, runs and grants of it.
package struct Module: Sendable {
    /// In lower case, also the prefix of its migrations: `workflows`.
    package var name: String
    package var tables: [Table]
    package var migrations: [Migration]
    package var endpoints: [Endpoint]
    /// Long-lived work, run in the one service group.
    package var services: [any Service]
    package var permissions: [PermissionDeclaration]
    /// What it gives to modules that it does not know: node kinds, event subscriptions, jobs.
    package var contributions: [any Contribution]

    package init(
        name: String, tables: [Table] = [], migrations: [Migration] = [], endpoints: [Endpoint] = [], services: [any Service] = [],
        permissions: [PermissionDeclaration] = [], contributions: [any Contribution] = []
    ) {
        self.name = name
        self.tables = tables
        self.migrations = migrations
        self.endpoints = endpoints
        self.services = services
        self.permissions = permissions
        self.contributions = contributions
    }
}

/// Something a module offers through its door, found by its type.
package protocol Contribution: Sendable {}

/// A right that a module checks, and the roles that have it from the start.
package struct PermissionDeclaration: Sendable, Hashable {
    package var permission: Permission
    package var description: String
    package var roles: Set<Role>

    package init(_ permission: Permission, _ description: String, roles: Set<Role>) {
        self.permission = permission
        self.description = description
        self.roles = roles
    }
}

extension Sequence where Element == Module {
    /// The contributions of one type, of all modules.
    package func contributions<Wanted: Contribution>(_: Wanted.Type = Wanted.self) -> [Wanted] {
        flatMap { $0.contributions.compactMap { $0 as? Wanted } }
    }
}
