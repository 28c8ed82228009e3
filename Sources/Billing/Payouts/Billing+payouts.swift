internal import Foundation
internal import HTTPSurface
package import Kernel
package import Persistence
internal import Tenancy

extension PlatformTransaction {
    /// What a tenant has earned, by currency.
    func earnings(of owner: TenantID) throws -> [PayeeBalance] {
        let balances = try LedgerStore(tx: self).balances(of: owner.description)
        let now = clock.now()
        return try Set(balances.keys.filter { [.seller, .affiliate, .hold].contains($0.kind) }.map(\.currency)).sorted().map { currency in
            func balance(_ kind: Account.Kind) -> Int64 { -(balances[Account(kind, of: owner, currency)] ?? 0) }
            return PayeeBalance(
                currency: currency, sales: balance(.seller), commissions: balance(.affiliate),
                maturingSales: try SaleStore(tx: self).maturing(of: owner, currency, at: now),
                maturingCommissions: try ReferralStore(tx: self).maturing(of: owner, currency, at: now), held: balance(.hold))
        }
    }
}

extension Billing {
    func payee(_ owner: TenantID) async throws -> (payee: Payee, tax: TaxForm, destination: String)? {
        guard let payee = try await database.readPlatform({ tx in try PayeeStore(tx: tx).payee(owner) }) else { return nil }
        let tax = try await providers.vault.open(payee.taxForm, tenant: owner, context: Payee.taxContext)
        let destination = try await providers.vault.open(payee.destination, tenant: owner, context: Payee.destinationContext)
        return (payee, try JSONDecoder().decode(TaxForm.self, from: Data(tax)), String(decoding: destination, as: UTF8.self))
    }

    /// Says how a tenant is paid. What identifies it is sealed, and never shown whole again.
    /// - Throws: `unknown_provider`, `bad_destination`, `unknown_form`, `out_of_range`
    func setPayee(
        _ owner: TenantID, provider: String, destination: String, tax: TaxForm, schedule: Payee.Schedule, minimum: Int64, by principal: Principal
    ) async throws {
        guard Payee.providers.contains(provider) else {
            throw Refusal.invalid("provider", "unknown_provider", "provider is one of \(Payee.providers.joined(separator: ", ")).")
        }
        guard Payee.minimums.contains(minimum) else {
            throw Refusal.invalid(
                "minimum", "out_of_range", "minimum lies between \(Payee.minimums.lowerBound) and \(Payee.minimums.upperBound).")
        }
        let place = try Payee.checkedDestination(destination, at: provider)
        let form = [UInt8](try JSONEncoder().encode(try tax.checked()))
        let sealed = try await providers.vault.seal(form, tenant: owner, context: Payee.taxContext)
        let account = try await providers.vault.seal(Array(place.utf8), tenant: owner, context: Payee.destinationContext)
        try await database.write(in: owner) { tx in
            let store = PayeeStore(tx: tx.platform)
            let next = try store.payee(owner)?.nextPayoutAt ?? tx.clock.now() + schedule.pause
            let payee = Payee(
                owner: owner, provider: provider, destination: account, taxForm: sealed, schedule: schedule, minimum: minimum, nextPayoutAt: next)
            try store.save(payee)
            try payee.takeBackMoved(in: tx)
            try tx.audit(principal, "payee.update", "tenant:\(owner)", ["provider": .string(provider)])
        }
    }

    /// What the tenant earns waits until somebody says anew how it is paid.
    /// - Returns: how many payees there were.
    package func forgetPayee(in tx: TenantTransaction, by principal: Principal) throws -> Int {
        guard try PayeeStore(tx: tx.platform).remove(tx.tenant.id) else { return 0 }
        try tx.audit(principal, "payee.remove", "tenant:\(tx.tenant.id)")
        return 1
    }

    func earnings(of owner: TenantID) async throws -> [PayeeBalance] { try await database.readPlatform { tx in try tx.earnings(of: owner) } }

    func payouts(of owner: TenantID, before cursor: PayoutID?, limit: Int) async throws -> [Payout] {
        try await database.readPlatform { tx in try PayeeStore(tx: tx).page(of: owner, before: cursor, limit: limit) }
    }

