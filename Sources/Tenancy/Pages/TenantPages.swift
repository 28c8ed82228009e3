internal import Foundation
internal import HTTPSurface
internal import Kernel

/// The tenant's own settings.
struct TenantPages: SettingsPage {
    let tenancy: Tenancy
    let console: Console

    static let address = "/settings"
    static let titleKey = "tenancy.settings.general"

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant("tenant.read"), summary: "General settings") { call in
                let tenant = try await tenant(call)
                return try await general(call, tenant, Typed(tenant), nil)
            },
            .page(.post, Self.address, access: .tenant("tenant.write"), summary: "Change the general settings") { call in
                let form = try call.form()
                do {
                    let change = TenantChange(
                        name: form["name"], timeZone: form["time_zone"], keepSucceededDays: try days("keep_succeeded_days", form),
                        keepFailedDays: try days("keep_failed_days", form))
                    _ = try await tenancy.updateTenant(call.tenant, change, by: call.principal)
                    return .redirect("\(Self.address)?done=saved")
                } catch let refusal as Refusal where refusal.kind == .invalid {
                    return try await general(call, try await tenant(call), Typed(form), refusal)
                }
            }
        ] + UsagePage(tenancy: tenancy, console: console).endpoints
    }

    private func tenant(_ call: EndpointCall) async throws -> Tenant {
        guard let tenant = try await tenancy.tenant(call.tenant) else { throw Refusal.missing("tenant") }
        return tenant
    }

    /// What the fields show.
    private struct Typed {
        var name: String
        var zone: String
        var succeeded: String
        var failed: String

        init(_ tenant: Tenant) {
            (name, zone) = (tenant.name, tenant.timeZone)
            succeeded = tenant.runKeeping.succeededDays.map(String.init) ?? ""
            failed = tenant.runKeeping.failedDays.map(String.init) ?? ""
        }

        init(_ form: FormFields) {
            (name, zone, succeeded, failed) = (form["name"], form["time_zone"], form["keep_succeeded_days"], form["keep_failed_days"])
        }
    }

    /// Nothing typed is 0: as long as the plan and the deployment allow.
    private func days(_ name: String, _ form: FormFields) throws -> Int {
        let written = form[name].filter { !$0.isWhitespace }
        if written.isEmpty { return 0 }
        guard let days = Int(written), days > 0 else {
            throw Refusal.invalid(name, "bad_days", "A whole number of days from 2 to 36,500, or nothing for as long as the plan allows.")
        }
        return days
    }

    private func kept(_ text: Localizer, _ days: Int?) -> String {
        days.map { text("tenancy.general.days", ["days": String($0)]) } ?? text("tenancy.general.as_long")
    }

    private func general(_ call: EndpointCall, _ tenant: Tenant, _ typed: Typed, _ refusal: Refusal?) async throws -> Answer {
        let text = call.localizer
        let mayWrite = call.principal.may("tenant.write")
        let most =
            tenant.limits.runDays.map { text("tenancy.field.keep_days.hint_most", ["days": String($0)]) } ?? text("tenancy.field.keep_days.hint")
        func days(_ name: String, _ value: String) -> HTML {
            Console.field(
                name, label: text("tenancy.field.\(name)"), value: value, hint: most, fault: refusal?.message(for: name), isRequired: false)
        }
        let form: HTML? =
            mayWrite
            ? """
            <section class="card stack"><form method="post" action="\(Self.address)" class="form">
            \(Console.field("name", label: text("tenancy.field.tenant_name"), value: typed.name, fault: refusal?.message(for: "name")))
            \(Console.choice("time_zone", label: text("tenancy.field.time_zone"), options: zones(typed.zone), chosen: typed.zone,
                hint: text("tenancy.field.time_zone.hint"), fault: refusal?.message(for: "time_zone")))
            \(days("keep_succeeded_days", typed.succeeded))\(days("keep_failed_days", typed.failed))
            <p class="buttons"><button class="button primary">\(text("tenancy.save"))</button></p></form></section>
            """ : nil
        let shown: HTML? =
            mayWrite
            ? nil
            : """
            <div><dt>\(text("tenancy.field.tenant_name"))</dt><dd>\(tenant.name)</dd></div>
            <div><dt>\(text("tenancy.field.time_zone"))</dt><dd>\(tenant.timeZone)</dd></div>
            <div><dt>\(text("tenancy.field.keep_succeeded_days"))</dt><dd>\(kept(text, tenant.runKeeping.succeededDays))</dd></div>
            <div><dt>\(text("tenancy.field.keep_failed_days"))</dt><dd>\(kept(text, tenant.runKeeping.failedDays))</dd></div>
            """
        return try await page(
            call, status: refusal?.kind.status ?? 200,
            """
            \(done(call, ["saved"]))\(form)<section class="card"><dl class="facts">\(shown)
            <div><dt>\(text("tenancy.field.subdomain"))</dt><dd>\(tenant.subdomain.text)</dd></div>
            <div><dt>\(text("tenancy.general.id"))</dt><dd><code>\(tenant.id.description)</code></dd></div>
            <div><dt>\(text("tenancy.column.created"))</dt><dd>\(Console.time(tenant.createdAt))</dd></div></dl></section>
            """)
    }

    private func zones(_ chosen: String) -> [(value: String, title: String)] {
        let known = ["UTC"] + TimeZone.knownTimeZoneIdentifiers.filter { $0 != "UTC" }
        return (known.contains(chosen) ? known : [chosen] + known).map { ($0, $0) }
    }
}

