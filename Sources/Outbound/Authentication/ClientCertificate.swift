internal import Foundation
internal import NIOSSL

/// What is shown to a server that asks who its client is, and who may vouch for the server; all of it in PEM.
package struct ClientCertificate: Sendable, Hashable {
    /// The certificate, and after it those that lead to its authority; empty for none.
    package var chain: String
    package var privateKey: String
    /// Of a private key that is encrypted.
    package var passphrase: String
    /// Trusted in the place of the system's authorities; empty for those.
    package var authorities: String

    package init(chain: String = "", privateKey: String = "", passphrase: String = "", authorities: String = "") {
        self.chain = chain
        self.privateKey = privateKey
        self.passphrase = passphrase
        self.authorities = authorities
    }

    /// - Throws: `tls` where something cannot be read; never with its text, which is a secret.
    func apply(to tls: inout TLSConfiguration) throws {
        if !authorities.isEmpty { tls.trustRoots = .certificates(try Self.certificates(authorities, "authorities")) }
        guard !chain.isEmpty || !privateKey.isEmpty else { return }
        tls.certificateChain = try Self.certificates(chain, "certificate").map { NIOSSLCertificateSource.certificate($0) }
        tls.privateKey = .privateKey(try key())
    }

    private static func certificates(_ pem: String, _ name: String) throws -> [NIOSSLCertificate] {
        do { return try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)) } catch {
            throw OutboundError(.tls, "The client's \(name) cannot be read.")
        }
    }

    private func key() throws -> NIOSSLPrivateKey {
        let secret = Array(passphrase.utf8)
        // Bytes that are no ASCII end the process where NIOSSL copies them.
        guard secret.allSatisfy({ $0 < 128 }) else { throw OutboundError(.tls, "The passphrase of the client's key must be of ASCII.") }
        guard KeyEncryption.isBearable(privateKey) else {
            throw OutboundError(
                .tls,
                "The client's key is encrypted in another way than PBES2, or with more than \(KeyEncryption.iterationsMaximum) iterations; give it without a passphrase."
            )
        }
        do {
            return try NIOSSLPrivateKey(bytes: Array(privateKey.utf8), format: .pem) { (give: NIOSSLPassphraseSetter<[UInt8]>) in give(secret) }
        } catch {
            throw OutboundError(.tls, "The client's private key cannot be read with this passphrase.")
        }
    }
}

/// How long it takes to open an encrypted private key (RFC 5958, and RFC 8018 for PBES2): as long as whoever made it likes.
enum KeyEncryption {
    static let iterationsMaximum = 1_000_000
    private static let label = "ENCRYPTED PRIVATE KEY-----"
    private static let pbes2: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D]
    private static let pbkdf2: [UInt8] = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0C]
    /// Bytes of headers of sequences that may come before each of both.
    private static let headersMaximum = 8

    /// Whether a key in PEM is not encrypted, or so that it opens in a moment. Keys of the older form count once.
    static func isBearable(_ pem: String) -> Bool {
        guard let begin = pem.range(of: "-----BEGIN " + label) else { return true }
        let body = pem[begin.upperBound...].prefix { $0 != "-" }
        guard let bytes = Data(base64Encoded: String(body), options: .ignoreUnknownCharacters).map(Array.init),
            let scheme = end(of: pbes2, in: bytes[...]), let derivation = end(of: pbkdf2, in: bytes[scheme...])
        else { return false }
        // The sequence, its salt, and the number of iterations.
        var rest = bytes[derivation...]
        guard rest.popFirst() == 0x30, rest.popFirst().map({ $0 < 0x80 }) == true, rest.popFirst() == 0x04, let salt = rest.popFirst(), salt < 0x80
        else { return false }
        rest = rest.dropFirst(Int(salt))
        guard rest.popFirst() == 0x02, let count = rest.popFirst(), (1...3).contains(count), rest.count >= Int(count) else { return false }
        return rest.prefix(Int(count)).reduce(0) { $0 << 8 | Int($1) } <= iterationsMaximum
    }

    private static func end(of identifier: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        for start in bytes.indices.prefix(headersMaximum + 1) where bytes[start...].starts(with: identifier) { return start + identifier.count }
        return nil
    }
}
