internal import HTTPSurface
internal import Kernel

struct CouponBody: Codable, Sendable, Described {
    var code: String
    var name: String
    var shareBasisPoints: Int?
    var amount: Int?
    var currency: String?
    var lasting: String
    var months: Int?
    var redemptionsMaximum: Int?
    var expiresAt: Timestamp?
    static let notes: [FieldNote] = [
        FieldNote("code", "Of A-Z, 0-9, - and _; people type it in any case.", example: "WELCOME", length: 2...40),
        FieldNote("name", "For people.", example: "Half price at first", length: 1...100),
        FieldNote("shareBasisPoints", "What is taken off, of 10,000; or give amount.", example: 5_000, range: 1...10_000),
        FieldNote("amount", "What is taken off each period, in the minor unit of currency.", range: 1...1e12),
        FieldNote("currency", "Of amount; USD where it is left out.", length: 3...3),
        FieldNote("lasting", "once, months or forever.", example: "once", length: 4...7),
        FieldNote("months", "Of months: what begins within so many from the first charge that it was taken off.", range: 1...120),
        FieldNote("redemptionsMaximum", "Over all tenants, each once; no limit where it is left out.", range: 1...1e9),
        FieldNote("expiresAt", "From then on nobody redeems it; who has keeps it.")
    ]

    func coupon() throws -> Coupon {
        let reduction: Coupon.Reduction
        switch (shareBasisPoints, amount) {
        case (let share?, nil): reduction = .share(try BasisPoints(share, field: "share_basis_points"))
        case (nil, let amount?):
            reduction = .amount(
                try AmountBounds.checked(Int64(amount), field: "amount", minimum: 1), try AmountBounds.checkedCurrency(currency ?? "USD"))
        default: throw Refusal.invalid("amount", "required", "A coupon has either share_basis_points or amount.")
        }
        let period: Coupon.Lasting
        switch lasting {
        case "once": period = .once
        case "forever": period = .forever
        case "months":
            guard let months, (1...Int(Coupon.monthsMaximum)).contains(months) else {
                throw Refusal.invalid("months", "out_of_range", "months lies between 1 and \(Coupon.monthsMaximum).")
            }
            period = .months(Int64(months))
        default: throw Refusal.invalid("lasting", "unknown_lasting", "lasting is once, months or forever.")
        }
        return Coupon(
            code: try Coupon.checkedCode(code), name: name, reduction: reduction, lasting: period,
            redemptionsMaximum: redemptionsMaximum.map { Int64($0) } ?? Coupon.unlimited, expiresAt: expiresAt)
    }
}

struct CouponView: Codable, Sendable, Described {
    var code: String
    var name: String
    var shareBasisPoints: Int?
    var amount: Int?
    var currency: String?
    var lasting: String
    var months: Int?
    var redemptionsMaximum: Int?
    var redeemed: Int
    var expiresAt: Timestamp?
    var isWithdrawn: Bool
    static let typeDescription: String? = "What takes something off the price of a subscription."
    static let notes: [FieldNote] = [
        FieldNote("shareBasisPoints", "What is taken off, of 10,000."), FieldNote("redeemed", "How often, over all tenants.")
    ]

    init(_ coupon: Coupon) {
        (code, name, redeemed) = (coupon.code, coupon.name, Int(coupon.redeemed))
        (shareBasisPoints, amount, currency) = coupon.reduction.shown
        (lasting, months) = coupon.lasting.shown
        redemptionsMaximum = coupon.redemptionsMaximum == Coupon.unlimited ? nil : Int(coupon.redemptionsMaximum)
        (expiresAt, isWithdrawn) = (coupon.expiresAt, coupon.isWithdrawn)
    }
}

struct RedemptionBody: Codable, Sendable, Described {
    var code: String
    static let notes: [FieldNote] = [FieldNote("code", "In any case.", example: "WELCOME", length: 2...40)]
}

struct RedemptionView: Codable, Sendable, Described {
    var code: String
    var shareBasisPoints: Int?
    var amount: Int?
    var currency: String?
    var lasting: String
    var months: Int?
    var redeemedAt: Timestamp
    var firstUse: Timestamp?
    static let typeDescription: String? = "A coupon that was redeemed, on the terms of that time."
    static let notes: [FieldNote] = [FieldNote("firstUse", "The start of the first charge that something was taken off.")]

    init(_ redemption: Redemption) {
        (code, redeemedAt, firstUse) = (redemption.code, redemption.redeemedAt, redemption.firstUse)
        (shareBasisPoints, amount, currency) = redemption.reduction.shown
        (lasting, months) = redemption.lasting.shown
    }
}

extension Coupon.Reduction {
    var shown: (Int?, Int?, String?) {
        switch self {
        case .share(let share): (share.value, nil, nil)
        case .amount(let amount, let currency): (nil, Int(amount), currency)
        }
    }
}

extension Coupon.Lasting {
    var shown: (String, Int?) {
        switch self {
        case .once: ("once", nil)
        case .months(let months): ("months", Int(months))
        case .forever: ("forever", nil)
        }
    }
}

struct CouponRoutes {
    let billing: Billing

    var endpoints: [Endpoint] {
        [
            Endpoint.list("/v1/coupons", access: .platformOperator, summary: "List the coupons", tag: "Operator", of: CouponView.self) { _, page in
                let after = try page.cursor.map { try Cursor($0, keys: 1).text(at: 0) } ?? ""
                let rows = try await billing.coupons(after: after, limit: page.limit + 1)
                return Page(rows.map(CouponView.init), limit: page.limit) { Cursor([.string($0.code)]) }
            },
            Endpoint(
                .post, "/v1/coupons", access: .platformOperator, summary: "Make a coupon", tag: "Operator", body: CouponBody.self,
                returns: .created(CouponView.self), errors: [ErrorDeclaration(.conflict, "coupon_exists", "There is a coupon of this code.")]
            ) { call, body in CouponView(try await billing.make(try body.coupon(), by: call.principal)) },
            Endpoint(
                .delete, "/v1/coupons/{code}", access: .platformOperator, summary: "Let nobody redeem a coupon any more", tag: "Operator",
                returns: .noContent
            ) { call in try await billing.withdrawCoupon(try call.parameter("code"), by: call.principal) },
            Endpoint.list(
                "/v1/subscription/coupons", access: .tenant(.billingRead), summary: "List the coupons that were redeemed",
                tag: SubscriptionRoutes.tag, of: RedemptionView.self
            ) { call, page in try Page(of: try await billing.redemptions(of: call.tenant).map(RedemptionView.init), page) },
            Endpoint(
                .post, "/v1/subscription/coupons", access: .tenant(.billingWrite), summary: "Redeem a coupon for what is charged from now on",
                tag: SubscriptionRoutes.tag, body: RedemptionBody.self, returns: .created(RedemptionView.self),
                errors: [ErrorDeclaration(.conflict, "coupon_used", "It was redeemed here already, as often as it may be, or another is in force.")]
            ) { call, body in
                RedemptionView(try await billing.redeem(body.code, of: call.tenant, by: call.principal, claim: call.idempotency))
            }
        ]
    }
}
