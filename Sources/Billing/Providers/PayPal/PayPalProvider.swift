internal import Foundation
internal import Kernel
internal import Outbound
internal import Synchronization

/// PayPal's REST API (https://developer.paypal.com/api/rest/): Orders v2 with the payer's account kept in its vault, Payments v2 for refunds,
/// Payouts v1. `PayPal-Request-Id` makes an order happen once.
struct PayPalProvider: PaymentProvider {
    static let name = "paypal"

    let line: ProviderLine
    let clientID: String
    let secret: String
    let webhookID: String
    let clock: Clock
    let pass: PayPalPass

    func customer(_ party: ProviderParty) async throws -> String? { nil }

    func checkout(_ order: HostedOrder) async throws -> HostedPage {
        let body: JSON = [
            "intent": "CAPTURE", "purchase_units": .array([unit(order.tenant, order.invoice, order.number, order.amount)]),
            "payment_source": [
                "paypal": [
                    "experience_context": ["return_url": .string(order.returnTo), "cancel_url": .string(order.returnTo), "user_action": "PAY_NOW"],
                    "attributes": ["vault": ["store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"]]
                ]
            ]
        ]
        let made = try checked(try await call("POST", "/v2/checkout/orders", body, key: order.key))
        let page = made["links"]?.array?.first { ["payer-action", "approve"].contains($0["rel"]?.text ?? "") }?["href"]?.text
        guard let id = made["id"]?.text, let page else { throw ProviderError.refused("the order has no page") }
        return HostedPage(reference: id, url: page)
    }

    func portal(customer: String, returnTo: String) async throws -> String? { nil }

    func charge(_ order: ChargeOrder) async throws -> ChargeOutcome {
        let body: JSON = [
            "intent": "CAPTURE", "purchase_units": .array([unit(order.tenant, order.invoice, order.number, order.amount)]),
            "payment_source": ["paypal": ["vault_id": .string(order.method)]]
        ]
        let reply = try await call("POST", "/v2/checkout/orders", body, key: order.key)
        if reply.status == 422 { return .declined(Self.reason(reply.body)) }
        return try outcome(of: try checked(reply))
    }

    func charged(_ reference: String) async throws -> ChargeOutcome? {
        let reply = try await call("GET", "/v2/checkout/orders/\(PercentEncoding.encode(reference))", nil, key: nil)
        return reply.status == 404 ? nil : try outcome(of: try checked(reply))
    }

    /// Takes the money of an order that its payer has approved.
    func capture(order id: String) async throws -> ChargeOutcome {
        let reply = try await call("POST", "/v2/checkout/orders/\(PercentEncoding.encode(id))/capture", [:], key: "capture:\(id)")
        if reply.status == 422, Self.reason(reply.body) == "order_already_captured" {
            return try outcome(of: try checked(try await call("GET", "/v2/checkout/orders/\(PercentEncoding.encode(id))", nil, key: nil)))
        }
        if reply.status == 422 { return .declined(Self.reason(reply.body)) }
        return try outcome(of: try checked(reply))
    }

    private func outcome(of order: JSON) throws -> ChargeOutcome {
        let pending = ChargeOutcome.pending(order["id"]?.text)
        guard let unit = order["purchase_units"]?[0], let capture = unit["payments"]?["captures"]?[0] else {
            return order["status"]?.text == "VOIDED" ? .declined("voided") : pending
        }
        switch capture["status"]?.text {
        case "COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED": return try Self.payment(capture).map { .paid($0) } ?? pending
        case "DECLINED", "FAILED": return .declined("declined")
        default: return pending
        }
    }

    func refund(_ order: RefundOrder) async throws -> RefundOutcome {
        let body: JSON = ["amount": Self.amount(order.amount), "custom_id": .string(order.note.description)]
        let reply = try await call("POST", "/v2/payments/captures/\(PercentEncoding.encode(order.reference))/refund", body, key: order.key)
        let made: JSON
        do { made = try checked(reply) } catch ProviderError.refused(let reason) { return .refused(reason) }
        guard let id = made["id"]?.text else { throw ProviderError.unanswered("an answer without an id") }
        return Self.undone.contains(made["status"]?.text ?? "") ? .refused("failed") : .done(id)
    }

