internal import Jobs
package import Kernel
package import Logging
package import Outbound
internal import Persistence
internal import ServiceLifecycle
internal import Synchronization
internal import Telemetry

/// Makes the attempts that are due: few at a time in all, and fewer of one tenant, so that an endpoint that hangs holds up nobody else.
package final class WebhookSender: Service {
    package typealias Send = @Sendable (OutboundRequest, TenantID) async throws -> OutboundResponse

    static let wake = Wake()
    static let sweep: Duration = .seconds(1)
    static let pause: Duration = .milliseconds(250)
    static let concurrentMaximum = 32
    static let concurrentPerTenant = 8
    /// For an exchange, and for the wait before it where the tenant's other requests have all its places.
    static let timeout: Duration = .seconds(15)
    /// Before the next try of one that found no place.
    static let crowdedPause: Duration = .seconds(5)
    /// An endpoint that nothing reached for so long is disabled.
    static let failureTime: Duration = .seconds(5 * 86_400)

    private let webhooks: OutgoingWebhooks
    private let send: Send
    private let logger: Logger
    private let random: @Sendable () -> Double
    private let places = TenantPlaces(concurrentMaximum, share: concurrentPerTenant)

    /// - Parameter random: between 0 and 1, for the jitter.
    package init(
        webhooks: OutgoingWebhooks, logger: Logger, random: @escaping @Sendable () -> Double = { .random(in: 0...1) }, send: @escaping Send
    ) {
        self.webhooks = webhooks
        self.logger = logger
        self.random = random
        self.send = send
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    do {
                        let due = try await self.claim()
                        for entry in due {
                            group.addTask {
                                await self.attempt(entry)
                                WebhookSender.wake.raise()
                            }
                        }
                        if due.isEmpty { await WebhookSender.wake.wait(atMost: try await self.untilNext()) }
                    } catch {
                        self.logger.error("webhook deliveries could not be read", metadata: ["error": "\(error)"])
                        try? await Task.sleep(for: WebhookSender.sweep)
                    }
                }
            }
        }
    }

    /// Makes every attempt that is due now; returns how many there were.
    @discardableResult
    package func sendDue() async throws -> Int {
        let due = try await claim()
        await withDiscardingTaskGroup { group in for entry in due { group.addTask { await self.attempt(entry) } } }
        return due.count
    }

    private func claim() async throws -> [WebhookQueueStore.Entry] {
        let room = places.sharedRoom
        // Most looks find nothing, and need not write.
        guard room.free > 0, let next = try await webhooks.database.readSystem({ tx in try WebhookQueueStore(tx: tx).nextDue() }),
            next <= webhooks.clock.now()
        else { return [] }
        let due = try await webhooks.database.writeSystem { tx in
            try WebhookQueueStore(tx: tx).claimDue(limit: room.free, without: room.full)
        }
        for entry in due { places.enter(entry.tenant) }
        return due
    }

    private func untilNext() async throws -> Duration {
        guard places.sharedRoom.free > 0, let next = try await webhooks.database.readSystem({ tx in try WebhookQueueStore(tx: tx).nextDue() }) else {
            return Self.sweep
        }
        // What is due and not taken is of tenants that have all their places; one that gets free wakes this.
        let wait = next - webhooks.clock.now()
        return wait <= .zero ? Self.pause : max(.milliseconds(1), min(Self.sweep, wait))
    }

    private struct Order: Sendable {
        var delivery: WebhookDelivery
        var endpoint: WebhookEndpoint
        var payload: String
        var secrets: WebhookEndpointStore.Secrets
    }

    private func attempt(_ entry: WebhookQueueStore.Entry) async {
        defer { places.leave(entry.tenant) }
        do {
            guard let order = try await order(entry) else {
                return try await webhooks.database.writeSystem { tx in try WebhookQueueStore(tx: tx).remove(entry) }
            }
            let attempt = try await exchange(order, tenant: entry.tenant)
            try await note(attempt, order, entry)
        } catch let error as OutboundError where error.code == .overloaded {
            // Nothing was sent, which says nothing of the endpoint. Where this cannot be written its claim ends by itself.
            try? await webhooks.database.writeSystem { tx in
                try WebhookQueueStore(tx: tx).set(entry, dueAt: tx.clock.now() + Self.crowdedPause)
            }
        } catch is CancellationError {
            // The program stops: it is made again when the claim has ended.
        } catch {
            // Its claim ends by itself, and it is tried again.
            logger.error("a webhook delivery could not be made", metadata: ["delivery": "\(entry.delivery)", "error": "\(error)"])
        }
    }

    /// Nil where there is nothing to send any more.
    private func order(_ entry: WebhookQueueStore.Entry) async throws -> Order? {
        try await webhooks.database.read(in: entry.tenant) { tx in
            let (deliveries, endpoints) = (WebhookDeliveryStore(tx: tx), WebhookEndpointStore(tx: tx))
            guard let delivery = try deliveries.delivery(entry.delivery), delivery.state == .pending,
                let endpoint = try endpoints.endpoint(delivery.endpoint), let payload = try deliveries.payload(of: delivery.message),
                let secrets = try endpoints.secrets(of: endpoint.id)
            else { return nil }
            return Order(delivery: delivery, endpoint: endpoint, payload: payload, secrets: secrets)
        }
    }

    private func exchange(_ order: Order, tenant: TenantID) async throws -> WebhookAttempt {
        let now = webhooks.clock.now()
        var attempt = WebhookAttempt(number: order.delivery.attempts + 1, at: now, duration: .zero, status: nil, error: nil, response: nil)
        guard order.endpoint.status == .enabled else {
            attempt.error = "endpoint_disabled"
            return attempt
        }
        let headers =
            [(name: "content-type", value: "application/json"), (name: "user-agent", value: "AIAS-Webhooks/1")]
            + WebhookSignature.headers(
                id: "msg_\(order.delivery.message)", at: now, payload: order.payload, secrets: try await secrets(order.secrets, tenant, at: now))
        var request = OutboundRequest(
            method: "POST", url: order.endpoint.url, headers: headers, body: .bytes(Array(order.payload.utf8)), timeout: Self.timeout,
            followRedirects: false)
        let beginning = AnswerBeginning()
        request.intake = beginning.intake
        let started = ContinuousClock.now
        do {
            let response = try await send(request, tenant)
            attempt.status = response.status
            attempt.response = String(
                String(decoding: (beginning.bytes ?? response.body).prefix(AnswerBeginning.bytesMaximum), as: UTF8.self)
                    .filter { $0 != "\0" }.prefix(Limits.webhookResponseLength))
        } catch let error as OutboundError where error.code != .overloaded {
            attempt.error = error.code.rawValue
            attempt.response = String(error.message.prefix(Limits.webhookResponseLength))
        }
        attempt.duration = ContinuousClock.now - started
        return attempt
    }

    private func secrets(_ sealed: WebhookEndpointStore.Secrets, _ tenant: TenantID, at now: Timestamp) async throws -> [WebhookSecret] {
        func open(_ bytes: [UInt8]) async throws -> WebhookSecret {
            WebhookSecret(bytes: try await webhooks.vault.open(bytes, tenant: tenant, context: OutgoingWebhooks.secretContext))
        }
        var secrets = [try await open(sealed.current)]
        if let former = sealed.former, let until = sealed.formerUntil, until > now { secrets.append(try await open(former)) }
        return secrets
    }

    private func note(_ attempt: WebhookAttempt, _ order: Order, _ entry: WebhookQueueStore.Entry) async throws {
        let isDone = attempt.status.map { (200..<300).contains($0) } ?? false
        Metrics.shared.count(isDone ? .webhooksDelivered : .webhooksFailed)
        let jitter = random()
        try await webhooks.database.write(in: entry.tenant) { [webhooks] tx in
            let (deliveries, endpoints) = (WebhookDeliveryStore(tx: tx), WebhookEndpointStore(tx: tx))
            // Deleted while the request was on its way.
            guard var delivery = try deliveries.delivery(entry.delivery), var endpoint = try endpoints.endpoint(delivery.endpoint) else {
                return try WebhookQueueStore(tx: tx.system).remove(entry)
            }
            try deliveries.insert(attempt, of: delivery.id)
            delivery.attempts = attempt.number
            delivery.tries += 1
            delivery.lastStatus = attempt.status
            let wait = isDone || endpoint.status == .disabled ? nil : WebhookSchedule.wait(after: delivery.tries, random: jitter)
            delivery.state = isDone ? .delivered : wait == nil ? .failed : .pending
            delivery.nextAt = wait.map { tx.clock.now() + $0 }
            let was = endpoint
            Self.judge(&endpoint, attempt, isDone: isDone)
            if endpoint.status == .disabled, was.status == .enabled {
                delivery.state = isDone ? .delivered : .failed
                delivery.nextAt = nil
                try tx.emit(EndpointDisabled(endpoint: endpoint.id, host: endpoint.host, reason: endpoint.reason ?? .failing))
                tx.afterCommit { webhooks.interests.forget(entry.tenant) }
            }
            if endpoint != was { try endpoints.update(endpoint) }
            try deliveries.update(delivery)
            let queue = WebhookQueueStore(tx: tx.system)
            if let next = delivery.nextAt { try queue.set(entry, dueAt: next) } else { try queue.remove(entry) }
        }
    }

    /// What an attempt says of its endpoint: alive, failing, failing for too long, or gone.
    private static func judge(_ endpoint: inout WebhookEndpoint, _ attempt: WebhookAttempt, isDone: Bool) {
        guard endpoint.status == .enabled else { return }
        if isDone {
            endpoint.failingSince = nil
            return
        }
        let since = endpoint.failingSince ?? attempt.at
        endpoint.failingSince = since
        if attempt.status == 410 {
            (endpoint.status, endpoint.reason) = (.disabled, .gone)
        } else if attempt.at - since >= failureTime {
            (endpoint.status, endpoint.reason) = (.disabled, .failing)
        }
    }
}

