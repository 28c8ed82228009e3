internal import Foundation
package import Jobs
package import Kernel
package import Persistence
internal import Synchronization
internal import Tenancy

extension Permission {
    package static let webhooksRead: Permission = "webhooks.read"
    package static let webhooksWrite: Permission = "webhooks.write"
    package static let notificationsRead: Permission = "notifications.read"
}

/// Tells tenants' endpoints what happens: which there are, what each is to hear, and what was sent.
package struct OutgoingWebhooks: Sendable {
    let database: any Database
    let vault: KeyVault
    let clock: Clock
    let ids: IDs
    let interests = Interests()

    static let secretContext = "webhook-secret"
    /// How long a secret that was replaced signs beside the new one.
    static let rotationTime: Duration = .seconds(86_400)

    package init(database: any Database, vault: KeyVault, clock: Clock, ids: IDs) {
        self.database = database
        self.vault = vault
        self.clock = clock
        self.ids = ids
    }

    // MARK: Endpoints

    /// - Returns: the endpoint and its secret, which is shown this once.
    package func create(_ fields: WebhookEndpointFields, by principal: Principal) async throws -> (endpoint: WebhookEndpoint, secret: String) {
        let tenant = try principal.tenant(for: .webhooksWrite)
        let now = clock.now()
        let endpoint = WebhookEndpoint(
            id: ids.next(), url: fields.url, description: fields.description, eventTypes: fields.eventTypes, status: .enabled, reason: nil,
            failingSince: nil, createdAt: now, updatedAt: now)
        let (secret, sealed) = try await makeSecret(tenant)
        try await database.write(in: tenant) { [interests] tx in
            let store = WebhookEndpointStore(tx: tx)
            guard try store.all().count < Limits.webhookEndpointsPerTenant else {
                throw Refusal(
                    .limitReached, "limit_reached", "A tenant has at most \(Limits.webhookEndpointsPerTenant) webhook endpoints.",
                    arguments: ["limit": "webhook endpoints", "allowed": String(Limits.webhookEndpointsPerTenant)])
            }
            try store.insert(endpoint, secret: sealed)
            try tx.audit(principal, "webhook_endpoint.create", "webhook_endpoint:\(endpoint.id)")
            tx.afterCommit { interests.forget(tenant) }
        }
        return (endpoint, secret.text)
    }

    package func endpoints(by principal: Principal) async throws -> [WebhookEndpoint] {
        let tenant = try principal.tenant(for: .webhooksRead)
        return try await database.read(in: tenant) { tx in try WebhookEndpointStore(tx: tx).all() }
    }

    package func endpoint(_ id: WebhookEndpointID, by principal: Principal) async throws -> WebhookEndpoint {
        let tenant = try principal.tenant(for: .webhooksRead)
        guard let found = try await database.read(in: tenant, { tx in try WebhookEndpointStore(tx: tx).endpoint(id) }) else {
            throw Refusal.missing("webhook endpoint")
        }
        return found
    }

    /// Changes what a person sets; enabling it begins anew with an endpoint that failed.
    package func update(
        _ id: WebhookEndpointID, by principal: Principal,
        _ change: @escaping @Sendable (WebhookEndpoint) throws -> (WebhookEndpointFields, isEnabled: Bool)
    ) async throws -> WebhookEndpoint {
        let tenant = try principal.tenant(for: .webhooksWrite)
        return try await database.write(in: tenant) { [interests] tx in
            guard var endpoint = try WebhookEndpointStore(tx: tx).endpoint(id) else { throw Refusal.missing("webhook endpoint") }
            let (fields, isEnabled) = try change(endpoint)
            endpoint.url = fields.url
            endpoint.description = fields.description
            endpoint.eventTypes = fields.eventTypes
            if isEnabled != (endpoint.status == .enabled) {
                endpoint.status = isEnabled ? .enabled : .disabled
                endpoint.reason = isEnabled ? nil : .paused
                endpoint.failingSince = nil
            }
            endpoint.updatedAt = tx.clock.now()
            try WebhookEndpointStore(tx: tx).update(endpoint)
            try tx.audit(principal, "webhook_endpoint.update", "webhook_endpoint:\(id)", ["status": .string(endpoint.status.rawValue)])
            tx.afterCommit { interests.forget(tenant) }
            return endpoint
        }
    }

    /// Tells nobody any more, until somebody enables an endpoint again.
    /// - Returns: how many endpoints there were to tell.
    package func pauseAll(in tx: TenantTransaction, by principal: Principal) throws -> Int {
        let store = WebhookEndpointStore(tx: tx)
        var count = 0
        for var endpoint in try store.all() where endpoint.status == .enabled {
            endpoint.status = .disabled
            endpoint.reason = .paused
            endpoint.failingSince = nil
            endpoint.updatedAt = tx.clock.now()
            try store.update(endpoint)
            try tx.audit(principal, "webhook_endpoint.update", "webhook_endpoint:\(endpoint.id)", ["status": .string(endpoint.status.rawValue)])
            count += 1
        }
        tx.afterCommit { [interests, tenant = tx.tenant.id] in interests.forget(tenant) }
        return count
    }

    package func delete(_ id: WebhookEndpointID, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .webhooksWrite)
        try await database.write(in: tenant) { [interests] tx in
            guard try WebhookEndpointStore(tx: tx).delete(id) else { throw Refusal.missing("webhook endpoint") }
            try tx.audit(principal, "webhook_endpoint.delete", "webhook_endpoint:\(id)")
            tx.afterCommit { interests.forget(tenant) }
        }
    }

    /// Makes a new secret; what is sent within a day is signed by the former one too.
    /// - Returns: the new secret, shown this once.
    package func rotateSecret(of id: WebhookEndpointID, by principal: Principal) async throws -> String {
        let tenant = try principal.tenant(for: .webhooksWrite)
        let (secret, sealed) = try await makeSecret(tenant)
        try await database.write(in: tenant) { tx in
            let store = WebhookEndpointStore(tx: tx)
            guard try store.endpoint(id) != nil else { throw Refusal.missing("webhook endpoint") }
            try store.setSecret(sealed, formerUntil: tx.clock.now() + Self.rotationTime, of: id)
            try tx.audit(principal, "webhook_endpoint.rotate_secret", "webhook_endpoint:\(id)")
        }
        return secret.text
    }

    private func makeSecret(_ tenant: TenantID) async throws -> (WebhookSecret, sealed: [UInt8]) {
        var random = SystemRandomNumberGenerator()
        let secret = WebhookSecret(random: &random)
        return (secret, try await vault.seal(secret.bytes, tenant: tenant, context: Self.secretContext))
    }

    // MARK: Deliveries

    package func deliveries(
        of id: WebhookEndpointID, before cursor: WebhookDeliveryID?, limit: Int, by principal: Principal
    ) async throws -> [WebhookDelivery] {
        let tenant = try principal.tenant(for: .webhooksRead)
        return try await database.read(in: tenant) { tx in
            guard try WebhookEndpointStore(tx: tx).endpoint(id) != nil else { throw Refusal.missing("webhook endpoint") }
            return try WebhookDeliveryStore(tx: tx).page(of: id, before: cursor, limit: limit)
        }
    }

    static let attemptsShown = 100

    package func delivery(
        _ id: WebhookDeliveryID, by principal: Principal
    ) async throws -> (delivery: WebhookDelivery, payload: String, attempts: [WebhookAttempt]) {
        let tenant = try principal.tenant(for: .webhooksRead)
        return try await database.read(in: tenant) { tx in
            let store = WebhookDeliveryStore(tx: tx)
            guard let delivery = try store.delivery(id) else { throw Refusal.missing("delivery") }
            return (delivery, try store.payload(of: delivery.message) ?? "", try store.attempts(of: id, limit: Self.attemptsShown))
        }
    }

    /// Sends a message again, whatever came of it before, under its own id.
    package func replay(_ id: WebhookDeliveryID, by principal: Principal) async throws -> WebhookDelivery {
        let tenant = try principal.tenant(for: .webhooksWrite)
        return try await database.write(in: tenant) { tx in
            guard let delivery = try WebhookDeliveryStore(tx: tx).delivery(id) else { throw Refusal.missing("delivery") }
            guard try WebhookEndpointStore(tx: tx).endpoint(delivery.endpoint)?.status == .enabled else { throw Self.isDisabled }
            try tx.audit(principal, "webhook_delivery.replay", "webhook_delivery:\(id)")
            return try Self.again(delivery, tx)
        }
    }

    /// Sends again what was made in a span of time: what failed, or all of it.
    /// - Returns: how many there are; at most a thousand at a time, the oldest first.
    package func replay(
        from since: Timestamp, to until: Timestamp, of id: WebhookEndpointID, onlyFailed: Bool, by principal: Principal
    ) async throws -> Int {
        let tenant = try principal.tenant(for: .webhooksWrite)
        guard since < until else { throw Refusal.invalid("until", "empty_range", "The end comes after the beginning.") }
        return try await database.write(in: tenant) { tx in
            guard let endpoint = try WebhookEndpointStore(tx: tx).endpoint(id) else { throw Refusal.missing("webhook endpoint") }
            guard endpoint.status == .enabled else { throw Self.isDisabled }
            let list = try WebhookDeliveryStore(tx: tx).between(
                since, until, of: id, states: onlyFailed ? [.failed] : [.failed, .delivered], limit: Limits.webhookReplayMaximum)
            for delivery in list { _ = try Self.again(delivery, tx) }
            try tx.audit(principal, "webhook_endpoint.replay", "webhook_endpoint:\(id)", ["count": .number(Double(list.count))])
            return list.count
        }
    }

    /// Sends a message that says no more than that it arrives.
    package func test(_ id: WebhookEndpointID, by principal: Principal) async throws -> WebhookDelivery {
        let tenant = try principal.tenant(for: .webhooksWrite)
        return try await database.write(in: tenant) { tx in
            guard let endpoint = try WebhookEndpointStore(tx: tx).endpoint(id) else { throw Refusal.missing("webhook endpoint") }
            guard endpoint.status == .enabled else { throw Self.isDisabled }
            let message: WebhookMessageID = tx.ids.next()
            let payload = Self.payload(EventType.test, at: tx.clock.now(), ["webhook_endpoint": .string(id.description)])
            _ = try WebhookDeliveryStore(tx: tx).insert(message: message, key: "test:\(message)", type: EventType.test, payload: payload)
            try tx.audit(principal, "webhook_endpoint.test", "webhook_endpoint:\(id)")
            return try Self.queue(message, type: EventType.test, to: endpoint, tx)
        }
    }

    private static let isDisabled = Refusal(.conflict, "endpoint_disabled", "The endpoint is disabled; enable it first.")

    private static func again(_ delivery: WebhookDelivery, _ tx: TenantTransaction) throws -> WebhookDelivery {
        var delivery = delivery
        delivery.state = .pending
        delivery.tries = 0
        delivery.nextAt = tx.clock.now()
        try WebhookDeliveryStore(tx: tx).update(delivery)
        try enqueue(delivery, tx)
        return delivery
    }

    static func queue(_ message: WebhookMessageID, type: String, to endpoint: WebhookEndpoint, _ tx: TenantTransaction) throws -> WebhookDelivery {
        let now = tx.clock.now()
        let delivery = WebhookDelivery(
            id: tx.ids.next(), endpoint: endpoint.id, message: message, eventType: type, state: .pending, attempts: 0, tries: 0, nextAt: now,
            lastStatus: nil, createdAt: now)
        try WebhookDeliveryStore(tx: tx).insert(delivery)
        try enqueue(delivery, tx)
        return delivery
    }

    private static func enqueue(_ delivery: WebhookDelivery, _ tx: TenantTransaction) throws {
        try WebhookQueueStore(tx: tx.system).set(.init(tenant: tx.tenant.id, delivery: delivery.id), dueAt: delivery.nextAt ?? tx.clock.now())
        tx.afterCommit { WebhookSender.wake.raise() }
    }

    // MARK: Events

    package static let subscribers: [Subscriber] = EventType.all.map { Subscriber(event: $0.name, name: "webhooks.\($0.name)") }

    package var subscriptions: [Subscription] {
        Self.subscribers.map { subscriber in Subscription(subscriber) { try await accept($0) } }
    }

    /// Makes a message of an event and a delivery for each endpoint that is to hear of it; a repeat of the event changes nothing.
    package func accept(_ event: Delivery) async throws {
        guard let tenant = event.tenant else { return }
        let payload = Self.payload(event.name, at: event.at, event.payload)
        try await database.write(in: tenant) { tx in
            let endpoints = try WebhookEndpointStore(tx: tx).all().filter { $0.status == .enabled && $0.hears(event.name) }
            let message: WebhookMessageID = tx.ids.next()
            guard !endpoints.isEmpty,
                try WebhookDeliveryStore(tx: tx).insert(message: message, key: event.key, type: event.name, payload: payload)
            else { return }
            for endpoint in endpoints { _ = try Self.queue(message, type: event.name, to: endpoint, tx) }
        }
    }

    /// The message as it is signed and sent.
    private static func payload(_ type: String, at time: Timestamp, _ data: JSON) -> String {
        let body: JSON = ["type": .string(type), "timestamp": .string(time.description), "data": data]
        let text = body.serialized
        guard text.utf8.count > Limits.webhookPayloadBytes else { return text }
        let short: JSON = ["type": .string(type), "timestamp": .string(time.description), "data": ["truncated": true]]
        return short.serialized
    }

    /// Whether an endpoint of the tenant hears of events of this kind: asked in the transaction that would emit one, so that events nobody
    /// wants cost nothing.
    package func wants(_ type: String, in tx: TenantTransaction) throws -> Bool {
        let tenant = tx.tenant.id
        if let known = interests.types(of: tenant, now: tx.clock.now()) { return known.contains(type) }
        let types = try WebhookEndpointStore(tx: tx).all().filter { $0.status == .enabled }.reduce(into: Set<String>()) { types, endpoint in
            types.formUnion(endpoint.eventTypes.isEmpty ? EventType.all.map(\.name) : endpoint.eventTypes)
        }
        interests.note(types, of: tenant, now: tx.clock.now())
        return types.contains(type)
    }

    /// Removes messages that nobody looks back at any more.
    package func removeOld(of tenant: TenantID) async throws {
        try await database.write(in: tenant) { tx in try WebhookDeliveryStore(tx: tx).remove(before: tx.clock.now() - Self.retention) }
    }

    static let retention: Duration = .seconds(30 * 86_400)
}

/// What tenants' endpoints hear, remembered for a moment; what this process changes is forgotten at once.
final class Interests: Sendable {
    static let lifetime: Duration = .seconds(2)
    static let tenantsMaximum = 10_000
    private let known = Mutex<[TenantID: (types: Set<String>, until: Timestamp)]>([:])

    func types(of tenant: TenantID, now: Timestamp) -> Set<String>? {
        known.withLock { known in known[tenant].flatMap { $0.until > now ? $0.types : nil } }
    }

    func note(_ types: Set<String>, of tenant: TenantID, now: Timestamp) {
        known.withLock { known in
            if known.count >= Self.tenantsMaximum { known.removeAll() }
            known[tenant] = (types, now + Self.lifetime)
        }
    }

    func forget(_ tenant: TenantID) { known.withLock { _ = $0.removeValue(forKey: tenant) } }
}
