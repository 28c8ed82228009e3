import Crypto
import Foundation
import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Billing

@Suite(.timeLimit(.minutes(3))) struct LicenceTests {
    private static let order = LicenceOrder(
        product: "White label", features: ["brand", "support"], seats: 50, days: 365, graceDays: 30,
        price: Money(minorUnits: 1_200_000, currency: "USD"))

    @Test(arguments: DatabaseEngine.allCases) func `a licence is invoiced, fetched when it is paid, verified without us, and renewed from its end`(
        engine: DatabaseEngine
    ) async throws {
        try await withBilling(engine) { harness in
            #expect(try await refusal { try await harness.billing.license(Self.order, to: harness.id, by: harness.ana) } == "profile_required")
            try await harness.profile()
            let licence = try await harness.billing.license(Self.order, to: harness.id, by: harness.ana)
            let invoice = try await harness.billing.invoice(licence.invoice, of: harness.id)
            #expect(invoice.total == 1_200_000 && invoice.lines[0].charge.item == ChargeItem(code: "licence", name: "White label"))
            #expect(try await refusal { try await harness.billing.licenceFile(licence.id, of: harness.id) } == "licence_unpaid")
            #expect(try await harness.pay(1_200_000, reference: "B1", for: invoice))
            let file = try await harness.billing.licenceFile(licence.id, of: harness.id)
            let key = try await harness.billing.licenceKey()
            let terms = try LicenceFile.verify(file, key: key)
            #expect(terms.seats == 50 && terms.holder == "Acme GmbH" && terms.features == ["brand", "support"])
            let end = terms.expiresAt
            #expect(terms.state(at: terms.startsAt - .seconds(1)) == .notYet && terms.state(at: end - .seconds(1)) == .valid)
            #expect(terms.state(at: end) == .grace && terms.state(at: end + .seconds(30 * 86_400)) == .expired)
            // While a bank disputes the payment it is not fetched.
            for (outcome, code) in [(Till.DisputeOutcome.opened, "licence_unpaid" as String?), (.won, nil)] {
                try await harness.billing.atTill(of: harness.id) { till in try till.dispute("B1", at: "bank", outcome, fee: 0) }
                #expect(try await refusal { try await harness.billing.licenceFile(licence.id, of: harness.id) } == code)
            }
            let next = try await harness.billing.license(Self.order, to: harness.id, renewing: licence.id, by: harness.ana)
            #expect(next.startsAt == licence.expiresAt && next.renews == licence.id)
            #expect(
                try await refusal { try await harness.billing.license(Self.order, to: harness.id, renewing: licence.id, by: harness.ana) }
                    == "already_renewed")
            try await harness.check("at the end")
        }
    }

    @Test func `a file that was changed, or signed by another, is none`() async throws {
        let (key, other) = (Curve25519.Signing.PrivateKey(), Curve25519.Signing.PrivateKey())
        let terms = LicenceTerms(
            serial: "1", holder: "Acme", product: "White label", features: [], seats: 5, startsAt: Timestamp(seconds: 0),
            expiresAt: Timestamp(seconds: 100), graceDays: 0)
        let file = try LicenceFile.make(terms, key)
        let open = key.publicKey.rawRepresentation.base64EncodedString()
        #expect(try LicenceFile.verify(file, key: open) == terms)
        var richer = terms
        richer.seats = 500
        let forged = try LicenceFile.make(richer, other).split(separator: "\n")
        let parts = file.split(separator: "\n")
        for broken in ["", file + "x", "\(parts[0])\n\(forged[1])\n\(parts[2])\n", try LicenceFile.make(terms, other), file.lowercased()] {
            #expect(throws: Refusal.self) { try LicenceFile.verify(broken, key: open) }
        }
        #expect(throws: Refusal.self) { try LicenceFile.verify(file, key: "AAAA") }
    }

    @Test func `prices beyond what a licence costs are refused`() async throws {
        for price in [499_999, 5_000_001] as [Int64] {
            var order = Self.order
            order.price = Money(minorUnits: price, currency: "USD")
            #expect(throws: Refusal.self) { try order.checked() }
        }
    }
}
