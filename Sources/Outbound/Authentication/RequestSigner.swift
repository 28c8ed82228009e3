internal import Crypto
internal import Foundation
package import Kernel

/// AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html), which S3 and what speaks like it ask for.
package struct RequestSigner: Sendable {
    let accessKey: String
    let secret: String
    let sessionToken: String
    let region: String
    let service: String

    package init(accessKey: String, secret: String, sessionToken: String = "", region: String, service: String) {
        self.accessKey = accessKey
        self.secret = secret
        self.sessionToken = sessionToken
        self.region = region
        self.service = service
    }

    /// Signs a request whose path is encoded already; the query is given apart, decoded.
    /// - Parameter digest: of the body in base 16, where that is sent otherwise than as `body`.
    package func signed(
        _ method: String, origin: String, path: String, query: [(name: String, value: String)], headers: [(name: String, value: String)],
        body: [UInt8], digest: String? = nil, now: Timestamp
    ) -> OutboundRequest {
        let stamp = String(now.description.prefix(19)).filter { $0 != "-" && $0 != ":" } + "Z"
        let day = String(stamp.prefix(8))
        let digest = digest ?? SHA256.hash(data: Data(body)).hexText
        let host = origin.split(separator: "/").last.map(String.init) ?? ""
        var all = headers + [("x-amz-content-sha256", digest), ("x-amz-date", stamp)]
        if !sessionToken.isEmpty { all.append(("x-amz-security-token", sessionToken)) }
        let named = (all + [("host", host)]).map { (name: $0.name.lowercased(), value: $0.value.trimmingCharacters(in: .whitespaces)) }
            .sorted { $0.name < $1.name }
        let canonicalQuery = query.map { (Self.escaped($0.name), Self.escaped($0.value)) }.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(
            separator: "&")
        let signedNames = named.map(\.name).joined(separator: ";")
        let canonical = [
            method, path, canonicalQuery, named.map { "\($0.name):\($0.value)\n" }.joined(), signedNames, digest
        ].joined(separator: "\n")
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let text = ["AWS4-HMAC-SHA256", stamp, scope, SHA256.hash(data: Data(canonical.utf8)).hexText].joined(separator: "\n")
        var key = Array("AWS4\(secret)".utf8)
        for part in [day, region, service, "aws4_request"] { key = Self.mac(part, key) }
        let signature = Self.mac(text, key).hexText
        all.append(("Authorization", "AWS4-HMAC-SHA256 Credential=\(accessKey)/\(scope), SignedHeaders=\(signedNames), Signature=\(signature)"))
        return OutboundRequest(
            method: method, url: origin + path + (canonicalQuery.isEmpty ? "" : "?\(canonicalQuery)"), headers: all.map { (name: $0.0, value: $0.1) },
            body: body.isEmpty ? .none : .bytes(body), followRedirects: false)
    }

    private static func mac(_ text: String, _ key: [UInt8]) -> [UInt8] {
        [UInt8](HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: key)))
    }

    package static func escaped(_ text: String, keepingSlashes: Bool = false) -> String {
        let plain = PercentEncoding.encode(text)
        return keepingSlashes ? plain.replacing("%2F", with: "/") : plain
    }
}
