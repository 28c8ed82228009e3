package import Kernel

/// Which role holds which permission: each module declares its own, Gateway folds them.
package struct PermissionTable: Sendable {
    private let byRole: [Role: Set<Permission>]
    package let all: Set<Permission>

    package init(_ grants: [(permission: Permission, roles: [Role])]) {
        var byRole: [Role: Set<Permission>] = [:]
        for grant in grants {
            for role in grant.roles { byRole[role, default: []].insert(grant.permission) }
        }
        self.byRole = byRole
        all = Set(grants.map(\.permission))
    }

    package func permissions(of role: Role) -> Set<Permission> { byRole[role] ?? [] }
}
