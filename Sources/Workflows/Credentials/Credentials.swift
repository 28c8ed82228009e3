package import Kernel
package import Outbound
package import Persistence
internal import Tenancy

/// The verbs on credentials. Secrets go in and are used; nothing gives them back to a person.
package struct Credentials: Sendable {
    package typealias Send = @Sendable (OutboundRequest, TenantID) async throws -> OutboundResponse

    let database: any Database
    let vault: KeyVault
    let ids: IDs
    let policies: TenantPolicies
    let type: @Sendable (String) -> CredentialType?
    let send: Send

    package init(
        database: any Database, vault: KeyVault, ids: IDs, policies: TenantPolicies,
        type: @escaping @Sendable (String) -> CredentialType? = { CredentialType.named($0) }, send: @escaping Send
    ) {
        self.database = database
        self.vault = vault
        self.ids = ids
        self.policies = policies
        self.type = type
        self.send = send
    }

    /// - Parameter roles: who may use it in workflows besides owners and admins; empty means everyone who writes workflows.
    /// - Throws: `unknown_credential_type`, `invalid_credential`, `name_taken`.
    package func create(
        type typeName: String, name: String, fields: JSONObject, roles: Set<Role> = [], by principal: Principal
    ) async throws -> Credential {
        let tenant = try principal.tenant(for: .credentialsWrite)
        let type = try declared(typeName)
        let name = try Self.checkedName(name)
        try type.check(fields)
        let id: CredentialID = ids.next()
        let sealed = try await seal(type.completed(fields), id, tenant)
        return try await database.write(in: tenant) { [self] tx in
            let store = CredentialStore(tx: tx)
            guard try store.count() < Limits.credentialsPerTenant else {
                throw Refusal(.limitReached, "too_many", "A tenant has at most \(Limits.credentialsPerTenant) credentials.")
            }
            guard try store.id(type: typeName, name: name) == nil else { throw Self.taken(name) }
            let now = tx.clock.now()
            let credential = Credential(
                id: id, type: typeName, name: name, shownFields: type.shown(type.completed(fields)), roles: roles, createdBy: principal.auditName,
                createdAt: now, updatedAt: now, revision: 1)
            try store.insert(credential, sealed: sealed)
            try policies.audit(tx, principal, "credential.create", "credential:\(id)", ["type": .string(typeName)])
            return credential
        }
    }

    /// Changes what is given. A field left out keeps its value, one that is null loses it.
    package func update(
        _ id: CredentialID, name: String? = nil, fields: JSONObject? = nil, roles: Set<Role>? = nil, by principal: Principal
    ) async throws -> Credential {
        let tenant = try principal.tenant(for: .credentialsWrite)
        let (before, blob) = try await stored(id, in: tenant)
        guard before.isUsable(by: principal) else { throw Self.notAllowed(before) }
        let type = try declared(before.type)
        var values = Self.merged(try await open(blob, id, tenant), fields ?? [:])
        values[AccessToken.field] = nil
        try type.check(values)
        let newName = try name.map(Self.checkedName) ?? before.name
        let sealed = try await seal(values, id, tenant)
        let shown = type.shown(values)
        return try await database.write(in: tenant) { [self] tx in
            let store = CredentialStore(tx: tx)
            if newName != before.name, try store.id(type: before.type, name: newName) != nil { throw Self.taken(newName) }
            var credential = before
            credential.name = newName
            credential.shownFields = shown
            credential.roles = roles ?? before.roles
            credential.updatedAt = tx.clock.now()
            credential.revision += 1
            guard try store.update(credential, sealed: sealed, expecting: before.revision) else {
                throw Refusal(.conflict, "revision_conflict", "The credential was changed by someone else; load it again.")
            }
            try policies.audit(tx, principal, "credential.update", "credential:\(id)", [:])
            return credential
        }
    }

    package func delete(_ id: CredentialID, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .credentialsWrite)
        try await database.write(in: tenant) { [self] tx in
            let store = CredentialStore(tx: tx)
            guard let credential = try store.credential(id) else { throw Refusal.missing("credential") }
            guard credential.isUsable(by: principal) else { throw Self.notAllowed(credential) }
            _ = try store.delete(id)
            try policies.audit(tx, principal, "credential.delete", "credential:\(id)", ["type": .string(credential.type)])
        }
    }

    package func credential(_ id: CredentialID, by principal: Principal) async throws -> Credential {
        let tenant = try principal.tenant(for: .credentialsRead)
        return try await stored(id, in: tenant).credential
    }

    /// Newest first.
    package func list(before cursor: CredentialID?, limit: Int, by principal: Principal) async throws -> [Credential] {
        let tenant = try principal.tenant(for: .credentialsRead)
        return try await database.read(in: tenant) { tx in try CredentialStore(tx: tx).page(before: cursor, limit: limit) }
    }

    /// The opened fields, for a step of a run that belongs to the tenant, and for nobody else.
    /// - Throws: `StepFailure` where the credential is gone or of another type.
    package func fields(_ id: String, type: String, tenant: TenantID) async throws -> JSONObject {
        var fields = try await opened(id, type: type, tenant: tenant).fields
        fields[AccessToken.field] = nil
        return fields
    }

    /// The same with what the program itself keeps among them.
    func opened(_ id: String, type: String, tenant: TenantID) async throws -> (credential: Credential, fields: JSONObject) {
        let failure = StepFailure("credential_missing", "The node's credential of the type \(type) is not there; choose another.", isRetryable: false)
        guard let id = CredentialID(id) else { throw failure }
        let found: (Credential, [UInt8])? = try await database.read(in: tenant) { tx in
            let store = CredentialStore(tx: tx)
            guard let credential = try store.credential(id), let sealed = try store.sealed(id) else { return nil }
            return (credential, sealed)
        }
        guard let found, found.0.type == type else { throw failure }
        return (found.0, try await open(found.1, id, tenant))
    }
}

