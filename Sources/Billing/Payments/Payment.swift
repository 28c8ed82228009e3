internal import Kernel

enum PaymentTag {}
typealias PaymentID = ID<PaymentTag>

/// Money that came from a tenant by way of a provider.
struct Payment: Sendable, Hashable {
    enum Status: String, Sendable, Hashable, Codable, CaseIterable {
        case received
        /// The payer's bank wants it back; no refund until that is decided.
        case disputed
        /// The dispute is lost: the money is gone.
        case reversed
    }

    var id: PaymentID
    /// `bank`, `stripe`.
    var provider: String
    /// The provider's own id of it; one payment for each.
    var reference: String
    var currency: String
    var amount: Int64
    var refunded: Int64
    /// The invoice it was made for, where it named one.
    var invoice: InvoiceID?
    var status: Status
    var at: Timestamp
}
