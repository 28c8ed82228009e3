internal import HTTPSurface
internal import Kernel

struct BrandingView: Codable, Sendable {
    var productName: String?
    var accent: String?
    var hasLogo: Bool

    init(_ branding: Branding) {
        productName = branding.productName
        accent = branding.accent
        hasLogo = branding.logo != nil
    }
}

struct BrandingBody: Codable, Sendable, Described {
    var productName: String?
    var accent: String?
    static let notes: [FieldNote] = [
        FieldNote("productName", "Stands where the platform's name would; that one where it is left out.", length: 0...40),
        FieldNote("accent", "A colour as #1f6feb; the platform's where it is left out.", example: "#1f6feb", length: 7...7)
    ]
}

/// What a tenant looks like, for its people, and the style sheet and picture for everybody.
struct BrandingRoutes {
    let tenancy: Tenancy
    static let tag = "Branding"

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .get, "/v1/branding", access: .tenant("tenant.read"), summary: "Show name, colour and whether there is a picture", tag: Self.tag,
                returns: .ok(BrandingView.self)
            ) { call in BrandingView(try await tenancy.branding(of: call.tenant)) },
            Endpoint(
                .put, "/v1/branding", access: .tenant("tenant.write"), summary: "Set name and colour", tag: Self.tag, body: BrandingBody.self,
                returns: .ok(BrandingView.self)
            ) { call, body in
                try await tenancy.setBranding(productName: body.productName, accent: body.accent, of: call.tenant, by: call.principal)
                return BrandingView(try await tenancy.branding(of: call.tenant))
            },
            Endpoint.raw(
                .put, "/v1/branding/logo", access: .tenant("tenant.write"), summary: "Set the picture",
                description: "The body is the picture itself: PNG, JPEG or WebP, at most 256 KiB.", tag: Self.tag, answers: "application/json",
                errors: [ErrorDeclaration(.invalid, "not_a_picture", "It is none of PNG, JPEG and WebP.")], bodyLimit: Branding.logoBytes
            ) { call in
                try await tenancy.setLogo(call.body, of: call.tenant, by: call.principal)
                return .json(([:] as JSON).bytes)
            },
            Endpoint(
                .delete, "/v1/branding/logo", access: .tenant("tenant.write"), summary: "Remove the picture", tag: Self.tag, returns: .noContent
            ) { call in try await tenancy.removeLogo(of: call.tenant, by: call.principal) }
        ] + assets
    }

    private static let reason = Access.public("Pages before the door are dressed too.")

    private var assets: [Endpoint] {
        [
            Endpoint.raw(
                .get, "/branding/{tenant}/style.css", access: Self.reason, summary: "A tenant's colours", tag: "Pages", answers: "text/css"
            ) { call in
                guard let id = try await tenancy.tenantID(subdomain: try call.parameter("tenant")),
                    let text = tenancy.styleSheet(try await tenancy.branding(of: id))
                else { throw Refusal.missing("style sheet") }
                return asset(call, Array(text.utf8), "text/css; charset=utf-8", Tenancy.digest(text))
            }.undocumented,
            Endpoint.raw(
                .get, "/branding/{tenant}/logo", access: Self.reason, summary: "A tenant's picture", tag: "Pages", answers: "image/png"
            ) { call in
                guard let id = try await tenancy.tenantID(subdomain: try call.parameter("tenant")), let logo = try await tenancy.logo(of: id) else {
                    throw Refusal.missing("picture")
                }
                return asset(call, logo.bytes, logo.contentType, String(logo.hash.prefix(16)))
            }.undocumented
        ]
    }

    /// Kept for a year where the address names the version that is there; asked for again by its tag otherwise.
    private func asset(_ call: EndpointCall, _ bytes: [UInt8], _ type: String, _ version: String) -> Answer {
        let isNamed = call.parameter(ofQuery: "v") == version
        let headers = [
            ("ETag", "\"\(version)\""), ("Cache-Control", isNamed ? "public, max-age=31536000, immutable" : "no-cache"),
            ("Content-Security-Policy", "default-src 'none'; sandbox"), ("Cross-Origin-Resource-Policy", "same-origin")
        ]
        if call.header("If-None-Match") == "\"\(version)\"" { return Answer(status: 304, headers: headers) }
        return Answer(contentType: type, headers: headers, body: .bytes(bytes))
    }
}
