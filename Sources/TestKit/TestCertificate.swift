internal import NIOSSL

/// A self-signed certificate for the name `service.test`, valid from 2020 to 2120, used by nothing but these tests.
package enum TestCertificate {
    static func serverContext() throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(bytes: Array(privateKey.utf8), format: .pem)
        return try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
    }

    package static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBSzCB8aADAgECAgEBMAoGCCqGSM49BAMCMBcxFTATBgNVBAMMDHNlcnZpY2Uu
        dGVzdDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFzEVMBMGA1UE
        AwwMc2VydmljZS50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwzdyyfYR
        qvanuBAMZn8dNesLe7jsXk6dmjpHQUpsMydtK+h+C7QyA+r1wPv/vzYalAynDB3z
        4oHuJ5IvVOpmFaMsMCowFwYDVR0RBBAwDoIMc2VydmljZS50ZXN0MA8GA1UdEwEB
        /wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAJVnBmfU3GhUgdbYKOzvwI7mCL3R
        bq3zTw9R/oTdoxMqAiEA8F/hLI8oQQ+a2/n1ouwHCaLaHpqEaW9xdzgn05obbQE=
        -----END CERTIFICATE-----
        """

    private static let privateKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNR/SriBI03+NR+/n
        wli/yPxcpQBtZMrTwwSd1QvpMvOhRANCAATDN3LJ9hGq9qe4EAxmfx016wt7uOxe
        Tp2aOkdBSmwzJ20r6H4LtDID6vXA+/+/NhqUDKcMHfPige4nki9U6mYV
        -----END PRIVATE KEY-----
        """
}
