internal import Kernel
internal import Tenancy

enum ConsultingOfferTag {}
typealias ConsultingOfferID = ID<ConsultingOfferTag>

/// Work by the hour that somebody offers: a seller, or the operator of the platform under the platform's own name.
struct ConsultingOffer: Sendable, Hashable {
    var id: ConsultingOfferID
    /// The platform's own id where its operator works.
    var seller: TenantID
    var title: String
    var about: String
    var currency: String
    /// For an hour, without tax, in minor units.
    var rate: Int64
    /// What is booked at least.
    var minimumMinutes: Int64
    /// A time sheet counts as approved so many days after it was submitted.
    var approvalDays: Int64
    var isOpen: Bool
    var madeAt: Timestamp

    /// $200 where no rate is said; most ask $200 to $500.
    static let usualRate: Int64 = 20_000
    static let rates: ClosedRange<Int64> = 1_000...1_000_000
    static let minimums: ClosedRange<Int64> = 15...6_000
    static let approvalDays: ClosedRange<Int64> = 1...60
    static let usualApprovalDays: Int64 = 7
    /// Of a seller, closed ones too.
    static let maximum = 200

    /// - Throws: `out_of_range`, `unknown_currency`
    func checked() throws -> ConsultingOffer {
        _ = try AmountBounds.checkedCurrency(currency)
        try ServiceBounds.check(title, "title", 1...200)
        try ServiceBounds.check(about, "about", 0...4_000)
        try ServiceBounds.check(rate, "rate", Self.rates)
        try ServiceBounds.check(minimumMinutes, "minimum_minutes", Self.minimums)
        try ServiceBounds.check(approvalDays, "approval_days", Self.approvalDays)
        return self
    }
}
