internal import Kernel
internal import Persistence
internal import Tenancy

extension Billing {
    /// A page of a provider on which an open invoice is paid.
    /// - Throws: `provider_missing`, `nothing_due`, `provider_unavailable`
    func checkout(_ id: InvoiceID, at name: String, of tenant: TenantID, by principal: Principal) async throws -> HostedPage {
        let invoice = try await invoice(id, of: tenant)
        let provider = try await providers.provider(name)
        guard invoice.kind == .invoice, invoice.due > 0 else { throw Refusal(.conflict, "nothing_due", "Nothing of this is due.") }
        let customer = try await customer(of: tenant, invoice.buyer, at: provider)
        // The same page while nothing has changed, another one once it is asked for again, or the next hour: providers close theirs after a day.
        let hour = clock.now().seconds.flooringDivision(3_600)
        let order = HostedOrder(
            tenant: tenant, invoice: id, number: invoice.numberText, amount: Money(minorUnits: invoice.due, currency: invoice.currency),
            customer: customer, returnTo: "\(providers.publicURL)\(BillingPages.address)/invoices/\(id)",
            key: "checkout:\(id):\(invoice.dueAt.seconds):\(invoice.due):\(hour)")
        let page = try await asked(name) { try await provider.checkout(order) }
        try await database.write(in: tenant) { tx in
            try ProviderObjectStore(tx: tx.platform).note(name, page.reference, of: tenant, id)
            try tx.audit(principal, "invoice.checkout", "invoice:\(id)", ["provider": .string(name)])
        }
        return page
    }

    func customer(of tenant: TenantID, _ buyer: Party, at provider: any PaymentProvider) async throws -> String? {
        let known = try await database.read(in: tenant) { tx in try ProviderCustomerStore(tx: tx).customer(provider.name) }
        if let known { return known.customer }
        let party = ProviderParty(tenant: tenant, name: buyer.name, email: buyer.email)
        guard let made = try await asked(provider.name, { try await provider.customer(party) }) else { return nil }
        try await database.write(in: tenant) { tx in
            let store = ProviderCustomerStore(tx: tx)
            guard try store.customer(provider.name) == nil else { return }
            try store.save(.init(provider: provider.name, customer: made, method: nil, label: nil, savedAt: tx.clock.now()))
        }
        return made
    }

    /// - Throws: `missing` where the provider has no such page, or the tenant is not known there.
    func portal(at name: String, of tenant: TenantID) async throws -> String {
        guard let known = try await database.read(in: tenant, { tx in try ProviderCustomerStore(tx: tx).customer(name) }) else {
            throw Refusal.missing("payment portal")
        }
        let provider = try await providers.provider(name)
        let home = providers.publicURL + BillingPages.address
        guard let url = try await asked(name, { try await provider.portal(customer: known.customer, returnTo: home) }) else {
            throw Refusal.missing("payment portal")
        }
        return url
    }

    func methods(of tenant: TenantID) async throws -> [ProviderCustomerStore.Customer] {
        try await database.read(in: tenant) { tx in try ProviderCustomerStore(tx: tx).all().filter { $0.method != nil } }
    }

    /// Nothing is taken from it any more; the provider still knows it.
    func forgetMethod(at name: String, of tenant: TenantID, by principal: Principal) async throws {
        try await database.write(in: tenant) { tx in
            let store = ProviderCustomerStore(tx: tx)
            guard var known = try store.customer(name), known.method != nil else { throw Refusal.missing("payment method") }
            (known.method, known.label) = (nil, nil)
            try store.save(known)
            try tx.audit(principal, "payment_method.remove", "payment_method:\(name)")
        }
    }

    /// A person waits: what a provider says is told to them.
    func asked<Value: Sendable>(_ name: String, _ ask: () async throws -> Value) async throws -> Value {
        do {
            return try await ask()
        } catch let error as ProviderError {
            let reason =
                switch error {
                case .unavailable(let text), .unanswered(let text), .refused(let text): text
                }
            throw Refusal(
                .unavailable, "provider_unavailable", "\(name) cannot do this now: \(reason).", arguments: ["provider": name, "reason": reason],
                retryAfter: .seconds(60))
        }
    }

