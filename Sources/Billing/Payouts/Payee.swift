internal import Foundation
internal import Kernel

/// How a tenant that earns something is paid: a seller, an affiliate or a partner.
struct Payee: Sendable, Hashable {
    enum Schedule: String, Sendable, Hashable, CaseIterable, Codable {
        case weekly, monthly
        var pause: Duration { .seconds((self == .weekly ? 7 : 30) * 86_400) }
    }

    var owner: TenantID
    /// stripe, paypal or bank.
    var provider: String
    /// Where the money goes, sealed: an account of Stripe Connect, an address at PayPal, an IBAN.
    var destination: [UInt8]
    /// What the tax form says, sealed.
    var taxForm: [UInt8]
    var schedule: Schedule
    /// Less than this waits for the next time, in minor units of each currency.
    var minimum: Int64
    var nextPayoutAt: Timestamp

    static let providers = Providers.names + [bank]
    static let bank = "bank"
    static let minimums: ClosedRange<Int64> = 1_000...10_000_000
    static let destinationContext = "payee-destination"
    static let taxContext = "payee-tax-form"

    /// - Throws: `bad_destination`
    static func checkedDestination(_ text: String, at provider: String) throws -> String {
        let compact = text.filter { !$0.isWhitespace }
        let isGood =
            switch provider {
            case StripeProvider.name: compact.hasPrefix("acct_") && compact.utf8.count > 8
            case PayPalProvider.name: compact.contains("@") && compact.split(separator: "@").count == 2
            default: isIBAN(compact.uppercased())
            }
        guard isGood, compact.utf8.count <= 200 else {
            throw Refusal.invalid("destination", "bad_destination", "destination is an account acct_… of Stripe, an address at PayPal, or an IBAN.")
        }
        return provider == bank ? compact.uppercased() : compact
    }

    /// ISO 13616: the country and check digits moved to the end, letters as two digits, modulo 97 is 1.
    static func isIBAN(_ text: String) -> Bool {
        guard (15...34).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) }) else { return false }
        let bytes = Array(text.utf8)
        let rest = (bytes.dropFirst(4) + bytes.prefix(4)).reduce(into: 0) { rest, byte in
            let value = Int(byte) - (byte < 65 ? 48 : 55)
            rest = (rest * (byte < 65 ? 10 : 100) + value) % 97
        }
        return rest == 1
    }
}

/// What a tax form declares. Kept sealed; only the end of the number is shown again.
struct TaxForm: Sendable, Hashable, Codable {
    /// w9, w8ben, w8bene or other.
    var form: String
    var name: String
    /// ISO 3166.
    var country: String
    var taxId: String

    static let forms = ["w9", "w8ben", "w8bene", "other"]

    /// - Throws: `unknown_form`, `unknown_country`, `required`
    func checked() throws -> TaxForm {
        var form = self
        guard Self.forms.contains(self.form) else {
            throw Refusal.invalid("form", "unknown_form", "form is one of \(Self.forms.joined(separator: ", ")).")
        }
        form.country = try VATRules.checkedCountry(country.uppercased())
        guard !name.isEmpty, name.utf8.count <= 200 else { throw Refusal.invalid("tax_name", "required", "The form names somebody.") }
        guard (1...60).contains(taxId.utf8.count) else { throw Refusal.invalid("tax_id", "required", "The form has a tax number.") }
        return form
    }

    var maskedID: String { "…\(taxId.suffix(4))" }
}

enum PayoutTag {}
typealias PayoutID = ID<PayoutTag>

struct Payout: Sendable, Hashable {
    enum Status: String, Sendable, Hashable, CaseIterable, Codable {
        /// Taken from the balance, and still to be ordered or answered.
        case pending
        case sent
        /// It came back, and is in the balance again.
        case failed
    }

    var id: PayoutID
    var owner: TenantID
    var provider: String
    var currency: String
    /// Of sales, and of commissions.
    var sales: Int64
    var commissions: Int64
    var status: Status
    /// The provider's; while it is pending, the key of the order where the provider may have that.
    var reference: String?
    var reason: String?
    var attempts: Int
    var dueAt: Timestamp
    var madeAt: Timestamp
    var amount: Int64 { sales + commissions }

    /// Under which the provider sends it once.
    var orderKey: String { "payout:\(id)" }
    /// Whether the provider may have sent it, though no answer came: it is not in the balance again before that is known.
    var mayBeTaken: Bool { status == .pending && reference != nil }

    /// Whether a provider may know its key no more (PayPal's for thirty days): ordered again it could be sent twice, so that people look.
    func isLeftToPeople(at now: Timestamp) -> Bool { mayBeTaken && madeAt + Self.keyLifetime <= now }
    static let keyLifetime: Duration = .seconds(28 * 86_400)
}

/// What a payee has earned, in one currency.
struct PayeeBalance: Sendable, Hashable {
    var currency: String
    /// Earned and not paid out, without what is held; below zero while refunds are netted.
    var sales: Int64
    var commissions: Int64
    /// Of that what is still too fresh.
    var maturingSales: Int64
    var maturingCommissions: Int64
    /// Waits for a dispute.
    var held: Int64
    var availableSales: Int64 { sales - maturingSales }
    var availableCommissions: Int64 { commissions - maturingCommissions }
    /// What can be paid out now.
    var available: Int64 { max(availableSales + availableCommissions, 0) }
}
