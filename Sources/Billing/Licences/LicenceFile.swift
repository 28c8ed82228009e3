internal import Crypto
internal import Foundation
package import Kernel

/// What a licence grants: a branded deployment for a customer of the operator, with what was agreed for it. The program itself locks nothing.
package struct LicenceTerms: Sendable, Hashable, Codable {
    package var serial: String
    package var holder: String
    package var product: String
    package var features: [String]
    package var seats: Int
    package var startsAt: Timestamp
    package var expiresAt: Timestamp
    /// After the expiry, in which it still counts.
    package var graceDays: Int

    package enum State: String, Sendable, Hashable { case notYet = "not_yet", valid, grace, expired }

    package func state(at now: Timestamp) -> State {
        if now < startsAt { return .notYet }
        if now < expiresAt { return .valid }
        return now < expiresAt + .seconds(Int64(graceDays) * 86_400) ? .grace : .expired
    }
}

/// A licence as a text of three lines: a mark, the terms (JSON), and an Ed25519 signature (RFC 8032) over both; the latter two in base64. Who has the
/// public key verifies it without us.
package enum LicenceFile {
    static let mark = "AIAS-LICENCE-1"
    private static let textBytesMaximum = 100_000

    static func make(_ terms: LicenceTerms, _ key: Curve25519.Signing.PrivateKey) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let body = try encoder.encode(terms).base64EncodedString()
        let signature = try key.signature(for: Data("\(mark)\n\(body)".utf8))
        return "\(mark)\n\(body)\n\(signature.base64EncodedString())\n"
    }

    /// - Parameter key: the public key in base64.
    /// - Throws: `bad_key`, `bad_licence` for what is none, or was not signed with the key's other half.
    package static func verify(_ text: String, key: String) throws -> LicenceTerms {
        guard let bytes = Data(base64Encoded: key.trimmingCharacters(in: .whitespacesAndNewlines)),
            let known = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        else { throw Refusal.invalid("key", "bad_key", "This is no public key: 32 bytes in base64.") }
        let bad = Refusal.invalid("licence", "bad_licence", "This is no licence, or it was changed, or another key signed it.")
        let lines = text.utf8.count <= textBytesMaximum ? text.split(whereSeparator: \.isNewline) : []
        guard lines.count == 3, lines[0] == mark, let body = Data(base64Encoded: String(lines[1])),
            let signature = Data(base64Encoded: String(lines[2])), known.isValidSignature(signature, for: Data("\(mark)\n\(lines[1])".utf8))
        else { throw bad }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let terms = try? decoder.decode(LicenceTerms.self, from: body) else { throw bad }
        return terms
    }
}
