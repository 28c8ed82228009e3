package import Kernel

/// A person, who may belong to several tenants.
package struct User: Sendable, Hashable {
    package var id: UserID
    package var email: EmailAddress
    package var name: String
    /// argon2id in its encoded form; nil where the person signs in by link alone.
    var passwordHash: String?
    package var emailVerifiedAt: Timestamp?
    var failedAttempts: Int
    package var lockedUntil: Timestamp?
    /// Runs the platform.
    package var isOperator: Bool
    package var createdAt: Timestamp

    /// For how long the person is still locked out; nil where they are not. What is longer than any lock was set while the clock was ahead.
    func lock(at now: Timestamp) -> Duration? {
        guard let lockedUntil, lockedUntil > now, lockedUntil - now <= Tenancy.lockOut else { return nil }
        return lockedUntil - now
    }
}

/// An address in lower case with one `@`, a dotted domain and at most 254 bytes; whether it exists only a mail can tell.
package struct EmailAddress: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    package init(_ text: String) throws {
        let text = text.lowercased()
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = text.utf8.allSatisfy { $0 > 32 && $0 != 127 && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), text.utf8.count <= 254, isPlain,
            parts[1].contains("."), !parts[1].hasPrefix("."), !parts[1].hasSuffix("."), !parts[1].contains("..")
        else {
            throw Refusal.invalid("email", "bad_email", "This is no e-mail address; one looks like ana@example.com.")
        }
        self.text = text
    }

    init(stored text: String) { self.text = text }

    package var description: String { text }
}
