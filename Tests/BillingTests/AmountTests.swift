import Kernel
import Tenancy
import TestKit
import Testing

@testable import Billing

@Suite struct AmountTests {
    @Test func `seventy percent of every amount to a million is the rounded whole number`() {
        let (seventy, sixty) = (BasisPoints.percent(70), BasisPoints.percent(60))
        for amount in Int64(0)...1_000_000 {
            let (more, less) = (seventy.of(amount), sixty.of(amount))
            guard more == (7 * amount + 5) / 10, less == (6 * amount + 5) / 10 else {
                Issue.record("\(amount): \(more) and \(less)")
                return
            }
        }
    }

    @Test(arguments: Seeds.kept) func `a share never shrinks as its amount grows, and is all of it at most`(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<40 {
            let share = try BasisPoints(Int.random(in: 0...10_000, using: &random))
            var last: Int64 = 0
            for amount in Int64(1)...600 {
                let part = share.of(amount)
                #expect(part >= last && part <= amount, "\(amount) by \(share)")
                last = part
            }
        }
    }

    @Test(arguments: Seeds.kept) func `a discount over lines is given to the last cent`(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<500 {
            let weights = (0..<Int.random(in: 1...20, using: &random)).map { _ in Int64.random(in: 0...10_000, using: &random) }
            let sum = weights.reduce(0, +)
            guard sum > 0 else { continue }
            let amount = Int64.random(in: 0...sum, using: &random)
            let parts = Split.largestRemainder(amount, weights: weights)
            #expect(parts.reduce(0, +) == amount && zip(parts, weights).allSatisfy { $0 >= 0 && $0 <= $1 })
        }
        #expect(Split.largestRemainder(100, weights: [1, 1, 1]) == [34, 33, 33])
    }

    @Test(arguments: Seeds.kept) func `subtotal less discount plus tax is the total, on the invoice and on each line`(seed: UInt64) throws {
        var random = Seeded(seed)
        let period = BillingPeriod(start: Timestamp(seconds: 0), end: Timestamp(seconds: 86_400))
        for _ in 0..<500 {
            let charges = try (0..<Int.random(in: 1...30, using: &random)).map { _ -> Charge in
                let amount = Int64.random(in: -500...5_000, using: &random)
                return Charge(
                    kind: .plan, plan: .starter, period: period, amount: amount,
                    discount: try BasisPoints(Int.random(in: 0...10_000, using: &random)).of(amount))
            }
            let step: Int64 = Bool.random(using: &random) ? 1 : 10
            let figures = InvoiceFigures(charges, rate: try BasisPoints(Int.random(in: 0...2_700, using: &random)), step: step)
            let amounts: [Int64] = figures.lines.flatMap { [$0.subtotal, $0.discount, $0.tax] } + [figures.total]
            #expect(amounts.allSatisfy { $0.isMultiple(of: step) })
            let net: Int64 = charges.reduce(0) { $0 + $1.amount - $1.discount }
            #expect(abs(figures.subtotal - figures.discount - net) <= step / 2)
            #expect(figures.subtotal - figures.discount + figures.tax == figures.total)
            #expect(figures.lines.allSatisfy { $0.subtotal - $0.discount + $0.tax == $0.total })
            #expect(figures.lines.reduce(0) { $0 + $1.total } == figures.total && figures.lines.reduce(0) { $0 + $1.tax } == figures.tax)
            #expect(figures.lines.reduce(0) { $0 + $1.discount } == figures.discount)
        }
    }

    @Test func `amounts are read and written in whole numbers`() throws {
        for (text, currency, units) in [
            ("12.5", "USD", 1_250), ("-0.05", "EUR", -5), ("100", "JPY", 100), ("1.005", "BHD", 1_005), ("7.100", "USD", 710)
        ] {
            #expect(Money(decimal: text, currency: currency)?.minorUnits == Int64(units), "\(text)")
        }
        for text in ["1.005", "", ".5", "1.", "1,5", "1e3", "--1", "99999999999999"] {
            #expect(Money(decimal: text, currency: "USD") == nil, "\(text)")
        }
        #expect(Money(minorUnits: -5, currency: "USD").decimalText == "-0.05" && Money(minorUnits: 123_450, currency: "USD").decimalText == "1234.50")
        #expect(Money(minorUnits: 100, currency: "JPY").decimalText == "100")
    }

    @Test func `a percentage beyond all and a country that there is not are refused`() throws {
        for value in [-1, 10_001, 9_999_999_900] { #expect(throws: Refusal.self) { try BasisPoints(value) } }
        #expect(throws: Refusal.self) { try AmountBounds.checked(AmountBounds.minorUnitsMaximum + 1, field: "amount") }
        // Greece under the letters of its VAT numbers would pay no tax.
        for country in ["Germany", "de", "EL", "UK", "XX", "ZZ", ""] {
            #expect(throws: Refusal.self, "\(country)") { try VATRules.checkedCountry(country) }
        }
        for country in Array(VATRules.rates.keys) + ["US", "GB", "XK"] { #expect(try VATRules.checkedCountry(country) == country) }
        #expect(Countries.codes.count == 250)
        // A seller under a word that is none would charge nobody.
        func seller(_ country: String) throws -> String {
            var party = BillingHarness.german
            party.country = country
            return try SellerTerms(party: party).checked().party.country
        }
        #expect(try seller("de") == "DE")
        for country in ["EL", "Germany", ""] { #expect(throws: Refusal.self, "\(country)") { try seller(country) } }
    }

    @Test func `tax follows the customer's country and number`() throws {
        let rules = VATRules(seller: "DE")
        #expect(rules.decide(country: "DE", hasVATID: true).rate.value == 1_900)
        #expect(rules.decide(country: "FR", hasVATID: false) == .init(treatment: .standard, rate: try BasisPoints(2_000), country: "FR"))
        #expect(rules.decide(country: "FR", hasVATID: true).treatment == .reverseCharge)
        #expect(rules.decide(country: "US", hasVATID: false).treatment == .outsideScope)
        #expect(VATRules(seller: "US").decide(country: "FR", hasVATID: false).rate == .zero)
        #expect(VATRules.rates.count == 27)
        #expect(try VATRules.checkedVATID("de 123 456 789", country: "DE") == "DE123456789")
        #expect(try VATRules.checkedVATID("EL123456789", country: "GR") == "EL123456789")
        for (id, country) in [("DE12345678", "DE"), ("FR123456789", "DE"), ("ATU1234567", "AT"), ("US123", "US")] {
            #expect(throws: Refusal.self) { try VATRules.checkedVATID(id, country: country) }
        }
    }
}
