internal import HTTPSurface
internal import Kernel

/// The tenant's webhook endpoints: the list with a form for a new one, and the page of each.
struct WebhookPages {
    let webhooks: OutgoingWebhooks
    let context: NotificationPageContext

    static let address = "/settings/webhooks"
    private static let fields = ["url", "description", "event_types"]
    private static let rowsPerPage = 50

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.webhooksRead), summary: "Webhooks") { call in try await list(call, .empty, nil) },
            .page(.post, Self.address, access: .tenant(.webhooksWrite), summary: "Create a webhook endpoint") { call in
                let form = try call.form()
                do {
                    let made = try await webhooks.create(try fields(form), by: call.principal)
                    return try await show(call, made.endpoint, secret: made.secret, status: 201)
                } catch let refusal as Refusal where refusal.kind != .missing {
                    return try await list(call, form, refusal)
                }
            },
            .page(.get, "\(Self.address)/{id}", access: .tenant(.webhooksRead), summary: "A webhook endpoint") { call in
                try await show(call, try await webhooks.endpoint(try id(call), by: call.principal))
            },
            .page(.post, "\(Self.address)/{id}", access: .tenant(.webhooksWrite), summary: "Change a webhook endpoint") { call in
                let form = try call.form()
                do {
                    let fields = try fields(form)
                    let changed = try await webhooks.update(try id(call), by: call.principal) { old in (fields, old.status == .enabled) }
                    return .redirect("\(Self.address)/\(changed.id)?done=saved")
                } catch let refusal as Refusal where refusal.kind == .invalid {
                    return try await show(call, try await webhooks.endpoint(try id(call), by: call.principal), form: form, refusal)
                }
            }
        ] + actions
    }

    private var actions: [Endpoint] {
        [
            act("secret", "Replace the secret") { call, id in
                let secret = try await webhooks.rotateSecret(of: id, by: call.principal)
                return try await show(call, try await webhooks.endpoint(id, by: call.principal), secret: secret)
            },
            act("test", "Send a test message") { call, id in
                try await attempted(call, id) { _ = try await webhooks.test(id, by: call.principal) }
            },
            act("enabling", "Enable a webhook endpoint") { call, id in try await turn(call, id, on: true) },
            act("disabling", "Disable a webhook endpoint") { call, id in try await turn(call, id, on: false) },
            act("replay", "Send again what failed") { call, id in
                try await attempted(call, id) {
                    let now = webhooks.clock.now()
                    _ = try await webhooks.replay(
                        from: now - OutgoingWebhooks.retention, to: now, of: id, onlyFailed: true, by: call.principal)
                }
            },
            act("deletion", "Delete a webhook endpoint") { call, id in
                try await webhooks.delete(id, by: call.principal)
                return .redirect("\(Self.address)?done=webhook_deleted")
            }
        ]
    }

    private func act(
        _ name: String, _ summary: String, _ work: @escaping @Sendable (EndpointCall, WebhookEndpointID) async throws -> Answer
    ) -> Endpoint {
        .page(.post, "\(Self.address)/{id}/\(name)", access: .tenant(.webhooksWrite), summary: summary) { call in try await work(call, try id(call)) }
    }

    private func attempted(_ call: EndpointCall, _ id: WebhookEndpointID, _ work: () async throws -> Void) async throws -> Answer {
        do {
            try await work()
            return .redirect("\(Self.address)/\(id)?done=queued")
        } catch let refusal as Refusal where refusal.kind == .conflict {
            return try await show(call, try await webhooks.endpoint(id, by: call.principal), refusal)
        }
    }

    private func turn(_ call: EndpointCall, _ id: WebhookEndpointID, on isEnabled: Bool) async throws -> Answer {
        _ = try await webhooks.update(id, by: call.principal) { old in
            (try WebhookEndpointFields(url: old.url, description: old.description, eventTypes: old.eventTypes), isEnabled)
        }
        return .redirect("\(Self.address)/\(id)?done=saved")
    }

    private func id(_ call: EndpointCall) throws -> WebhookEndpointID { try call.id("id", noun: "webhook endpoint") }

    private func fields(_ form: FormFields) throws -> WebhookEndpointFields {
        let types = form.pairs.filter { $0.name == "event_types" }.map(\.value)
        return try WebhookEndpointFields(
            url: form["url"], description: form["description"], eventTypes: types.count == EventType.all.count ? [] : types)
    }

    // MARK: The list

    private func list(_ call: EndpointCall, _ form: FormFields, _ refusal: Refusal?) async throws -> Answer {
        let text = call.localizer
        let all = try await webhooks.endpoints(by: call.principal)
        let columns: [(title: String, kind: String?)] = [
            (text("notifications.column.endpoint"), nil), (text("notifications.column.events"), "optional"),
            (text("notifications.column.status"), nil)
        ]
        let table =
            all.isEmpty
            ? Console.empty(text("notifications.webhooks.empty"), text("notifications.webhooks.empty.hint"))
            : Console.table(columns, all.map { row(text, $0) })
        let fill: HTML? =
            call.principal.may(.webhooksWrite)
            ? """
            <section class="card stack" aria-labelledby="new"><h2 id="new">\(text("notifications.webhooks.new"))</h2>
            \(self.form(text, action: Self.address, form, refusal, submit: text("notifications.webhooks.submit")))</section>
            """ : nil
        return try await context.settingsPage(
            call, title: text("notifications.settings.webhooks"), current: Self.address, status: refusal?.kind.status ?? 200,
            """
            \(context.done(call, ["webhook_deleted"]))\(Console.notice(refusal?.message(besides: Self.fields)))
            <p class="lead">\(text("notifications.webhooks.lead"))</p><section class="card">\(table)</section>\(fill)
            """)
    }

    private func row(_ text: Localizer, _ endpoint: WebhookEndpoint) -> HTML {
        let events = endpoint.eventTypes.isEmpty ? text("notifications.webhooks.all_events") : endpoint.eventTypes.joined(separator: ", ")
        let note: HTML? = endpoint.description.isEmpty ? nil : "<span class=\"sub\">\(endpoint.description)</span>"
        return """
            <tr><td class="name"><a href="\(Self.address)/\(endpoint.id.description)">\(endpoint.url)</a>\(note)</td>
            <td class="optional"><span class="sub">\(events)</span></td><td>\(badge(text, endpoint))</td></tr>
            """
    }

    private func badge(_ text: Localizer, _ endpoint: WebhookEndpoint) -> HTML {
        if let reason = endpoint.reason {
            return "<span class=\"status \(reason == .paused ? "" : "failed")\">\(text("notifications.webhooks.\(reason.rawValue)"))</span>"
        }
        return endpoint.failingSince == nil
            ? "<span class=\"status succeeded\">\(text("notifications.webhooks.enabled"))</span>"
            : "<span class=\"status waiting\">\(text("notifications.webhooks.retrying"))</span>"
    }

    private func form(_ text: Localizer, action: String, _ form: FormFields, _ refusal: Refusal?, submit: String) -> HTML {
        let ticked = Set(form.pairs.filter { $0.name == "event_types" }.map(\.value))
        let types: [HTML] = EventType.all.map {
            Console.tick("event_types", value: $0.name, label: $0.name, hint: text($0.key), isTicked: ticked.contains($0.name))
        }
        return """
            <form method="post" action="\(href: action)" class="form wide">
            \(Console.field("url", label: text("notifications.webhooks.url"), type: "url", value: form["url"], hint: text("notifications.webhooks.url.hint"),
                fault: refusal?.message(for: "url")))
            \(Console.field("description", label: text("notifications.webhooks.description"), value: form["description"],
                fault: refusal?.message(for: "description"), isRequired: false))
            <fieldset class="ticks"><legend>\(text("notifications.column.events"))</legend><p class="hint">\(text("notifications.webhooks.events.hint"))</p>
            <div class="grid">\(types)</div></fieldset>
            <p class="buttons"><button class="button primary">\(submit)</button></p></form>
            """
    }

    // MARK: One endpoint

    private func show(
        _ call: EndpointCall, _ endpoint: WebhookEndpoint, form: FormFields? = nil, _ refusal: Refusal? = nil, secret: String? = nil,
        status: Int? = nil
    ) async throws -> Answer {
        let text = call.localizer
        let here = "\(Self.address)/\(endpoint.id)"
        let mayWrite = call.principal.may(.webhooksWrite)
        let once: HTML? = secret.map { secret in
            """
            <section class="card stack secret" role="status"><h2>\(text("notifications.webhooks.secret"))</h2>
            <p>\(text("notifications.webhooks.secret.hint"))</p>\(Console.copyable(text, id: "secret", secret))</section>
            """
        }
        let types = endpoint.eventTypes.isEmpty ? EventType.all.map(\.name) : endpoint.eventTypes
        let filled = FormFields(
            pairs: [("url", endpoint.url), ("description", endpoint.description)] + types.map { ("event_types", $0) })
        let edit: HTML? =
            mayWrite
            ? """
            <section class="card stack" aria-labelledby="edit"><h2 id="edit">\(text("notifications.webhooks.edit"))</h2>
            \(self.form(text, action: here, form ?? filled, refusal, submit: text("notifications.save")))</section>
            """ : nil
        return try await context.settingsPage(
            call, title: text("notifications.webhooks.one"), current: Self.address,
            crumb: "<p class=\"crumb\"><a href=\"\(Self.address)\">\(text("notifications.settings.webhooks"))</a></p>",
            status: status ?? refusal?.kind.status ?? 200,
            """
            \(context.done(call, ["saved", "queued"]))\(Console.notice(refusal?.message(besides: Self.fields)))\(once)
            <section class="card stack"><p class="break"><code>\(endpoint.url)</code></p><p>\(badge(text, endpoint)) \(since(text, endpoint))</p>
            \(mayWrite ? buttons(text, endpoint, here) : nil)</section>
            <section class="card" aria-labelledby="sent"><h2 id="sent" class="inset">\(text("notifications.deliveries"))</h2>
            \(try await deliveries(call, endpoint, here))</section>\(edit)
            """)
    }

    private func since(_ text: Localizer, _ endpoint: WebhookEndpoint) -> HTML? {
        endpoint.failingSince.map { "<span class=\"sub\">\(text("notifications.webhooks.failing_since")) \(Console.time($0))</span>" }
    }

    private func buttons(_ text: Localizer, _ endpoint: WebhookEndpoint, _ here: String) -> HTML {
        let isEnabled = endpoint.status == .enabled
        let live: HTML =
            isEnabled
            ? Console.press("\(here)/test", text("notifications.webhooks.test"))
                + Console.press("\(here)/replay", text("notifications.webhooks.replay"))
                + Console.press("\(here)/disabling", text("notifications.webhooks.disable"))
            : Console.press("\(here)/enabling", text("notifications.webhooks.enable"), kind: "small primary")
        return """
            <div class="buttons">\(live)\(Console.confirmed(
                text, id: "rotate", action: "\(here)/secret", label: text("notifications.webhooks.rotate"),
                question: text("notifications.webhooks.rotate.question")))\(Console.confirmed(
                text, id: "delete", action: "\(here)/deletion", label: text("notifications.delete"),
                question: text("notifications.webhooks.delete.question")))</div>
            """
    }

    private func deliveries(_ call: EndpointCall, _ endpoint: WebhookEndpoint, _ here: String) async throws -> HTML {
        let text = call.localizer
        let cursor: WebhookDeliveryID? = call.head.method == "GET" ? try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) } : nil
        let rows = try await webhooks.deliveries(of: endpoint.id, before: cursor, limit: Self.rowsPerPage + 1, by: call.principal)
        let shown = Page(rows, limit: Self.rowsPerPage) { Cursor([.string($0.id.description)]) }
        guard !shown.data.isEmpty else {
            return Console.empty(text("notifications.deliveries.empty"), text("notifications.deliveries.empty.hint"))
        }
        let columns: [(title: String, kind: String?)] = [
            (text("notifications.column.event"), nil), (text("notifications.column.status"), nil),
            (text("notifications.column.answer"), "number optional"),
            (text("notifications.column.attempts"), "number optional"), (text("notifications.column.time"), nil)
        ]
        let list: [HTML] = shown.data.map { delivery in
            """
            <tr><td class="name"><a href="\(DeliveryPages.address)/\(delivery.id.description)">\(delivery.eventType)</a></td>
            <td>\(DeliveryPages.badge(text, delivery))</td>
            <td class="number optional" data-label="\(columns[2].title)">\(delivery.lastStatus.map(String.init) ?? "—")</td>
            <td class="number optional" data-label="\(columns[3].title)">\(delivery.attempts)</td><td class="time">\(Console.time(delivery.createdAt, isExact: true))</td></tr>
            """
        }
        return "\(Console.table(columns, list))\(Console.more(text, here, cursor: shown.nextCursor))"
    }
}
