internal import Foundation
package import Kernel
package import Outbound

extension CredentialType {
    /// Puts the credential onto a request. A header or parameter without a value is left out.
    /// - Throws: `StepFailure` where a field cannot go into a header.
    package func apply(_ fields: JSONObject, to request: inout OutboundRequest) throws {
        let fields = completed(fields)
        for application in applications {
            switch application {
            case .basic(let user, let password):
                let pair = Array("\(Self.fill(user, fields)):\(Self.fill(password, fields))".utf8)
                try Self.setHeader("Authorization", "Basic \(Data(pair).base64EncodedString())", &request)
            case .digest, .accessToken: break
            case .header(let name, let value):
                guard !Self.isHollow(value, fields) else { continue }
                try Self.setHeader(Self.fill(name, fields), Self.fill(value, fields), &request)
            case .query(let name, let value): Self.addQuery(Self.fill(name, fields), Self.fill(value, fields), &request)
            case .custom(let field): try Self.applyCustom(fields[field] ?? .null, &request)
            case .certificate: request.certificate = ClientCertificate(fields: fields)
            }
        }
    }

    /// Sends a request that the credential is on already, in two turns where it answers challenges.
    package func send(
        _ fields: JSONObject, _ request: OutboundRequest, through send: (OutboundRequest) async throws -> OutboundResponse
    ) async throws -> OutboundResponse {
        let fields = completed(fields)
        for case .digest(let user, let password) in applications {
            return try await DigestAuthentication(user: Self.fill(user, fields), password: Self.fill(password, fields)).send(request, through: send)
        }
        return try await send(request)
    }

    /// A template with the fields put in; a missing one is an empty text.
    static func fill(_ template: String, _ fields: JSONObject) -> String {
        template.replacing(#/\{([A-Za-z0-9_]+)\}/#) { match in
            let value = fields[String(match.output.1)]
            return value?.text ?? (value?.isNull == false ? value?.serialized : nil) ?? ""
        }
    }

    /// Whether a template consists of fields alone, all of them empty.
    private static func isHollow(_ template: String, _ fields: JSONObject) -> Bool { fill(template, fields).isEmpty }

    /// Replaces a header of the same name, in any case.
    private static func setHeader(_ name: String, _ value: String, _ request: inout OutboundRequest) throws {
        let isToken = !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
        let hasBreak = value.utf8.contains { $0 == 0x0A || $0 == 0x0D || $0 == 0 }
        guard isToken, !hasBreak else {
            throw StepFailure(
                "invalid_credential", "The credential cannot be sent as a header: it holds a line break or a bad name.", isRetryable: false)
        }
        request.headers.removeAll { $0.name.lowercased() == name.lowercased() }
        request.headers.append((name: name, value: value))
    }

    private static func addQuery(_ name: String, _ value: String, _ request: inout OutboundRequest) {
        let fragment = request.url.firstIndex(of: "#")
        let base = fragment.map { String(request.url[..<$0]) } ?? request.url
        let joint = base.contains("?") ? (base.hasSuffix("?") || base.hasSuffix("&") ? "" : "&") : "?"
        request.url = base + joint + escaped(name) + "=" + escaped(value) + (fragment.map { String(request.url[$0...]) } ?? "")
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(
            withAllowedCharacters: CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"))
            ?? text
    }

    private static func applyCustom(_ value: JSON, _ request: inout OutboundRequest) throws {
        let parsed = try value.text.map { try JSON(parsing: $0) } ?? value
        for (name, header) in parsed["headers"]?.object ?? [:] { try setHeader(name, header.text ?? header.serialized, &request) }
        for (name, parameter) in parsed["qs"]?.object ?? [:] { addQuery(name, parameter.text ?? parameter.serialized, &request) }
        guard let added = parsed["body"]?.object else { return }
        if case .pieces = request.body { return }
        var body = JSONObject()
        if case .bytes(let bytes) = request.body {
            guard let written = try? JSON(parsing: bytes), let members = written.object else { return }
            body = members
        }
        body.merge(added)
        request.body = .bytes(JSON.object(body).bytes)
    }
}

extension ClientCertificate {
    /// Of a credential of the type `httpSslAuth`.
    init(fields: JSONObject) {
        func pem(_ name: String) -> String {
            let text = fields[name]?.text ?? ""
            // On one line; each beginning without an end would be looked for to the end of the text.
            guard !text.contains("\n"), (2...Limits.certificatesOfChain).contains(text.ranges(of: "-----BEGIN ").count) else {
                return CryptoAction.lines(ofPEM: text)
            }
            let blocks = text.matches(of: #/-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----/#)
            guard blocks.count > 1 else { return CryptoAction.lines(ofPEM: text) }
            return blocks.map { CryptoAction.lines(ofPEM: String($0.output)) }.joined(separator: "\n")
        }
        self.init(chain: pem("cert"), privateKey: pem("key"), passphrase: fields["passphrase"]?.text ?? "", authorities: pem("ca"))
    }
}

extension Limits {
    /// Certificates and authorities in one text.
    static let certificatesOfChain = 20
}