    private static let undone = ["FAILED", "CANCELLED"]

    /// A refund stands in the order of its capture.
    func trace(_ order: RefundOrder) async throws -> OrderTrace {
        let capture = try checked(try await call("GET", "/v2/payments/captures/\(PercentEncoding.encode(order.reference))", nil, key: nil))
        guard let id = capture["supplementary_data"]?["related_ids"]?["order_id"]?.text else { return .unknown }
        let found = try checked(try await call("GET", "/v2/checkout/orders/\(PercentEncoding.encode(id))", nil, key: nil))
        guard let payments = found["purchase_units"]?[0]?["payments"] else { return .unknown }
        let refunds: [JSON] = payments["refunds"]?.array ?? []
        let own = refunds.first { refund in
            refund["custom_id"]?.text == order.note.description && !Self.undone.contains(refund["status"]?.text ?? "")
        }
        if let reference = own?["id"]?.text { return .taken(reference) }
        return refunds.allSatisfy { $0["custom_id"]?.text != nil } ? .absent : .unknown
    }

    /// - Parameter order: its destination is the receiver's address of e-mail at PayPal.
    func payOut(_ order: PayoutOrder) async throws -> String {
        let body: JSON = [
            "sender_batch_header": ["sender_batch_id": .string(order.key), "email_subject": .string(order.note)],
            "items": [
                [
                    "recipient_type": "EMAIL", "receiver": .string(order.destination), "amount": Self.payoutAmount(order.amount),
                    "note": .string(order.note), "sender_item_id": .string(order.key)
                ]
            ]
        ]
        let reply = try await call("POST", "/v1/payments/payouts", body, key: order.key)
        if !(200..<300).contains(reply.status), Self.isRepeated(reply.body) {
            guard let known = Self.batch(in: reply.body) else { throw ProviderError.unanswered("a batch of this id is there") }
            return known
        }
        guard let id = try checked(reply)["batch_header"]?["payout_batch_id"]?.text else {
            throw ProviderError.unanswered("an answer without an id")
        }
        return id
    }

    /// Batches are found by PayPal's own id alone; the order given again tells of the one before, for thirty days.
    func trace(_ order: PayoutOrder) async throws -> OrderTrace { .unknown }

    /// Whether a batch is refused since one of its `sender_batch_id` is there
    /// (https://developer.paypal.com/api/payments.payouts-batch/v1/payouts-post).
    private static func isRepeated(_ body: JSON) -> Bool {
        let details: [JSON] = body["details"]?.array ?? []
        return batch(in: body) != nil || details.contains { ($0["field"]?.text ?? "").lowercased().hasSuffix("sender_batch_id") }
    }

    /// The batch that a refusal links to.
    private static func batch(in body: JSON) -> String? {
        let details: [JSON] = body["details"]?.array ?? []
        let places: [JSON?] = [body["links"]] + details.flatMap { detail -> [JSON?] in [detail["link"], detail["links"]] }
        let links: [JSON] = places.flatMap { place -> [JSON] in place?.array ?? [] }
        let address = links.compactMap { $0["href"]?.text }.first { $0.contains("/v1/payments/payouts/") }
        return address?.split(separator: "/").last.map(String.init)
    }

    func payment(_ reference: String) async throws -> ProviderPayment? {
        let reply = try await call("GET", "/v2/payments/captures/\(PercentEncoding.encode(reference))", nil, key: nil)
        return reply.status == 404 ? nil : try Self.payment(try checked(reply))
    }

    /// `custom_id` comes back in every event of a capture: the tenant and the invoice.
    private func unit(_ tenant: TenantID, _ invoice: InvoiceID, _ number: String, _ amount: Money) -> JSON {
        [
            "reference_id": .string(invoice.description), "custom_id": .string("\(tenant):\(invoice)"), "description": .string(number),
            "amount": Self.amount(amount)
        ]
    }

