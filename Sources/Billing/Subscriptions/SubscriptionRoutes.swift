internal import HTTPSurface
internal import Kernel
internal import Tenancy

struct SubscriptionView: Codable, Sendable {
    var plan: String
    var period: String
    var status: String
    var currency: String
    var periodStart: Timestamp
    var periodEnd: Timestamp
    var cancelsAtPeriodEnd: Bool
    var nextPlan: String?
    var nextPeriod: String?
    var overageCap: Int
    var addOns: [AddonItemView]

    init(_ subscription: Subscription) {
        plan = subscription.plan.rawValue
        period = subscription.interval.rawValue
        status = subscription.status.rawValue
        currency = subscription.currency
        periodStart = subscription.period.start
        periodEnd = subscription.period.end
        cancelsAtPeriodEnd = subscription.cancelsAtPeriodEnd
        nextPlan = subscription.pending?.plan.rawValue
        nextPeriod = subscription.pending?.interval.rawValue
        overageCap = Int(subscription.overageCap)
        addOns = subscription.addons.map(AddonItemView.init)
    }
}

struct SubscriptionOutcomeView: Codable, Sendable, Described {
    var subscription: SubscriptionView
    var invoices: [InvoiceView]
    var upcoming: [InvoiceView]
    static let typeDescription: String? = "A subscription after a change, and the invoices that the change brought."
    static let notes: [FieldNote] = [
        FieldNote("invoices", "In a preview without their final numbers."),
        FieldNote("upcoming", "In a preview: what the next period would bring, with what is known now.")
    ]

    init(_ outcome: SubscriptionOutcome) {
        subscription = SubscriptionView(outcome.subscription)
        invoices = outcome.invoices.map(InvoiceView.init)
        upcoming = outcome.upcoming.map(InvoiceView.init)
    }
}

struct SubscriptionStartBody: Codable, Sendable, Described {
    var plan: String
    var period: String?
    var trial: Bool?
    var overageCap: Int?
    var coupon: String?
    static let notes: [FieldNote] = [
        FieldNote("plan", "As the price list names it.", example: "starter", length: 1...40),
        FieldNote("period", "month or year; month where it is left out.", example: "month", length: 1...10),
        FieldNote("trial", "Begin with fourteen days at no price; once for a tenant."),
        FieldNote(
            "overageCap", "Executions beyond the included ones that a billing period, of a yearly plan the year, charges at the most.", example: 0,
            range: 0...1_000_000_000),
        FieldNote("coupon", "A code, redeemed first.", length: 2...40)
    ]
}

struct SubscriptionChangeBody: Codable, Sendable, Described {
    var plan: String
    var period: String?
    static let notes: [FieldNote] = [
        FieldNote("plan", "As the price list names it.", example: "professional", length: 1...40),
        FieldNote("period", "month or year; month where it is left out.", example: "month", length: 1...10)
    ]
}

struct OverageBody: Codable, Sendable, Described {
    var overageCap: Int
    static let notes: [FieldNote] = [
        FieldNote(
            "overageCap", "For a whole billing period, which of a yearly plan is the year; 0 stops at the included executions.", example: 5_000,
            range: 0...1_000_000_000)
    ]
}

struct SubscriptionPreviewBody: Codable, Sendable, Described {
    var action: String
    var plan: String?
    var period: String?
    var trial: Bool?
    var overageCap: Int?
    var coupon: String?
    var addOn: String?
    var quantity: Int?
    static let notes: [FieldNote] = [
        FieldNote("action", "start, change, overage, addon, redeem, cancel, keep, pause or resume.", example: "change", length: 1...20),
        FieldNote("coupon", "A code: for redeem, or redeemed before a start or a change.", length: 2...40),
        FieldNote("addOn", "For addon: the code.", length: 1...60), FieldNote("quantity", "For addon.", range: 0...10_000),
        FieldNote("plan", "For start and change.", example: "professional", length: 1...40),
        FieldNote("period", "month or year.", example: "month", length: 1...10), FieldNote("trial", "For start."),
        FieldNote("overageCap", "For start and overage.", range: 0...1_000_000_000)
    ]

    func request() throws -> SubscriptionRequest {
        switch action {
        case "start": try SubscriptionStartBody(plan: named(), period: period, trial: trial, overageCap: overageCap).request()
        case "change": try SubscriptionChangeBody(plan: named(), period: period).request()
        case "overage": .overage(Int64(overageCap ?? 0))
        case "addon":
            .addon(try Self.given(addOn, "add_on"), Int64(quantity ?? 0))
        case "redeem": .redeem(try Self.given(coupon, "coupon"))
        case "cancel": .cancel
        case "keep": .keep
        case "pause": .pause
        case "resume": .resume
        default:
            throw Refusal.invalid("action", "unknown_action", "action is one of start, change, overage, addon, redeem, cancel, keep, pause, resume.")
        }
    }

