internal import Crypto
internal import Foundation
package import Kernel
package import Persistence

/// Signed addresses at which a waiting run is answered: whoever has one may answer, and nobody can guess one.
package struct AnswerLinks: Sendable {
    private let vault: KeyVault
    /// `https://host/` and the tenant's part: `{base}/answers/{subdomain}`.
    private let base: @Sendable (_ door: String, TenantID) async throws -> String

    static let pages = "answers"
    static let calls = "waiting"
    /// Stands for the whole run where no step is named.
    static let whole = "-"
    private static let context = "answer-links"

    package init(vault: KeyVault, base: @escaping @Sendable (_ door: String, TenantID) async throws -> String) {
        self.vault = vault
        self.base = base
    }

    package func addresses(of run: RunID, place: String?, tenant: TenantID) async throws -> AnswerAddresses {
        let place = place ?? Self.whole
        let signature = try await signature(run, place, tenant)
        return AnswerAddresses(
            page: "\(try await base(Self.pages, tenant))/\(run)/\(place)/\(signature)",
            call: "\(try await base(Self.calls, tenant))/\(run)/\(place)/\(signature)")
    }

    /// Reads `{run}/{place}/{signature}/{rest…}`.
    /// - Throws: `not_found` for what was not signed here.
    func verified(_ path: String, tenant: TenantID) async throws -> (run: RunID, place: String, rest: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard parts.count >= 3, let run = RunID(parts[0]) else { throw Refusal.missing("page") }
        let right = try await signature(run, parts[1], tenant)
        guard SHA256.hash(data: Data(right.utf8)) == SHA256.hash(data: Data(parts[2].utf8)) else { throw Refusal.missing("page") }
        return (run, parts[1], parts.dropFirst(3).joined(separator: "/"))
    }

    private func signature(_ run: RunID, _ place: String, _ tenant: TenantID) async throws -> String {
        let mark = try await vault.mark("\(run)/\(place)", tenant: tenant, context: Self.context)
        return mark.prefix(16).hexText
    }
}
