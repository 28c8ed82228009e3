package import Kernel
internal import Persistence

extension Tenancy {
    /// What people call those whom the audit log names `user:<id>`, `operator:<id>` and `key:<id>`: an address, a key's name. Others are left out.
    package func names(of actors: Set<String>, in tenant: TenantID) async throws -> [String: String] {
        try await database.readDirectory { tx in
            var names: [String: String] = [:]
            for actor in actors {
                let parts = actor.split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else { continue }
                switch parts[0] {
                case "user", "operator": names[actor] = try UserID(String(parts[1])).flatMap { try UserStore(tx: tx).user($0) }?.email.text
                case "key": names[actor] = try APIKeyID(String(parts[1])).flatMap { try APIKeyStore(tx: tx).key($0, of: tenant) }?.name
                default: break
                }
            }
            return names
        }
    }
}
