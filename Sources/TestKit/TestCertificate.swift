internal import NIOSSL

/// A self-signed certificate for the name `service.test`, valid from 2020 to 2120, used by nothing but these tests.
package enum TestCertificate {
    /// - Parameter asksForCertificate: whether a client must show this certificate, too.
    static func serverContext(asksForCertificate: Bool = false) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(bytes: Array(privateKey.utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
        if asksForCertificate {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)))
        }
        return try NIOSSLContext(configuration: configuration)
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

    package static let privateKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNR/SriBI03+NR+/n
        wli/yPxcpQBtZMrTwwSd1QvpMvOhRANCAATDN3LJ9hGq9qe4EAxmfx016wt7uOxe
        Tp2aOkdBSmwzJ20r6H4LtDID6vXA+/+/NhqUDKcMHfPige4nki9U6mYV
        -----END PRIVATE KEY-----
        """

    /// The same key, encrypted with the passphrase `opensesame`.
    package static let encryptedKey = """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjDOrEsgO1UggICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJJun5x2VdPtwPmGGEJXz10EgZDr
        ZLL8U1/YjGi8wRopB/XJI7r8UujpF2yRWezpOxN+ZuY3AAi55ud9VOukFvQSgeB/
        daN/uRUlWxWsAuMuSbRIpHUzzG2GowgfZnSEUqX8J/HRL05g2eJSVqxeVlEIjJb8
        tBMJx+DbkSV8Lgtpn+bYTP5lf+30BuQ9TPjr2uW95u7FohShTcmL5jwZKKw0iCs=
        -----END ENCRYPTED PRIVATE KEY-----
        """
}
