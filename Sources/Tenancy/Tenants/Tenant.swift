package import Kernel

/// A customer of the platform, or the team that runs it: the wall around data, people and limits.
package struct Tenant: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable { case active, suspended }

    package var id: TenantID
    package var name: String
    package var subdomain: Subdomain
    package var plan: PlanName
    package var status: Status
    /// Names of features switched on beyond the plan.
    package var features: [String]
    package var limits: PlanLimits
    package var timeZone: String
    package var createdAt: Timestamp
    /// Why an operator suspended it.
    package var statusReason: String?
    package var runKeeping = RunKeeping()
}

/// A DNS label that is not reserved: 3 to 40 of a-z, 0-9 and inner hyphens.
package struct Subdomain: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    static let lengths = 3...40
    static let reserved: Set<String> = [
        "www", "api", "app", "admin", "console", "docs", "hooks", "mail", "smtp", "static", "assets", "status", "support", "billing", "localhost",
        "aias", "platform", "operator"
    ]

    /// - Throws: a refusal that says what is wrong; upper case is folded, nothing else is mended.
    package init(_ text: String) throws {
        let text = text.lowercased()
        guard Self.lengths.contains(text.utf8.count) else {
            throw Refusal.invalid("subdomain", "bad_length", "A subdomain has 3 to 40 characters.")
        }
        let allowed = text.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 45 }
        guard allowed, text.first != "-", text.last != "-" else {
            throw Refusal.invalid("subdomain", "bad_characters", "A subdomain is made of a-z, 0-9 and hyphens between them.")
        }
        guard !Self.reserved.contains(text) else {
            throw Refusal.invalid("subdomain", "reserved", "The subdomain \(text) is reserved; choose another.")
        }
        self.text = text
    }

    /// As the database gives it back.
    init(stored text: String) { self.text = text }

    package var description: String { text }
}
