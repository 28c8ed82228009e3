package import Kernel
internal import Tenancy

package enum InvoiceTag {}
package typealias InvoiceID = ID<InvoiceTag>

/// Who buys or sells, as it stands on an invoice.
package struct Party: Sendable, Hashable, Codable {
    package var name: String
    package var street: String
    package var postalCode: String
    package var city: String
    /// ISO 3166.
    package var country: String
    package var vatId: String?
    package var email: String?

    package init(
        name: String, street: String, postalCode: String, city: String, country: String, vatId: String? = nil, email: String? = nil
    ) {
        self.name = name
        self.street = street
        self.postalCode = postalCode
        self.city = city
        self.country = country
        self.vatId = vatId
        self.email = email
    }
}

/// One line; amounts in minor units of the invoice's currency.
package struct InvoiceLine: Sendable, Hashable {
    var charge: Charge
    var tax: Int64
    var subtotal: Int64 { charge.amount }
    var discount: Int64 { charge.discount }
    var net: Int64 { subtotal - discount }
    var total: Int64 { net + tax }
}

/// An invoice or a credit note. Its figures never change once it has a number.
package struct Invoice: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case invoice
        case creditNote = "credit_note"
    }
    package enum Status: String, Sendable, Hashable, Codable, CaseIterable { case open, paid, uncollectible }

    package var id: InvoiceID
    package var kind: Kind
    /// Without gaps within the series of a legal entity.
    package var number: Int64
    package var series: String
    package var status: Status
    package var currency: String
    package var subtotal: Int64
    package var discount: Int64
    package var tax: Int64
    package var total: Int64
    /// Paid, also from the wallet, less what was refunded.
    package var paid: Int64
    /// Taken back by credit notes, gross.
    package var credited: Int64
    var treatment: VATRules.Treatment
    var rate: BasisPoints
    var taxCountry: String
    package var seller: Party
    package var buyer: Party
    package var issuedAt: Timestamp
    package var dueAt: Timestamp
    /// Of a credit note: the invoice it takes back from.
    package var corrects: InvoiceID?
    var reminders: Int
    package var lines: [InvoiceLine]

    /// `INV-2026-000042` would restart or collide between years; the series tells entities apart instead: `AIAS-42`.
    package var numberText: String { "\(series)-\(kind == .creditNote ? "C" : "")\(number)" }
    /// What is still asked for; nothing of a credit note. `total = paid + credited + due`.
    package var due: Int64 { kind == .invoice ? max(total - paid - credited, 0) : 0 }

    /// More than a change to yearly has, which credits and charges the plan and each add-on that there can be, and the usage.
    static let linesMaximum = 3 * AddonStore.addonsMaximum
}

/// The figures of an invoice, from its charges.
struct InvoiceFigures: Sendable, Hashable {
    var lines: [InvoiceLine]
    var subtotal: Int64
    var discount: Int64
    var tax: Int64
    var total: Int64

    /// The tax is that of the whole, halves away from zero; the lines' taxes are what the running tax grows by, so that they sum to it.
    /// - Parameter step: what all amounts are multiples of. The lines are what the running amounts, to the nearest one, grow by.
    init(_ charges: [Charge], rate: BasisPoints, step: Int64 = 1) {
        precondition((1...Invoice.linesMaximum).contains(charges.count), "an invoice has lines")
        func whole(_ amount: Int64) -> Int64 { Fraction.halfUp(amount, 1, over: step) * step }
        var (net, off, taxed): (Int64, Int64, Int64) = (0, 0, 0)
        lines = charges.map { charge in
            var charge = charge
            let (netBefore, offBefore) = (whole(net), whole(off))
            net += charge.amount - charge.discount
            off += charge.discount
            charge.discount = whole(off) - offBefore
            charge.amount = whole(net) - netBefore + charge.discount
            let tax = whole(rate.of(whole(net)))
            let line = InvoiceLine(charge: charge, tax: tax - taxed)
            taxed = tax
            return line
        }
        subtotal = lines.reduce(0) { $0 + $1.subtotal }
        discount = lines.reduce(0) { $0 + $1.discount }
        tax = taxed
        total = subtotal - discount + tax
    }
}
