internal import Crypto
internal import Kernel

/// Tokens that are shown once and kept as hashes.
enum Secrets {
    /// 32 characters of base 62: about 190 bits.
    static let characters = 32

    static func make(prefix: String) -> String {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        var generator = SystemRandomNumberGenerator()
        return prefix + String((0..<characters).map { _ in alphabet.randomElement(using: &generator)! })
    }

    /// The secrets are uniformly random, so a plain SHA-256 is enough.
    static func hash(_ secret: String) -> [UInt8] { Array(SHA256.hash(data: Array(secret.utf8))) }
}
