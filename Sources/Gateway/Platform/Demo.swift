internal import Kernel
internal import Tenancy

extension Platform {
    static let demoOwner = "demo@example.com"

    /// Makes the demo tenant where it is missing; returns the path of a sign-in link.
    package func prepareDemo() async throws -> String {
        if try await tenancy.tenant(subdomain: "demo") == nil {
            let new = NewTenant(name: "Demo", subdomain: "demo", plan: .custom)
            _ = try await tenancy.createTenant(new, owner: Platform.demoOwner, by: .system(in: nil))
        }
        return try await tenancy.makeSignInLink(email: Platform.demoOwner)
    }
}
