package import Kernel

package enum CredentialTag {}
package typealias CredentialID = ID<CredentialTag>

/// A stored credential, without its secrets.
package struct Credential: Sendable, Hashable {
    package var id: CredentialID
    package var type: String
    /// Unique among the tenant's credentials of the type.
    package var name: String
    /// The fields that are no secret.
    package var shownFields: JSONObject
    /// The roles that may use it in workflows; empty means all that may write workflows.
    package var roles: Set<Role>
    package var createdBy: String
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Counts the changes, from 1.
    package var revision: Int

    /// Owners and admins may use every credential.
    package func isUsable(by principal: Principal) -> Bool {
        if principal.actor == .system || roles.isEmpty { return true }
        guard let role = principal.role else { return false }
        return role == .owner || role == .admin || roles.contains(role)
    }
}

/// What a test of a credential came to.
package struct CredentialTest: Sendable, Hashable {
    package var isAccepted: Bool
    /// Of the answer, where there was one.
    package var status: Int?
    package var message: String
}