    /// What is redeemed before the action.
    var couponBefore: String? { ["start", "change"].contains(action) ? coupon : nil }

    private func named() throws -> String { try Self.given(plan, "plan") }

    private static func given(_ value: String?, _ name: String) throws -> String {
        guard let value, !value.isEmpty else { throw Refusal.invalid(name, "required", "\(name) is missing.") }
        return value
    }
}

extension SubscriptionStartBody {
    static let trialDays = 14

    func request() throws -> SubscriptionRequest {
        .start(
            try SubscriptionRoutes.plan(plan), try SubscriptionRoutes.interval(period), trialDays: trial == true ? Self.trialDays : 0,
            overageCap: Int64(overageCap ?? 0))
    }
}

extension SubscriptionChangeBody {
    func request() throws -> SubscriptionRequest { .change(try SubscriptionRoutes.plan(plan), try SubscriptionRoutes.interval(period)) }
}

struct SubscriptionRoutes {
    let billing: Billing

    static let tag = "Billing"
    private static let read = Access.tenant(.billingRead)
    private static let write = Access.tenant(.billingWrite)
    private static let conflict = ErrorDeclaration(.conflict, "not_active", "The subscription is not in a state that allows this.")

    static func plan(_ text: String) throws -> PlanName {
        guard let plan = PlanName(rawValue: text) else { throw Refusal.invalid("plan", "unknown_plan", "There is no plan of this name.") }
        return plan
    }

    static func interval(_ text: String?) throws -> BillingInterval {
        guard let interval = BillingInterval(rawValue: text ?? "month") else {
            throw Refusal.invalid("period", "unknown_period", "period is month or year.")
        }
        return interval
    }

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/subscription", access: Self.read, summary: "Show the subscription", tag: Self.tag, returns: .ok(SubscriptionView.self)
            ) { call in
                guard let found = try await billing.subscription(of: call.tenant) else { throw Refusal.missing("subscription") }
                return SubscriptionView(found)
            },
            Endpoint(
                .post, "/v1/subscription", access: Self.write, summary: "Subscribe to a plan", tag: Self.tag, body: SubscriptionStartBody.self,
                returns: .created(SubscriptionOutcomeView.self),
                errors: [ErrorDeclaration(.conflict, "already_subscribed", "There is a subscription, or no billing profile yet.")]
            ) { call, body in
                SubscriptionOutcomeView(
                    try await billing.perform(try body.request(), coupon: body.coupon, of: call.tenant, by: call.principal))
            },
            Endpoint(
                .post, "/v1/subscription/previews", access: Self.write, summary: "See what a change would come to, to the cent", tag: Self.tag,
                body: SubscriptionPreviewBody.self, returns: .ok(SubscriptionOutcomeView.self), errors: [Self.conflict]
            ) { call, body in
                SubscriptionOutcomeView(try await billing.preview(try body.request(), coupon: body.couponBefore, of: call.tenant))
            },
            Endpoint(
                .post, "/v1/subscription/changes", access: Self.write, summary: "Change the plan or the period", tag: Self.tag,
                body: SubscriptionChangeBody.self, returns: .ok(SubscriptionOutcomeView.self), errors: [Self.conflict]
            ) { call, body in try await perform(try body.request(), call) },
            Endpoint(
                .put, "/v1/subscription/overage", access: Self.write, summary: "Say how many executions beyond the included ones are allowed",
                tag: Self.tag, body: OverageBody.self, returns: .ok(SubscriptionOutcomeView.self), errors: [Self.conflict]
            ) { call, body in try await perform(.overage(Int64(body.overageCap)), call) }
        ] + states
    }

    private var states: [Endpoint] {
        let verbs: [(Method, String, String, SubscriptionRequest)] = [
            (.put, "/v1/subscription/cancellation", "Cancel at the end of the period", .cancel),
            (.delete, "/v1/subscription/cancellation", "Take a cancellation back", .keep),
            (.put, "/v1/subscription/pause", "Pause the subscription", .pause),
            (.delete, "/v1/subscription/pause", "Resume the subscription", .resume)
        ]
        return verbs.map { method, path, summary, request in
            Endpoint(
                method, path, access: Self.write, summary: summary, tag: Self.tag, returns: .ok(SubscriptionOutcomeView.self), errors: [Self.conflict]
            ) { call in try await perform(request, call) }
        }
    }

    private func perform(_ request: SubscriptionRequest, _ call: EndpointCall) async throws -> SubscriptionOutcomeView {
        SubscriptionOutcomeView(try await billing.perform(request, of: call.tenant, by: call.principal))
    }
}
