internal import Crypto
package import HTTPSurface
package import Kernel
internal import Persistence

/// A tenant's own name, colour and picture.
extension Tenancy {
    static let productNameLengths = 1...40

    /// As it was chosen.
    package func branding(of tenant: TenantID) async throws -> Branding {
        try await known.branding(tenant, now: clock.now()) {
            try await database.readDirectory { tx in try BrandingStore(tx: tx).branding(of: tenant) } ?? Branding()
        }
    }

    /// What the console of a tenant is dressed in.
    package func brand(of id: TenantID) async throws -> Brand {
        let place = try await known.tenant(id, now: clock.now()) { try await self.tenant(id) }
        guard let subdomain = place?.subdomain.text else { return .platform }
        let chosen = try await branding(of: id)
        var brand = Brand(name: chosen.productName ?? Brand.platform.name)
        brand.style = styleSheet(chosen).map { "/branding/\(subdomain)/style.css?v=\(Self.digest($0))" }
        brand.logo = chosen.logo.map { "/branding/\(subdomain)/logo?v=\($0.hash.hex.prefix(16))" }
        return brand
    }

    /// The same for those who visit its forms: the tenant's name stands there where no other was chosen.
    package func visitorsBrand(of id: TenantID) async throws -> Brand {
        var brand = try await brand(of: id)
        if try await branding(of: id).productName == nil, let tenant = try await tenant(id) { brand.name = tenant.name }
        return brand
    }

    /// The brand of the tenant that an address names, of the platform where it names none that is there.
    func brand(at call: EndpointCall) async -> Brand {
        guard let address = call.address, let tenant = try? await call.resolve(address), let brand = try? await brand(of: tenant) else {
            return .platform
        }
        return brand
    }

    func styleSheet(_ branding: Branding) -> String? {
        branding.accent.flatMap(Colour.init(hex:)).map { AccentPalette($0).styleSheet }
    }

    static func digest(_ text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).prefix(8).hexText
    }

    /// Sets name and colour; nil is the platform's.
    /// - Throws: `bad_product_name`, `bad_colour`
    package func setBranding(productName: String?, accent: String?, of tenant: TenantID, by principal: Principal) async throws {
        let name = try productName.flatMap(Self.checkedProductName)
        let accent = try accent.map { text in
            guard let colour = Colour(hex: text) else {
                throw Refusal.invalid("accent", "bad_colour", "A colour looks like #1f6feb: six hex digits.")
            }
            return colour.hex
        }
        try await changeBranding(of: tenant, by: principal) { branding, _ in
            branding.productName = name
            branding.accent = accent
        }
    }

    /// - Throws: `not_a_picture`, `picture_too_large`
    package func setLogo(_ bytes: [UInt8], of tenant: TenantID, by principal: Principal) async throws {
        guard bytes.count <= Branding.logoBytes else {
            throw Refusal(.tooLarge, "picture_too_large", "The picture may have at most 256 KiB.", field: "logo")
        }
        guard let type = Branding.contentType(of: bytes) else {
            throw Refusal.invalid("logo", "not_a_picture", "The picture is PNG, JPEG or WebP. SVG is not taken, since it may hold scripts.")
        }
        let payload = if let blobs { try await PreparedPayload(bytes, tenant: tenant, blobs: blobs) } else { PreparedPayload(bytes) }
        try await changeBranding(of: tenant, by: principal) { branding, tx in
            let user = PayloadUser(tenant)
            if let old = branding.logo?.hash, old != payload.hash { try PayloadStore(tx: tx).release([old], of: user) }
            try PayloadStore(tx: tx).store(payload, for: user)
            try tx.requireStorage()
            branding.logo = Branding.Logo(hash: payload.hash, contentType: type)
        }
    }

    package func removeLogo(of tenant: TenantID, by principal: Principal) async throws {
        try await changeBranding(of: tenant, by: principal) { branding, tx in
            if let old = branding.logo?.hash { try PayloadStore(tx: tx).release([old], of: PayloadUser(tenant)) }
            branding.logo = nil
        }
    }

    /// The picture's bytes and type; nil where there is none.
    func logo(of tenant: TenantID) async throws -> (bytes: [UInt8], contentType: String, hash: String)? {
        guard let logo = try await branding(of: tenant).logo else { return nil }
        let blobs = self.blobs
        let bytes = try await database.read(in: tenant) { tx in try PayloadStore(tx: tx).load(logo.hash, blobs: blobs) }
        return bytes.map { ($0, logo.contentType, logo.hash.hex) }
    }

    private func changeBranding(
        of tenant: TenantID, by principal: Principal, _ change: @escaping @Sendable (inout Branding, TenantTransaction) throws -> Void
    ) async throws {
        defer { known.forget() }
        try await database.writeDirectory { tx in
            let store = BrandingStore(tx: tx)
            let before = try store.branding(of: tenant) ?? Branding()
            var branding = before
            let scoped = try tx.tenant(tenant)
            try change(&branding, scoped)
            guard branding != before else { return }
            try store.put(branding, of: tenant)
            try scoped.audit(principal, "branding.update", "tenant:\(tenant)")
        }
    }

    /// Nil where it is empty.
    private static func checkedProductName(_ text: String) throws -> String? {
        let name = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if name.isEmpty { return nil }
        guard productNameLengths.contains(name.count), !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw Refusal.invalid("product_name", "bad_product_name", "The name has at most 40 printable characters.")
        }
        return name
    }
}
