internal import Foundation
package import Kernel
internal import Outbound
internal import Persistence

package enum WebhookMessageTag {}
package enum WebhookDeliveryTag {}
package typealias WebhookEndpointID = ID<WebhookEndpoint>
package typealias WebhookMessageID = ID<WebhookMessageTag>
package typealias WebhookDeliveryID = ID<WebhookDeliveryTag>

/// An address of a tenant's that hears of what happens.
package struct WebhookEndpoint: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable, SQLBindable, SQLReadable { case enabled, disabled }
    /// Why it is disabled.
    package enum Reason: String, Sendable, Hashable, SQLBindable, SQLReadable {
        /// By a person.
        case paused
        /// Nothing reached it for days.
        case failing
        /// It answered 410.
        case gone
    }

    package var id: WebhookEndpointID
    package var url: String
    package var description: String
    /// Names of `EventType`; empty for all.
    package var eventTypes: [String]
    package var status: Status
    package var reason: Reason?
    /// Since when every attempt has failed.
    package var failingSince: Timestamp?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    func hears(_ type: String) -> Bool { eventTypes.isEmpty || eventTypes.contains(type) }
}

/// What a person sets of an endpoint.
package struct WebhookEndpointFields: Sendable, Hashable {
    package var url: String
    package var description: String
    package var eventTypes: [String]

    /// - Throws: a refusal with every fault.
    package init(url: String, description: String, eventTypes: [String]) throws {
        var faults: [Refusal.Fault] = []
        func fault(_ field: String, _ code: String, _ message: String) {
            faults.append(Refusal.Fault(field: field, code: code, message: message))
        }
        let parsed = try? OutboundURL(url)
        if parsed == nil || url.utf8.count > Limits.webhookURLBytes { fault("url", "bad_url", "The address is an http or https URL.") }
        if let components = URLComponents(string: url), components.user != nil || components.password != nil {
            fault("url", "url_credentials", "The address may hold no user and password: deliveries are signed instead.")
        }
        if description.count > Limits.webhookDescriptionLength || description.unicodeScalars.contains(where: { $0.value < 32 }) {
            fault("description", "bad_description", "A description has at most \(Limits.webhookDescriptionLength) printable characters.")
        }
        for name in eventTypes where EventType.named(name) == nil {
            fault("event_types", "unknown_event_type", "There is no event type \(name.prefix(80)).")
        }
        guard faults.isEmpty else { throw Refusal(.invalid, "invalid", "Some fields are not as they should be.", faults: faults) }
        self.url = url
        self.description = description
        self.eventTypes = EventType.all.map(\.name).filter(eventTypes.contains)
    }
}

/// One message on its way to one endpoint.
package struct WebhookDelivery: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, SQLBindable, SQLReadable, CaseIterable { case pending, delivered, failed }

    package var id: WebhookDeliveryID
    package var endpoint: WebhookEndpointID
    package var message: WebhookMessageID
    package var eventType: String
    package var state: State
    /// Made so far, over all replays.
    package var attempts: Int
    /// Of the schedule, since the last replay.
    var tries: Int
    package var nextAt: Timestamp?
    package var lastStatus: Int?
    package var createdAt: Timestamp
}

/// One request and what came of it.
package struct WebhookAttempt: Sendable, Hashable {
    package var number: Int
    package var at: Timestamp
    package var duration: Duration
    /// Nil where there was no answer.
    package var status: Int?
    package var error: String?
    /// The beginning of the answer's body.
    package var response: String?
}

extension Limits {
    static let webhookURLBytes = 2_048
    static let webhookDescriptionLength = 200
    static let webhookEndpointsPerTenant = 50
    /// Bytes of a message; a larger one is not sent, and says so.
    static let webhookPayloadBytes = 256 << 10
    /// Characters kept of an answer.
    static let webhookResponseLength = 2_000
    /// Deliveries that one replay takes up.
    static let webhookReplayMaximum = 1_000
}
