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
        guard !secret.isEmpty else { throw JSONWebToken.Fault(message: "The credential has no secret.") }
        let key = SymmetricKey(data: Data(secret.utf8))
        switch algorithm {
        case "HS256": return Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
        case "HS384": return Array(HMAC<SHA384>.authenticationCode(for: message, using: key))
        case "HS512": return Array(HMAC<SHA512>.authenticationCode(for: message, using: key))
        default: throw unknown
        }
    }

    /// RFC 7518, 3.3 to 3.5.
    private func privateSignature(of message: [UInt8]) throws -> [UInt8] {
        let pem = CryptoAction.lines(ofPEM: privateKey)
        func rsa(_ padding: _RSA.Signing.Padding, _ digest: some Digest) throws -> [UInt8] {
            let key = try _RSA.Signing.PrivateKey(pemRepresentation: pem)
            return Array(try key.signature(for: digest, padding: padding).rawRepresentation)
        }
        switch algorithm {
        case "RS256": return try rsa(.insecurePKCS1v1_5, SHA256.hash(data: message))
        case "RS384": return try rsa(.insecurePKCS1v1_5, SHA384.hash(data: message))
        case "RS512": return try rsa(.insecurePKCS1v1_5, SHA512.hash(data: message))
        case "PS256": return try rsa(.PSS, SHA256.hash(data: message))
        case "PS384": return try rsa(.PSS, SHA384.hash(data: message))
        case "PS512": return try rsa(.PSS, SHA512.hash(data: message))
        case "ES256":
            return Array(try P256.Signing.PrivateKey(pemRepresentation: pem).signature(for: SHA256.hash(data: message)).rawRepresentation)
        case "ES384":
            return Array(try P384.Signing.PrivateKey(pemRepresentation: pem).signature(for: SHA384.hash(data: message)).rawRepresentation)
        case "ES512":
            return Array(try P521.Signing.PrivateKey(pemRepresentation: pem).signature(for: SHA512.hash(data: message)).rawRepresentation)
        default: throw unknown
        }
    }
}