    // MARK: Orders

    /// Gives the orders that are due: of all tenants, or those that a tenant's own action has just written.
    /// - Throws: the first failure that is ours, after all were tried; a provider that does not answer is asked again later.
    func giveOrders(of tenant: TenantID? = nil) async throws {
        var failure: (any Error)?
        let due = try await database.readSystem { tx in try ProviderTaskStore(tx: tx).due(at: tx.clock.now(), of: tenant, limit: Self.ordersAtOnce) }
        for task in due where !Task.isCancelled {
            do {
                switch task.kind {
                case .charge:
                    if let (name, reference) = task.lookup { try await lookUp(task, at: name, reference) } else { try await charge(task) }
                case .refund: try await refund(task)
                }
            } catch is ProviderError { try await postpone(task) } catch let refusal as Refusal where refusal.code == "provider_missing" {
                try await postpone(task)
            } catch {
                failure = failure ?? error
                // Behind the others, which it would keep from being given.
                try? await database.writeSystem { tx in try ProviderTaskStore(tx: tx).later(task, at: tx.clock.now() + Self.failurePause) }
            }
        }
        if let failure { throw failure }
    }

    private static let ordersAtOnce = 200
    private static let failurePause: Duration = .seconds(600)

    func postpone(_ task: ProviderTask) async throws {
        try await database.write(in: task.tenant) { tx in
            var task = task
            task.attempts += 1
            // A charge that cannot be given is tried anew at the next step of dunning; a refund stays until people look.
            guard task.attempts < task.attemptsMaximum || task.kind == .refund else {
                return try ProviderTaskStore(tx: tx.system).remove(task.key)
            }
            try ProviderTaskStore(tx: tx.system).later(task, at: tx.clock.now() + task.pause)
        }
    }

    private func charge(_ task: ProviderTask) async throws {
        let (isThere, isUndecided) = try await database.readSystem { tx -> (Bool, Bool) in
            let store = ProviderTaskStore(tx: tx)
            return (try store.isThere(task.key), try store.isUndecided(task.subject, of: task.tenant))
        }
        guard isThere else { return }
        // An earlier order may be paid yet.
        guard !isUndecided else { return try await database.writeSystem { tx in try ProviderTaskStore(tx: tx).remove(task.key) } }
        let (found, saved) = try await database.read(in: task.tenant) { tx -> (Invoice?, ProviderCustomerStore.Customer?) in
            // Lost to a bank after it was ordered, it is left to people.
            guard try !PaymentPartStore(tx: tx).isLost(task.subject) else { return (nil, nil) }
            return (try InvoiceStore(tx: tx).invoice(task.subject), try ProviderCustomerStore(tx: tx).charged())
        }
        guard let invoice = found, invoice.status == .open, invoice.due > 0, let saved, let method = saved.method else {
            return try await database.writeSystem { tx in try ProviderTaskStore(tx: tx).remove(task.key) }
        }
        let provider = try await providers.provider(saved.provider)
        // Another amount is another order; the same one again is the same.
        let order = ChargeOrder(
            tenant: task.tenant, invoice: invoice.id, number: invoice.numberText,
            amount: Money(minorUnits: invoice.due, currency: invoice.currency), customer: saved.customer, method: method,
            key: "\(task.key):\(invoice.due)")
        let outcome: ChargeOutcome
        do { outcome = try await provider.charge(order) } catch ProviderError.refused(let reason) { outcome = .declined(reason) }
        try await atTill(of: task.tenant) { till in
            // Another process may have given the same order, and told what came of it.
            let isFirst = try ProviderTaskStore(tx: till.tx.system).finish(task.key)
            switch outcome {
            case .paid(let payment): try till.take(payment, at: provider.name, for: invoice.id)
            case .declined(let reason):
                guard isFirst else { break }
                try till.fail(invoice.id, reason)
                // Steps of dunning that were gone over at once, after a while in which nothing ran, try the card once.
                try ProviderTaskStore(tx: till.tx.system).removeOthers(like: task)
            case .pending(let reference):
                guard let reference else { break }
                let store = ProviderTaskStore(tx: till.tx.system)
                try store.removeOthers(like: task)
                try store.add(
                    .lookup(of: reference, at: provider.name, for: invoice.id, of: task.tenant), at: till.tx.clock.now() + ProviderTask.lookupPause)
            }
        }
    }

