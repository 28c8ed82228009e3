internal import Kernel
internal import Persistence

/// Who a tenant is on its invoices, and the time its billing lives in.
struct BillingProfileStore {
    let tx: TenantTransaction

    func profile() throws -> Party? {
        try tx.first(
            "SELECT name, street, postal_code, city, country, vat_id, email FROM billing_profiles WHERE tenant_id = \(tx.tenant)"
        ) { row in
            Party(
                name: try row.column(0), street: try row.column(1), postalCode: try row.column(2), city: try row.column(3),
                country: try row.column(4), vatId: try row.column(5), email: try row.column(6))
        }
    }

    func save(_ party: Party) throws {
        try tx.execute(
            """
            INSERT INTO billing_profiles (tenant_id, name, street, postal_code, city, country, vat_id, email)
            VALUES (\(tx.tenant), \(party.name), \(party.street), \(party.postalCode), \(party.city), \(party.country), \(party.vatId), \(party.email))
            ON CONFLICT (tenant_id) DO UPDATE SET name = excluded.name, street = excluded.street, postal_code = excluded.postal_code,
                city = excluded.city, country = excluded.country, vat_id = excluded.vat_id, email = excluded.email
            """)
    }

    /// The tenant's own time where it has one, else everybody's.
    func now() throws -> Timestamp {
        try tx.first("SELECT now_at FROM billing_clocks WHERE tenant_id = \(tx.tenant)") { try $0.column(0) } ?? tx.clock.now()
    }

    func set(now: Timestamp) throws {
        try tx.execute(
            """
            INSERT INTO billing_clocks (tenant_id, now_at) VALUES (\(tx.tenant), \(now))
            ON CONFLICT (tenant_id) DO UPDATE SET now_at = excluded.now_at
            """)
    }

    func hasClock() throws -> Bool { try tx.first("SELECT now_at FROM billing_clocks WHERE tenant_id = \(tx.tenant)") != nil }
}
