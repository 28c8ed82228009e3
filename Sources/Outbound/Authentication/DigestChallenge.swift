internal import Crypto
internal import Foundation
internal import Kernel

/// One challenge of digest authentication (RFC 7616, 3.3), and the answer to it.
package struct DigestChallenge: Sendable, Hashable {
    /// In the order they are preferred.
    enum Algorithm: String, Sendable, CaseIterable {
        case sha256 = "sha-256"
        case sha256Session = "sha-256-sess"
        case md5 = "md5"
        case md5Session = "md5-sess"

        var isSession: Bool { self == .sha256Session || self == .md5Session }

        func hash(_ bytes: [UInt8]) -> String {
            let digest: [UInt8] =
                switch self {
                case .sha256, .sha256Session: Array(SHA256.hash(data: bytes))
                case .md5, .md5Session: Array(Insecure.MD5.hash(data: bytes))
                }
            return digest.hexText
        }
    }

    enum Protection: String, Sendable { case auth, authInt = "auth-int" }

    let realm: String
    let nonce: String
    let opaque: String?
    let algorithm: Algorithm
    /// As the server wrote it; nil where it named none.
    let writtenAlgorithm: String?
    /// nil where the server knows none (RFC 2069).
    let protection: Protection?
    let hashesUser: Bool
    /// The credential was right, only the nonce too old.
    let isStale: Bool

    /// - Returns: nil for a challenge that lacks its nonce, or asks for something unknown.
    init?(_ challenge: AuthenticationChallenge) {
        guard challenge.scheme == "digest", let nonce = challenge["nonce"] else { return nil }
        guard let algorithm = Algorithm(rawValue: challenge["algorithm"]?.lowercased() ?? "md5") else { return nil }
        realm = challenge["realm"] ?? ""
        self.nonce = nonce
        opaque = challenge["opaque"]
        self.algorithm = algorithm
        writtenAlgorithm = challenge["algorithm"]
        hashesUser = challenge["userhash"]?.lowercased() == "true"
        isStale = challenge["stale"]?.lowercased() == "true"
        guard let offered = challenge["qop"] else {
            protection = nil
            return
        }
        let known = offered.split(separator: ",").compactMap { Protection(rawValue: String($0).trimmingSpaces().lowercased()) }
        guard let chosen = known.first(where: { $0 == .auth }) ?? known.first else { return nil }
        protection = chosen
    }

    /// The strongest challenge of an answer that can be met; nil where there is none.
    package static func strongest(in response: OutboundResponse) -> DigestChallenge? {
        let lines = response.headers.filter { $0.name.lowercased() == "www-authenticate" }.map(\.value)
        let known = lines.flatMap(AuthenticationChallenge.read).compactMap { DigestChallenge($0) }
        return Algorithm.allCases.lazy.compactMap { algorithm in known.first { $0.algorithm == algorithm } }.first
    }

    /// The value of `Authorization` (RFC 7616, 3.4).
    /// - Parameters:
    ///   - target: path and query, as they stand in the request line.
    ///   - count: requests sent with this nonce, this one included.
    func authorization(
        user: String, password: String, method: String, target: String, body: [UInt8], clientNonce: String, count: Int = 1
    ) -> String {
        func hash(_ parts: String...) -> String { algorithm.hash(Array(parts.joined(separator: ":").utf8)) }
        var first = hash(user, realm, password)
        if algorithm.isSession { first = hash(first, nonce, clientNonce) }
        let second = protection == .authInt ? hash(method, target, algorithm.hash(body)) : hash(method, target)
        let counter = String(repeating: "0", count: max(0, 8 - String(count, radix: 16).count)) + String(count, radix: 16)
        let response =
            protection.map { hash(first, nonce, counter, clientNonce, $0.rawValue, second) } ?? hash(first, nonce, second)
        var parts = [
            userPart(user, hashed: hash(user, realm)), "realm=\(Self.quoted(realm))", "nonce=\(Self.quoted(nonce))", "uri=\(Self.quoted(target))",
            "response=\"\(response)\""
        ]
        if let writtenAlgorithm { parts.append("algorithm=\(writtenAlgorithm)") }
        if let opaque { parts.append("opaque=\(Self.quoted(opaque))") }
        if let protection { parts += ["qop=\(protection.rawValue)", "nc=\(counter)", "cnonce=\(Self.quoted(clientNonce))"] }
        if hashesUser { parts.append("userhash=true") }
        return "Digest " + parts.joined(separator: ", ")
    }

    /// A name beyond ASCII goes as RFC 8187 writes it (RFC 7616, 3.4).
    private func userPart(_ user: String, hashed: String) -> String {
        if hashesUser { return "username=\"\(hashed)\"" }
        guard !user.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return "username=\(Self.quoted(user))" }
        return "username*=UTF-8''\(PercentEncoding.encode(user))"
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
