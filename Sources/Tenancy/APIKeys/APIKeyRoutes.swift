internal import HTTPSurface
internal import Kernel

struct APIKeyView: Codable, Sendable {
    var id: APIKeyID
    var name: String
    var hint: String
    var role: String
    var scopes: [String]
    var expiresAt: Timestamp?
    var revokedAt: Timestamp?
    var createdAt: Timestamp

    init(_ key: APIKey) {
        id = key.id
        name = key.name
        hint = key.hint
        role = key.role.rawValue
        scopes = key.scopes
        expiresAt = key.expiresAt
        revokedAt = key.revokedAt
        createdAt = key.createdAt
    }
}

struct NewAPIKeyBody: Codable, Sendable, Described {
    var name: String
    var scopes: [String]?
    var expiresAt: Timestamp?

    static let notes: [FieldNote] = [
        FieldNote("name", "To tell keys apart.", example: "Deploy", length: 1...80),
        FieldNote("scopes", "Permissions; all of its maker's where left out.", items: 0...100),
        FieldNote("expiresAt", "Never, or with the key that makes it, where left out.", format: "date-time")
    ]
}

struct CreatedAPIKey: Codable, Sendable {
    var key: APIKeyView
    /// Shown this once.
    var secret: String
}

struct APIKeyRoutes {
    let tenancy: Tenancy

    var endpoints: [Endpoint] {
        [
            Endpoint.list("/v1/api-keys", access: .tenant("api_keys.read"), summary: "List the API keys", tag: "API keys", of: APIKeyView.self) {
                call, page in
                let cursor: APIKeyID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await tenancy.keys(of: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map(APIKeyView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .post, "/v1/api-keys", access: .tenant("api_keys.write"), summary: "Create an API key", tag: "API keys",
                body: NewAPIKeyBody.self, returns: .created(CreatedAPIKey.self, holdsSecret: true),
                errors: [ErrorDeclaration(.limitReached, "too_many_keys", "The tenant has \(Tenancy.keysMaximum) keys; revoke one.")]
            ) { call, body in
                let made = try await tenancy.createKey(
                    name: body.name, scopes: body.scopes ?? [], expiresAt: body.expiresAt, in: call.tenant, by: call.principal)
                return CreatedAPIKey(key: APIKeyView(made.key), secret: made.secret)
            },
            Endpoint(
                .delete, "/v1/api-keys/{id}", access: .tenant("api_keys.write"), summary: "Revoke an API key", tag: "API keys", returns: .noContent
            ) { call in
                try await tenancy.revokeKey(try call.id("id", noun: "API key"), of: call.tenant, by: call.principal)
            }
        ]
    }
}
