internal import Foundation
internal import Kernel
internal import Outbound

/// Puts a node's credential into its requests.
struct HttpAuthentication: Sendable {
    private enum Way: Sendable {
        case none
        case basic(user: String, password: String)
        case header(name: String, value: String)
        case query(name: String, value: String)
        case custom(JSON)
        case digest(DigestAuthentication)
        case token(TokenAuthentication)
        /// A service's own type, put onto the request as it declares.
        case declared(CredentialType, JSONObject)
    }

    /// What version 1 called them.
    static let typesOfOldVersions = [
        "basicAuth": "httpBasicAuth", "headerAuth": "httpHeaderAuth", "queryAuth": "httpQueryAuth", "digestAuth": "httpDigestAuth",
        "customAuth": "httpCustomAuth", "oAuth2": "oAuth2Api"
    ]
    static let genericTypes = [
        "httpBasicAuth", "httpBearerAuth", "httpCustomAuth", "httpDigestAuth", "httpHeaderAuth", "httpQueryAuth", "oAuth2Api"
    ]

    /// Holds what is shown to servers that ask who their client is.
    static let certificateType = "httpSslAuth"

    private let way: Way
    private let certificate: ClientCertificate?

    /// - Throws: `invalid_parameter` for a kind of credential that is not supported; what the key vault throws.
    init(_ step: StepContext) async throws {
        let showsCertificate = try await step.flag("provideSslCertificates")
        certificate = showsCertificate ? ClientCertificate(fields: try await step.services.credential(ofType: Self.certificateType)) : nil
        let authentication = try await step.text("authentication", default: "none")
        guard authentication != "none" else { way = .none; return }
        let type: String
        switch authentication {
        case "genericCredentialType": type = try await step.text("genericAuthType")
        case "predefinedCredentialType": type = try await step.text("nodeCredentialType")
        default: type = HttpAuthentication.typesOfOldVersions[authentication] ?? authentication
        }
        way = try await HttpAuthentication.way(type, step)
    }

    private static func way(_ type: String, _ step: StepContext) async throws -> Way {
        func fields() async throws -> JSONObject { try await step.services.credential(ofType: type) }
        func text(_ fields: JSONObject, _ name: String) -> String { fields[name]?.displayText ?? "" }
        switch type {
        case "httpBasicAuth":
            let fields = try await fields()
            return .basic(user: text(fields, "user"), password: text(fields, "password"))
        case "httpHeaderAuth":
            let fields = try await fields()
            return .header(name: text(fields, "name"), value: text(fields, "value"))
        case "httpBearerAuth": return .header(name: "Authorization", value: "Bearer " + text(try await fields(), "token"))
        case "httpQueryAuth":
            let fields = try await fields()
            return .query(name: text(fields, "name"), value: text(fields, "value"))
        case "httpCustomAuth":
            let written = try await fields()["json"] ?? [:]
            guard let json = written.text.map({ try? JSON(parsing: $0) }) ?? written else {
                throw StepFailure.invalid("genericAuthType", "The custom credential is not valid JSON.")
            }
            return .custom(json)
        case "httpDigestAuth":
            let fields = try await fields()
            return .digest(DigestAuthentication(user: text(fields, "user"), password: text(fields, "password")))
        case "oAuth2Api": return .token(try await TokenAuthentication(type, step.services))
        case let type:
            if let declared = CredentialType.named(type), !declared.applications.isEmpty { return .declared(declared, try await fields()) }
            throw StepFailure.invalid("authentication", "Credentials of the type '\(type)' are not supported in HTTP requests yet.")
        }
    }

    func apply(to call: inout HttpCall) {
        switch way {
        case .none, .digest, .token, .declared: break
        case .basic(let user, let password):
            call.setHeader("Authorization", "Basic " + Data("\(user):\(password)".utf8).base64EncodedString())
        case .header(let name, let value): if !name.isEmpty { call.setHeader(name, value) }
        case .query(let name, let value): if !name.isEmpty { call.setQuery(name, .string(value)) }
        case .custom(let json):
            for (name, value) in json["headers"]?.object ?? [:] { call.setHeader(name, value.displayText) }
            for (name, value) in json["qs"]?.object ?? [:] { call.setQuery(name, value) }
            for (name, value) in json["body"]?.object ?? [:] { call.setBody(name, value) }
        }
    }

    func apply(to request: inout OutboundRequest) throws {
        request.certificate = certificate
        guard case .declared(let type, let fields) = way else { return }
        try type.apply(fields, to: &request)
    }

    /// Sends a request, in two turns where the server gives a challenge or refuses a token.
    func send(_ request: OutboundRequest, through send: (OutboundRequest) async throws -> OutboundResponse) async throws -> OutboundResponse {
        switch way {
        case .digest(let digest): return try await digest.send(request, through: send)
        case .token(let token): return try await token.send(request, through: send)
        default: return try await send(request)
        }
    }
}