    /// Takes what can be paid out from a payee's balance, in one payout for each currency; it is ordered afterwards.
    /// - Returns: nothing where less than the minimum is there.
    func payOut(to owner: TenantID) async throws -> [Payout] {
        try await database.write(in: owner) { tx in
            let store = PayeeStore(tx: tx.platform)
            guard var payee = try store.payee(owner) else { throw Refusal.missing("payee") }
            let now = tx.clock.now()
            while payee.nextPayoutAt <= now { payee.nextPayoutAt = payee.nextPayoutAt + payee.schedule.pause }
            try store.save(payee)
            try payee.takeBackMoved(in: tx)
            return try tx.platform.earnings(of: owner).compactMap { balance in
                guard balance.available >= payee.minimum else { return nil }
                // What a provider does not send waits for more, taken from what there is enough of.
                let rest = balance.available % Money.step(of: balance.currency)
                let fromSales = balance.availableSales >= rest ? rest : 0
                // A debt of the one is netted with what the other brings.
                let payout = Payout(
                    id: tx.ids.next(), owner: owner, provider: payee.provider, currency: balance.currency, sales: balance.availableSales - fromSales,
                    commissions: balance.availableCommissions - (rest - fromSales), status: .pending, reference: nil, reason: nil, attempts: 0,
                    dueAt: now, madeAt: now)
                try LedgerStore(tx: tx.platform).post(try payout.posting(tx.ids.next(), at: now))
                try store.insert(payout)
                return payout
            }
        }
    }

    /// Pays those out whose day has come, and gives the orders that are still to be given; one that fails keeps no other from it.
    func payOutDue() async throws {
        var failure: (any Error)?
        var lastPayee: Payee?
        repeat {
            let place = lastPayee
            let due = try await database.readPlatform { tx in
                try PayeeStore(tx: tx).due(at: tx.clock.now(), after: place, limit: Self.payeesAtOnce)
            }
            for payee in due where !Task.isCancelled {
                do { _ = try await payOut(to: payee.owner) } catch { failure = failure ?? error }
            }
            lastPayee = due.count == Self.payeesAtOnce ? due.last : nil
        } while lastPayee != nil && !Task.isCancelled
        var lastPayout: Payout?
        repeat {
            let place = lastPayout
            let pending = try await database.readPlatform { tx in
                try PayeeStore(tx: tx).pending(at: tx.clock.now(), toBanks: false, after: place, limit: Self.payeesAtOnce)
            }
            for payout in pending where !Task.isCancelled {
                do { try await order(payout) } catch { failure = failure ?? error }
            }
            lastPayout = pending.count == Self.payeesAtOnce ? pending.last : nil
        } while lastPayout != nil && !Task.isCancelled
        if let failure { throw failure }
    }

    private static let payeesAtOnce = 200

    private func order(_ payout: Payout) async throws {
        guard !payout.isLeftToPeople(at: clock.now()) else { return try await postpone(payout) }
        guard let known = try await payee(payout.owner) else { return }
        let provider: any PaymentProvider
        do { provider = try await providers.provider(payout.provider) } catch let refusal as Refusal where refusal.code == "provider_missing" {
            return try await postpone(payout)
        }
        let order = PayoutOrder(
            destination: known.destination, amount: Money(minorUnits: payout.amount, currency: payout.currency), note: seller.party.name,
            key: payout.orderKey)
        guard known.payee.provider == payout.provider else { return try await settleMoved(payout, order, at: provider) }
        guard let given = try await mark(payout) else { return }
        do {
            let reference = try await given.mayBeTaken ? provider.payOut(again: order) : provider.payOut(order)
            try await note(payout, sent: reference)
        } catch ProviderError.refused(let reason) {
            try await fail(payout.id, of: payout.owner, reason: reason, after: given)
        } catch ProviderError.unavailable(_) where !given.mayBeTaken {
            try await postpone(payout, after: given, isTaken: false)
        } catch is ProviderError { try await postpone(payout, after: given, isTaken: true) }
    }