    private static func amount(_ money: Money) -> JSON { ["currency_code": .string(money.currency), "value": .string(money.decimalText)] }
    private static func payoutAmount(_ money: Money) -> JSON { ["currency": .string(money.currency), "value": .string(money.decimalText)] }

    static func money(_ amount: JSON?) throws -> Money {
        guard let value = amount?["value"]?.text, let code = amount?["currency_code"]?.text,
            let money = Money(decimal: value, currency: try AmountBounds.checkedCurrency(code))
        else { throw Refusal.badEvent }
        return money
    }

    /// - Returns: nil for a capture that is not paid.
    static func payment(_ capture: JSON) throws -> ProviderPayment? {
        guard let id = capture["id"]?.text, ["COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"].contains(capture["status"]?.text ?? "") else {
            return nil
        }
        let (tenant, invoice) = marks(capture)
        return ProviderPayment(reference: id, amount: try money(capture["amount"]), tenant: tenant, invoice: invoice)
    }

    static func marks(_ capture: JSON) -> (TenantID?, InvoiceID?) {
        let parts = (capture["custom_id"]?.text ?? "").split(separator: ":").map(String.init)
        return parts.count == 2 ? (TenantID(parts[0]), InvoiceID(parts[1])) : (nil, nil)
    }

    static func reason(_ body: JSON) -> String {
        String((body["details"]?[0]?["issue"]?.text ?? body["name"]?.text ?? "refused").lowercased().prefix(60))
    }

    private func checked(_ reply: ProviderLine.Reply) throws -> JSON {
        guard (200..<300).contains(reply.status) else {
            let reason = Self.reason(reply.body)
            throw Self.isOfKey(reason) ? ProviderError.unanswered(reason) : ProviderError.refused(reason)
        }
        return reply.body
    }

    /// What is said of an order's key, and not of the order: another one under it is on its way, or came with other words.
    private static func isOfKey(_ reason: String) -> Bool { ["previous_request_in_progress", "duplicate_request_id"].contains(reason) }

    /// - Parameter body: nil for what only reads.
    func call(_ method: String, _ path: String, _ body: JSON?, key: String?) async throws -> ProviderLine.Reply {
        try await send(method, path, body.map { Array($0.serialized.utf8) }, key: key)
    }

    func send(_ method: String, _ path: String, _ body: [UInt8]?, key: String?) async throws -> ProviderLine.Reply {
        let token = try await pass.token(now: clock.now()) { try await newToken() }
        var headers = [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")]
        if let key { headers.append(("PayPal-Request-Id", key)) }
        let reply = try await line.call(method, path, headers, body: body)
        guard reply.status != 401 else {
            pass.forget()
            throw ProviderError.unavailable("the token was refused")
        }
        return reply
    }

    private func newToken() async throws -> (token: String, lifetime: Duration) {
        let basic = Data("\(clientID):\(secret)".utf8).base64EncodedString()
        let headers = [("Authorization", "Basic \(basic)"), ("Content-Type", "application/x-www-form-urlencoded")]
        let reply: ProviderLine.Reply
        do {
            reply = try await line.call("POST", "/v1/oauth2/token", headers, body: Array("grant_type=client_credentials".utf8))
        } catch ProviderError.unanswered(let reason) {
            // What is asked with the token has not left yet.
            throw ProviderError.unavailable(reason)
        }
        guard reply.status == 200, let token = reply.body["access_token"]?.text else { throw ProviderError.refused("the client is not known") }
        return (token, .seconds(Int64(reply.body["expires_in"]?.integer ?? 0)))
    }
}

/// The token of OAuth (client credentials), kept until a minute before its end.
final class PayPalPass: Sendable {
    private let kept = Mutex<(token: String, until: Timestamp)?>(nil)

    func token(now: Timestamp, _ make: () async throws -> (token: String, lifetime: Duration)) async throws -> String {
        if let known = kept.withLock({ $0 }), known.until > now { return known.token }
        let made = try await make()
        kept.withLock { $0 = (made.token, now + made.lifetime - .seconds(60)) }
        return made.token
    }

    func forget() { kept.withLock { $0 = nil } }
}
