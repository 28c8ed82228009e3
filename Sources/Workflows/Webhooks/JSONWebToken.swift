internal import Crypto
internal import CryptoExtras
internal import Foundation
internal import Kernel

/// A signed token (RFC 7519 in the compact form of RFC 7515).
struct JSONWebToken: Sendable {
    struct Fault: Error { var message: String }

    private let header: JSON
    private let payload: JSON
    private let signed: [UInt8]
    private let signature: [UInt8]

    init(_ text: String) throws {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Limits.webTokenBytes, parts.count == 3, let header = Self.decode(parts[0]), let payload = Self.decode(parts[1]),
            let signature = Self.decode(parts[2]), let head = try? JSON(parsing: header), let claims = try? JSON(parsing: payload),
            head.object != nil,
            claims.object != nil
        else { throw Fault(message: "The token is malformed.") }
        self.header = head
        self.payload = claims
        signed = Array("\(parts[0]).\(parts[1])".utf8)
        self.signature = signature
    }

    /// The claims, after the signature and the times were checked.
    /// - Throws: `Fault`.
    func claims(verifiedBy key: JSONWebKey, now: Timestamp) throws -> JSON {
        // The key decides how a token is signed, never the token: else a public key could pass as a shared secret.
        guard header["alg"]?.text == key.algorithm else { throw Fault(message: "The token is not signed with \(key.algorithm).") }
        guard header["crit"] == nil else { throw Fault(message: "The token asks for extensions that are not known.") }
        guard try key.verifies(signature, of: signed) else { throw Fault(message: "The token's signature is wrong.") }
        let seconds = Double(now.microseconds) / 1_000_000
        if let expiry = payload["exp"] {
            guard let time = expiry.double, seconds < time else { throw Fault(message: "The token has expired.") }
        }
        if let start = payload["nbf"] {
            guard let time = start.double, seconds >= time else { throw Fault(message: "The token is not valid yet.") }
        }
        return payload
    }

    /// Base64 for URLs, without padding (RFC 7515, 2).
    private static func decode(_ text: Substring) -> [UInt8]? {
        guard text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") }) else { return nil }
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Data(base64Encoded: plain + padding).map { Array($0) }
    }
}

/// How the tokens of a `jwtAuth` credential are signed: `{keyType: passphrase | pemKey, secret, publicKey, privateKey, algorithm}`.
struct JSONWebKey: Sendable {
    let algorithm: String
    let privateKey: String
    let isShared: Bool
    private let secret: String
    private let publicKey: String

    init(_ fields: JSONObject) {
        algorithm = fields["algorithm"]?.text ?? "HS256"
        isShared = fields["keyType"]?.text != "pemKey"
        secret = fields["secret"]?.text ?? ""
        privateKey = fields["privateKey"]?.text ?? ""
        publicKey = fields["publicKey"]?.text ?? ""
    }

    func verifies(_ signature: [UInt8], of message: [UInt8]) throws -> Bool {
        guard algorithm.hasPrefix("HS") == isShared else { throw JSONWebToken.Fault(message: "\(algorithm) does not go with the credential's key.") }
        if isShared { return try sharedVerifies(signature, message) }
        do { return try publicVerifies(signature, message) } catch let fault as JSONWebToken.Fault { throw fault } catch {
            throw JSONWebToken.Fault(message: "The credential's public key cannot be read, or the signature is malformed.")
        }
    }

    /// RFC 7518, 3.2; compared in constant time.
    private func sharedVerifies(_ signature: [UInt8], _ message: [UInt8]) throws -> Bool {
        let key = try sharedKey
        func isValid<Hash: HashFunction>(_ hash: Hash.Type) -> Bool {
            HMAC<Hash>.isValidAuthenticationCode(signature, authenticating: message, using: key)
        }
        guard case .hmac(let hash)? = JSONWebAlgorithm(algorithm) else { throw unknown }
        return isValid(hash)
    }

    /// RFC 7518, 3.3 to 3.5.
    private func publicVerifies(_ signature: [UInt8], _ message: [UInt8]) throws -> Bool {
        func rsa<Hash: HashFunction>(_ hash: Hash.Type, _ padding: _RSA.Signing.Padding) throws -> Bool {
            let key = try _RSA.Signing.PublicKey(pemRepresentation: publicKey)
            let shown = _RSA.Signing.RSASignature(rawRepresentation: Data(signature))
            return key.isValidSignature(shown, for: Hash.hash(data: message), padding: padding)
        }
        switch JSONWebAlgorithm(algorithm) {
        case .rsa(let hash, let padding)?: return try rsa(hash, padding)
        case .p256?:
            return try P256.Signing.PublicKey(pemRepresentation: publicKey)
                .isValidSignature(.init(rawRepresentation: signature), for: message)
        case .p384?:
            return try P384.Signing.PublicKey(pemRepresentation: publicKey)
                .isValidSignature(.init(rawRepresentation: signature), for: message)
        case .p521?:
            return try P521.Signing.PublicKey(pemRepresentation: publicKey)
                .isValidSignature(.init(rawRepresentation: signature), for: message)
        case .hmac?, nil: throw unknown
        }
    }

    /// - Throws: `JSONWebToken.Fault` where there is no secret.
    var sharedKey: SymmetricKey {
        get throws {
            guard !secret.isEmpty else { throw JSONWebToken.Fault(message: "The credential has no secret.") }
            return SymmetricKey(data: Data(secret.utf8))
        }
    }

    var unknown: JSONWebToken.Fault { JSONWebToken.Fault(message: "\(algorithm) is not supported.") }
}

extension Limits {
    static let webTokenBytes = 16 << 10
}