    private func note(_ payout: Payout, sent reference: String) async throws {
        try await database.write(in: payout.owner) { tx in
            guard var found = try PayeeStore(tx: tx.platform).payout(payout.id), found.status == .pending else { return }
            (found.status, found.reference) = (.sent, reference)
            try PayeeStore(tx: tx.platform).update(found)
            try ProviderObjectStore(tx: tx.platform).note(payout.provider, reference, of: payout.owner, InvoiceID(payout.id.description))
        }
    }

    /// Its payee is paid by another provider now. It is not ordered again, since it has no destination there: the provider only tells whether it has
    /// it, and what never got there is in the balance again.
    private func settleMoved(_ payout: Payout, _ order: PayoutOrder, at provider: any PaymentProvider) async throws {
        let trace: OrderTrace
        do { trace = try await payout.mayBeTaken ? provider.trace(order) : .absent } catch is ProviderError { trace = .unknown }
        switch trace {
        case .taken(let reference): try await note(payout, sent: reference)
        case .absent:
            try await database.write(in: payout.owner) { tx in
                // Ordered meanwhile by another process, which read the payee before.
                guard let found = try PayeeStore(tx: tx.platform).payout(payout.id), found.status == .pending, found.attempts == payout.attempts
                else { return }
                try found.takeBack(reason: Payee.movedReason, in: tx)
            }
        case .unknown: try await postpone(payout)
        }
    }

    private struct PayoutMark: Sendable {
        /// How often it was ordered, with this time: another number later says that another process orders it too.
        var attempts: Int
        /// Whether the provider may have had it before.
        var mayBeTaken: Bool
    }

    /// Notes that the provider may have a payout's order: before it is given, since a crash loses the answer too.
    /// - Returns: nil where nothing is to be sent any more.
    private func mark(_ payout: Payout) async throws -> PayoutMark? {
        try await database.writePlatform { tx -> PayoutMark? in
            guard var found = try PayeeStore(tx: tx).payout(payout.id), found.status == .pending else { return nil }
            // What was read of the payee may be said anew meanwhile.
            guard try PayeeStore(tx: tx).payee(payout.owner)?.provider == payout.provider else { return nil }
            found.attempts += 1
            let mark = PayoutMark(attempts: found.attempts, mayBeTaken: found.mayBeTaken)
            found.reference = found.orderKey
            try PayeeStore(tx: tx).update(found)
            return mark
        }
    }

    /// - Parameter mark: of the time that it was ordered; nil where it was not, which leaves what is noted.
    private func postpone(_ payout: Payout, after mark: PayoutMark? = nil, isTaken: Bool = false) async throws {
        try await database.writePlatform { tx in
            // Somebody else may have ordered it meanwhile, or taken it back.
            guard var found = try PayeeStore(tx: tx).payout(payout.id), found.status == .pending else { return }
            if let mark {
                guard found.attempts == mark.attempts else { return }
                found.reference = isTaken ? found.orderKey : nil
            } else {
                found.attempts += 1
            }
            found.dueAt = tx.clock.now() + .seconds(min(60 << min(found.attempts, 10), 86_400))
            try PayeeStore(tx: tx).update(found)
        }
    }

    /// A payout came to nothing, or back: it is in the balance again, once.
    /// - Throws: `payout_pending` where an operator says so of one whose order is still given: it would be paid twice.
    func fail(_ id: PayoutID, of owner: TenantID, reason: String, by principal: Principal) async throws {
        try await fail(id, of: owner, reason: reason, by: principal, after: nil)
    }

    private func fail(_ id: PayoutID, of owner: TenantID, reason: String, by principal: Principal? = nil, after mark: PayoutMark?) async throws {
        try await database.write(in: owner) { tx in
            guard let payout = try PayeeStore(tx: tx.platform).payout(id), payout.owner == owner else { throw Refusal.missing("payout") }
            // A refusal is no word about one that was sent meanwhile.
            guard principal != nil || payout.status == .pending else { return }
            // What is refused here may be done for another process, which orders it too.
            if let mark, payout.attempts != mark.attempts { return }
            let isOrdered = payout.status == .pending && payout.provider != Payee.bank && !payout.isLeftToPeople(at: tx.clock.now())
            if principal != nil, isOrdered {
                throw Refusal(.conflict, "payout_pending", "Its order is on its way; whether it was paid is known when the provider has answered.")
            }
            try payout.takeBack(reason: reason, in: tx)
            if let principal { try tx.audit(principal, "payout.fail", "payout:\(id)", ["reason": .string(reason)]) }
        }
    }

