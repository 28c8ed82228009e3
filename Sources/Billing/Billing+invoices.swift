internal import HTTPSurface
internal import Kernel
internal import Persistence
internal import Tenancy

extension Billing {
    func invoices(of tenant: TenantID, before cursor: InvoiceID?, limit: Int) async throws -> [Invoice] {
        try await database.read(in: tenant) { tx in try InvoiceStore(tx: tx).page(before: cursor, limit: limit) }
    }

    func invoice(_ id: InvoiceID, of tenant: TenantID) async throws -> Invoice {
        guard let found = try await database.read(in: tenant, { tx in try InvoiceStore(tx: tx).invoice(id) }) else {
            throw Refusal.missing("invoice")
        }
        return found
    }

    /// What a credit note takes back from; nil for an invoice.
    func corrected(by note: Invoice, of tenant: TenantID) async throws -> Invoice? {
        guard let id = note.corrects else { return nil }
        return try await invoice(id, of: tenant)
    }

    func payments(of tenant: TenantID, before cursor: PaymentID?, limit: Int) async throws -> [Payment] {
        try await database.read(in: tenant) { tx in try PaymentStore(tx: tx).page(before: cursor, limit: limit) }
    }

    /// What is prepaid, by currency.
    func wallet(of tenant: TenantID) async throws -> [Money] {
        try await database.read(in: tenant) { tx in
            try LedgerStore(tx: tx.platform).balances(of: tenant.description).filter { $0.key.kind == .wallet }
                .map { Money(minorUnits: -$0.value, currency: $0.key.currency) }.sorted { $0.currency < $1.currency }
        }
    }

    func postings(of tenant: TenantID, before cursor: PostingID?, limit: Int) async throws -> [Posting] {
        try await database.readPlatform { tx in try LedgerStore(tx: tx).postings(of: tenant.description, before: cursor, limit: limit) }
    }

    /// An operator takes back a part of a tenant's invoice, or all of it.
    /// - Parameter claim: of the request, whose answer is kept in the same transaction: one that is sent again after a crash takes nothing back twice.
    func credit(
        _ id: InvoiceID, _ amount: Int64, to destination: Till.Return, of tenant: TenantID, by principal: Principal, claim: IdempotencyClaim? = nil
    ) async throws -> Invoice {
        let note = try await atTill(of: tenant) { till in
            let note = try till.credit(id, amount, to: destination)
            try till.tx.audit(principal, "invoice.credit", "invoice:\(id)", ["amount": .string(String(amount))])
            try claim?.record(InvoiceView(note), status: 201, in: till.tx)
            return note
        }
        try await giveOrders(of: tenant)
        return note
    }

    /// An operator notes money that came. What a statement had brought before without an invoice is that money, and no longer waits for one.
    func receive(_ line: StatementLine, _ tenant: TenantID, for invoice: InvoiceID?, by principal: Principal) async throws -> Bool {
        try await atTill(of: tenant) { till in
            let payment = try till.receive(line.amount, line.currency, from: "bank", reference: line.id, for: invoice)
            try UnmatchedMoney(tx: till.tx.platform).leave(line)
            if let payment {
                try till.tx.audit(principal, "payment.receive", "payment:\(payment.id)", ["amount": .string(String(line.amount))])
            }
            return payment != nil
        }
    }

    /// Matches the incoming lines of a bank's statement to invoices by the numbers that they name. The same statement again books nothing twice: a
    /// line whose invoice was issued since is its payment now.
    func take(_ lines: [StatementLine], by principal: Principal) async throws -> StatementReport {
        var report = StatementReport()
        for told in lines where told.amount > 0 {
            let (line, found) = try await database.readPlatform { tx -> (StatementLine, (owner: TenantID, invoice: InvoiceID)?) in
                let line = try UnmatchedMoney(tx: tx).asNoted(told)
                for (series, number) in line.invoiceNumbers(series: seller.series) {
                    if let found = try InvoiceNumberStore(tx: tx).find(series, number) { return (line, found) }
                }
                return (line, nil)
            }
            if let found {
                do {
                    if try await receive(line, found.owner, for: found.invoice, by: principal) { report.matched += 1 } else { report.repeated += 1 }
                } catch let refusal as Refusal where refusal.code == Posting.conflict.code {
                    // Somebody noted it by hand for another tenant than the one whose invoice it names.
                    guard try await database.readPlatform({ tx in try UnmatchedMoney(tx: tx).isNoted(line) }) else { throw refusal }
                    report.repeated += 1
                }
            } else {
                let isNew = try await database.writePlatform { tx in try UnmatchedMoney(tx: tx).enter(line) }
                if isNew { report.unmatched.append(line.id) } else { report.repeated += 1 }
            }
        }
        return report
    }

    struct StatementReport: Sendable, Hashable {
        var matched = 0
        var repeated = 0
        var unmatched: [String] = []
    }
}

/// One line of a bank's statement.
struct StatementLine: Sendable, Hashable {
    /// The bank's own reference of the movement, or what stands for it.
    var id: String
    var amount: Int64
    var currency: String
    /// What the payer wrote.
    var text: String
    var former: Former?

    /// What earlier versions took for the reference of a movement that has none: others may have had the same, so that it stands for this one only
    /// where that was noted on the day on which this one was booked, or later.
    struct Former: Sendable, Hashable {
        var id: String
        var bookedAt: Timestamp
    }

    /// Numbers of invoices that the text names, `AIAS-42`, with or without the hyphen and in any case.
    func invoiceNumbers(series: String) -> [(series: String, number: Int64)] {
        let upper = text.uppercased()
        var found: [(String, Int64)] = []
        var rest = Substring(upper)
        while let range = rest.firstRange(of: series.uppercased()) {
            let before = rest[..<range.lowerBound].last
            rest = rest[range.upperBound...]
            let digits = rest.drop { $0 == "-" || $0 == " " }.prefix { $0.isASCII && $0.isNumber }
            if before.map({ !$0.isLetter && !$0.isNumber }) ?? true, let number = Int64(digits) { found.append((series, number)) }
        }
        return found
    }
}