extension Credentials {
    /// Sends the type's test request, or one to `url` where the type has none, with the credential on it.
    package func test(_ id: CredentialID, url: String? = nil, by principal: Principal) async throws -> CredentialTest {
        let tenant = try principal.tenant(for: .credentialsWrite)
        let (credential, blob) = try await stored(id, in: tenant)
        guard credential.isUsable(by: principal) else { throw Self.notAllowed(credential) }
        let type = try declared(credential.type)
        let fields = type.completed(try await open(blob, id, tenant))
        guard let address = type.test.map({ CredentialType.fill($0.url, fields) }) ?? url else {
            throw Refusal.invalid("url", "required", "Name an address to test this credential against.")
        }
        var request = OutboundRequest(
            method: type.test?.method ?? "GET", url: address, timeout: .seconds(20), followRedirects: false, maximumResponseBytes: 1 << 20)
        try type.apply(fields, to: &request)
        do {
            if type.applications.contains(.accessToken) {
                request.authenticate(bearer: try await accessToken(id.description, type: credential.type, tenant: tenant))
            }
            let response = try await type.send(fields, request) { try await send($0, tenant) }
            let isAccepted = (200..<300).contains(response.status)
            let message = isAccepted ? "The service accepts the credential." : "The service answered \(response.status)."
            return CredentialTest(isAccepted: isAccepted, status: response.status, message: message)
        } catch let error as OutboundError {
            return CredentialTest(isAccepted: false, status: nil, message: error.message)
        } catch let failure as StepFailure {
            return CredentialTest(isAccepted: false, status: nil, message: failure.message)
        }
    }

    private func declared(_ name: String) throws -> CredentialType {
        guard let type = type(name) else {
            throw Refusal.invalid("type", "unknown_credential_type", "There is no credential type \(name).")
        }
        return type
    }

    private func stored(_ id: CredentialID, in tenant: TenantID) async throws -> (credential: Credential, sealed: [UInt8]) {
        try await database.read(in: tenant) { tx in
            let store = CredentialStore(tx: tx)
            guard let credential = try store.credential(id), let sealed = try store.sealed(id) else { throw Refusal.missing("credential") }
            return (credential, sealed)
        }
    }

    func seal(_ fields: JSONObject, _ id: CredentialID, _ tenant: TenantID) async throws -> [UInt8] {
        try await vault.seal(JSON.object(fields).bytes, tenant: tenant, context: "credential:\(id)")
    }

    private func open(_ sealed: [UInt8], _ id: CredentialID, _ tenant: TenantID) async throws -> JSONObject {
        try JSON(parsing: try await vault.open(sealed, tenant: tenant, context: "credential:\(id)")).object ?? [:]
    }

    private static func merged(_ before: JSONObject, _ changes: JSONObject) -> JSONObject {
        changes.reduce(into: before) { values, change in values[change.key] = change.value.isNull ? nil : change.value }
    }

    private static func checkedName(_ name: String) throws -> String {
        if let reason = StructureCheck.nameFault(name) { throw Refusal.invalid("name", "bad_name", reason) }
        return name
    }

    private static func taken(_ name: String) -> Refusal {
        Refusal(.conflict, "name_taken", "Another credential of this type is called \(name).", field: "name")
    }

    private static func notAllowed(_ credential: Credential) -> Refusal {
        Refusal(.forbidden, "credential_not_allowed", "Your role may not use the credential \(credential.name).")
    }
}