    private func refund(_ task: ProviderTask) async throws {
        let found = try await database.read(in: task.tenant) { tx -> (ProviderRefund, Payment)? in
            guard let refund = try PaymentPartStore(tx: tx).refund(task.subject), let payment = try PaymentStore(tx: tx).payment(refund.payment)
            else {
                return nil
            }
            return (refund, payment)
        }
        guard let (refund, payment) = found, refund.status == .pending else {
            return try await database.writeSystem { tx in try ProviderTaskStore(tx: tx).remove(task.key) }
        }
        let order = RefundOrder(
            reference: payment.reference, amount: Money(minorUnits: refund.amount, currency: payment.currency), note: refund.note, key: task.key)
        let provider = try await providers.provider(payment.provider)
        guard let given = try await mark(task) else { return }
        let outcome: RefundOutcome
        do {
            outcome = try await given.mayBeTaken ? provider.refund(again: order) : provider.refund(order)
        } catch let error as ProviderError {
            let isTaken: Bool = if case .unanswered = error { true } else { given.mayBeTaken }
            if !isTaken { try await remove(given, of: task) }
            throw error
        }
        try await atTill(of: task.tenant) { till in
            let found = try PaymentPartStore(tx: till.tx).refund(refund.note)
            // What is refused here may be done for another process, which gives the order too.
            if case .refused = outcome, let found, found.status == .pending, found.reference != given.name { return }
            try ProviderTaskStore(tx: till.tx.system).remove(task.key)
            // A webhook may have told the end of it meanwhile.
            guard var done = found, done.status == .pending else { return }
            switch outcome {
            case .done(let reference):
                (done.status, done.reference) = (.done, reference)
                try PaymentPartStore(tx: till.tx).update(done)
            case .refused: try till.keepRefund(refund.note)
            }
        }
    }

    private struct RefundMark: Sendable {
        /// Of its own for each time that an order is given.
        var name: String
        /// Whether the provider may have had it before.
        var mayBeTaken: Bool
    }

    /// Notes that the provider may have a refund's order: before it is given, since a crash loses the answer too.
    /// - Returns: nil where nothing is to be sent back any more.
    private func mark(_ task: ProviderTask) async throws -> RefundMark? {
        try await database.write(in: task.tenant) { tx -> RefundMark? in
            let parts = PaymentPartStore(tx: tx)
            guard var refund = try parts.refund(task.subject), refund.status == .pending else { return nil }
            let id: InvoiceID = tx.ids.next()
            let mark = RefundMark(name: "\(task.key):\(id)", mayBeTaken: refund.reference != nil)
            refund.reference = mark.name
            try parts.update(refund)
            return mark
        }
    }

    /// The provider has no such order; one that another process gives meanwhile has its own mark, which stays.
    private func remove(_ mark: RefundMark, of task: ProviderTask) async throws {
        try await database.write(in: task.tenant) { tx in
            let parts = PaymentPartStore(tx: tx)
            guard var refund = try parts.refund(task.subject), refund.status == .pending, refund.reference == mark.name else { return }
            refund.reference = nil
            try parts.update(refund)
        }
    }

    // MARK: Webhooks

    /// Applies what a provider tells, once for each of its events, in whatever order they come.
    /// - Throws: `bad_signature`, `bad_event`; another failure makes the provider tell again.
    func hear(_ message: ProviderMessage, from name: String) async throws {
        let provider = try await providers.provider(name)
        do {
            for event in try await provider.events(in: message) { try await apply(event, provider) }
        } catch let error as ProviderError {
            throw Refusal(.unavailable, "provider_unavailable", "\(name) did not answer: \(error).", retryAfter: .seconds(60))
        }
    }

