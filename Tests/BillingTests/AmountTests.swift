import Kernel
import Tenancy
import TestKit
import Testing

@testable import Billing

@Suite struct AmountTests {
    @Test func `seventy percent of every amount to a million is the rounded whole number, and the platform has the rest`() throws {
        let (seventy, sixty) = (BasisPoints.percent(70), BasisPoints.percent(60))
        for amount in Int64(0)...1_000_000 {
            let (creator, platform) = Split.two(amount, creator: seventy)
            guard creator == (7 * amount + 5) / 10, creator + platform == amount, Split.two(amount, creator: sixty).creator == (6 * amount + 5) / 10
            else {
                Issue.record("\(amount): \(creator) and \(platform)")
                return
            }
        }
    }

    @Test(arguments: Seeds.kept) func `nested legs sum to the amount and never shrink as it grows`(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<40 {
            let shares = try (0..<Int.random(in: 1...4, using: &random)).map { _ in try BasisPoints(Int.random(in: 0...10_000, using: &random)) }
            var last = Split.nested(0, shares)
            for amount in Int64(1)...600 {
                let legs = Split.nested(amount, shares)
                #expect(legs.reduce(0, +) == amount)
                #expect(zip(legs, last).allSatisfy { $0 >= $1 }, "\(amount) by \(shares)")
                last = legs
            }
        }
    }

    @Test(arguments: Seeds.kept) func `refunds in any parts return each leg to nothing`(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<500 {
            let share = try BasisPoints(Int.random(in: 0...10_000, using: &random))
            let price = Int64.random(in: 1...100_000, using: &random)
            var legs = Split.two(price, creator: share)
            let commission = Split.commission(price, .percent(20), platform: legs.platform)
            var (refunded, reversed): (Int64, Int64) = (0, 0)
            while refunded < price {
                let part = Int64.random(in: 1...(price - refunded), using: &random)
                let back = Split.refund(part, after: refunded, creator: share)
                #expect(back.creator + back.platform == part && back.creator >= 0 && back.platform >= 0)
                refunded += part
                legs.creator -= back.creator
                legs.platform -= back.platform
                reversed += Split.commissionReversal(paid: commission, reversed: reversed, refunded: refunded, base: price)
                #expect(reversed <= commission && legs.creator >= 0 && legs.platform >= 0)
            }
            #expect(legs == (0, 0) && reversed == commission)
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
            let figures = InvoiceFigures(charges, rate: try BasisPoints(Int.random(in: 0...2_700, using: &random)))
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
