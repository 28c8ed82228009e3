internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// What a wallet holds, what of it was given and until when, and a way to pay more in.
struct WalletForms {
    let billing: Billing
    let text: Localizer

    private static let grantsShown = 20

    func html(of tenant: TenantID, wallet: [Money], mayWrite: Bool) async throws -> HTML? {
        let grants = try await billing.grants(of: tenant, before: nil, limit: Self.grantsShown).filter { $0.left > 0 }
        let ready = mayWrite ? try await billing.providers.ready() : []
        guard !grants.isEmpty || !wallet.isEmpty || !ready.isEmpty else { return nil }
        let held: [HTML] = wallet.map { row(text("billing.wallet"), "\(text.price($0))") }
        let given: [HTML] = grants.map { grant in
            let until: HTML? = grant.expiresAt.map { "<span class=\"sub\">\(text("billing.wallet.until")) \(Console.time($0))</span>" }
            return row(text("billing.wallet.given", ["reason": grant.reason]), "\(text.price(grant.left, grant.currency)) \(until)")
        }
        let none: HTML? = held.isEmpty && given.isEmpty ? row(text("billing.wallet"), "\(text("billing.wallet.none"))") : nil
        return """
            <h2>\(text("billing.wallet.title"))</h2><section class="card stack"><dl class="facts">\(held)\(given)\(none)</dl>\(form(ready))</section>
            """
    }

    private func form(_ ready: [String]) -> HTML? {
        guard let first = ready.first else { return nil }
        let providers = ready.map { ($0, text("billing.provider.\($0)")) }
        return """
            <form method="post" action="\(BillingPages.address)/top-ups" class="form">
            \(Console.field("credit", label: text("billing.wallet.amount"), type: "number", value: "50", hint: text("billing.wallet.hint")))
            \(Console.choice("provider", label: text("billing.wallet.provider"), options: providers, chosen: first))
            <p class="buttons"><button class="button">\(text("billing.wallet.pay"))</button></p></form>
            """
    }

    private func row(_ title: String, _ value: HTML) -> HTML { "<div><dt>\(title)</dt><dd>\(value)</dd></div>" }

    static func endpoints(_ billing: Billing, _ context: BillingPageContext) -> [Endpoint] {
        [
            .page(
                .post, "\(BillingPages.address)/top-ups", access: .tenant(.billingWrite), summary: "Go and pay credit into the wallet"
            ) { call in
                let (text, form) = (call.localizer, try call.form())
                let provider = form["provider"]
                guard let money = Money(decimal: form["credit"], currency: "USD") else {
                    throw Refusal.invalid("credit", "out_of_range", "credit is an amount, as 50.00.")
                }
                let page = try await billing.topUp(money.minorUnits, money.currency, at: provider, of: call.tenant, by: call.principal)
                let amount = text.price(money)
                return try await PaymentForms.leading(
                    call, context, text("billing.wallet.pay"),
                    text("billing.pay.lead", ["amount": amount, "provider": text("billing.provider.\(provider)")]), provider, to: page.url)
            }
        ]
    }
}
