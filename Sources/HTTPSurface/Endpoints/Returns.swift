/// The success answer of a typed endpoint: its status, the type of its body, and where the new thing is found.
package struct Returns<Output: Codable & Sendable>: Sendable {
    package let status: Int
    package let description: String
    let location: (@Sendable (Output) -> String)?
    /// The answer shows a secret once: its idempotency record is kept encrypted.
    let holdsSecret: Bool

    package static func ok(_: Output.Type = Output.self, _ description: String = "Done.") -> Returns {
        Returns(status: 200, description: description, location: nil, holdsSecret: false)
    }

    package static func created(
        _: Output.Type = Output.self, _ description: String = "Created.", location: (@Sendable (Output) -> String)? = nil, holdsSecret: Bool = false
    ) -> Returns {
        Returns(status: 201, description: description, location: location, holdsSecret: holdsSecret)
    }

    package static func accepted(_: Output.Type = Output.self, _ description: String = "Accepted; it goes on.") -> Returns {
        Returns(status: 202, description: description, location: nil, holdsSecret: false)
    }
}

/// The success answer of an endpoint that has nothing to show: 204.
package enum ReturnsNothing: Sendable { case noContent }
