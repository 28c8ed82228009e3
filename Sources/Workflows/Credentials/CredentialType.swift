package import Kernel

/// A type of credential, declared as data: its fields, how it goes onto a request, and how it is tested.
package struct CredentialType: Sendable, Hashable {
    package struct Field: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable { case text, number, boolean, json }
        package var name: String
        package var label: String
        package var kind: Kind
        /// Secret fields are never given back.
        package var isSecret: Bool
        package var isRequired: Bool
        package var defaultValue: String?

        package init(
            _ name: String, _ label: String, kind: Kind = .text, secret: Bool = false, required: Bool = true, default defaultValue: String? = nil
        ) {
            self.name = name
            self.label = label
            self.kind = kind
            isSecret = secret
            isRequired = required
            self.defaultValue = defaultValue
        }
    }

    /// How the fields go onto a request. Texts are templates: `{token}` stands for the field of that name.
    package enum Application: Sendable, Hashable {
        /// HTTP Basic (RFC 7617).
        case basic(user: String, password: String)
        case header(name: String, value: String)
        case query(name: String, value: String)
        /// HTTP Digest (RFC 7616): goes onto the answer to a challenge.
        case digest(user: String, password: String)
        /// An access token of OAuth 2 (RFC 6749), which a server gives for the fields.
        case accessToken
        /// A JSON field `{headers?, qs?, body?}`, laid over the request; `body` over a JSON object.
        case custom(field: String)
        /// What is shown to a server that asks who its client is.
        case certificate
    }

    /// A request that succeeds only with a right credential. The path is a template too.
    package struct Test: Sendable, Hashable {
        package var method: String
        package var url: String
        package init(_ method: String = "GET", _ url: String) {
            self.method = method
            self.url = url
        }
    }

    /// n8n's name where it has the type: `httpBasicAuth`.
    package var type: String
    package var title: String
    package var fields: [Field]
    package var applications: [Application]
    /// nil where the person must name an address to test against.
    package var test: Test?

    package init(_ type: String, _ title: String, fields: [Field], applications: [Application] = [], test: Test? = nil) {
        self.type = type
        self.title = title
        self.fields = fields
        self.applications = applications
        self.test = test
    }
}

extension CredentialType {
    /// All faults of the values at once: unknown fields, missing ones, wrong types, too long ones.
    func check(_ values: JSONObject) throws {
        let collector = FaultCollector()
        let reader = MemberReader(path: "fields", members: values, collector: collector)
        reader.refuseMembers(except: Set(fields.map(\.name)))
        for field in fields { CredentialType.check(field, reader) }
        guard collector.faults.isEmpty else {
            throw Refusal(.invalid, "invalid_credential", "The credential's fields are not right: see the list.", faults: collector.faults)
        }
    }

    private static func check(_ field: Field, _ reader: MemberReader) {
        guard let value = reader.value(field.name), value != "" else {
            if field.isRequired, field.defaultValue == nil { reader.fault(field.name, "required", "\(field.label) is missing.") }
            return
        }
        if value.serialized.utf8.count > Limits.credentialFieldBytes {
            reader.fault(field.name, "too_long", "\(field.label) has more than \(Limits.credentialFieldBytes) bytes.")
        }
        let fits =
            switch field.kind {
            case .text: value.text != nil
            case .number: value.double != nil
            case .boolean: value.boolean != nil
            case .json: value.object != nil || value.text.map { (try? JSON(parsing: $0))?.object != nil } ?? false
            }
        if !fits {
            reader.fault(field.name, "wrong_type", "\(field.label) must be \(field.kind == .json ? "a JSON object" : "a \(field.kind.rawValue)").")
        }
    }

    /// The values with the declared defaults filled in.
    func completed(_ values: JSONObject) -> JSONObject {
        fields.reduce(into: values) { values, field in
            if values[field.name] == nil, let fallback = field.defaultValue { values[field.name] = .string(fallback) }
        }
    }

    /// The values that may be shown.
    func shown(_ values: JSONObject) -> JSONObject {
        JSONObject(fields.filter { !$0.isSecret }.compactMap { field in values[field.name].map { (field.name, $0) } })
    }
}

extension Limits {
    package static let credentialFieldBytes = 64 << 10
    package static let credentialsPerTenant = 2_000
}
