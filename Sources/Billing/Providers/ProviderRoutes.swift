internal import HTTPSurface
internal import Kernel

struct CheckoutBody: Codable, Sendable, Described {
    var provider: String
    static let notes: [FieldNote] = [FieldNote("provider", "stripe or paypal.", example: "stripe", length: 1...20)]
}

struct HostedPageView: Codable, Sendable, Described {
    var url: String
    static let notes: [FieldNote] = [FieldNote("url", "A page of the provider; cards and accounts are known to it alone.")]
}

struct PaymentMethodView: Codable, Sendable, Described {
    var provider: String
    var label: String
    var savedAt: Timestamp
    static let typeDescription: String? = "What invoices are paid with by themselves, where the provider keeps it."
    static let notes: [FieldNote] = [FieldNote("label", "For people.", example: "visa 4242")]

    init(_ customer: ProviderCustomerStore.Customer) {
        (provider, label, savedAt) = (customer.provider, customer.label ?? "", customer.savedAt)
    }
}

struct ProviderSettingsBody: Codable, Sendable, Described {
    var settings: [String: String]
    static let notes: [FieldNote] = [
        FieldNote("settings", "stripe: key, webhook_secret. paypal: client_id, secret, webhook_id. Sealed, and shown to nobody again.")
    ]
}

struct ProviderView: Codable, Sendable {
    var provider: String
    var isReady: Bool
}

struct ProviderRoutes {
    let billing: Billing

    private static let tag = SubscriptionRoutes.tag
    private static let missing = ErrorDeclaration(.conflict, "provider_missing", "The provider is not set up here, or nothing is due.")
    /// Larger events than this are none of a provider's.
    private static let eventBytes = 1 << 20

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/invoices/{id}/checkouts", access: .tenant(.billingWrite), summary: "Make a page on which an invoice is paid",
                tag: Self.tag, body: CheckoutBody.self, returns: .created(HostedPageView.self), errors: [Self.missing]
            ) { call, body in
                let page = try await billing.checkout(
                    try call.id("id", noun: "invoice"), at: body.provider, of: call.tenant, by: call.principal)
                return HostedPageView(url: page.url)
            },
            Endpoint.list(
                "/v1/payment-methods", access: .tenant(.billingRead), summary: "List what is saved at providers", tag: Self.tag,
                of: PaymentMethodView.self
            ) { call, page in try Page(of: try await billing.methods(of: call.tenant).map(PaymentMethodView.init), page) },
            Endpoint(
                .delete, "/v1/payment-methods/{provider}", access: .tenant(.billingWrite), summary: "Take nothing more from what is saved",
                tag: Self.tag, returns: .noContent
            ) { call in try await billing.forgetMethod(at: try call.parameter("provider"), of: call.tenant, by: call.principal) },
            Endpoint(
                .post, "/v1/payment-methods/{provider}/portals", access: .tenant(.billingWrite),
                summary: "Make a page on which what is saved is changed", tag: Self.tag, returns: .created(HostedPageView.self),
                errors: [Self.missing]
            ) { call in HostedPageView(url: try await billing.portal(at: try call.parameter("provider"), of: call.tenant)) },
            .raw(
                .post, "/v1/provider-events/{provider}", access: .public("A provider signs what it tells; nothing else is believed."),
                summary: "Hear what a payment provider tells", tag: "Operator", answers: "text/plain",
                errors: [ErrorDeclaration(.unauthenticated, "bad_signature", "The provider did not sign it.")], bodyLimit: Self.eventBytes
            ) { call in
                let head = call.head
                try await billing.hear(
                    ProviderMessage(body: call.body) { head.header($0) }, from: try call.parameter("provider"))
                return .text("heard")
            }
        ] + operated
    }

    private var operated: [Endpoint] {
        [
            Endpoint.list(
                "/v1/payment-providers", access: .platformOperator, summary: "List the payment providers", tag: "Operator", of: ProviderView.self
            ) { _, page in
                let ready = try await billing.providers.ready()
                return try Page(of: Providers.names.map { ProviderView(provider: $0, isReady: ready.contains($0)) }, page)
            },
            Endpoint(
                .put, "/v1/payment-providers/{provider}", access: .platformOperator, summary: "Set a payment provider up", tag: "Operator",
                body: ProviderSettingsBody.self, returns: .noContent
            ) { call, body in
                try await billing.providers.configure(try call.parameter("provider"), body.settings, by: call.principal)
            }
        ]
    }
}
