internal import Kernel
internal import Tenancy

/// What a change gives back beyond what it asks for, as add-ons of a month that are not taken into a year. No invoice is below zero: the rest is
/// taken back from the invoices that charged it, so that no more comes back than they asked for, and only what was paid goes into the wallet.
extension Till {
    /// Takes out of the charges of an invoice to be what would bring it below zero, from the last credit on.
    static func withhold(from charges: inout [Charge]) -> [Charge] {
        let asked: Int64 = charges.reduce(0) { $0 + $1.amount - $1.discount }
        guard asked < 0 else { return [] }
        var excess = -asked
        var withheld: [Charge] = []
        for place in charges.indices.reversed() where excess > 0 && charges[place].kind == .unused {
            let part = min(excess, charges[place].discount - charges[place].amount)
            guard part > 0 else { continue }
            var given = charges[place]
            (given.amount, given.discount) = (-part, 0)
            withheld.append(given)
            charges[place].amount += part
            excess -= part
        }
        charges.removeAll { $0.kind == .unused && $0.amount == $0.discount }
        return withheld
    }

    /// Takes what was withheld back from the invoices that charged the same thing, the latest first, each as far as it charged it and was not taken
    /// back otherwise.
    /// - Parameter start: of the period that they charged it for.
    mutating func giveBack(_ withheld: [Charge], chargedSince start: Timestamp) throws {
        for charge in withheld {
            guard let item = charge.item else { continue }
            var rest = -charge.amount
            for id in try invoices.charging(item.code, since: start) where rest > 0 {
                guard let invoice = try invoices.invoice(id) else { continue }
                let own: Int64 = invoice.lines.reduce(0) { $1.charge.item == item && $1.net > 0 ? $0 + $1.net : $0 }
                let net = min(rest, own)
                let gross = min(net + invoice.rate.of(net), invoice.total - invoice.credited)
                rest -= net
                if gross > 0 { issued.append(try credit(id, gross, to: .wallet, isReckoned: true)) }
            }
        }
    }
}
