internal import HTTPSurface
internal import Kernel

struct WebhookEndpointView: Codable, Sendable {
    var id: WebhookEndpointID
    var url: String
    var description: String
    /// Empty for all.
    var eventTypes: [String]
    var status: String
    var reason: String?
    var failingSince: Timestamp?
    var createdAt: Timestamp
    var updatedAt: Timestamp

    init(_ endpoint: WebhookEndpoint) {
        id = endpoint.id
        url = endpoint.url
        description = endpoint.description
        eventTypes = endpoint.eventTypes
        status = endpoint.status.rawValue
        reason = endpoint.reason?.rawValue
        failingSince = endpoint.failingSince
        createdAt = endpoint.createdAt
        updatedAt = endpoint.updatedAt
    }
}

struct NewWebhookEndpointBody: Codable, Sendable, Described {
    var url: String
    var description: String?
    var eventTypes: [String]?

    static let notes: [FieldNote] = [
        FieldNote("url", "Where messages are posted.", example: "https://example.com/hooks", length: 1...Limits.webhookURLBytes),
        FieldNote("description", "To tell endpoints apart.", example: "Ticket system", length: 0...Limits.webhookDescriptionLength),
        FieldNote("eventTypes", "Of what it hears; of everything where left out or empty.", example: ["execution.failed"], items: 0...50)
    ]
}

struct WebhookEndpointChangeBody: Codable, Sendable, Described {
    var url: String?
    var description: String?
    var eventTypes: [String]?
    var isEnabled: Bool?

    static let notes: [FieldNote] = [
        FieldNote("url", "Where messages are posted.", example: "https://example.com/hooks", length: 1...Limits.webhookURLBytes),
        FieldNote("description", "To tell endpoints apart.", example: "Ticket system", length: 0...Limits.webhookDescriptionLength),
        FieldNote("eventTypes", "Of what it hears; of everything where empty.", example: ["execution.failed"], items: 0...50),
        FieldNote("isEnabled", "Whether messages are sent; enabling it again forgets that it failed.")
    ]
}

struct CreatedWebhookEndpoint: Codable, Sendable {
    var endpoint: WebhookEndpointView
    /// Shown this once.
    var secret: String
}

struct WebhookSecretView: Codable, Sendable {
    /// Shown this once; the former one signs for a day more.
    var secret: String
}

struct WebhookDeliveryView: Codable, Sendable {
    var id: WebhookDeliveryID
    var endpoint: WebhookEndpointID
    /// As the header `webhook-id` has it.
    var message: String
    var eventType: String
    var state: String
    var attempts: Int
    var nextAt: Timestamp?
    var lastStatus: Int?
    var createdAt: Timestamp

    init(_ delivery: WebhookDelivery) {
        id = delivery.id
        endpoint = delivery.endpoint
        message = "msg_\(delivery.message)"
        eventType = delivery.eventType
        state = delivery.state.rawValue
        attempts = delivery.attempts
        nextAt = delivery.nextAt
        lastStatus = delivery.lastStatus
        createdAt = delivery.createdAt
    }
}

struct WebhookAttemptView: Codable, Sendable {
    var number: Int
    var at: Timestamp
    var milliseconds: Int
    var status: Int?
    var error: String?
    /// The beginning of the answer's body, or what went wrong.
    var response: String?

    init(_ attempt: WebhookAttempt) {
        number = attempt.number
        at = attempt.at
        milliseconds = Int(attempt.duration.microseconds / 1_000)
        status = attempt.status
        error = attempt.error
        response = attempt.response
    }
}

struct WebhookDeliveryDetail: Codable, Sendable {
    var delivery: WebhookDeliveryView
    /// As it is signed and sent.
    var payload: String
    /// Newest first, at most a hundred.
    var attempts: [WebhookAttemptView]
}

struct ReplayBody: Codable, Sendable, Described {
    var since: Timestamp
    var until: Timestamp
    var onlyFailed: Bool?

    static let notes: [FieldNote] = [
        FieldNote("since", "From when on messages were made.", format: "date-time"),
        FieldNote("until", "Until when, not included.", format: "date-time"),
        FieldNote("onlyFailed", "Only those that failed, unless false.")
    ]
}

struct ReplayView: Codable, Sendable {
    /// At most a thousand at a time, the oldest first.
    var count: Int
}

struct EventTypeView: Codable, Sendable {
    var name: String
}

struct WebhookEndpointRoutes {
    let webhooks: OutgoingWebhooks

    private static let tag = "Webhook endpoints"
    private static let read = Access.tenant(.webhooksRead)
    private static let write = Access.tenant(.webhooksWrite)
    private static let disabled = ErrorDeclaration(.conflict, "endpoint_disabled", "The endpoint is disabled.")
    private static let limit = ErrorDeclaration(.limitReached, "limit_reached", "The tenant has as many as it may.")
    private static let address = "/v1/webhook-endpoints"

    var endpoints: [Endpoint] { ofEndpoints + ofDeliveries }

