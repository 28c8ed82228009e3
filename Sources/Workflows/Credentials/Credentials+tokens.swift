package import Kernel
internal import Outbound
internal import Persistence

extension Credentials {
    /// The access token of a credential of OAuth 2: the one that is kept while it holds, else a new one. It lies sealed among the fields; whoever
    /// changes the credential loses it.
    /// - Parameter stale: one that was refused.
    /// - Throws: `StepFailure` where the credential is gone or of another type, or where the server gives none.
    package func accessToken(_ id: String, type: String, stale: String? = nil, tenant: TenantID) async throws -> String {
        let (credential, fields) = try await opened(id, type: type, tenant: tenant)
        let now = try await database.read(in: tenant) { tx in tx.clock.now() }
        if let kept = AccessToken(kept: fields[AccessToken.field]), kept.text != stale, kept.holds(at: now) { return kept.text }
        let token = try AccessToken(try await send(try AccessToken.request(fields), tenant), now: now)
        var renewed = fields
        renewed[AccessToken.field] = token.kept
        let sealed = try await seal(renewed, credential.id, tenant)
        try await database.write(in: tenant) { tx in
            try CredentialStore(tx: tx).reseal(credential.id, sealed: sealed, expecting: credential.revision)
        }
        return token.text
    }
}
