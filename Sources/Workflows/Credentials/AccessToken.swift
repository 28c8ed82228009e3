internal import Foundation
internal import Kernel
internal import Outbound

/// An access token of OAuth 2, as it is kept among the sealed fields of its credential: `{access_token, expires_at?}`, the time in seconds.
struct AccessToken: Sendable {
    /// The member of the fields that holds it: n8n's name for it.
    static let field = "oauthTokenData"
    /// One that ends sooner is renewed before it is used.
    private static let spareSeconds = 30.0

    let text: String
    private let endSeconds: Double?

    init?(kept: JSON?) {
        guard let text = kept?["access_token"]?.text, !text.isEmpty else { return nil }
        self.text = text
        endSeconds = kept?["expires_at"]?.double
    }

    /// Reads a token server's answer (RFC 6749, 5), in JSON or as a form.
    /// - Throws: `token_refused`.
    init(_ response: OutboundResponse, now: Timestamp) throws {
        let members = (try? JSON(parsing: response.body))?.object ?? Self.form(String(decoding: response.body, as: UTF8.self))
        guard response.status < 300, let text = members["access_token"]?.text, !text.isEmpty else {
            let reason = ["error", "error_description"].compactMap { members[$0]?.text }.joined(separator: ": ").prefix(300)
            throw StepFailure(
                "token_refused", "The server gave no access token, but status \(response.status)\(reason.isEmpty ? "" : " (\(reason))").",
                isRetryable: response.status >= 500)
        }
        self.text = text
        let lifetime = members["expires_in"]?.coercedNumber ?? .nan
        endSeconds = lifetime.isFinite ? Double(now.seconds) + lifetime : nil
    }

    var kept: JSON {
        var members: JSONObject = ["access_token": .string(text)]
        members["expires_at"] = endSeconds.map { .number($0) }
        return .object(members)
    }

    func holds(at now: Timestamp) -> Bool { endSeconds.map { Double(now.seconds) + Self.spareSeconds < $0 } ?? true }

    /// The request of a token by the client's own credentials (RFC 6749, 4.4). The client is named in the header or in the body.
    /// - Parameter fields: of a credential of the type `oAuth2Api`.
    static func request(_ fields: JSONObject) throws -> OutboundRequest {
        func text(_ name: String) -> String { fields[name]?.displayText ?? "" }
        guard text("grantType") == "clientCredentials" else {
            throw StepFailure("unsupported_grant", "Of OAuth 2 only the grant 'clientCredentials' is supported.", isRetryable: false)
        }
        var members: JSONObject = ["grant_type": "client_credentials"]
        let more = fields["additionalBodyProperties"] ?? [:]
        members.merge((more.text.map { try? JSON(parsing: $0) } ?? more)?.object ?? [:])
        if !text("scope").isEmpty { members["scope"] = .string(text("scope")) }
        var request = OutboundRequest(
            method: "POST", url: text("accessTokenUrl"), timeout: .seconds(30), followRedirects: false, maximumResponseBytes: 1 << 20,
            verifyCertificates: fields["ignoreSSLIssues"]?.isTruthy != true)
        request.setHeader("Content-Type", "application/x-www-form-urlencoded")
        request.setHeader("Accept", "application/json, application/x-www-form-urlencoded")
        if text("authentication") == "body" {
            members["client_id"] = .string(text("clientId"))
            members["client_secret"] = .string(text("clientSecret"))
        } else {
            request.authenticate(user: text("clientId"), password: text("clientSecret"))
        }
        request.body = .bytes(Array(URLText.form(members.map { (name: $0.key, value: $0.value) }).utf8))
        return request
    }

    private static func form(_ text: String) -> JSONObject {
        let pairs = text.split(separator: "&").map { pair -> (String, JSON) in
            let parts = pair.split(separator: "=", maxSplits: 1).map { part -> String in
                let plain = String(part).replacing("+", with: " ")
                return plain.removingPercentEncoding ?? plain
            }
            return (parts.first ?? "", .string(parts.count > 1 ? parts[1] : ""))
        }
        return JSONObject(pairs)
    }
}
