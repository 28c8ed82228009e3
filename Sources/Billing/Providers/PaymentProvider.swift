internal import Kernel

/// A company that takes and sends money for us. Cards and accounts are known to it alone: a person pays on its pages, and we keep the names that it
/// gave to what was saved there. Every order carries a key, under which the provider does it once.
protocol PaymentProvider: Sendable {
    /// As it stands in the ledger: the cash account is `cash:<name>`.
    static var name: String { get }

    /// Makes the customer that saved methods belong to.
    /// - Returns: the provider's id of it; nil where it makes one itself when a person saves a method.
    func customer(_ party: ProviderParty) async throws -> String?
    /// A page of the provider on which an invoice is paid and the method can be saved for later ones.
    func checkout(_ order: HostedOrder) async throws -> HostedPage
    /// A page on which a person changes or removes what is saved; nil where the provider has none.
    func portal(customer: String, returnTo: String) async throws -> String?
    /// Pays an invoice with a saved method, while nobody is there.
    func charge(_ order: ChargeOrder) async throws -> ChargeOutcome
    /// What became of a charge that was to be decided later; nil where the provider knows none of this reference.
    func charged(_ reference: String) async throws -> ChargeOutcome?
    func refund(_ order: RefundOrder) async throws -> RefundOutcome
    /// Sends money to a seller's account at the provider.
    /// - Returns: the provider's id of the transfer.
    func payOut(_ order: PayoutOrder) async throws -> String
    /// What became of a payout that may have been taken, though no answer came.
    func trace(_ order: PayoutOrder) async throws -> OrderTrace
    /// The same of a refund.
    func trace(_ order: RefundOrder) async throws -> OrderTrace
    /// What became of a payment, for events that come before it; nil where it is none of ours, or not paid.
    func payment(_ reference: String) async throws -> ProviderPayment?
    /// What a webhook tells, in the order in which it is to be applied.
    /// - Throws: `bad_signature` where the provider did not send it.
    func events(in message: ProviderMessage) async throws -> [ProviderEvent]
}

extension PaymentProvider { var name: String { Self.name } }

struct ProviderParty: Sendable, Hashable {
    var tenant: TenantID
    var name: String
    var email: String?
}

struct HostedOrder: Sendable, Hashable {
    var tenant: TenantID
    var invoice: InvoiceID
    /// For people: `AIAS-42`.
    var number: String
    var amount: Money
    /// Nil makes the provider ask who pays.
    var customer: String?
    /// Where the page leads back to.
    var returnTo: String
    var key: String
}

struct HostedPage: Sendable, Hashable {
    var reference: String
    var url: String
}

struct ChargeOrder: Sendable, Hashable {
    var tenant: TenantID
    var invoice: InvoiceID
    var number: String
    var amount: Money
    var customer: String
    var method: String
    var key: String
}

enum ChargeOutcome: Sendable, Hashable {
    case paid(ProviderPayment)
    /// The bank says no, or wants the payer to be there; the code is the provider's.
    case declined(String)
    /// Decided later; a webhook tells, or the provider when it is asked about this reference of its own. Nil where it gave none.
    case pending(String?)
}

struct RefundOrder: Sendable, Hashable {
    /// The payment that goes back.
    var reference: String
    var amount: Money
    var note: InvoiceID
    var key: String
}

enum RefundOutcome: Sendable, Hashable {
    case done(String)
    /// It will never be done; the code is the provider's.
    case refused(String)
}

struct PayoutOrder: Sendable, Hashable {
    /// An account or an address at the provider.
    var destination: String
    var amount: Money
    var note: String
    var key: String
}

/// Money that a provider holds for us.
struct ProviderPayment: Sendable, Hashable {
    var reference: String
    var amount: Money
    /// Whom we took it from, as the provider was told.
    var tenant: TenantID?
    var invoice: InvoiceID?
}

/// A webhook as it came.
struct ProviderMessage: Sendable {
    var body: [UInt8]
    /// In any case of the name.
    var header: @Sendable (String) -> String?
}

/// What a provider tells, in our words.
struct ProviderEvent: Sendable, Hashable {
    enum Fact: Sendable, Hashable {
        case paid(ProviderPayment)
        /// Nothing was taken.
        case failed(tenant: TenantID, invoice: InvoiceID, reason: String)
        /// All that went back of a payment so far, also what somebody sent back on the provider's own pages.
        case refunded(reference: String, total: Int64)
        /// A refund that was under way came to nothing.
        case refundFailed(note: InvoiceID, reference: String, reason: String)
        case disputed(reference: String, Till.DisputeOutcome, amount: Int64, fee: Int64)
        case saved(SavedMethod, tenant: TenantID?, reference: String)
        case removed(method: String)
        /// A payout came back, or never arrived. The key is that of our order, by which one is known whose answer was lost.
        case payoutReturned(reference: String, reason: String, key: String? = nil)
    }

    /// The provider's own; what one event brings more of has a suffix.
    var id: String
    /// The provider's word for it.
    var kind: String
    var fact: Fact
}

/// What a person has saved at a provider, by the names that it gave.
struct SavedMethod: Sendable, Hashable {
    var customer: String
    var method: String
    /// For people: `visa 4242`.
    var label: String
}

/// Why a provider did nothing, or is not known to have done it.
enum ProviderError: Error, Sendable, Hashable {
    /// The order did not get there, or was put off: nothing was done, and the same order is sent again.
    case unavailable(String)
    /// It may have been done, but no answer came that says so. The same order is sent again; that this is refused does not say that nothing was done.
    case unanswered(String)
    /// It never will.
    case refused(String)
}
