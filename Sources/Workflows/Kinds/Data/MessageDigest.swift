internal import COpenSSL
internal import Foundation

/// Digests, keyed digests and signatures by OpenSSL, under the names that OpenSSL knows.
enum MessageDigest {
    private static func algorithm(_ name: String) -> OpaquePointer? { EVP_get_digestbyname(name) }

    /// Whether OpenSSL has a digest of this name.
    static func exists(_ name: String) -> Bool { algorithm(name) != nil }

    static func hash(_ data: [UInt8], _ name: String) -> [UInt8]? {
        guard let algorithm = algorithm(name) else { return nil }
        var out = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_Digest(data, data.count, &out, &count, algorithm, nil) == 1 else { return nil }
        return Array(out.prefix(Int(count)))
    }

    static func hmac(_ data: [UInt8], _ name: String, key: [UInt8]) -> [UInt8]? {
        guard let algorithm = algorithm(name) else { return nil }
        var out = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        // A key of no bytes must still have an address.
        let bytes = key.isEmpty ? [0] : key
        guard COpenSSL.HMAC(algorithm, bytes, Int32(key.count), data, data.count, &out, &count) != nil else { return nil }
        return Array(out.prefix(Int(count)))
    }

    /// - Parameter key: a private key in PEM, without a passphrase.
    /// - Returns: nil where the key cannot be read, or cannot sign with this digest.
    static func signature(of data: [UInt8], _ name: String, privateKey key: String) -> [UInt8]? {
        guard let algorithm = algorithm(name), let privateKey = privateKey(key) else { return nil }
        defer {
            EVP_PKEY_free(privateKey)
            ERR_clear_error()
        }
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        var count = 0
        guard EVP_DigestSignInit(context, nil, algorithm, nil, privateKey) == 1, EVP_DigestSign(context, nil, &count, data, data.count) == 1 else {
            return nil
        }
        var out = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &out, &count, data, data.count) == 1 else { return nil }
        return Array(out.prefix(count))
    }

    private static func privateKey(_ pem: String) -> OpaquePointer? {
        let bytes = Array(pem.utf8)
        guard let memory = BIO_new_mem_buf(bytes, Int32(bytes.count)) else { return nil }
        defer { BIO_free(memory) }
        // Without this, OpenSSL asks a terminal for the passphrase of a key that has one.
        return PEM_read_bio_PrivateKey(memory, nil, { _, _, _, _ in -1 }, nil)
    }
}