    private var ofEndpoints: [Endpoint] {
        [
            Endpoint.list("/v1/event-types", access: Self.read, summary: "List what endpoints can hear of", tag: Self.tag, of: EventTypeView.self) {
                _, page in try Page(of: EventType.all.map { EventTypeView(name: $0.name) }, page)
            },
            Endpoint.list(Self.address, access: Self.read, summary: "List the webhook endpoints", tag: Self.tag, of: WebhookEndpointView.self) {
                call, page in try Page(of: try await webhooks.endpoints(by: call.principal).map(WebhookEndpointView.init), page)
            },
            Endpoint(
                .post, Self.address, access: Self.write, summary: "Create a webhook endpoint",
                description: "Messages are signed as Standard Webhooks says, with the secret that this answer shows once.", tag: Self.tag,
                body: NewWebhookEndpointBody.self,
                returns: .created(
                    CreatedWebhookEndpoint.self, location: { "\(Self.address)/\($0.endpoint.id)" }, holdsSecret: true), errors: [Self.limit]
            ) { call, body in
                let fields = try WebhookEndpointFields(url: body.url, description: body.description ?? "", eventTypes: body.eventTypes ?? [])
                let made = try await webhooks.create(fields, by: call.principal)
                return CreatedWebhookEndpoint(endpoint: WebhookEndpointView(made.endpoint), secret: made.secret)
            },
            Endpoint(
                .get, "\(Self.address)/{id}", access: Self.read, summary: "Show a webhook endpoint", tag: Self.tag,
                returns: .ok(WebhookEndpointView.self)
            ) { call in WebhookEndpointView(try await webhooks.endpoint(try call.id("id", noun: "webhook endpoint"), by: call.principal)) },
            Endpoint(
                .patch, "\(Self.address)/{id}", access: Self.write, summary: "Change a webhook endpoint", tag: Self.tag,
                body: WebhookEndpointChangeBody.self, returns: .ok(WebhookEndpointView.self)
            ) { call, body in
                let changed = try await webhooks.update(try call.id("id", noun: "webhook endpoint"), by: call.principal) { old in
                    let fields = try WebhookEndpointFields(
                        url: body.url ?? old.url, description: body.description ?? old.description, eventTypes: body.eventTypes ?? old.eventTypes)
                    return (fields, body.isEnabled ?? (old.status == .enabled))
                }
                return WebhookEndpointView(changed)
            },
            Endpoint(
                .delete, "\(Self.address)/{id}", access: Self.write, summary: "Delete a webhook endpoint with its deliveries", tag: Self.tag,
                returns: .noContent
            ) { call in try await webhooks.delete(try call.id("id", noun: "webhook endpoint"), by: call.principal) },
            Endpoint(
                .post, "\(Self.address)/{id}/secret", access: Self.write, summary: "Replace the secret",
                description: "For a day messages carry two signatures, so that the receiver can change over.", tag: Self.tag,
                returns: .created(WebhookSecretView.self, holdsSecret: true)
            ) { call in
                WebhookSecretView(secret: try await webhooks.rotateSecret(of: try call.id("id", noun: "webhook endpoint"), by: call.principal))
            }
        ]
    }

    private var ofDeliveries: [Endpoint] {
        [
            Endpoint(
                .post, "\(Self.address)/{id}/tests", access: Self.write, summary: "Send a message that says no more than that it arrives",
                tag: Self.tag, returns: .accepted(WebhookDeliveryView.self), errors: [Self.disabled]
            ) { call in WebhookDeliveryView(try await webhooks.test(try call.id("id", noun: "webhook endpoint"), by: call.principal)) },
            Endpoint(
                .post, "\(Self.address)/{id}/replays", access: Self.write, summary: "Send again what was made in a span of time", tag: Self.tag,
                body: ReplayBody.self, returns: .accepted(ReplayView.self), errors: [Self.disabled]
            ) { call, body in
                let count = try await webhooks.replay(
                    from: body.since, to: body.until, of: try call.id("id", noun: "webhook endpoint"), onlyFailed: body.onlyFailed ?? true,
                    by: call.principal)
                return ReplayView(count: count)
            },
            Endpoint.list(
                "\(Self.address)/{id}/deliveries", access: Self.read, summary: "List the deliveries of an endpoint, newest first", tag: Self.tag,
                of: WebhookDeliveryView.self
            ) { call, page in
                let cursor: WebhookDeliveryID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await webhooks.deliveries(
                    of: try call.id("id", noun: "webhook endpoint"), before: cursor, limit: page.limit + 1, by: call.principal)
                return Page(rows.map(WebhookDeliveryView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "/v1/webhook-deliveries/{id}", access: Self.read, summary: "Show a delivery with its attempts", tag: Self.tag,
                returns: .ok(WebhookDeliveryDetail.self)
            ) { call in
                let found = try await webhooks.delivery(try call.id("id", noun: "delivery"), by: call.principal)
                return WebhookDeliveryDetail(
                    delivery: WebhookDeliveryView(found.delivery), payload: found.payload, attempts: found.attempts.map(WebhookAttemptView.init))
            },
            Endpoint(
                .post, "/v1/webhook-deliveries/{id}/replay", access: Self.write, summary: "Send a message again", tag: Self.tag,
                returns: .accepted(WebhookDeliveryView.self), errors: [Self.disabled]
            ) { call in WebhookDeliveryView(try await webhooks.replay(try call.id("id", noun: "delivery"), by: call.principal)) }
        ]
    }
}
