internal import Crypto
internal import CryptoExtras
internal import Foundation
internal import Kernel

extension JSONWebToken {
    /// A token of these claims in its compact form, with the time of its issue where they name none.
    /// - Throws: `Fault`.
    static func signed(_ claims: JSONObject, by key: JSONWebKey, now: Timestamp) throws -> String {
        for name in ["iat", "exp", "nbf"] {
            guard let time = claims[name], time.double == nil else { continue }
            throw Fault(message: "'\(name)' must be a number of seconds.")
        }
        var claims = claims
        if claims["iat"] == nil { claims["iat"] = .number(Double(now.seconds)) }
        let header: JSON = ["alg": .string(key.algorithm), "typ": "JWT"]
        let text = encode(header.bytes) + "." + encode(JSON.object(claims).bytes)
        return text + "." + encode(try key.signature(of: Array(text.utf8)))
    }

    /// Base64 for URLs, without padding (RFC 7515, 2).
    private static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

extension JSONWebKey {
    /// - Throws: `JSONWebToken.Fault`.
    func signature(of message: [UInt8]) throws -> [UInt8] {
        guard algorithm.hasPrefix("HS") == isShared else { throw JSONWebToken.Fault(message: "\(algorithm) does not go with the credential's key.") }
        if isShared { return try sharedSignature(of: message) }
        do { return try privateSignature(of: message) } catch let fault as JSONWebToken.Fault { throw fault } catch {
            throw JSONWebToken.Fault(message: "The credential's private key cannot be read, or cannot sign with \(algorithm).")
        }
    }

    /// RFC 7518, 3.2.
    private func sharedSignature(of message: [UInt8]) throws -> [UInt8] {
        let key = try sharedKey
        func code<Hash: HashFunction>(_ hash: Hash.Type) -> [UInt8] { Array(HMAC<Hash>.authenticationCode(for: message, using: key)) }
        guard case .hmac(let hash)? = JSONWebAlgorithm(algorithm) else { throw unknown }
        return code(hash)
    }

    /// RFC 7518, 3.3 to 3.5.
    private func privateSignature(of message: [UInt8]) throws -> [UInt8] {
        let pem = CryptoAction.lines(ofPEM: privateKey)
        func rsa<Hash: HashFunction>(_ hash: Hash.Type, _ padding: _RSA.Signing.Padding) throws -> [UInt8] {
            let key = try _RSA.Signing.PrivateKey(pemRepresentation: pem)
            return Array(try key.signature(for: Hash.hash(data: message), padding: padding).rawRepresentation)
        }
        switch JSONWebAlgorithm(algorithm) {
        case .rsa(let hash, let padding)?: return try rsa(hash, padding)
        case .p256?: return Array(try P256.Signing.PrivateKey(pemRepresentation: pem).signature(for: message).rawRepresentation)
        case .p384?: return Array(try P384.Signing.PrivateKey(pemRepresentation: pem).signature(for: message).rawRepresentation)
        case .p521?: return Array(try P521.Signing.PrivateKey(pemRepresentation: pem).signature(for: message).rawRepresentation)
        case .hmac?, nil: throw unknown
        }
    }
}
