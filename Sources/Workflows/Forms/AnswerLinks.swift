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
        return AnswerAddresses(
            page: "\(try await base(Self.pages, tenant))/\(run)/\(place)/\(try await signature(run, place, Self.pages, tenant))",
            call: "\(try await base(Self.calls, tenant))/\(run)/\(place)/\(try await signature(run, place, Self.calls, tenant))")
    }

    /// Reads `{run}/{place}/{signature}/{rest…}`.
    /// - Throws: `not_found` for what was not signed here, or for another door: who is asked by a page may not speak for the program that calls.
    func verified(_ path: String, at door: String, tenant: TenantID) async throws -> (run: RunID, place: String, rest: String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard parts.count >= 3, let run = RunID(parts[0]) else { throw Refusal.missing("page") }
        // Links to pages had the signature of calls once; those that were sent then still open.
        let doors = door == Self.pages ? [Self.pages, Self.calls] : [door]
        let shown = SHA256.hash(data: Data(parts[2].utf8))
        var isRight = false
        for door in doors { isRight = try await SHA256.hash(data: Data(signature(run, parts[1], door, tenant).utf8)) == shown || isRight }
        guard isRight else { throw Refusal.missing("page") }
        return (run, parts[1], parts.dropFirst(3).joined(separator: "/"))
    }

    private func signature(_ run: RunID, _ place: String, _ door: String, _ tenant: TenantID) async throws -> String {
        let text = door == Self.calls ? "\(run)/\(place)" : "\(door)/\(run)/\(place)"
        let mark = try await vault.mark(text, tenant: tenant, context: Self.context)
        return mark.prefix(16).hexText
    }
}