    /// The payouts to bank accounts that wait, as a file that a bank takes (ISO 20022 pain.001.001.03); they count as sent then.
    /// - Parameters:
    ///   - account: the IBAN that they are paid from.
    ///   - claim: of the request, whose answer is kept in the same transaction: one that is sent again after a crash has the same file.
    func bankFile(
        from account: String, by principal: Principal, claim: IdempotencyClaim? = nil
    ) async throws -> (file: String, payouts: [Payout]) {
        guard Payee.isIBAN(account) else { throw Refusal.invalid("account", "bad_destination", "account is an IBAN.") }
        let waiting = try await database.readPlatform { tx in
            try PayeeStore(tx: tx).pending(at: tx.clock.now(), toBanks: true, limit: Self.payeesAtOnce)
        }
        var lines: [(Payout, String, String)] = []
        for payout in waiting {
            guard let known = try await payee(payout.owner), known.payee.provider == Payee.bank else { continue }
            lines.append((payout, known.tax.name, known.destination))
        }
        guard !lines.isEmpty else { throw Refusal(.conflict, "nothing_due", "No payout to a bank waits.") }
        let payouts = lines.map(\.0)
        let file = BankFile.document(lines, from: account, of: seller.party, at: clock.now())
        try await database.write(in: Tenancy.platformLog) { tx in
            for payout in payouts {
                guard var found = try PayeeStore(tx: tx.platform).payout(payout.id), found.status == .pending else {
                    throw Refusal(.conflict, "already_sent", "Somebody else has just taken these payouts into a file.")
                }
                (found.status, found.reference) = (.sent, payout.id.description)
                try PayeeStore(tx: tx.platform).update(found)
            }
            try tx.audit(principal, "payout.bank_file", "payouts:\(payouts.count)")
            try claim?.record(BankFileView(file: file, payouts: payouts.map(PayoutView.init)), status: 201, in: tx)
        }
        return (file, payouts)
    }
}

extension Payee {
    static let movedReason = "payee_changed"
    /// Longer than an order that is being given takes: after it the provider knows whether it has it.
    private static let movedPause: Duration = .seconds(600)

    /// What waits to be sent by another provider than this one is paid by now: it is in the balance again, where no order of it can have been taken.
    /// For the others the provider is asked, once an order that is just being given has got there.
    fileprivate func takeBackMoved(in tx: TenantTransaction) throws {
        let store = PayeeStore(tx: tx.platform)
        for payout in try store.pending(of: owner) where payout.provider != provider {
            guard payout.mayBeTaken else {
                try payout.takeBack(reason: Self.movedReason, in: tx)
                continue
            }
            var later = payout
            later.dueAt = tx.clock.now() + Self.movedPause
            try store.update(later)
        }
    }
}

extension Payout {
    fileprivate func posting(_ id: PostingID, at now: Timestamp) throws -> Posting {
        let cash = Account(.cash, provider, currency)
        return try Posting(
            id: id, key: "payout:\(self.id)", kind: "payout", subject: "payout:\(self.id)", at: now,
            transfers: [
                Transfer(sales, debit: Account(.seller, of: owner, currency), credit: cash),
                Transfer(commissions, debit: Account(.affiliate, of: owner, currency), credit: cash)
            ])
    }

    /// Told twice it changes nothing.
    func takeBack(reason: String, in tx: TenantTransaction) throws {
        guard status != .failed else { return }
        var payout = self
        if mayBeTaken { payout.reference = nil }
        (payout.status, payout.reason) = (.failed, String(reason.prefix(200)))
        try PayeeStore(tx: tx.platform).update(payout)
        let ledger = LedgerStore(tx: tx.platform)
        guard let made = try ledger.posting(key: "payout:\(id)") else { throw Refusal.missing("posting") }
        try ledger.post(try made.reversal(id: tx.ids.next(), key: "payout-failed:\(id)", at: tx.clock.now()))
    }
}
