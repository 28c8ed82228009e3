internal import HTTPSurface
internal import Kernel

/// The cookie of a browser whose person chose one of several tenants: where they are at addresses that name none. It gives no right: it holds
/// only where they belong to the tenant.
enum TenantCookie {
    static let name = "aias_tenant"

    static func fullName(isSecure: Bool) -> String { isSecure ? "__Host-\(name)" : name }

    static func set(_ tenant: TenantID, isSecure: Bool) -> String {
        let lifetime = SessionStore.lifetime.components.seconds
        return "\(fullName(isSecure: isSecure))=\(tenant); Path=/; HttpOnly; SameSite=Lax; Max-Age=\(lifetime)\(isSecure ? "; Secure" : "")"
    }
}

extension Tenancy {
    func chosenTenant(of head: RequestHead) -> TenantID? {
        head.cookie(TenantCookie.fullName(isSecure: usesTLS)).flatMap { TenantID($0) }
    }
}
