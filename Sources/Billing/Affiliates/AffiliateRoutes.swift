internal import HTTPSurface
internal import Kernel

struct AffiliateBody: Codable, Sendable, Described {
    var code: String
    static let notes: [FieldNote] = [FieldNote("code", "Of A-Z, 0-9, - and _.", example: "ANA", length: 2...40)]
}

struct AffiliateTermsBody: Codable, Sendable, Described {
    var kind: String?
    var shareBasisPoints: Int?
    var months: Int?
    var windowDays: Int?
    var bonus: Int?
    var bonusAfter: Int?
    static let notes: [FieldNote] = [
        FieldNote("kind", "affiliate or partner.", length: 1...20),
        FieldNote("shareBasisPoints", "Of what the referred pay, of 10,000.", example: 2_000, range: 0...10_000),
        FieldNote("months", "For so long from the referral on; 0 for as long as they pay.", range: 0...120),
        FieldNote("windowDays", "From a click to what counts as brought by it.", example: 30, range: 1...365),
        FieldNote("bonus", "Once for a referral that qualifies, in the minor unit: 0, or 10000 to 100000.", range: 0...100_000),
        FieldNote("bonusAfter", "What the referred must have paid, net, to qualify.", range: 0...1e12)
    ]

    func applied(to known: Affiliate) throws -> Affiliate {
        var terms = known
        if let kind {
            guard let found = Affiliate.Kind(rawValue: kind) else { throw Refusal.invalid("kind", "unknown_kind", "kind is affiliate or partner.") }
            terms.kind = found
        }
        if let shareBasisPoints { terms.share = try BasisPoints(shareBasisPoints, field: "share_basis_points") }
        (terms.months, terms.windowDays) = (months.map { Int64($0) } ?? terms.months, windowDays.map { Int64($0) } ?? terms.windowDays)
        (terms.bonus, terms.bonusAfter) = (bonus.map { Int64($0) } ?? terms.bonus, bonusAfter.map { Int64($0) } ?? terms.bonusAfter)
        guard terms.bonus == 0 || Affiliate.bonuses.contains(terms.bonus) else {
            throw Refusal.invalid(
                "bonus", "out_of_range", "bonus is 0, or lies between \(Affiliate.bonuses.lowerBound) and \(Affiliate.bonuses.upperBound).")
        }
        return terms
    }
}

struct AffiliateView: Codable, Sendable, Described {
    var kind: String
    var code: String
    var link: String
    var shareBasisPoints: Int
    var months: Int
    var windowDays: Int
    var bonus: Int
    var bonusAfter: Int
    var visits: Int
    static let typeDescription: String? = "A tenant that brings others, and on what terms."
    static let notes: [FieldNote] = [FieldNote("link", "Where people say whether the visit may be remembered.")]

    init(_ affiliate: Affiliate, publicURL: String) {
        (kind, code, link) = (affiliate.kind.rawValue, affiliate.code, "\(publicURL)/r/\(affiliate.code)")
        (shareBasisPoints, months, windowDays) = (affiliate.share.value, Int(affiliate.months), Int(affiliate.windowDays))
        (bonus, bonusAfter, visits) = (Int(affiliate.bonus), Int(affiliate.bonusAfter), Int(affiliate.visits))
    }
}

struct ReferralView: Codable, Sendable, Described {
    var referred: TenantID
    var code: String
    var referredAt: Timestamp
    var endsAt: Timestamp?
    var earned: Int
    static let notes: [FieldNote] = [FieldNote("earned", "With what it paid so far, and the bonus, in the minor unit.")]

    init(_ referral: Referral, earned: Int64) {
        (referred, code, referredAt, endsAt) = (referral.referred, referral.code, referral.referredAt, referral.endsAt)
        self.earned = Int(earned)
    }
}

struct AffiliateRoutes {
    let billing: Billing

    private static let tag = "Affiliates"

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/affiliate", access: .tenant(.billingRead), summary: "Show the affiliate's code and terms", tag: Self.tag,
                returns: .ok(AffiliateView.self)
            ) { call in
                guard let found = try await billing.affiliate(call.tenant) else { throw Refusal.missing("affiliate") }
                return AffiliateView(found, publicURL: billing.providers.publicURL)
            },
            Endpoint(
                .put, "/v1/affiliate", access: .tenant(.billingWrite), summary: "Become an affiliate, or take another code", tag: Self.tag,
                body: AffiliateBody.self, returns: .ok(AffiliateView.self),
                errors: [ErrorDeclaration(.conflict, "code_taken", "Somebody else has this code.")]
            ) { call, body in
                AffiliateView(try await billing.join(call.tenant, code: body.code, by: call.principal), publicURL: billing.providers.publicURL)
            },
            Endpoint.list(
                "/v1/affiliate/referrals", access: .tenant(.billingRead), summary: "List who was brought", tag: Self.tag, of: ReferralView.self
            ) { call, page in
                let cursor: TenantID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await billing.referrals(by: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map { ReferralView($0.0, earned: $0.earned) }, limit: page.limit) { Cursor([.string($0.referred.description)]) }
            },
            Endpoint(
                .put, "/v1/referral", access: .tenant(.billingWrite), summary: "Say who brought this tenant", tag: Self.tag,
                body: AffiliateBody.self, returns: .noContent,
                errors: [
                    ErrorDeclaration(.conflict, "self_referral", "It is the tenant's own code, one is known already, or it was invoiced before.")
                ]
            ) { call, body in try await billing.refer(call.tenant, code: body.code, clickedAt: nil, by: call.principal) },
            Endpoint(
                .put, "/v1/tenants/{tenant}/affiliate-terms", access: .platformOperator, summary: "Set what an affiliate or partner gets",
                tag: "Operator", body: AffiliateTermsBody.self, returns: .ok(AffiliateView.self)
            ) { call, body in
                guard let known = try await billing.affiliate(try call.id("tenant", noun: "tenant")) else { throw Refusal.missing("affiliate") }
                return AffiliateView(
                    try await billing.setTerms(try body.applied(to: known), by: call.principal), publicURL: billing.providers.publicURL)
            }
        ]
    }
}
