internal import Kernel
internal import Persistence

/// Of the directory, since pages before the door are dressed before anybody is known.
struct BrandingStore {
    let tx: DirectoryTransaction

    static let table = Table(
        "branding", .directory, primaryKey: ["tenant_id"],
        columns: [
            Column("tenant_id", .uuid), Column("product_name", .text, optional: true), Column("accent", .text, optional: true),
            Column("logo_hash", .blob, optional: true), Column("logo_type", .text, optional: true), Column("updated_at", .timestamp)
        ],
        foreignKeys: [ForeignKey(["tenant_id"], references: "tenants", ["id"], onDelete: .cascade)])

    func branding(of tenant: TenantID) throws -> Branding? {
        try tx.first("SELECT product_name, accent, logo_hash, logo_type FROM branding WHERE tenant_id = \(tenant)") { row in
            var logo: Branding.Logo?
            if let hash = try row.column(2, as: PayloadHash?.self), let type = try row.column(3, as: String?.self) {
                logo = Branding.Logo(hash: hash, contentType: type)
            }
            return Branding(productName: try row.column(0), accent: try row.column(1), logo: logo)
        }
    }

    func put(_ branding: Branding, of tenant: TenantID) throws {
        try tx.execute(
            """
            INSERT INTO branding (tenant_id, product_name, accent, logo_hash, logo_type, updated_at)
            VALUES (\(tenant), \(branding.productName), \(branding.accent), \(branding.logo?.hash), \(branding.logo?.contentType), \(tx.clock.now()))
            ON CONFLICT (tenant_id) DO UPDATE SET product_name = excluded.product_name, accent = excluded.accent, logo_hash = excluded.logo_hash,
                logo_type = excluded.logo_type, updated_at = excluded.updated_at
            """)
    }
}
