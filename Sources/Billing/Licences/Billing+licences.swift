internal import Crypto
internal import Foundation
internal import HTTPSurface
package import Kernel
internal import Persistence
internal import Tenancy

/// What an operator sells to a customer who runs a branded deployment.
package struct LicenceOrder: Sendable, Hashable {
    package var product: String
    package var features: [String]
    package var seats: Int
    package var days: Int
    package var graceDays: Int
    package var price: Money

    package init(product: String, features: [String], seats: Int, days: Int, graceDays: Int, price: Money) {
        self.product = product
        self.features = features
        self.seats = seats
        self.days = days
        self.graceDays = graceDays
        self.price = price
    }

    private static let featuresMaximum = 100
    private static let seatsMaximum = 1_000_000
    private static let graceMaximum = 365

    /// - Throws: `out_of_range`, `required`
    func checked() throws -> LicenceOrder {
        func hold(_ isTrue: Bool, _ field: String, _ text: String) throws {
            if !isTrue { throw Refusal.invalid(field, "out_of_range", text) }
        }
        try hold((1...200).contains(product.utf8.count), "product", "product has 1 to 200 bytes.")
        try hold(
            features.count <= Self.featuresMaximum && features.allSatisfy { (1...100).contains($0.utf8.count) }, "features",
            "There are at most \(Self.featuresMaximum) features of 1 to 100 bytes.")
        try hold((1...Self.seatsMaximum).contains(seats), "seats", "seats lies between 1 and \(Self.seatsMaximum).")
        try hold((1...Int(Licence.daysMaximum)).contains(days), "days", "days lies between 1 and \(Licence.daysMaximum).")
        try hold((0...Self.graceMaximum).contains(graceDays), "grace_days", "grace_days lies between 0 and \(Self.graceMaximum).")
        try hold(
            Licence.prices.contains(price.minorUnits), "price",
            "price lies between \(Licence.prices.lowerBound) and \(Licence.prices.upperBound), in the minor unit.")
        return self
    }
}

extension Billing {
    private static let keyContext = "licence-key"

    /// The public half of the key that signs licences, in base64; made the first time.
    package func licenceKey() async throws -> String { Data(try await signingKey().publicKey.rawRepresentation).base64EncodedString() }

    private func signingKey() async throws -> Curve25519.Signing.PrivateKey {
        if let known = try await database.readPlatform({ tx in try LicenceKeyStore(tx: tx).key() }) { return try await opened(known.sealed) }
        let made = Curve25519.Signing.PrivateKey()
        let sealed = try await providers.vault.seal(Array(made.rawRepresentation), tenant: KeyVault.platform, context: Self.keyContext)
        let open = Array(made.publicKey.rawRepresentation)
        let kept = try await database.writePlatform { tx in
            let store = LicenceKeyStore(tx: tx)
            if let other = try store.key() { return other.sealed }
            try store.insert(open, sealed: sealed)
            return sealed
        }
        return try await opened(kept)
    }

    private func opened(_ sealed: [UInt8]) async throws -> Curve25519.Signing.PrivateKey {
        try Curve25519.Signing.PrivateKey(
            rawRepresentation: Data(try await providers.vault.open(sealed, tenant: KeyVault.platform, context: Self.keyContext)))
    }

    /// Sells a licence: it is invoiced at once, and its file can be fetched when the invoice is paid.
    /// - Parameters:
    ///   - old: the one that this goes on from; its time begins where that one's ends.
    ///   - claim: of the request, whose answer is kept in the same transaction: one that is sent again after a crash sells nothing twice.
    /// - Throws: `out_of_range`, `profile_required`, `already_renewed`
    func license(
        _ order: LicenceOrder, to tenant: TenantID, renewing old: LicenceID? = nil, by principal: Principal, claim: IdempotencyClaim? = nil
    ) async throws -> Licence {
        let order = try order.checked()
        let key = try await signingKey()
        let (party, before, id) = try await database.read(in: tenant) { tx in
            (try BillingProfileStore(tx: tx).profile(), try old.flatMap { try LicenceStore(tx: tx).licence($0) }, tx.ids.next() as LicenceID)
        }
        guard let party else { throw Refusal(.conflict, "profile_required", "Say first who is to be invoiced: name, address and country.") }
        if old != nil, before == nil { throw Refusal.missing("licence") }
        let start = max(before?.expiresAt ?? clock.now(), clock.now())
        let period = BillingPeriod(start: start, end: start + .seconds(Int64(order.days) * 86_400))
        let terms = LicenceTerms(
            serial: id.description, holder: party.name, product: order.product, features: order.features, seats: order.seats, startsAt: period.start,
            expiresAt: period.end, graceDays: order.graceDays)
        let file = try LicenceFile.make(terms, key)
        let licence = try await atTill(of: tenant) { till in
            let store = LicenceStore(tx: till.tx)
            if let old, try store.isRenewed(old) { throw Refusal(.conflict, "already_renewed", "This licence was renewed already.") }
            let charge = Charge(
                kind: .plan, plan: till.subscription?.plan ?? .custom, period: period, amount: order.price.minorUnits,
                item: ChargeItem(code: "licence", name: order.product))
            let invoice = try till.issue([charge], at: till.now, currency: order.price.currency, isSubscribed: false)
            let licence = Licence(
                id: id, product: order.product, seats: Int64(order.seats), startsAt: period.start, expiresAt: period.end,
                graceDays: Int64(order.graceDays), currency: order.price.currency, price: order.price.minorUnits, invoice: invoice.id, renews: old,
                file: file)
            try store.insert(licence)
            try till.tx.audit(principal, old == nil ? "licence.issue" : "licence.renew", "licence:\(id)", ["price": .string("\(licence.price)")])
            try claim?.record(LicenceView(licence), status: 201, in: till.tx)
            return licence
        }
        try await giveOrders(of: tenant)
        return licence
    }

    func licences(of tenant: TenantID, before cursor: LicenceID?, limit: Int) async throws -> [Licence] {
        try await database.read(in: tenant) { tx in try LicenceStore(tx: tx).page(before: cursor, limit: limit) }
    }

    /// - Throws: `licence_unpaid`
    func licenceFile(_ id: LicenceID, of tenant: TenantID) async throws -> String {
        try await database.read(in: tenant) { tx in
            guard let licence = try LicenceStore(tx: tx).licence(id) else { throw Refusal.missing("licence") }
            guard let invoice = try InvoiceStore(tx: tx).invoice(licence.invoice), invoice.due == 0, invoice.credited < invoice.total,
                try !PaymentPartStore(tx: tx).isDisputed(invoice.id)
            else {
                throw Refusal(.conflict, "licence_unpaid", "The licence can be fetched when its invoice is paid.")
            }
            return licence.file
        }
    }

    /// For the command: sells a licence to the tenant of a subdomain.
    /// - Returns: `{licence, invoice, file, key}`; the file as the operator hands it out, paid or not.
    package func issueLicence(_ order: LicenceOrder, to subdomain: String, by principal: Principal) async throws -> JSON {
        guard let tenant = try await tenancy.tenant(subdomain: subdomain) else { throw Refusal.missing("tenant") }
        let licence = try await license(order, to: tenant.id, by: principal)
        let invoice = try await invoice(licence.invoice, of: tenant.id)
        return [
            "licence": .string(licence.id.description), "invoice": .string(invoice.numberText), "file": .string(licence.file),
            "key": .string(try await licenceKey())
        ]
    }
}
