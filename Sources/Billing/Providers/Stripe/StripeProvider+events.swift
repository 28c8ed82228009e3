internal import Kernel

extension StripeProvider {
    /// Events come again and in any order (https://docs.stripe.com/webhooks#event-ordering): each states what holds, none what to add.
    func events(in message: ProviderMessage) async throws -> [ProviderEvent] {
        guard let header = message.header("Stripe-Signature"),
            StripeSignature.holds(header, body: message.body, secret: webhookSecret, now: clock.now())
        else { throw Refusal.badSignature }
        guard let event = try? JSON(parsing: message.body), let id = event["id"]?.text, let kind = event["type"]?.text,
            let object = event["data"]?["object"]
        else { throw Refusal.badEvent }
        let facts = try await facts(kind, object)
        return facts.enumerated().map { place, fact in ProviderEvent(id: place == 0 ? id : "\(id)/\(place)", kind: kind, fact: fact) }
    }

    private func facts(_ kind: String, _ object: JSON) async throws -> [ProviderEvent.Fact] {
        switch kind {
        case "payment_intent.succeeded":
            guard let paid = Self.payment(object) else { return [] }
            guard let method = object["payment_method"]?.text, let customer = object["customer"]?.text,
                object["setup_future_usage"]?.text == "off_session"
            else { return [.paid(paid)] }
            return [.paid(paid), .saved(try await self.method(method, of: customer), tenant: paid.tenant, reference: paid.reference)]
        case "checkout.session.completed", "checkout.session.async_payment_succeeded":
            guard object["payment_status"]?.text == "paid", let intent = object["payment_intent"]?.text else { return [] }
            return try await payment(intent).map { [.paid($0)] } ?? []
        case "payment_intent.payment_failed":
            // What was tried on a page is to be saved. An order of ours, whose answer has told of it, is not.
            guard object["setup_future_usage"]?.text == "off_session", let tenant = Self.tenant(object), let invoice = Self.invoice(object) else {
                return []
            }
            return [.failed(tenant: tenant, invoice: invoice, reason: Self.reason(object["last_payment_error"]))]
        case "charge.refunded":
            guard let intent = object["payment_intent"]?.text, let total = object["amount_refunded"]?.integer else { return [] }
            return [.refunded(reference: intent, total: StripeAmount.minorUnits(total, object["currency"]?.text))]
        case "refund.failed", "refund.updated", "charge.refund.updated":
            guard object["status"]?.text == "failed", let intent = object["payment_intent"]?.text,
                let note = object["metadata"]?["note"]?.text.flatMap({ InvoiceID($0) })
            else { return [] }
            return [.refundFailed(note: note, reference: intent, reason: object["failure_reason"]?.text ?? "failed")]
        case "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed": return dispute(object)
        case "transfer.reversed":
            guard object["reversed"]?.boolean == true, let id = object["id"]?.text else { return [] }
            return [.payoutReturned(reference: id, reason: "reversed", key: object["transfer_group"]?.text)]
        case "payment_method.detached": return object["id"]?.text.map { [.removed(method: $0)] } ?? []
        default: return []
        }
    }

    /// An inquiry (`warning_…`) takes no money yet.
    private func dispute(_ object: JSON) -> [ProviderEvent.Fact] {
        guard let intent = object["payment_intent"]?.text, let amount = object["amount"]?.integer, let status = object["status"]?.text,
            !status.hasPrefix("warning_")
        else { return [] }
        let fee = (object["balance_transactions"]?.array ?? []).reduce(0) { $0 + max($1["fee"]?.integer ?? 0, 0) }
        let outcome: Till.DisputeOutcome = status == "won" ? .won : status == "lost" ? .lost : .opened
        return [.disputed(reference: intent, outcome, amount: StripeAmount.minorUnits(amount, object["currency"]?.text), fee: Int64(fee))]
    }
}

extension Refusal {
    static let badSignature = Refusal(.unauthenticated, "bad_signature", "The signature is not the provider's, or too old.")
    static let badEvent = Refusal(.malformed, "bad_event", "This is no event of the provider.")
}
