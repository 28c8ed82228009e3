internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// Where anybody who was given its address sees whether a certificate holds.
struct CertificatePages {
    let billing: Billing
    let context: BillingPageContext

    static let address = "/certificates"
    private static let anyone = Access.public("Who is shown a certificate verifies it, without an account.")

    var endpoints: [Endpoint] {
        [
            .page(.get, "\(Self.address)/{id}", access: Self.anyone, summary: "A certificate") { call in
                let certificate = try await billing.certificate(try call.id("id", noun: "certificate"))
                // Whoever is given the address may see a person's name, but nobody finds it by searching.
                call.addHeader("X-Robots-Tag", "noindex")
                return context.console.door(call, title: call.localizer("billing.certificate"), card(call.localizer, certificate))
            },
            .raw(
                .get, "\(Self.address)/{id}/badge.svg", access: Self.anyone, summary: "Fetch a certificate's badge", tag: LearningRoutes.tag,
                answers: "image/svg+xml"
            ) { call in
                let certificate = try await billing.certificate(try call.id("id", noun: "certificate"))
                call.addHeader("Cache-Control", "no-cache")
                return .text(CertificateBadge(certificate: certificate, text: call.localizer).svg.text, contentType: "image/svg+xml; charset=utf-8")
            }
        ]
    }

    private func card(_ text: Localizer, _ certificate: Certificate) -> HTML {
        func row(_ key: String, _ value: HTML) -> HTML { "<div><dt>\(text(key))</dt><dd>\(value)</dd></div>" }
        let notice: HTML? =
            certificate.revocation.map { reason -> HTML? in
                Console.notice(text("billing.certificate.revoked.\(reason.rawValue)"))
            } ?? Console.notice(text("billing.certificate.valid"), isBad: false)
        let revoked: HTML? = certificate.revokedAt.map { row("billing.certificate.revoked_at", Console.time($0)) }
        let address = "\(Self.address)/\(certificate.id)/badge.svg"
        return """
            <h1>\(text("billing.certificate"))</h1>\(notice)<p><img class="badge" src="\(href: address)" width="320" height="120" alt="\(text("billing.certificate.badge"))"></p>
            <dl class="certificate">\(row("billing.certificate.of", "\(certificate.learnerName)"))\(row("billing.course", "\(certificate.courseTitle)"))
            \(row("billing.certificate.by", "\(certificate.issuer)"))\(row("billing.course.result", "\(certificate.percent) %"))
            \(row("billing.certificate.at", Console.time(certificate.issuedAt)))\(revoked)</dl>
            """
    }
}

/// A picture of a certificate for other sites: text and shapes alone, no script, no address.
struct CertificateBadge {
    let certificate: Certificate
    let text: Localizer

    private static let titleLength = 34

    var svg: HTML {
        let holds = certificate.revocation == nil
        let word = text(holds ? "billing.certificate.badge.valid" : "billing.certificate.badge.revoked")
        let title = Self.short(certificate.courseTitle)
        let day = certificate.issuedAt.description.prefix(10)
        let label = "\(certificate.courseTitle), \(certificate.learnerName): \(word)"
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="320" height="120" viewBox="0 0 320 120" role="img" aria-label="\(label)">
            <title>\(label)</title><rect x="1" y="1" width="318" height="118" rx="14" fill="#ffffff" stroke="\(holds ? "#1d5fd1" : "#8a8f99")" stroke-width="2"/>
            <circle cx="48" cy="60" r="27" fill="\(holds ? "#1d5fd1" : "#8a8f99")"/>\(holds ? Self.tick : Self.cross)
            <g font-family="Inter, 'DejaVu Sans', sans-serif" fill="#16181d"><text x="90" y="40" font-size="15" font-weight="700">\(title)</text>
            <text x="90" y="62" font-size="13">\(Self.short(certificate.learnerName))</text>
            <text x="90" y="82" font-size="11" fill="#5b6270">\(Self.short(certificate.issuer)), \(day)</text>
            <text x="90" y="102" font-size="12" font-weight="700" fill="\(holds ? "#1b6b3a" : "#a3271c")">\(word)</text></g></svg>
            """
    }

    private static let tick: HTML = """
        <path d="M36 61l9 9 17-19" fill="none" stroke="#ffffff" stroke-width="5" stroke-linecap="round" stroke-linejoin="round"/>
        """
    private static let cross: HTML = """
        <path d="M39 51l18 18M57 51l-18 18" fill="none" stroke="#ffffff" stroke-width="5" stroke-linecap="round"/>
        """

    private static func short(_ text: String) -> String { text.count <= titleLength ? text : "\(text.prefix(titleLength - 1))…" }
}
