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
        do {
            return try NIOSSLPrivateKey(bytes: Array(privateKey.utf8), format: .pem) { (give: NIOSSLPassphraseSetter<[UInt8]>) in give(secret) }
        } catch {
            throw OutboundError(.tls, "The client's private key cannot be read with this passphrase.")
        }
    }
}
