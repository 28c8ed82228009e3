package import HTTPSurface
package import Kernel

/// Which role holds which permission, folded from what the modules declare.
package struct PermissionTable: Sendable {
    private let byRole: [Role: Set<Permission>]
    package let all: Set<Permission>

    package init(_ declarations: [PermissionDeclaration]) {
        var byRole: [Role: Set<Permission>] = [:]
        for declaration in declarations {
            for role in declaration.roles { byRole[role, default: []].insert(declaration.permission) }
        }
        self.byRole = byRole
        all = Set(declarations.map(\.permission))
    }

    package func permissions(of role: Role) -> Set<Permission> { byRole[role] ?? [] }
}
