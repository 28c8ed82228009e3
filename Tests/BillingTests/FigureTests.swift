import HTTPSurface
import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

/// The figures of the business, by hand and against the ledger.
@Suite(.timeLimit(.minutes(5))) struct FigureTests {
    static func change(_ tenant: UInt64, _ at: String, _ monthly: Int64) throws -> RevenueChange {
        RevenueChange(
            tenant: TenantID(high: 0, low: tenant), at: try #require(Timestamp("\(at)T00:00:00Z")), currency: "USD", monthly: monthly)
    }
    static func month(_ text: String) throws -> Month { try #require(Month(text)) }

    @Test func `months are counted in UTC`() throws {
        let december = try Self.month("2025-12")
        #expect((december + 1).text == "2026-01" && (december + 1) - december == 1)
        #expect(Month(of: december.end) == december + 1 && Month(of: Timestamp(microseconds: december.end.microseconds - 1)) == december)
        #expect(Month("2026-13") == nil && Month("26-01") == nil && Month("2026-1") == nil)
    }

    /// 100 customers of 10.00: 5 leave, 10 go to 15.00, 4 to 5.00, and 8 new ones come.
    /// NRR = (100·10 - 5·10 + 10·5 - 4·5) / 1,000 = 98%; GRR = (1,000 - 50 - 20) / 1,000 = 93%; logo churn 5%; growth (980 + 80) / 1,000 - 1 = 6%.
    /// CAC = 800.00 / 8 = 100.00; payback = 800.00 / 80.00 = 10 months; ARPA = 1,060.00 / 103 = 10.29; LTV = 10.2913 / 0.05 = 205.83.
    @Test func `a month by hand`() throws {
        var changes: [RevenueChange] = []
        for tenant in 1...100 as ClosedRange<UInt64> { changes.append(try Self.change(tenant, "2026-02-03", 1_000)) }
        for tenant in 1...5 as ClosedRange<UInt64> { changes.append(try Self.change(tenant, "2026-03-10", 0)) }
        for tenant in 6...15 as ClosedRange<UInt64> { changes.append(try Self.change(tenant, "2026-03-11", 1_500)) }
        for tenant in 16...19 as ClosedRange<UInt64> { changes.append(try Self.change(tenant, "2026-03-12", 500)) }
        for tenant in 101...108 as ClosedRange<UInt64> { changes.append(try Self.change(tenant, "2026-03-13", 1_000)) }
        let march = try Self.month("2026-03")
        let found = MonthFigures.rows([march], changes.shuffled(), [], spend: [march: 80_000])[0]
        let move = found.movement
        #expect(move.start == 100_000 && move.end == 106_000 && move.retained == 98_000 && move.kept == 93_000)
        #expect(move.netRetention == 9_800 && move.grossRetention == 9_300 && move.customerChurn == 500 && move.growth == 600)
        #expect(move.revenueChurn == 700 && move.customersNew == 8 && move.customersAtEnd == 103)
        #expect(found.annual == 1_272_000 && found.averageRevenue == 1_029)
        #expect(found.acquisitionCost == 10_000 && found.payback == 1_000)
        #expect(found.lostOfYear == 5 && found.atStartOfYear == 100 && found.lifetimeValue == 20_583)
        // The rows behind it are what it is.
        #expect(move.moves.filter { $0.kind == .churn }.reduce(0) { $0 + $1.amount } == move.churn && move.moves.count == 27)
        let february = MonthFigures.rows([try Self.month("2026-02")], changes, [], spend: [:])[0]
        #expect(february.movement.growth == nil && february.movement.netRetention == nil && february.lifetimeValue == nil)
        #expect(february.acquisitionCost == nil && february.payback == nil)
    }

    @Test(arguments: Seeds.kept) func `rows, retention and movements agree over random histories`(seed: UInt64) throws {
        var random = Seeded(seed)
        let first = try Self.month("2026-01")
        let changes = (0..<300).map { _ in
            RevenueChange(
                tenant: TenantID(high: 0, low: .random(in: 1...25, using: &random)),
                at: first.start + .seconds(.random(in: 0..<(86_400 * 360), using: &random)), currency: "USD",
                monthly: [0, 0, 2_900, 9_900, 24_917].randomElement(using: &random)!)
        }
        let rows = MonthFigures.rows((0..<12).map { first + $0 }, changes, [], spend: [:])
        for (row, next) in zip(rows, rows.dropFirst()) { #expect(row.movement.end == next.movement.start) }
        for move in rows.map(\.movement) {
            let sums = Dictionary(grouping: move.moves, by: \.kind).mapValues { $0.reduce(0) { $0 + $1.amount } }
            #expect((sums[.new] ?? 0, sums[.churn] ?? 0) == (move.new, move.churn))
            #expect(
                (sums[.expansion] ?? 0, sums[.contraction] ?? 0, sums[.reactivation] ?? 0) == (move.expansion, move.contraction, move.reactivation))
            #expect(move.kept <= move.start && move.kept <= move.retained && move.retained <= move.end)
        }
    }

    /// The table of the book's section on Holt's method: air passengers of Australia from 1990 to 2016, with its parameters.
    /// Source: https://otexts.com/fpp2/holt.html; its figures are rounded to two places.
    @Test func `Holt's method gives the published figures`() {
        let passengers = [
            17.55, 21.86, 23.89, 26.93, 26.89, 28.83, 30.08, 30.95, 30.19, 31.58, 32.58, 33.48, 39.02, 41.39, 41.60, 44.66, 46.95, 48.73, 51.49,
            50.03,
            60.64, 63.36, 66.36, 68.20, 68.12, 69.78, 72.60
        ]
        let found = Forecast(passengers, alpha: 0.8321, beta: 0.0001, level: 15.57, trend: 2.102)
        for (step, published) in [74.60, 76.70, 78.80, 80.91, 83.01].enumerated() {
            #expect(abs(found.point(step + 1).mean - published) < 0.011, "\(step + 1)")
        }
    }

    /// α = 0.5, β = 0.4 (B = 0.2), SSE = 8 of 6 values, so σ² = 4. Three steps ahead: 1 + 2·(0.25 + 0.5·0.2·3 + 0.04·3·5/6) = 2.3; the deviation is
    /// √9.2 = 3.0332, and nineteen in twenty lie within 1.96 times that.
    @Test func `the intervals are those of the formula`() throws {
        var found = Forecast([], alpha: 0.5, beta: 0.4, level: 100, trend: 10)
        (found.squares, found.count) = (8, 6)
        let point = found.point(3)
        #expect(point.mean == 130)
        #expect(
            abs(point.wide.upperBound - 130 - 1.959_964 * 3.033_150) < 0.000_1 && abs(point.likely.lowerBound - 130 + 1.281_552 * 3.033_150) < 0.000_1
        )
        #expect(abs(found.point(1).wide.upperBound - 110 - 1.959_964 * 2) < 0.000_1)
        // A straight line goes on, and nothing is uncertain about it.
        let line = try Forecast([100, 200, 300, 400, 500, 600])
        #expect(abs(line.point(2).mean - 800) < 0.001 && line.point(2).wide.upperBound - line.point(2).wide.lowerBound < 0.001)
        #expect(throws: Refusal.self) { try Forecast([1, 2, 3, 4, 5]) }
    }

    @Test func `promoters less detractors of all who answered`() {
        // Of ten: five promoters, two passives, three detractors.
        let tally = SatisfactionTally([10, 9, 9, 10, 9, 7, 8, 6, 0, 3])
        #expect((tally.promoters, tally.passives, tally.detractors) == (5, 2, 3) && tally.score == 20)
        #expect(SatisfactionTally([Int64]()).score == nil && SatisfactionTally([0, 6]).score == -100)
    }

    @Test func `spend is read from CSV, all of it or nothing`() throws {
        let read = try Spend.read("\u{feff}Month;Source;Amount;Currency\r\n2026-01;ads;500.00;EUR\r\n2026-02;\"fairs\";12.5;USD\r\n")
        #expect(read.map(\.amount) == [50_000, 1_250] && read.map(\.currency) == ["EUR", "USD"] && read[1].source == "fairs")
        for bad in [
            "", "month,source\n2026-01,ads", "month,source,amount\n2026-1,ads,5", "month,source,amount\n2026-01,ads,five",
            "month,source,amount\n2026-01"
        ] {
            #expect(throws: Refusal.self) { try Spend.read(bad) }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `what is collected and the cohorts are the ledger's`(engine: DatabaseEngine) async throws {
        try await withBilling(engine) { harness in
            try await harness.profile()
            let began = Month(of: harness.lease.clock.now)
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            _ = try await harness.pay(invoice.total + 500, reference: "B1", for: invoice)
            harness.days(35)
            _ = try await harness.perform(.change(.professional, .month))
            let open = try await harness.billing.invoices(of: harness.id, before: nil, limit: 9).filter { $0.due > 0 }
            for (index, one) in open.enumerated() { _ = try await harness.pay(one.due, reference: "B\(index + 2)", for: one) }
            let payment = try #require(try await harness.billing.payments(of: harness.id, before: nil, limit: 9).last)
            _ = try await harness.billing.credit(invoice.id, 900, to: .payment(payment.id), of: harness.id, by: harness.ana)
            let report = try await harness.billing.figures(months: 12, "USD")
            let cash = try await harness.balance(.cash)
            #expect(cash > 0 && report.months.reduce(0) { $0 + $1.collected } == cash)
            #expect(report.cohorts.count == 1 && report.cohorts[0].month == began && report.cohorts[0].customers == 1)
            #expect(report.cohorts[0].ages.reduce(0) { $0 + $1.collected } == cash)
            #expect(report.cohorts[0].ages.first?.monthly == 2_900 && report.cohorts[0].ages.last?.monthly == 9_900)
            for month in report.months {
                let detail = try await harness.billing.detail(of: month.month, "USD")
                #expect(detail.collections.reduce(0) { $0 + $1.amount } == month.collected && detail.figures.movement == month.movement)
            }
            #expect(try await refusal { try report.forecast() } == "history_short")
            try await harness.check()
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `inputs replace what was known, and stand beside what came of them`(engine: DatabaseEngine)
        async throws
    {
        try await withBilling(engine) { harness in
            try await harness.profile()
            try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
            let month = Month(of: harness.lease.clock.now)
            for amount in [1_000, 7_000] as [Int64] {
                try await harness.billing.enter(
                    [try Spend(month: month.text, source: "ads", currency: "USD", amount: amount)], by: BillingHarness.operatorOf)
            }
            for value in [5_000, 3_000] as [Int64] {
                try await harness.billing.aim(
                    FigureTarget(month: month, figure: .recurring, currency: "USD", value: value), by: BillingHarness.operatorOf)
            }
            let report = try await harness.billing.figures(months: 2, "USD")
            #expect(report.months.map(\.spend) == [0, 7_000] && report.months[1].acquisitionCost == 7_000)
            #expect(report.targets.map(\.value) == [3_000] && report.actual(report.targets[0]) == 2_900)
            #expect(try await harness.billing.figures(months: 2, "EUR").months[1].spend == 0)
        }
    }

    @Test func `what was typed wrong is typed again for the same currency`() async throws {
        try await withBilling { harness in
            let runner = Principal(
                actor: .platformOperator(UserID(high: 1, low: 1)), permissions: ["operator.figures.read", "operator.figures.write"])
            let surface = try harness.surface(as: runner)
            func enter(_ form: String) async throws -> LocalAnswer {
                try await surface.answer(
                    LocalRequest(
                        "POST", "/operator/figures/inputs/spend", headers: [("Content-Type", "application/x-www-form-urlencoded")],
                        body: Array(form.utf8)))
            }
            let answer = try await enter("currency=EUR&month=2026-01&source=ads&amount=many")
            #expect(answer.status == 422 && answer.text.contains(#"name="currency" value="EUR""#), "\(answer.status) \(answer.text)")
            #expect(!answer.text.contains(#"name="currency" value="USD""#))
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `members of paying tenants are asked after two weeks, and then at most every ninety days`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            let (billing, ana) = (harness.billing, harness.ana)
            #expect(try await !billing.isQuestionDue(ana, in: harness.id), "nothing is paid yet")
            #expect(try await refusal { try await billing.answer(9, comment: "", in: harness.id, by: ana) } == "not_asked")
            try await harness.profile()
            try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0))
            harness.days(13)
            #expect(try await !billing.isQuestionDue(ana, in: harness.id), "she has hardly seen it yet")
            #expect(try await refusal { try await billing.answer(9, comment: "", in: harness.id, by: ana) } == "not_asked")
            harness.days(1)
            #expect(try await billing.isQuestionDue(ana, in: harness.id))
            #expect(try await !billing.isQuestionDue(BillingHarness.operatorOf, in: harness.id), "keys and the system have no opinion")
            #expect(try await refusal { try await billing.answer(11, comment: "", in: harness.id, by: ana) } == "out_of_range")
            try await billing.answer(nil, comment: "", in: harness.id, by: ana)
            #expect(try await !billing.isQuestionDue(ana, in: harness.id))
            harness.days(91)
            try await billing.answer(10, comment: "Just <right>", in: harness.id, by: ana)
            #expect(try await refusal { try await billing.answer(0, comment: "", in: harness.id, by: ana) } == "not_asked")
            let now = harness.lease.clock.now
            let tally = try await billing.satisfaction(from: now - .seconds(60), to: now + .seconds(60))
            #expect(tally.score == 100 && tally.answers == 1)
            #expect(try await billing.satisfactionAnswers(before: nil, limit: 9).map(\.comment) == ["Just <right>"])
        }
    }
}