/// The plan, and what is used of each of its limits.
struct UsagePage: SettingsPage {
    let tenancy: Tenancy
    let console: Console

    static let address = "/settings/usage"
    static let titleKey = "tenancy.settings.usage"

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant("usage.read"), summary: "Plan and usage") { call in
                guard let tenant = try await tenancy.tenant(call.tenant) else { throw Refusal.missing("tenant") }
                let text = call.localizer
                let listed = try await tenancy.plans().first { $0.name == tenant.plan }
                let price = listed.flatMap { plan in plan.priceMonthly.map { self.price($0, plan.currency, text) } }
                let uses = try await tenancy.quotas(of: call.tenant)
                let rows: [HTML] = uses.map { UsageLine($0, text).html }
                let rate = tenant.limits.requestsPerSecond.map { text("tenancy.usage.per_second", ["limit": String($0)]) }
                let days = tenant.limits.runDays.map { text("tenancy.general.days", ["days": String($0)]) }
                return try await page(
                    call,
                    """
                    <section class="card"><dl class="facts">
                    <div><dt>\(text("tenancy.usage.plan"))</dt><dd>\(text("tenancy.plan.\(tenant.plan.rawValue)"))</dd></div>
                    <div><dt>\(text("tenancy.usage.price"))</dt><dd>\(price ?? text("tenancy.usage.agreed"))</dd></div></dl></section>
                    <section class="card usage" aria-label="\(text("tenancy.usage.limits"))">\(rows)\(limit("requests_per_second", rate, text))\
                    \(limit("run_days", days, text))</section>
                    <p class="lead">\(text("tenancy.usage.hint"))</p>
                    """)
            }
        ]
    }

    private func limit(_ name: String, _ value: String?, _ text: Localizer) -> HTML {
        """
        <div><p class="line"><strong>\(text("tenancy.limit.\(name)"))</strong><span>\(value ?? text("tenancy.usage.no_limit"))</span></p></div>
        """
    }

    private func price(_ minor: Int64, _ currency: String, _ text: Localizer) -> String {
        let cents = minor % 100
        let amount = "\(minor / 100)" + (cents == 0 ? "" : ".\(cents < 10 ? "0" : "")\(cents)")
        return text("tenancy.usage.monthly", ["amount": text.figure(amount), "currency": currency])
    }
}
