internal import Kernel

extension PayPalProvider {
    /// What PayPal signs a webhook with; the headers go back to it as they came.
    private static let headers = [
        ("auth_algo", "PAYPAL-AUTH-ALGO"), ("cert_url", "PAYPAL-CERT-URL"), ("transmission_id", "PAYPAL-TRANSMISSION-ID"),
        ("transmission_sig", "PAYPAL-TRANSMISSION-SIG"), ("transmission_time", "PAYPAL-TRANSMISSION-TIME")
    ]
    /// Events with more digits or letters than this are not looked at.
    private static let headerLengthMaximum = 4_000

    func events(in message: ProviderMessage) async throws -> [ProviderEvent] {
        guard let event = try? JSON(parsing: message.body), let id = event["id"]?.text, let kind = event["event_type"]?.text,
            let resource = event["resource"]
        else { throw Refusal.badEvent }
        try await verify(message)
        return try await facts(kind, resource).enumerated().map { place, fact in
            ProviderEvent(id: place == 0 ? id : "\(id)/\(place)", kind: kind, fact: fact)
        }
    }

    /// By PayPal's own endpoint. The event goes back byte for byte: parsed and written again its signature would not hold.
    private func verify(_ message: ProviderMessage) async throws {
        var members: [String] = []
        for (member, header) in Self.headers {
            guard let value = message.header(header), value.utf8.count <= Self.headerLengthMaximum else { throw Refusal.badSignature }
            members.append("\"\(member)\":\(JSON.string(value).serialized)")
        }
        members.append("\"webhook_id\":\(JSON.string(webhookID).serialized)")
        let body = Array("{\(members.joined(separator: ",")),\"webhook_event\":".utf8) + message.body + Array("}".utf8)
        let reply = try await send("POST", "/v1/notifications/verify-webhook-signature", body, key: nil)
        guard reply.status == 200, reply.body["verification_status"]?.text == "SUCCESS" else { throw Refusal.badSignature }
    }

    private func facts(_ kind: String, _ resource: JSON) async throws -> [ProviderEvent.Fact] {
        switch kind {
        case "CHECKOUT.ORDER.APPROVED":
            guard let id = resource["id"]?.text else { return [] }
            guard case .paid(let paid) = try await capture(order: id) else { return [] }
            return [.paid(paid)]
        case "PAYMENT.CAPTURE.COMPLETED": return try Self.payment(resource).map { [.paid($0)] } ?? []
        case "PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED":
            guard case (let tenant?, let invoice?) = Self.marks(resource) else { return [] }
            return [.failed(tenant: tenant, invoice: invoice, reason: "declined")]
        case "PAYMENT.CAPTURE.REFUNDED": return try refunded(resource)
        case "CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.RESOLVED": return try dispute(kind, resource)
        case "VAULT.PAYMENT-TOKEN.CREATED":
            guard let method = resource["id"]?.text, let customer = resource["customer"]?["id"]?.text,
                let order = resource["metadata"]?["order_id"]?.text
            else { return [] }
            let saved = SavedMethod(
                customer: customer, method: method, label: resource["payment_source"]?["paypal"]?["email_address"]?.text ?? "PayPal")
            return [.saved(saved, tenant: nil, reference: order)]
        case "PAYMENT.PAYOUTS-ITEM.FAILED", "PAYMENT.PAYOUTS-ITEM.RETURNED", "PAYMENT.PAYOUTS-ITEM.BLOCKED", "PAYMENT.PAYOUTS-ITEM.REFUNDED",
            "PAYMENT.PAYOUTS-ITEM.CANCELED", "PAYMENT.PAYOUTS-ITEM.DENIED":
            guard let batch = resource["payout_batch_id"]?.text else { return [] }
            let reason: String = resource["errors"]?["name"]?.text ?? kind.split(separator: ".").last.map(String.init) ?? kind
            return [.payoutReturned(reference: batch, reason: reason, key: resource["sender_batch_id"]?.text)]
        case "VAULT.PAYMENT-TOKEN.DELETED": return resource["id"]?.text.map { [.removed(method: $0)] } ?? []
        default: return []
        }
    }

    /// The refund names its capture by a link, and says what went back of it in all.
    private func refunded(_ refund: JSON) throws -> [ProviderEvent.Fact] {
        let up = refund["links"]?.array?.first { $0["rel"]?.text == "up" }?["href"]?.text
        guard let capture = up?.split(separator: "/").last else { return [] }
        var total = refund["seller_payable_breakdown"]?["total_refunded_amount"]
        if total == nil { total = refund["amount"] }
        return [.refunded(reference: String(capture), total: try Self.money(total).minorUnits)]
    }

    private func dispute(_ kind: String, _ resource: JSON) throws -> [ProviderEvent.Fact] {
        guard let capture = resource["disputed_transactions"]?[0]?["seller_transaction_id"]?.text else { return [] }
        let amount = try Self.money(resource["dispute_amount"]).minorUnits
        let code = resource["dispute_outcome"]?["outcome_code"]?.text
        let outcome: Till.DisputeOutcome =
            kind.hasSuffix("CREATED") ? .opened : code == "RESOLVED_BUYER_FAVOUR" || code == "ACCEPTED" ? .lost : .won
        return [.disputed(reference: capture, outcome, amount: amount, fee: 0)]
    }
}
