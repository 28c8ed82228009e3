import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

@Suite(.timeLimit(.minutes(4))) struct TillTests {
    @Test(arguments: DatabaseEngine.allCases) func `a customer's year, with the ledger, the invoices and the limits in step`(engine: DatabaseEngine)
        async throws
    {
        try await withBilling(engine) { harness in
            #expect(try await refusal { try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)) } == "profile_required")
            try await harness.profile()
            // The trial: nothing is charged, the plan is there.
            let trial = try await harness.perform(.start(.starter, .month, trialDays: 14, overageCap: 0))
            #expect(trial.subscription.status == .trialing && trial.invoices.isEmpty)
            harness.days(14)
            try await harness.billing.collectDue()
            let first = try #require(try await harness.billing.invoices(of: harness.id, before: nil, limit: 1).first)
            #expect(first.total == 2_900 && first.number == 1 && first.status == .open)
            try await harness.check("after the trial")
            // Paid in two parts, one of them told twice.
            #expect(try await harness.pay(1_000, reference: "B1", for: first))
            #expect(try await harness.pay(1_000, reference: "B1", for: first) == false)
            #expect(try await refusal { try await harness.pay(999, reference: "B1", for: first) } == "key_reused")
            #expect(try await harness.pay(2_000, reference: "B2", for: first))
            #expect(try await harness.billing.invoice(first.id, of: harness.id).status == .paid)
            #expect(try await harness.billing.wallet(of: harness.id) == [Money(minorUnits: 100, currency: "USD")])
            try await harness.check("after the payments")
            // Upgrade: what the preview says is what happens.
            harness.days(12)
            let preview = try await harness.billing.preview(.change(.professional, .month), of: harness.id)
            #expect(try await harness.billing.subscription(of: harness.id)?.plan == .starter)
            let upgrade = try await harness.perform(.change(.professional, .month))
            #expect(preview.invoices.map(\.total) == upgrade.invoices.map(\.total) && upgrade.invoices[0].paid == 100)
            #expect(upgrade.invoices[0].number == 2 && preview.invoices[0].number == 2)
            #expect(try await harness.limit() == 10_000)
            // Beyond the included executions, up to what was agreed.
            try await harness.perform(.overage(5_000))
            #expect(try await harness.limit() == 15_000)
            try await harness.database.write(in: harness.id) { tx in
                try tx.meter("executions", quantity: 11_500, key: "run:1", at: tx.clock.now())
                try tx.meter("executions", quantity: 11_500, key: "run:1", at: tx.clock.now())
            }
            #expect(try await harness.pay(upgrade.invoices[0].due, reference: "B3", for: upgrade.invoices[0]))
            let renewal = try #require(try await harness.billing.subscription(of: harness.id)).period.end
            harness.lease.clock.set(renewal)
            try await harness.billing.collectDue()
            let third = try #require(try await harness.billing.invoices(of: harness.id, before: nil, limit: 1).first)
            #expect(third.total == 9_900 + 750)
            try await harness.check("after the renewal")
            // Nobody pays: told, then past due, then ended; the executions stop.
            harness.days(15)
            try await harness.billing.collectDue()
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .pastDue)
            #expect(try await harness.limit() == 15_000)
            #expect(try await refusal { try await harness.perform(.change(.enterprise, .month)) } == "invoice_overdue")
            // Paid late: there again at once.
            #expect(try await harness.pay(third.due, reference: "B4", for: third))
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .active)
            // A dispute, told twice and out of order; while it is open nothing is refunded.
            let payments = try await harness.billing.payments(of: harness.id, before: nil, limit: 10)
            let disputed = try #require(payments.first { $0.reference == "B4" })
            for outcome in [Till.DisputeOutcome.opened, .opened] {
                try await harness.billing.atTill(of: harness.id) { till in try till.dispute("B4", at: "bank", outcome, fee: 1_500) }
            }
            #expect(
                try await refusal { try await harness.billing.credit(third.id, 100, to: .payment(disputed.id), of: harness.id, by: harness.ana) }
                    == "dispute_open")
            try await harness.check("in the dispute")
            for outcome in [Till.DisputeOutcome.won, .opened, .won, .lost] {
                try await harness.billing.atTill(of: harness.id) { till in try till.dispute("B4", at: "bank", outcome, fee: 1_500) }
            }
            #expect(try await harness.balance(.providerFees) == 1_500)
            try await harness.check("after the dispute")
            // A refund in parts, never more than was paid.
            let note = try await harness.billing.credit(third.id, 650, to: .payment(disputed.id), of: harness.id, by: harness.ana)
            #expect(note.numberText == "AIAS-C-C1" || note.kind == .creditNote)
            #expect(
                try await refusal { try await harness.billing.credit(third.id, 10_001, to: .wallet, of: harness.id, by: harness.ana) }
                    == "exceeds_invoice")
            _ = try await harness.billing.credit(third.id, 10_000, to: .payment(disputed.id), of: harness.id, by: harness.ana)
            try await harness.check("after the refunds")
            // Down at the end of the period, then away.
            try await harness.perform(.change(.starter, .month))
            #expect(try await harness.billing.subscription(of: harness.id)?.plan == .professional)
            harness.lease.clock.set(try #require(try await harness.billing.subscription(of: harness.id)).period.end)
            try await harness.billing.collectDue()
            #expect(try await harness.billing.subscription(of: harness.id)?.plan == .starter)
            #expect(try await harness.limit() == 6_000)
            try await harness.perform(.cancel)
            harness.lease.clock.set(try #require(try await harness.billing.subscription(of: harness.id)).period.end)
            try await harness.billing.collectDue()
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .cancelled)
            #expect(try await harness.limit() == 0)
            try await harness.check("at the end")
            let numbers = try await harness.billing.invoices(of: harness.id, before: nil, limit: 50).filter { $0.kind == .invoice }.map(\.number)
            #expect(numbers == Array((1...Int64(numbers.count)).reversed()))
        }
    }

    @Test func `an invoice that nobody pays ends the subscription after three reminders, and paying it lets one begin anew`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let started = try await harness.perform(.start(.starter, .year, trialDays: 0, overageCap: 0))
            #expect(started.invoices[0].total == 29_000)
            var steps: [Int] = []
            for _ in 0..<40 {
                harness.days(1)
                try await harness.billing.collectDue()
                steps.append(try await harness.billing.invoice(started.invoices[0].id, of: harness.id).reminders)
            }
            #expect(steps[12] == 0 && steps[13] == 1 && steps[16] == 2 && steps[20] == 3 && steps[34] == 4)
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .cancelled)
            #expect(try await harness.limit() == 0)
            #expect(try await refusal { try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)) } == "invoice_overdue")
            #expect(try await harness.pay(29_000, reference: "late", for: nil))
            try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
            #expect(try await harness.limit() == 1_000)
            #expect(try await refusal { try await harness.perform(.start(.starter, .month, trialDays: 14, overageCap: 0)) } == "already_subscribed")
            try await harness.check()
        }
    }

    @Test func `who resumes while an invoice is overdue is past due`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let first = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            try await harness.perform(.pause)
            harness.days(15)
            #expect(try await harness.perform(.resume).subscription.status == .pastDue)
            #expect(try await refusal { try await harness.perform(.change(.professional, .month)) } == "invoice_overdue")
            _ = try await harness.pay(first.due, reference: "late", for: first)
            #expect(try await harness.billing.subscription(of: harness.id)?.status == .active)
            try await harness.check()
        }
    }

    @Test(arguments: [
        ("DE", String?.none, 19, VATRules.Treatment.standard), ("FR", nil, 20, .standard), ("FR", "FR12345678901", 0, .reverseCharge),
        ("US", nil, 0, .outsideScope)
    ]) func `tax follows who buys`(country: String, vatID: String?, percent: Int64, treatment: VATRules.Treatment) async throws {
        try await withBilling { harness in
            try await harness.profile(country, vatID: vatID)
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            #expect(invoice.tax == 29 * percent && invoice.total == 2_900 + 29 * percent && invoice.treatment == treatment)
            #expect(try await harness.balance(.tax) == -29 * percent)
            // Taken back in three parts, the tax goes back to the cent.
            for part in [333, 1_000, invoice.total - 1_333] {
                _ = try await harness.billing.credit(invoice.id, Int64(part), to: .wallet, of: harness.id, by: harness.ana)
            }
            for kind in [Account.Kind.tax, .revenue, .receivable] { #expect(try await harness.balance(kind) == 0) }
            #expect(
                UBL.document(invoice).contains(
                    "<cbc:TaxInclusiveAmount currencyID=\"USD\">\(Money(minorUnits: invoice.total, currency: "USD").decimalText)<"))
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `invoices of many tenants at once are numbered without a gap, also where some fail`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            var tenants: [TenantID] = []
            for index in 0..<8 {
                let new = NewTenant(name: "T\(index)", subdomain: "tenant\(index)", plan: .starter)
                tenants.append(try await harness.tenancy.createTenant(new, owner: "o\(index)@example.com", by: .system(in: nil)).tenant.id)
                if index % 2 == 0 { _ = try await harness.billing.setProfile(BillingHarness.german, of: tenants[index], by: harness.ana) }
            }
            let billing = harness.billing
            try await withThrowingTaskGroup(of: Void.self) { group in
                for tenant in tenants {
                    group.addTask {
                        _ = try await refusal {
                            try await billing.perform(.start(.starter, .month, trialDays: 0, overageCap: 0), of: tenant, by: .system(in: tenant))
                        }
                        _ = try await refusal { try await billing.preview(.change(.professional, .month), of: tenant) }
                    }
                }
                try await group.waitForAll()
            }
            let numbers: [Int64] = try await harness.database.readPlatform { tx in
                try tx.all("SELECT number FROM invoice_numbers ORDER BY number") { try $0.column(0) }
            }
            #expect(numbers == [1, 2, 3, 4])
            #expect(try await billing.ledger.faults() == [])
        }
    }

    @Test func `tenants whose billing fails keep no other from theirs, however many they are`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
            let subscription = try #require(try await harness.billing.subscription(of: harness.id))
            // More than are looked for at once, due before the others, and without anybody to be invoiced.
            for _ in 0..<201 {
                let id: TenantID = harness.lease.ids.next()
                try await harness.database.write(in: id) { tx in
                    try SubscriptionStore(tx: tx).save(subscription)
                    try BillingDueStore(tx: tx.system).set(id, subscription.period.start)
                }
            }
            harness.lease.clock.set(subscription.period.end)
            #expect(try await refusal { try await harness.billing.collectDue() } == "profile_required")
            #expect(try await harness.billing.invoices(of: harness.id, before: nil, limit: 9).count == 2)
        }
    }

    @Test func `one payment pays more invoices than a posting has transfers`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let seller = try await harness.seller("sel")
            let count = Int64(Posting.transfersMaximum + 5)
            for place in 0..<count {
                let order = SaleOrder(
                    key: "\(place)", seller: seller, listing: "reader", kind: .template, name: "Reader",
                    amount: Money(minorUnits: 100, currency: "USD"))
                _ = try await harness.billing.sell(order, to: harness.id, by: harness.ana)
            }
            #expect(try await harness.pay(count * 100 + 50, reference: "B1", for: nil))
            let all = try await harness.billing.invoices(of: harness.id, before: nil, limit: 200)
            #expect(all.count == Int(count) && all.allSatisfy { $0.status == .paid })
            #expect(try await harness.balance(.wallet) == -50)
            try await harness.check()
        }
    }

    @Test func `a bank's statement pays the invoices that it names, once`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            let csv =
                "id;amount;currency;text\nB1;10.00;USD;\"Rent; and aias 1\"\nB2;19.00;USD;Invoice AIAS-1\nB3;5.00;USD;thank you\nB4;-7.00;USD;out\n"
            let lines = try Statement.read(csv, format: "csv")
            let report = try await harness.billing.take(lines, by: BillingHarness.operatorOf)
            #expect(report == .init(matched: 2, repeated: 0, unmatched: ["B3"]))
            #expect(try await harness.billing.take(lines, by: BillingHarness.operatorOf) == .init(matched: 0, repeated: 3, unmatched: []))
            #expect(try await harness.billing.invoice(invoice.id, of: harness.id).status == .paid)
            #expect(try await harness.balance(.unmatched) == -500)
            try await harness.check()
            for text in [
                "id;amount\n", "id;amount;currency;text\nB;1.001;USD;x", "id;amount;currency;text\nB;1;USD", "id;amount;currency;text\n\"B;1;USD;x"
            ] {
                #expect(throws: Refusal.self, "\(text)") { try Statement.read(text, format: "csv") }
            }
            #expect(
                StatementLine(id: "", amount: 1, currency: "USD", text: "XAIAS-7 aias9, AIAS 12").invoiceNumbers(series: "AIAS").map(\.number) == [
                    9, 12
                ])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `money without an invoice is booked once, also where its invoice comes later or a person finds it`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            func take(_ id: String, _ amount: Int64, _ text: String) async throws -> Billing.StatementReport {
                try await harness.billing.take([StatementLine(id: id, amount: amount, currency: "USD", text: text)], by: BillingHarness.operatorOf)
            }
            #expect(try await take("B1", 2_900, "for AIAS-1") == .init(matched: 0, repeated: 0, unmatched: ["B1"]))
            #expect(try await take("B1", 2_900, "for AIAS-1") == .init(matched: 0, repeated: 1, unmatched: []))
            #expect(try await harness.balance(.unmatched) == -2_900)
            // The invoice that it names is there now.
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            #expect(try await take("B1", 2_900, "for AIAS-1") == .init(matched: 1, repeated: 0, unmatched: []))
            #expect(try await take("B1", 2_900, "for AIAS-1") == .init(matched: 0, repeated: 1, unmatched: []))
            #expect(try await harness.billing.invoice(invoice.id, of: harness.id).status == .paid)
            #expect(try await harness.balance(.cash) == 2_900)
            #expect(try await harness.balance(.unmatched) == 0)
            // A person knows whose it is, after the statement and before it.
            #expect(try await take("B2", 500, "thank you").unmatched == ["B2"])
            #expect(try await refusal { try await harness.pay(501, reference: "B2", for: nil) } == "key_reused")
            #expect(try await harness.pay(500, reference: "B2", for: nil))
            #expect(try await harness.pay(700, reference: "B3", for: nil))
            for (id, amount) in [("B2", Int64(500)), ("B3", 700)] {
                #expect(try await take(id, amount, "thank you") == .init(matched: 0, repeated: 1, unmatched: []))
            }
            #expect(try await refusal { try await take("B3", 701, "thank you") } == "key_reused")
            // A person noted it for another tenant than the one whose invoice it names: the lines after it are read all the same.
            let other = try await harness.tenancy.createTenant(
                NewTenant(name: "Other", subdomain: "other", plan: .starter), owner: "otto@example.com", by: Principal(actor: .system)
            ).tenant.id
            let line = StatementLine(id: "B4", amount: 900, currency: "USD", text: "for AIAS-1")
            #expect(try await harness.billing.receive(line, other, for: nil, by: BillingHarness.operatorOf))
            #expect(try await take("B4", 900, "for AIAS-1") == .init(matched: 0, repeated: 1, unmatched: []))
            #expect(try await refusal { try await take("B4", 901, "for AIAS-1") } == "key_reused")
            #expect(try await harness.balance(.cash) == 2_900 + 500 + 700 + 900)
            #expect(try await harness.balance(.unmatched) == 0)
            try await harness.check("at the end")
        }
    }

    @Test func `camt.053 gives the booked credits with what the payers wrote`() throws {
        func entry(_ id: String, _ kind: String, _ status: String, _ text: String) -> String {
            """
            <Ntry><NtryRef>\(id)</NtryRef><Amt Ccy="EUR">29.00</Amt><CdtDbtInd>\(kind)</CdtDbtInd><Sts><Cd>\(status)</Cd></Sts>
            <AcctSvcrRef>\(id)</AcctSvcrRef><NtryDtls><TxDtls><RmtInf><Ustrd>\(text)</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
            """
        }
        let text =
            "<Document><BkToCstmrStmt><Stmt>\(entry("A", "CRDT", "BOOK", "AIAS-3 &amp; more"))\(entry("B", "DBIT", "BOOK", "out"))\(entry("C", "CRDT", "PDNG", "AIAS-4"))</Stmt></BkToCstmrStmt></Document>"
        #expect(try Statement.read(text, format: "camt.053") == [StatementLine(id: "A", amount: 2_900, currency: "EUR", text: "AIAS-3 & more")])
        #expect(throws: Refusal.self) { try Statement.read("<!DOCTYPE x>" + text, format: "camt.053") }
    }

    /// A day's statement of entries without the bank's own reference: the numbers count anew in each.
    private func statement(_ id: String, _ day: String, _ entries: [(amount: String, text: String)], reference: String = "") -> String {
        let all = entries.enumerated().map { place, entry in
            """
            <Ntry><NtryRef>\(place + 1)</NtryRef><Amt Ccy="USD">\(entry.amount)</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
            <BookgDt><Dt>\(day)</Dt></BookgDt>\(reference)<NtryDtls><TxDtls><RmtInf><Ustrd>\(entry.text)</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
            """
        }
        return "<Document><BkToCstmrStmt><Stmt><Id>\(id)</Id><Acct><Id><IBAN>DE89</IBAN></Id></Acct>\(all.joined())</Stmt></BkToCstmrStmt></Document>"
    }

    @Test(arguments: ["", "<AcctSvcrRef>NONREF</AcctSvcrRef>"])
    func `movements without a bank's reference are each one, in whatever statements they come`(reference: String) async throws {
        try await withBilling { harness in
            try await harness.profile()
            func take(_ text: String) async throws -> Billing.StatementReport {
                try await harness.billing.take(try Statement.read(text, format: "camt.053"), by: BillingHarness.operatorOf)
            }
            // Two that are equal, then a month later one more, as the first of its statement.
            let january = statement("1", "2026-01-15", [("29.00", "thanks"), ("29.00", "thanks")], reference: reference)
            #expect(try await take(january).unmatched.count == 2)
            #expect(try await take(january).repeated == 2)
            #expect(try await take(statement("2", "2026-02-15", [("29.00", "thanks")], reference: reference)).unmatched.count == 1)
            // One that brings a day again, with others before.
            let whole = statement("3", "2026-01-15", [("5.00", "more"), ("29.00", "thanks"), ("29.00", "thanks")], reference: reference)
            let report = try await take(whole)
            #expect(report.unmatched.count == 1 && report.repeated == 2)
            #expect(try await harness.balance(.unmatched) == -(3 * 2_900 + 500))
            #expect(report.unmatched.allSatisfy { $0.hasPrefix("2026-01-15/5.00/") })
        }
    }

    @Test func `what an earlier version noted by the number in its statement is not noted again, and stands for no later movement`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            let day = String(harness.lease.clock.now.description.prefix(10))
            let former = StatementLine(id: "1", amount: 2_900, currency: "USD", text: "thanks")
            #expect(try await harness.billing.take([former], by: BillingHarness.operatorOf).unmatched == ["1"])
            let same = try Statement.read(statement("1", day, [("29.00", "thanks")]), format: "camt.053")
            #expect(try await harness.billing.take(same, by: BillingHarness.operatorOf) == .init(matched: 0, repeated: 1, unmatched: []))
            harness.days(30)
            let later = String(harness.lease.clock.now.description.prefix(10))
            let other = try Statement.read(statement("2", later, [("29.00", "thanks")]), format: "camt.053")
            #expect(try await harness.billing.take(other, by: BillingHarness.operatorOf).unmatched.count == 1)
            #expect(try await harness.balance(.unmatched) == -5_800)
        }
    }

    @Test func `a year of a sandbox passes in a moment, and only a sandbox's`() async throws {
        try await withBilling { harness in
            try await harness.profile()
            try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
            let start = harness.lease.clock.now
            let later = start + .seconds(365 * 86_400)
            #expect(try await refusal { try await harness.billing.moveClock(of: harness.id, to: later, by: harness.ana) } == "not_a_sandbox")
            _ = try await harness.tenancy.updateTenant(harness.id, TenantChange(features: ["sandbox"]), by: .system(in: nil))
            for month in 1...12 {
                let time = BillingCalendar(zone: "UTC").moment(months: Int64(month), after: start)
                _ = try await harness.billing.moveClock(of: harness.id, to: time, by: harness.ana)
                let open = try await harness.billing.invoices(of: harness.id, before: nil, limit: 1)[0]
                let moved = try await harness.pay(5_800 - (month == 1 ? 0 : 2_900), reference: "M\(month)", for: open)
                #expect(moved)
            }
            let all = try await harness.billing.invoices(of: harness.id, before: nil, limit: 50)
            #expect(all.count == 13 && all.allSatisfy { $0.status == .paid })
            #expect(try await refusal { try await harness.billing.moveClock(of: harness.id, to: start, by: harness.ana) } == "out_of_range")
            try await harness.check()
        }
    }

    @Test(arguments: Seeds.kept.prefix(4)) func `whatever a customer does, the ledger is whole and the receivable is what is due`(seed: UInt64)
        async throws
    {
        try await withBilling { harness in
            var random = Seeded(seed)
            try await harness.profile("DE")
            try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
            for step in 0..<60 {
                harness.lease.clock.advance(by: .seconds(Int64.random(in: 0...1_500_000, using: &random)))
                let invoices = try await harness.billing.invoices(of: harness.id, before: nil, limit: 20).filter { $0.kind == .invoice }
                let payments = try await harness.billing.payments(of: harness.id, before: nil, limit: 20)
                let amount = Int64.random(in: 1...12_000, using: &random)
                let pick = Int.random(in: 0...8, using: &random)
                let plan = [PlanName.starter, .professional, .enterprise].randomElement(using: &random)!
                let (invoice, payment) = (invoices.randomElement(using: &random), payments.randomElement(using: &random))
                let outcome = [Till.DisputeOutcome.opened, .won, .lost].randomElement(using: &random)!
                _ = try await refusal {
                    switch pick {
                    case 0: try await harness.perform(.change(plan, .month))
                    case 1: try await harness.perform(.cancel)
                    case 2: try await harness.perform(.keep)
                    case 3...5:
                        _ = try await harness.pay(invoice?.due ?? 0 > 0 && pick == 3 ? invoice!.due : amount, reference: "P\(step / 2)", for: invoice)
                    case 6:
                        if let invoice {
                            _ = try await harness.billing.credit(
                                invoice.id, amount, to: payment.map { .payment($0.id) } ?? .wallet, of: harness.id, by: harness.ana)
                        }
                    case 7:
                        if let payment {
                            try await harness.billing.atTill(of: harness.id) { till in
                                try till.dispute(payment.reference, at: "bank", outcome, fee: 100)
                            }
                        }
                    default: try await harness.perform(.start(plan, .month, trialDays: 0, overageCap: 0))
                    }
                }
                try await harness.billing.collectDue()
                try await harness.check("seed \(seed), step \(step)")
                for payment in try await harness.billing.payments(of: harness.id, before: nil, limit: 50) {
                    #expect(payment.refunded <= payment.amount)
                }
            }
        }
    }
}
