internal import HTTPSurface
internal import Kernel

/// The page of one webhook delivery: what was sent, each attempt and what came back.
struct DeliveryPages {
    let webhooks: OutgoingWebhooks
    let context: NotificationPageContext

    static let address = "/settings/webhook-deliveries"

    var endpoints: [Endpoint] {
        [
            .page(.get, "\(Self.address)/{id}", access: .tenant(.webhooksRead), summary: "A webhook delivery") { call in try await show(call, nil) },
            .page(.post, "\(Self.address)/{id}/replay", access: .tenant(.webhooksWrite), summary: "Send a message again") { call in
                do {
                    let again = try await webhooks.replay(try call.id("id", noun: "delivery"), by: call.principal)
                    return .redirect("\(Self.address)/\(again.id)?done=queued")
                } catch let refusal as Refusal where refusal.kind == .conflict {
                    return try await show(call, refusal)
                }
            }
        ]
    }

    private func show(_ call: EndpointCall, _ refusal: Refusal?) async throws -> Answer {
        let text = call.localizer
        let (delivery, payload, attempts) = try await webhooks.delivery(try call.id("id", noun: "delivery"), by: call.principal)
        let endpoint = try await webhooks.endpoint(delivery.endpoint, by: call.principal)
        let back = "\(WebhookPages.address)/\(endpoint.id)"
        let next: HTML? = delivery.nextAt.map {
            "<p class=\"sub\">\(text("notifications.deliveries.next")) \(Console.time($0, isExact: true))</p>"
        }
        let again: HTML? =
            call.principal.may(.webhooksWrite)
            ? Console.press("\(Self.address)/\(delivery.id)/replay", text("notifications.deliveries.replay")) : nil
        let list: [HTML] = attempts.map { attempt(text, $0) }
        let tried: HTML =
            list.isEmpty
            ? Console.empty(text("notifications.attempts.empty"), text("notifications.attempts.empty.hint")) : "<ol class=\"attempts\">\(list)</ol>"
        return try await context.settingsPage(
            call, title: delivery.eventType, current: WebhookPages.address,
            crumb: """
                <p class="crumb"><a href="\(WebhookPages.address)">\(text("notifications.settings.webhooks"))</a> / <a href="\(back)">\(endpoint.url)</a></p>
                """,
            status: refusal?.kind.status ?? 200,
            """
            \(context.done(call, ["queued"]))\(Console.notice(refusal?.message))
            <section class="card stack"><p>\(Self.badge(text, delivery)) <span class="sub">\(Console.time(delivery.createdAt, isExact: true))</span></p>\(next)
            <p class="break"><code>msg_\(delivery.message.description)</code></p><div class="buttons">\(again)</div></section>
            <section class="card stack" aria-labelledby="body"><h2 id="body">\(text("notifications.deliveries.body"))</h2>
            <pre class="code" tabindex="0">\(Self.pretty(payload))</pre></section>
            <section class="card" aria-labelledby="tried"><h2 id="tried" class="inset">\(text("notifications.column.attempts"))</h2>\(tried)</section>
            """)
    }

    private func attempt(_ text: Localizer, _ attempt: WebhookAttempt) -> HTML {
        let isGood = attempt.status.map { (200..<300).contains($0) } ?? false
        let outcome = attempt.status.map(String.init) ?? text("notifications.attempts.no_answer")
        let reason: HTML? = attempt.error.map { "<code>\($0)</code>" }
        let body: HTML? = attempt.response.flatMap { $0.isEmpty ? nil : "<pre class=\"code\" tabindex=\"0\">\($0)</pre>" }
        return """
            <li><p><strong>\(text("notifications.attempts.number", ["number": String(attempt.number)]))</strong>
            <span class="status \(isGood ? "succeeded" : "failed")">\(outcome)</span> \(reason)
            <span class="sub">\(Console.time(attempt.at, isExact: true)) · \(Console.duration(attempt.duration))</span></p>\(body)</li>
            """
    }

    private static func pretty(_ payload: String) -> String { (try? JSON(parsing: payload).pretty()) ?? payload }

    static func badge(_ text: Localizer, _ delivery: WebhookDelivery) -> HTML {
        let look =
            switch delivery.state {
            case .delivered: "succeeded"
            case .failed: "failed"
            case .pending: "waiting"
            }
        return "<span class=\"status \(look)\">\(text("notifications.deliveries.\(delivery.state.rawValue)"))</span>"
    }
}
