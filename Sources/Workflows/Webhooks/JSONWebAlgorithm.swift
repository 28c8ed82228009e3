internal import Crypto
internal import CryptoExtras

/// What the name of an algorithm stands for (RFC 7518, 3.1). A curve has one digest, which the library takes of the bytes it signs.
enum JSONWebAlgorithm {
    case hmac(any HashFunction.Type)
    case rsa(any HashFunction.Type, _RSA.Signing.Padding)
    case p256
    case p384
    case p521

    init?(_ name: String) {
        switch name {
        case "HS256": self = .hmac(SHA256.self)
        case "HS384": self = .hmac(SHA384.self)
        case "HS512": self = .hmac(SHA512.self)
        case "RS256": self = .rsa(SHA256.self, .insecurePKCS1v1_5)
        case "RS384": self = .rsa(SHA384.self, .insecurePKCS1v1_5)
        case "RS512": self = .rsa(SHA512.self, .insecurePKCS1v1_5)
        case "PS256": self = .rsa(SHA256.self, .PSS)
        case "PS384": self = .rsa(SHA384.self, .PSS)
        case "PS512": self = .rsa(SHA512.self, .PSS)
        case "ES256": self = .p256
        case "ES384": self = .p384
        case "ES512": self = .p521
        default: return nil
        }
    }
}
