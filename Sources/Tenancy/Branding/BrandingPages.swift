internal import HTTPSurface
internal import Kernel

/// Where a tenant chooses its name, colour and picture.
struct BrandingPages: SettingsPage {
    let tenancy: Tenancy
    let console: Console

    static let address = "/settings/branding"
    static let titleKey = "tenancy.settings.branding"
    private static let fields = ["product_name", "accent", "logo"]
    /// More than the picture, for the form around it.
    private static let formBytes = Branding.logoBytes * 2

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant("tenant.read"), summary: "Branding") { call in
                try await show(call, try await tenancy.branding(of: call.tenant), nil)
            },
            .page(.post, Self.address, access: .tenant("tenant.write"), summary: "Change the branding", bodyLimit: Self.formBytes) { call in
                let form = try SubmittedForm(call)
                let name = form.all("product_name").last
                let accent = form.all("own_accent").isEmpty ? nil : form.all("accent").last?.lowercased()
                do {
                    try await tenancy.setBranding(productName: name, accent: accent, of: call.tenant, by: call.principal)
                    if let file = form.files(of: "logo").first {
                        try await tenancy.setLogo(file.bytes, of: call.tenant, by: call.principal)
                    } else if !form.all("remove_logo").isEmpty {
                        try await tenancy.removeLogo(of: call.tenant, by: call.principal)
                    }
                    return .redirect("\(Self.address)?done=branded")
                } catch let refusal as Refusal where refusal.kind != .missing {
                    let logo = try await tenancy.branding(of: call.tenant).logo
                    return try await show(call, Branding(productName: name, accent: accent, logo: logo), refusal)
                }
            }
        ]
    }

    private func show(_ call: EndpointCall, _ branding: Branding, _ refusal: Refusal?) async throws -> Answer {
        let text = call.localizer
        let form: HTML? = call.principal.may("tenant.write") ? self.form(text, branding, refusal, try await tenancy.brand(of: call.tenant)) : nil
        return try await page(
            call, status: refusal?.kind.status ?? 200,
            """
            \(done(call, ["branded"]))\(Console.notice(refusal?.message(besides: Self.fields)))
            <p class="lead">\(text("tenancy.branding.lead"))</p>\(form)\(contrast(text, branding))
            """)
    }

    private func form(_ text: Localizer, _ branding: Branding, _ refusal: Refusal?, _ brand: Brand) -> HTML {
        let remove: HTML? =
            branding.logo == nil ? nil : Console.tick("remove_logo", value: "yes", label: text("tenancy.branding.remove_logo"))
        let picture: HTML? = brand.logo.map { "<p><img class=\"logo-now\" src=\"\(href: $0)\" alt=\"\(text("tenancy.branding.logo.now"))\"></p>" }
        let fault = refusal?.message(for: "logo")
        let faultHTML: HTML? = fault.map { "<span class=\"fault\" id=\"logo-fault\" role=\"alert\">\($0)</span>" }
        return """
            <section class="card stack"><form method="post" action="\(Self.address)" enctype="multipart/form-data" class="form">
            \(Console.field("product_name", label: text("tenancy.branding.product_name"), value: branding.productName ?? "",
                hint: text("tenancy.branding.product_name.hint"), fault: refusal?.message(for: "product_name"), isRequired: false))
            <fieldset class="ticks"><legend>\(text("tenancy.branding.colour"))</legend>
            \(Console.tick("own_accent", value: "yes", label: text("tenancy.branding.own_accent"), isTicked: branding.accent != nil))
            \(Console.field("accent", label: text("tenancy.branding.accent"), type: "color", value: branding.accent ?? Self.accentDefault,
                hint: text("tenancy.branding.accent.hint"), fault: refusal?.message(for: "accent"), isRequired: false))</fieldset>
            <div class="field"><label for="logo">\(text("tenancy.branding.logo"))</label>\(picture)\
            <input id="logo" name="logo" type="file" accept="image/png,image/jpeg,image/webp" aria-describedby="logo-hint\(fault == nil ? "" : " logo-fault")">\
            <span class="hint" id="logo-hint">\(text("tenancy.branding.logo.hint"))</span>\(faultHTML)</div>\(remove)
            <p class="buttons"><button class="button primary">\(text("tenancy.save"))</button></p></form></section>
            """
    }

    /// What the browser's chooser shows before a colour is chosen: about the platform's own.
    private static let accentDefault = "#1f55b5"

    /// Says how the chosen colour reads, and what is done where it does not read well.
    private func contrast(_ text: Localizer, _ branding: Branding) -> HTML? {
        guard let colour = branding.accent.flatMap(Colour.init(hex:)) else { return nil }
        let palette = AccentPalette(colour)
        let schemes = [("light", palette.light), ("dark", palette.dark)]
        let lines: [HTML] = schemes.map { name, scheme in
            let isLow = scheme.contrast < AccentPalette.contrastLeast
            let words = text(
                isLow ? "tenancy.branding.contrast.\(name).low" : "tenancy.branding.contrast.\(name)",
                ["ratio": Self.ratio(scheme.contrast), "shade": scheme.text.hex])
            return "<p class=\"notice \(isLow ? "warn" : "good")\">\(words)</p>"
        }
        return """
            <section class="card stack" aria-labelledby="contrast"><h2 id="contrast">\(text("tenancy.branding.contrast"))</h2>\(lines)
            <p>\(text("tenancy.branding.sample")) <a href="\(Self.address)">\(text("tenancy.branding.sample.link"))</a>
            <span class="button primary">\(text("tenancy.branding.sample.button"))</span></p></section>
            """
    }

    /// `4.5:1`, cut off rather than rounded up: 4.49 is not enough.
    static func ratio(_ contrast: Double) -> String {
        let tenths = Int(contrast * 10)
        return "\(tenths / 10).\(tenths % 10):1"
    }
}
