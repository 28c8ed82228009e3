internal import Kernel
internal import Outbound

/// Stripe's API (https://docs.stripe.com/api): forms out, JSON back, an `Idempotency-Key` with every order.
struct StripeProvider: PaymentProvider {
    static let name = "stripe"
    /// The shapes of answers are those of this version, whatever the account's own is.
    static let version = "2024-06-20"

    let line: ProviderLine
    let key: String
    let webhookSecret: String
    let clock: Clock

    typealias Form = [(name: String, value: String)]

    func customer(_ party: ProviderParty) async throws -> String? {
        var form: Form = [("name", party.name), ("metadata[tenant]", party.tenant.description)]
        if let email = party.email { form.append(("email", email)) }
        return try id(of: try await order("/v1/customers", form, key: "customer:\(party.tenant)"))
    }

    func checkout(_ order: HostedOrder) async throws -> HostedPage {
        let marks: Form = [("metadata[tenant]", order.tenant.description), ("metadata[invoice]", order.invoice.description)]
        var form: Form = [
            ("mode", "payment"), ("success_url", order.returnTo), ("cancel_url", order.returnTo), ("client_reference_id", order.invoice.description),
            ("line_items[0][quantity]", "1"), ("line_items[0][price_data][currency]", order.amount.currency.lowercased()),
            ("line_items[0][price_data][unit_amount]", String(try StripeAmount.asked(of: order.amount))),
            ("line_items[0][price_data][product_data][name]", order.number), ("payment_intent_data[setup_future_usage]", "off_session")
        ]
        if let customer = order.customer { form.append(("customer", customer)) }
        form += marks + marks.map { ("payment_intent_data[\($0.name.prefix { $0 != "[" })]\($0.name.drop { $0 != "[" })", $0.value) }
        let made = try await self.order("/v1/checkout/sessions", form, key: order.key)
        guard let url = made["url"]?.text else { throw ProviderError.refused("the session has no page") }
        return HostedPage(reference: try id(of: made), url: url)
    }

    func portal(customer: String, returnTo: String) async throws -> String? {
        let made = try await order("/v1/billing_portal/sessions", [("customer", customer), ("return_url", returnTo)], key: nil)
        guard let url = made["url"]?.text else { throw ProviderError.refused("the portal has no page") }
        return url
    }

    func charge(_ order: ChargeOrder) async throws -> ChargeOutcome {
        let form: Form = [
            ("amount", String(try StripeAmount.asked(of: order.amount))), ("currency", order.amount.currency.lowercased()),
            ("customer", order.customer), ("payment_method", order.method), ("off_session", "true"), ("confirm", "true"),
            ("description", order.number), ("metadata[tenant]", order.tenant.description), ("metadata[invoice]", order.invoice.description)
        ]
        let reply = try await call("POST", "/v1/payment_intents", form, key: order.key)
        if reply.status == 402 { return .declined(Self.reason(reply.body["error"])) }
        return Self.outcome(of: try checked(reply))
    }

    func charged(_ reference: String) async throws -> ChargeOutcome? {
        let reply = try await call("GET", "/v1/payment_intents/\(PercentEncoding.encode(reference))", [], key: nil)
        return reply.status == 404 ? nil : Self.outcome(of: try checked(reply))
    }

    /// A bank that says no after a while leaves its reason.
    private static func outcome(of intent: JSON) -> ChargeOutcome {
        switch intent["status"]?.text {
        case "succeeded": return payment(intent).map { .paid($0) } ?? .pending(intent["id"]?.text)
        case "requires_action", "requires_payment_method":
            let error = intent["last_payment_error"]
            return .declined(error?["code"]?.text == nil ? "authentication_required" : reason(error))
        case "canceled": return .declined("canceled")
        default: return .pending(intent["id"]?.text)
        }
    }

    func refund(_ order: RefundOrder) async throws -> RefundOutcome {
        let made: JSON
        do {
            let form: Form = [
                ("payment_intent", order.reference), ("amount", String(try StripeAmount.units(of: order.amount))),
                ("metadata[note]", order.note.description)
            ]
            made = try await self.order("/v1/refunds", form, key: order.key)
        } catch ProviderError.refused(let reason) { return .refused(reason) }
        if made["status"]?.text == "failed" { return .refused(made["failure_reason"]?.text ?? "failed") }
        return .done(try id(of: made))
    }

    /// By Connect: from the platform's balance to a connected account. Its group is the order's key, since Stripe forgets keys after a day.
    func payOut(_ order: PayoutOrder) async throws -> String {
        let form: Form = [
            ("amount", String(try StripeAmount.units(of: order.amount))), ("currency", order.amount.currency.lowercased()),
            ("destination", order.destination), ("description", order.note)
        ]
        var grouped: Form = form
        grouped.append(("transfer_group", order.key))
        do {
            return try id(of: try await self.order("/v1/transfers", grouped, key: order.key))
        } catch ProviderError.unanswered(Self.otherWords) {
            // Earlier versions named no group. What they ordered is found by the same words, for as long as Stripe knows the key.
            return try id(of: try await self.order("/v1/transfers", form, key: order.key))
        }
    }

    /// The key came with other words before: that order may have been taken.
    private static let otherWords = "idempotency_error"

    func trace(_ order: PayoutOrder) async throws -> OrderTrace {
        let found = try await list("/v1/transfers", "transfer_group", order.key)
        guard let transfer = found.entries.first else { return .absent }
        return .taken(try id(of: transfer))
    }

    func trace(_ order: RefundOrder) async throws -> OrderTrace {
        let found = try await list("/v1/refunds", "payment_intent", order.reference)
        let own = found.entries.first { refund in
            refund["metadata"]?["note"]?.text == order.note.description && !["failed", "canceled"].contains(refund["status"]?.text ?? "")
        }
        if let own { return .taken(try id(of: own)) }
        return found.isWhole ? .absent : .unknown
    }

    /// The newest hundred, and whether these are all.
    private func list(_ path: String, _ filter: String, _ value: String) async throws -> (entries: [JSON], isWhole: Bool) {
        let found = try checked(try await call("GET", "\(path)?limit=100&\(filter)=\(PercentEncoding.encode(value))", [], key: nil))
        guard let entries = found["data"]?.array else { throw ProviderError.unanswered("an answer without a list") }
        return (entries, found["has_more"]?.boolean != true)
    }

    func payment(_ reference: String) async throws -> ProviderPayment? {
        let reply = try await call("GET", "/v1/payment_intents/\(PercentEncoding.encode(reference))", [], key: nil)
        return reply.status == 404 ? nil : Self.payment(try checked(reply))
    }

    /// - Returns: nil where it is not paid.
    static func payment(_ intent: JSON) -> ProviderPayment? {
        guard intent["status"]?.text == "succeeded", let id = intent["id"]?.text, let amount = intent["amount_received"]?.integer,
            let currency = intent["currency"]?.text
        else { return nil }
        let taken = Money(minorUnits: StripeAmount.minorUnits(amount, currency), currency: currency.uppercased())
        return ProviderPayment(reference: id, amount: taken, tenant: tenant(intent), invoice: invoice(intent))
    }

    static func tenant(_ object: JSON) -> TenantID? { object["metadata"]?["tenant"]?.text.flatMap { TenantID($0) } }
    static func invoice(_ object: JSON) -> InvoiceID? { object["metadata"]?["invoice"]?.text.flatMap { InvoiceID($0) } }

    /// The bank's own reason where there is one.
    static func reason(_ error: JSON?) -> String {
        String((error?["decline_code"]?.text ?? error?["code"]?.text ?? error?["type"]?.text ?? "refused").prefix(60))
    }

    func method(_ id: String, of customer: String) async throws -> SavedMethod {
        let found = try checked(try await call("GET", "/v1/payment_methods/\(PercentEncoding.encode(id))", [], key: nil))
        let card = found["card"]
        let label = [card?["brand"]?.text ?? found["type"]?.text ?? "", card?["last4"]?.text ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
        return SavedMethod(customer: customer, method: id, label: String(label.prefix(60)))
    }

    private func order(_ path: String, _ form: Form, key: String?) async throws -> JSON {
        try checked(try await call("POST", path, form, key: key))
    }

    private func checked(_ reply: ProviderLine.Reply) throws -> JSON {
        guard (200..<300).contains(reply.status) else {
            let error = reply.body["error"]
            guard error?["type"]?.text != Self.otherWords else { throw ProviderError.unanswered(Self.otherWords) }
            throw ProviderError.refused(Self.reason(error))
        }
        return reply.body
    }

    private func id(of object: JSON) throws -> String {
        guard let id = object["id"]?.text else { throw ProviderError.unanswered("an answer without an id") }
        return id
    }

    private func call(_ method: String, _ path: String, _ form: Form, key idempotencyKey: String?) async throws -> ProviderLine.Reply {
        var headers = [("Authorization", "Bearer \(key)"), ("Stripe-Version", Self.version)]
        if let idempotencyKey { headers.append(("Idempotency-Key", idempotencyKey)) }
        guard method == "POST" else { return try await line.call(method, path, headers) }
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        let text = form.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
        return try await line.call(method, path, headers, body: Array(text.utf8))
    }
}
