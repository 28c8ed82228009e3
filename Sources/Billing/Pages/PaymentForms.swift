internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// Ways to pay. All of them lead to a page of a provider: no field of ours takes a card.
struct PaymentForms {
    let billing: Billing
    let text: Localizer

    private func name(_ provider: String) -> String { text("billing.provider.\(provider)") }

    /// What invoices are paid with by themselves; nothing where the deployment has no provider.
    func methods(of tenant: TenantID, mayWrite: Bool) async throws -> HTML? {
        let saved = try await billing.methods(of: tenant)
        guard try await !billing.providers.ready().isEmpty || !saved.isEmpty else { return nil }
        guard let first = saved.first else {
            return
                "<section class=\"card\"><dl class=\"facts\"><div><dt>\(text("billing.method"))</dt><dd>\(text("billing.method.none"))</dd></div></dl></section>"
        }
        let address = "\(BillingPages.address)/methods/\(first.provider)"
        let change: HTML? =
            mayWrite && first.provider == StripeProvider.name
            ? """
            <form method="post" action="\(href: address)/portals"><button class="button">\(text("billing.method.change", ["provider": name(first.provider)]))</button></form>
            """ : nil
        let forget: HTML? =
            mayWrite
            ? Console.confirmed(
                text, id: "forget-method", action: "\(address)/removals", label: text("billing.method.forget"),
                question: text("billing.method.forget.question"), isSmall: false) : nil
        return """
            <section class="card stack"><dl class="facts"><div><dt>\(text("billing.method"))</dt><dd>\(name(first.provider)) \(first.label ?? "")</dd></div></dl>
            <div class="buttons">\(change)\(forget)</div></section>
            """
    }

    func buttons(_ invoice: Invoice, _ call: EndpointCall) async throws -> HTML? {
        guard invoice.kind == .invoice, invoice.due > 0, call.principal.may(.billingWrite) else { return nil }
        let credit = try await billing.wallet(of: call.tenant).first { $0.currency == invoice.currency && $0.minorUnits > 0 }
        let wallet: HTML? = credit.map { credit in
            """
            <form method="post" action="\(href: "\(BillingPages.address)/invoices/\(invoice.id)/wallet-payments")">
            <button class="button">\(text("billing.pay.wallet", ["amount": text.price(min(credit.minorUnits, invoice.due), invoice.currency)]))</button></form>
            """
        }
        let buttons: [HTML] = try await billing.providers.ready().enumerated().map { place, provider in
            """
            <form method="post" action="\(href: "\(BillingPages.address)/invoices/\(invoice.id)/checkouts")">
            <input type="hidden" name="provider" value="\(provider)"><button class="button \(place == 0 ? "primary" : "")">\(text("billing.pay", ["provider": name(provider)]))</button></form>
            """
        }
        return buttons.isEmpty && wallet == nil ? nil : "<div class=\"stack\"><div class=\"buttons\">\(buttons)\(wallet)</div></div>"
    }

    /// A page between ours and the provider's: the browser may send forms to us alone, so that a link leads on.
    static func leading(
        _ call: EndpointCall, _ context: BillingPageContext, _ title: String, _ lead: String, _ provider: String, to url: String
    ) async throws -> Answer {
        let text = call.localizer
        return try await context.page(
            call, title: title, crumb: BillingPages.back(text),
            """
            <section class="card stack"><p>\(lead)</p><p class="sub">\(text("billing.pay.soon"))</p>
            <p class="buttons"><a class="button primary" rel="noreferrer" href="\(href: url)">\(text("billing.pay.go", ["provider": text("billing.provider.\(provider)")]))</a></p></section>
            """)
    }

    static func endpoints(_ billing: Billing, _ context: BillingPageContext) -> [Endpoint] {
        [
            .page(
                .post, "\(BillingPages.address)/invoices/{id}/checkouts", access: .tenant(.billingWrite), summary: "Go and pay an invoice"
            ) { call in
                let (text, provider) = (call.localizer, try call.form()["provider"])
                let invoice = try await billing.invoice(try call.id("id", noun: "invoice"), of: call.tenant)
                let page = try await billing.checkout(invoice.id, at: provider, of: call.tenant, by: call.principal)
                let amount = text.price(invoice.due, invoice.currency)
                return try await leading(
                    call, context, text("billing.pay.title", ["number": invoice.numberText]),
                    text("billing.pay.lead", ["amount": amount, "provider": text("billing.provider.\(provider)")]), provider, to: page.url)
            },
            .page(
                .post, "\(BillingPages.address)/invoices/{id}/wallet-payments", access: .tenant(.billingWrite),
                summary: "Pay an invoice with what is prepaid"
            ) { call in
                let id: InvoiceID = try call.id("id", noun: "invoice")
                do {
                    _ = try await billing.payFromWallet(id, of: call.tenant, by: call.principal)
                } catch let refusal as Refusal where ["nothing_due", "wallet_empty"].contains(refusal.code) {
                    // Pressed twice, or done by somebody else meanwhile: the page shows what holds now.
                }
                return .redirect("\(BillingPages.address)/invoices/\(id)")
            },
            .page(
                .post, "\(BillingPages.address)/methods/{provider}/portals", access: .tenant(.billingWrite), summary: "Go and change what is saved"
            ) { call in
                let (text, provider) = (call.localizer, try call.parameter("provider"))
                let url = try await billing.portal(at: provider, of: call.tenant)
                let title = text("billing.method.change", ["provider": text("billing.provider.\(provider)")])
                return try await leading(call, context, title, title, provider, to: url)
            },
            .page(
                .post, "\(BillingPages.address)/methods/{provider}/removals", access: .tenant(.billingWrite), summary: "Stop using what is saved"
            ) { call in
                try await billing.forgetMethod(at: try call.parameter("provider"), of: call.tenant, by: call.principal)
                return .redirect("\(BillingPages.address)?done=saved")
            }
        ]
    }
}