/// The beginning of an answer's body. The rest is left unread: an endpoint that has much to say has taken the message all the same.
private final class AnswerBeginning: Sendable {
    static let bytesMaximum = Limits.webhookResponseLength * 4

    private let taken = Mutex<[UInt8]?>(nil)

    /// Nil before there is an answer.
    var bytes: [UInt8]? { taken.withLock { $0 } }

    var intake: OutboundRequest.Intake {
        OutboundRequest.Intake(maximumBytes: .max, isWanted: { _ in true }) { [self] _, pieces in
            taken.withLock { $0 = [] }
            for try await piece in pieces where add(piece) { return }
        }
    }

    /// - Returns: whether that is enough.
    private func add(_ piece: [UInt8]) -> Bool {
        taken.withLock { taken in
            taken = (taken ?? []) + piece.prefix(Self.bytesMaximum)
            return (taken?.count ?? 0) >= Self.bytesMaximum
        }
    }
}

extension WebhookEndpoint {
    /// The part of its address that may be shown to anybody of the tenant: paths may hold secrets.
    var host: String { (try? OutboundURL(url))?.host ?? "" }
}

/// `webhook_endpoint.disabled`, payload `{webhook_endpoint, host, reason}`.
struct EndpointDisabled: Event {
    static let name = "webhook_endpoint.disabled"
    static let version = 1
    let endpoint: WebhookEndpointID
    let host: String
    let reason: WebhookEndpoint.Reason
    var subject: String { "webhook_endpoint:\(endpoint)" }
    var payload: JSON { ["webhook_endpoint": .string(endpoint.description), "host": .string(host), "reason": .string(reason.rawValue)] }
}
