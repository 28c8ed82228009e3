package import Kernel

package enum SaleTag {}
package typealias SaleID = ID<SaleTag>

/// What kind of thing is sold: each has its own usual split.
package enum SaleKind: String, Sendable, Hashable, CaseIterable, Codable {
    case template, agent, app, api, consulting, course

    /// The creator's part where nothing else was agreed; the platform has the rest.
    var creatorShare: BasisPoints { self == .agent ? .percent(60) : .percent(70) }
}

/// What a marketplace asks to be sold.
package struct SaleOrder: Sendable, Hashable {
    /// The same key of the same buyer is the same sale.
    package var key: String
    package var seller: TenantID
    /// The listing's own name, for terms that are agreed for it.
    package var listing: String
    package var kind: SaleKind
    /// As it stands on the invoice.
    package var name: String
    /// Without tax.
    package var amount: Money

    package init(key: String, seller: TenantID, listing: String, kind: SaleKind, name: String, amount: Money) {
        self.key = key
        self.seller = seller
        self.listing = listing
        self.kind = kind
        self.name = name
        self.amount = amount
    }
}

/// Something of a seller that a tenant was invoiced for.
package struct Sale: Sendable, Hashable {
    package var id: SaleID
    var key: String
    package var buyer: TenantID
    package var seller: TenantID
    package var listing: String
    var kind: SaleKind
    var name: String
    package var invoice: InvoiceID
    package var currency: String
    /// Without tax.
    package var amount: Int64
    var share: BasisPoints
    /// The seller's part of what was collected so far.
    package var earned: Int64 = 0
    /// What of it waits for a dispute.
    var held: Int64 = 0
    /// When what was collected last can be paid out.
    var maturesAt: Timestamp
    var soldAt: Timestamp

    /// The seller's part when so much of the invoice is paid: of the whole collected so far, so that payments, refunds and lost disputes in parts
    /// add up to the cent, and all taken back is nothing.
    func earned(paid: Int64, of total: Int64) -> Int64 { total > 0 ? share.of(Fraction.halfUp(amount, paid, over: total)) : 0 }

    static let maturity: Duration = .seconds(14 * 86_400)
}

/// What was agreed about a split beside the usual one.
struct SplitTerms: Sendable, Hashable {
    var seller: TenantID?
    var listing: String?
    var kind: SaleKind?
    var share: BasisPoints

    /// A contract about a listing goes before the listing's own terms, these before a seller's contract, that before the kind's.
    var key: String { Self.key(seller, listing, kind) }

    static func key(_ seller: TenantID?, _ listing: String?, _ kind: SaleKind?) -> String {
        [seller.map { "seller:\($0)" }, listing.map { "listing:\($0)" }, kind.map { "kind:\($0.rawValue)" }].compactMap { $0 }.joined(separator: " ")
    }

    /// The keys that are looked for, the strongest first.
    static func keys(of order: SaleOrder) -> [String] {
        [
            key(order.seller, order.listing, nil), key(nil, order.listing, nil), key(order.seller, nil, order.kind), key(order.seller, nil, nil),
            key(nil, nil, order.kind)
        ]
    }
}
