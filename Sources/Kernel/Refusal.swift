/// What the caller did wrong, or may not do: it becomes a 4xx answer (or 503) in one place. Everything else is our fault.
package struct Refusal: Error, Sendable, Hashable {
    /// The class of a refusal; the HTTP status follows from it.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case malformed, unauthenticated, forbidden, missing, methodNotAllowed, conflict, gone, tooLarge
        case unsupportedMedia, invalid, rateLimited, limitReached, unavailable
    }

    /// One fault among several, with the place it was found at.
    package struct Fault: Sendable, Hashable, Codable {
        /// A path such as `nodes[2].config.url` or `email`.
        package var field: String
        package var code: String
        package var message: String
        package init(field: String, code: String, message: String) {
            self.field = field
            self.code = code
            self.message = message
        }
    }

    package var kind: Kind
    /// Stable, for programs: `limit_reached`, `email_taken`.
    package var code: String
    /// In plain English, saying what to do; the edge may show a translation found by `code`.
    package var message: String
    package var arguments: [String: String]
    package var faults: [Fault]
    /// For `rateLimited` and `unavailable`.
    package var retryAfter: Duration?

    package init(
        _ kind: Kind, _ code: String, _ message: String, field: String? = nil, arguments: [String: String] = [:],
        faults: [Fault] = [], retryAfter: Duration? = nil
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.arguments = arguments
        self.faults = field.map { [Fault(field: $0, code: code, message: message)] + faults } ?? faults
        self.retryAfter = retryAfter
    }

    /// A thing that is not there, or not this tenant's: the caller cannot tell which.
    package static func missing(_ noun: String) -> Refusal {
        Refusal(.missing, "not_found", "There is no such \(noun).", arguments: ["noun": noun])
    }

    package static func invalid(_ field: String, _ code: String, _ message: String) -> Refusal {
        Refusal(.invalid, code, message, field: field)
    }
}
