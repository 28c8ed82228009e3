internal import Crypto
internal import Foundation
internal import HTTPSurface
internal import Kernel
internal import Outbound

/// Whether a request may start a webhook that asks for authentication.
struct WebhookGuard: Sendable {
    enum Verdict: Sendable {
        /// With the claims of a token, and the header that showed the credential, which is not for a journal.
        case open(claims: JSON?, header: String?)
        /// The request shows no credential: 401, with what is asked for.
        case challenge(String)
        /// It shows a wrong one: 403.
        case refused(String)
    }

    /// The credential type that each way of authentication needs; nil for a way that does not exist.
    static func credentialType(of authentication: String) -> String? {
        ["basicAuth": "httpBasicAuth", "headerAuth": "httpHeaderAuth", "jwtAuth": "jwtAuth"][authentication]
    }

    /// Whether the node's lists let a client in, before any credential is looked at. An entry that is no address admits nobody.
    static func admits(_ definition: WebhookDefinition, address: @autoclosure () -> String?, userAgent: @autoclosure () -> String?) -> Bool {
        if definition.refusesBots, isBot(userAgent() ?? "") { return false }
        guard !definition.allowedAddresses.isEmpty else { return true }
        guard let address = address().flatMap({ IPAddress($0)?.withoutMapping }) else { return false }
        return definition.allowedAddresses.contains { AddressRange($0)?.contains(address) ?? false }
    }

    /// Crawlers and the programs that fetch links for a preview name themselves.
    static func isBot(_ userAgent: String) -> Bool {
        let text = userAgent.lowercased()
        return ["bot", "crawl", "spider", "slurp", "preview", "facebookexternalhit", "whatsapp", "embedly", "scrapy"].contains { text.contains($0) }
    }

    /// - Parameters:
    ///   - type: of the credential.
    ///   - fields: of the credential, opened.
    static func verdict(type: String, fields: JSONObject, header: (String) -> String?, now: Timestamp) -> Verdict {
        func field(_ name: String) -> String { fields[name]?.displayText ?? "" }
        let authorization = header("Authorization")
        switch type {
        case "httpBasicAuth":
            guard let shown = authorization.flatMap({ token($0, scheme: "basic") }) else {
                return .challenge("Basic realm=\"webhook\", charset=\"UTF-8\"")
            }
            guard !field("user").isEmpty || !field("password").isEmpty, let pair = Data(base64Encoded: shown) else { return .refused(wrong) }
            return isSame(Array(pair), Array("\(field("user")):\(field("password"))".utf8))
                ? .open(claims: nil, header: "authorization") : .refused(wrong)
        case "httpHeaderAuth":
            let name = field("name")
            guard !name.isEmpty, !field("value").isEmpty else { return .refused(wrong) }
            guard let shown = header(name) else { return .challenge("Header realm=\"webhook\"") }
            return isSame(Array(shown.utf8), Array(field("value").utf8)) ? .open(claims: nil, header: name.lowercased()) : .refused(wrong)
        case "jwtAuth":
            guard let shown = authorization.flatMap({ token($0, scheme: "bearer") }) else { return .challenge("Bearer realm=\"webhook\"") }
            do {
                return .open(claims: try JSONWebToken(shown).claims(verifiedBy: JSONWebKey(fields), now: now), header: "authorization")
            } catch { return .refused((error as? JSONWebToken.Fault)?.message ?? wrong) }
        default: return .refused("The webhook's credential is of a type that cannot guard it.")
        }
    }

    private static let wrong = "The credential is wrong."

    /// What stands after a scheme, in any case.
    private static func token(_ header: String, scheme: String) -> String? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == scheme else { return nil }
        return String(parts[1].drop { $0 == " " })
    }

    /// Takes as long for any two texts: their digests are compared, which swift-crypto does in constant time.
    private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool { SHA256.hash(data: left) == SHA256.hash(data: right) }
}

extension Answer {
    /// 401 with what the webhook asks for.
    static func webhookChallenge(_ challenge: String) -> Answer {
        let body: JSON = [
            "type": "urn:aias:problem:webhook_unauthenticated", "title": "Not signed in", "status": 401,
            "detail": "This webhook asks for a credential, and the request shows none.", "code": "webhook_unauthenticated"
        ]
        return Answer(status: 401, contentType: "application/problem+json", headers: [("WWW-Authenticate", challenge)], body: .bytes(body.bytes))
    }
}
