package import HTTPSurface
package import Kernel

extension Permission {
    package static let workflowsRead: Permission = "workflows.read"
    package static let workflowsWrite: Permission = "workflows.write"
    package static let workflowsPublish: Permission = "workflows.publish"
    package static let commentsWrite: Permission = "comments.write"
    package static let credentialsRead: Permission = "credentials.read"
    package static let credentialsWrite: Permission = "credentials.write"
    package static let variablesRead: Permission = "variables.read"
    package static let variablesWrite: Permission = "variables.write"
    package static let dataTablesRead: Permission = "data_tables.read"
    package static let dataTablesWrite: Permission = "data_tables.write"
    package static let filesRead: Permission = "files.read"
    package static let filesWrite: Permission = "files.write"
    package static let executionsRead: Permission = "executions.read"
    package static let executionsWrite: Permission = "executions.write"
}

package enum WorkflowPermissions {
    package static let all: [PermissionDeclaration] = [
        PermissionDeclaration(.workflowsRead, "See workflows and their versions.", roles: [.owner, .admin, .editor, .viewer]),
        PermissionDeclaration(.workflowsWrite, "Create, change, archive and delete workflows.", roles: [.owner, .admin, .editor]),
        PermissionDeclaration(.workflowsPublish, "Publish and unpublish workflows.", roles: [.owner, .admin, .editor]),
        PermissionDeclaration(.commentsWrite, "Comment on workflows and resolve what others wrote.", roles: [.owner, .admin, .editor, .viewer]),
        PermissionDeclaration(.credentialsRead, "See credentials, without their secrets.", roles: [.owner, .admin, .editor]),
        PermissionDeclaration(.credentialsWrite, "Create, change, test and delete credentials.", roles: [.owner, .admin, .editor]),
        PermissionDeclaration(.variablesRead, "See variables.", roles: [.owner, .admin, .editor, .viewer]),
        PermissionDeclaration(.variablesWrite, "Set and delete variables.", roles: [.owner, .admin, .editor]),
        PermissionDeclaration(.dataTablesRead, "See data tables and their rows.", roles: [.owner, .admin, .editor, .viewer]),
        PermissionDeclaration(.dataTablesWrite, "Create, change and delete data tables and their rows.", roles: [.owner, .admin, .editor]),
        PermissionDeclaration(.filesRead, "See and download the files of the disk.", roles: [.owner, .admin, .editor, .viewer]),
        PermissionDeclaration(.filesWrite, "Upload, rename and delete files of the disk.", roles: [.owner, .admin, .editor]),
        PermissionDeclaration(.executionsRead, "See executions with their data.", roles: [.owner, .admin, .editor, .viewer]),
        PermissionDeclaration(.executionsWrite, "Start and cancel executions.", roles: [.owner, .admin, .editor])
    ]

    /// What a role has of these from the start.
    package static func granted(to role: Role) -> Set<Permission> { Set(all.filter { $0.roles.contains(role) }.map(\.permission)) }
}