    private func apply(_ event: ProviderEvent, _ provider: any PaymentProvider) async throws {
        let (told, reference) = event.fact.whose
        var owner = told
        if owner == nil, let reference {
            owner = try await database.readPlatform { tx in try ProviderObjectStore(tx: tx).owner(provider.name, reference) }
        }
        if owner == nil, case .payoutReturned(let reference, _, let key) = event.fact {
            owner = try await database.readPlatform { tx in try PayeeStore(tx: tx).payout(reference, key: key, at: provider.name)?.owner }
        }
        var before: ProviderPayment?
        if owner == nil, let reference = event.fact.payment {
            // It came before the payment that it is about.
            before = try await provider.payment(reference)
            owner = before?.tenant
        }
        // What is not ours is the business of whoever shares the account.
        guard let owner, try await tenancy.tenant(owner) != nil else { return }
        let (first, name) = (before, provider.name)
        try await atTill(of: owner) { till in
            if let first { try till.take(first, at: name, for: first.invoice) }
            guard try InvoiceNumberStore(tx: till.tx.platform).note(provider: name, event: event.id, kind: event.kind) else { return }
            try till.apply(event.fact, from: name)
        }
    }
}

extension ProviderEvent.Fact {
    /// Whom it concerns, as it says itself or as we noted under one of the provider's names.
    var whose: (tenant: TenantID?, reference: String?) {
        switch self {
        case .paid(let payment): (payment.tenant, payment.reference)
        case .failed(let tenant, _, _): (tenant, nil)
        case .refunded(let reference, _), .refundFailed(_, let reference, _), .disputed(let reference, _, _, _): (nil, reference)
        case .saved(_, let tenant, let reference): (tenant, reference)
        case .removed(let method): (nil, method)
        case .payoutReturned(let reference, _, _): (nil, reference)
        }
    }

    /// The payment that it takes back, in whole or in part.
    var payment: String? {
        switch self {
        case .refunded(let reference, _), .disputed(let reference, _, _, _): reference
        case .paid, .failed, .refundFailed, .saved, .removed, .payoutReturned: nil
        }
    }
}

extension Till {
    /// Books what a provider has taken, and remembers whose it is.
    mutating func take(_ payment: ProviderPayment, at provider: String, for invoice: InvoiceID?) throws {
        _ = try receive(payment.amount.minorUnits, payment.amount.currency, from: provider, reference: payment.reference, for: invoice)
        try ProviderObjectStore(tx: tx.platform).note(provider, payment.reference, of: tx.tenant.id, invoice)
    }

    func fail(_ id: InvoiceID, _ reason: String) throws {
        guard let invoice = try invoices.invoice(id), invoice.due > 0 else { return }
        try tx.emit(PaymentFailed(invoice, reason: reason))
    }

    mutating func apply(_ fact: ProviderEvent.Fact, from provider: String) throws {
        switch fact {
        case .paid(let payment): try take(payment, at: provider, for: payment.invoice)
        // An order of ours that was declined was told when it was given.
        case .failed(_, let invoice, let reason): if try ProviderCustomerStore(tx: tx).charged() == nil { try fail(invoice, reason) }
        case .refunded(let reference, let total): try noteRefunds(reference, at: provider, total: total)
        case .refundFailed(let note, _, _): try keepRefund(note)
        case .disputed(let reference, let outcome, let amount, let fee):
            try dispute(reference, at: provider, outcome, amount: amount, fee: fee)
        case .saved(let saved, _, _):
            try ProviderCustomerStore(tx: tx).save(
                .init(provider: provider, customer: saved.customer, method: saved.method, label: saved.label, savedAt: tx.clock.now()))
            try ProviderObjectStore(tx: tx.platform).note(provider, saved.method, of: tx.tenant.id, nil)
        case .payoutReturned(let reference, let reason, let key):
            try PayeeStore(tx: tx.platform).payout(reference, key: key, at: provider)?.takeBack(reason: reason, in: tx)
        case .removed(let method):
            let store = ProviderCustomerStore(tx: tx)
            guard var known = try store.customer(provider), known.method == method else { return }
            (known.method, known.label) = (nil, nil)
            try store.save(known)
        }
    }
}
