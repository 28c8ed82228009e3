internal import HTTPSurface
internal import Kernel

/// A credential without its secrets.
struct CredentialView: Codable, Sendable {
    var id: CredentialID
    var type: String
    var name: String
    /// The fields that are no secrets.
    var fields: JSON
    var roles: [String]
    var createdAt: Timestamp
    var updatedAt: Timestamp

    init(_ credential: Credential) {
        id = credential.id
        type = credential.type
        name = credential.name
        fields = .object(credential.shownFields)
        roles = credential.roles.map(\.rawValue).sorted()
        createdAt = credential.createdAt
        updatedAt = credential.updatedAt
    }
}

struct NewCredentialBody: Codable, Sendable, Described {
    var type: String
    var name: String
    var fields: JSON
    static let notes: [FieldNote] = [
        FieldNote("type", "Such as httpHeaderAuth.", example: "httpHeaderAuth", length: 1...100),
        FieldNote("name", "To tell them apart.", length: 1...200),
        FieldNote("fields", "The values of the type's fields; secrets are never shown again.")
    ]
}

struct CredentialChangeBody: Codable, Sendable, Described {
    var name: String?
    var fields: JSON?
    static let notes: [FieldNote] = [
        FieldNote("name", "To tell them apart.", length: 1...200),
        FieldNote("fields", "What is left out keeps its value, what is null loses it.")
    ]
}

struct CredentialTestBody: Codable, Sendable, Described {
    var url: String?
    static let notes: [FieldNote] = [
        FieldNote(
            "url", "Where to send the test request, for types that name no address of their own.", example: "https://api.example.com/me",
            length: 1...2_000)
    ]
}

struct CredentialTestView: Codable, Sendable {
    var accepted: Bool
    var status: Int?
    var message: String
}

struct CredentialRoutes {
    let credentials: Credentials

    var endpoints: [Endpoint] {
        [
            Endpoint.list(
                "/v1/credentials", access: .tenant("credentials.read"), summary: "List the credentials, without secrets", tag: "Credentials",
                of: CredentialView.self
            ) { call, page in
                let cursor: CredentialID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await credentials.list(before: cursor, limit: page.limit + 1, by: call.principal)
                return Page(rows.map(CredentialView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .post, "/v1/credentials", access: .tenant("credentials.write"), summary: "Store a credential", tag: "Credentials",
                body: NewCredentialBody.self, returns: .created(CredentialView.self, holdsSecret: true),
                errors: [ErrorDeclaration(.conflict, "name_taken", "There is one of this type and name.")]
            ) { call, body in
                guard let fields = body.fields.object else { throw Refusal.invalid("fields", "wrong_type", "fields is a JSON object.") }
                return CredentialView(try await credentials.create(type: body.type, name: body.name, fields: fields, by: call.principal))
            },
            Endpoint(
                .patch, "/v1/credentials/{id}", access: .tenant("credentials.write"), summary: "Change a credential", tag: "Credentials",
                body: CredentialChangeBody.self, returns: .ok(CredentialView.self),
                errors: [
                    ErrorDeclaration(.conflict, "name_taken", "There is one of this type and name."),
                    ErrorDeclaration(.conflict, "revision_conflict", "Somebody else has changed it since.")
                ]
            ) { call, body in
                let fields = try body.fields.map { fields in
                    guard let object = fields.object else { throw Refusal.invalid("fields", "wrong_type", "fields is a JSON object.") }
                    return object
                }
                let id: CredentialID = try call.id("id", noun: "credential")
                return CredentialView(try await credentials.update(id, name: body.name, fields: fields, by: call.principal))
            },
            Endpoint(
                .delete, "/v1/credentials/{id}", access: .tenant("credentials.write"), summary: "Delete a credential", tag: "Credentials",
                returns: .noContent
            ) { call in try await credentials.delete(try call.id("id", noun: "credential"), by: call.principal) },
            Endpoint(
                .post, "/v1/credentials/{id}/test", access: .tenant("credentials.write"), summary: "Try a credential", tag: "Credentials",
                body: CredentialTestBody?.self, returns: .ok(CredentialTestView.self),
                errors: [ErrorDeclaration(.invalid, "required", "The type names no address, and none was given.")]
            ) { call, body in
                let outcome = try await credentials.test(try call.id("id", noun: "credential"), url: body?.url, by: call.principal)
                return CredentialTestView(accepted: outcome.isAccepted, status: outcome.status, message: outcome.message)
            }
        ]
    }
}
