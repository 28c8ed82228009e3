internal import HTTPSurface
internal import Kernel

/// One tenant, and what an operator may do with it.
struct TenantOperationPage {
    let tenancy: Tenancy
    let console: Console

    static let address = "/operator/tenants"
    private static let accessesShown = 10
    private static let write = Access.platform("operator.tenants.write")
    private static let limitFields = ["workflows", "executions_per_month", "storage_mib", "users", "requests_per_second", "run_days"]

    var endpoints: [Endpoint] {
        [
            .page(.get, "\(Self.address)/{id}", access: .platform("operator.tenants.read"), summary: "A tenant") { call in try await page(call) },
            .page(.post, "\(Self.address)/{id}/suspension", access: Self.write, summary: "Suspend a tenant") { call in
                try await act(call, "suspended") { id, form in
                    try await tenancy.suspend(id, reason: form["suspension_reason"], by: call.principal)
                }
            },
            .page(.post, "\(Self.address)/{id}/resumption", access: Self.write, summary: "Resume a tenant") { call in
                try await act(call, "resumed") { id, _ in try await tenancy.resume(id, by: call.principal) }
            },
            .page(.post, "\(Self.address)/{id}/plan", access: Self.write, summary: "Change a tenant's plan") { call in
                try await act(call, "plan_changed") { id, form in
                    _ = try await tenancy.updateTenant(id, try change(form), by: call.principal)
                }
            },
            .page(.post, "\(Self.address)/{id}/impersonations", access: .platform("operator.impersonate"), summary: "Enter a tenant") { call in
                let form = try call.form()
                do {
                    let made = try await tenancy.impersonate(
                        try id(call), role: try Tenancy.role(form["role"]), minutes: Int(form["minutes"]) ?? 0, reason: form["reason"],
                        by: call.principal)
                    let seconds = (made.record.expiresAt - made.record.startedAt).components.seconds
                    call.addHeader("Set-Cookie", ImpersonationCookie.set(made.token, seconds: seconds, isSecure: tenancy.usesTLS))
                    return .redirect("/")
                } catch let refusal as Refusal where refusal.kind != .missing {
                    return try await page(call, form, refusal)
                }
            },
            .page(
                .post, "\(Self.address)/{id}/impersonations/{access}/end", access: .platform("operator.impersonate"),
                summary: "End an access to a tenant"
            ) { call in
                try await act(call, "left") { id, _ in
                    try await tenancy.endImpersonation(try call.id("access", noun: "access"), of: id, by: call.principal)
                }
            }
        ]
    }

    private func id(_ call: EndpointCall) throws -> TenantID { try call.id("id", noun: "tenant") }

    private func act(_ call: EndpointCall, _ done: String, _ work: (TenantID, FormFields) async throws -> Void) async throws -> Answer {
        let form = try call.form()
        do {
            let tenant = try id(call)
            try await work(tenant, form)
            return .redirect("\(Self.address)/\(tenant)?done=\(done)")
        } catch let refusal as Refusal where refusal.kind != .missing {
            return try await page(call, form, refusal)
        }
    }

    /// Limits count for the custom plan alone; the others bring their own.
    private func change(_ form: FormFields) throws -> TenantChange {
        let plan = try Tenancy.planName(form["plan"])
        func limit(_ name: String) throws -> Int? {
            let written = form[name].filter { !$0.isWhitespace }
            if written.isEmpty { return nil }
            guard let count = Int(written), (0...Self.limitMaximum).contains(count) else {
                throw Refusal.invalid(name, "bad_limit", "A whole number, or nothing for no limit.")
            }
            return count
        }
        let limits = PlanLimits(
            workflows: try limit("workflows"), executionsPerMonth: try limit("executions_per_month"),
            storageBytes: try limit("storage_mib").map { $0 << 20 }, users: try limit("users"), requestsPerSecond: try limit("requests_per_second"),
            runDays: try limit("run_days"))
        let features = form["features"].split(whereSeparator: { $0.isWhitespace || $0 == "," }).map(String.init)
        return TenantChange(plan: plan, features: features, limits: plan == .custom ? limits : nil)
    }

    private static let limitMaximum = 1 << 40

    // MARK: The page

    private func page(_ call: EndpointCall, _ form: FormFields = .empty, _ refusal: Refusal? = nil) async throws -> Answer {
        let text = call.localizer
        guard let tenant = try await tenancy.tenant(try id(call)) else { throw Refusal.missing("tenant") }
        let members = try await tenancy.members(of: tenant.id)
        let uses: [HTML] = try await tenancy.quotas(of: tenant.id).map { UsageLine($0, text).html }
        let owners = members.filter { $0.role == .owner }.map(\.email).joined(separator: ", ")
        let reason: HTML? = tenant.statusReason.map { "<div><dt>\(text("tenancy.operator.reason"))</dt><dd>\($0)</dd></div>" }
        let word = call.parameter(ofQuery: "done")
        let done = ["suspended", "resumed", "plan_changed", "left"].contains(word) ? text("tenancy.operator.done.\(word)") : nil
        let fields = ["suspension_reason", "reason", "role", "minutes", "features"] + Self.limitFields
        return console.page(
            call, title: tenant.name, current: TenantListPage.address, person: try await tenancy.visitor(call.principal),
            status: refusal?.kind.status ?? 200,
            """
            <header><div><p class="crumb"><a href="\(TenantListPage.address)">\(text("tenancy.operator.tenants"))</a></p><h1>\(tenant.name)</h1></div>
            <div class="buttons">\(statusForm(text, tenant, form, refusal))</div></header>
            \(Console.notice(done, isBad: false))\(Console.notice(refusal?.message(besides: fields)))
            <section class="card"><dl class="facts">
            <div><dt>\(text("tenancy.operator.status"))</dt><dd>\(tenant.badge(text))</dd></div>\(reason)
            <div><dt>\(text("tenancy.usage.plan"))</dt><dd>\(text("tenancy.plan.\(tenant.plan.rawValue)"))</dd></div>
            <div><dt>\(text("tenancy.field.subdomain"))</dt><dd>\(tenant.subdomain.text)</dd></div>
            <div><dt>\(text("tenancy.role.owner"))</dt><dd>\(owners)</dd></div>
            <div><dt>\(text("tenancy.limit.users"))</dt><dd>\(members.count)</dd></div>
            <div><dt>\(text("tenancy.column.created"))</dt><dd>\(Console.time(tenant.createdAt))</dd></div>
            <div><dt>\(text("tenancy.general.id"))</dt><dd><code>\(tenant.id.description)</code></dd></div></dl></section>
            <section class="card usage" aria-labelledby="use"><div class="title"><h2 id="use">\(text("tenancy.usage.limits"))</h2></div>
            <div class="lines">\(uses)</div></section>
            \(enterForm(text, tenant, form, refusal))\(planForm(text, tenant, form, refusal))\(try await accesses(call, tenant))
            """)
    }

    private func statusForm(_ text: Localizer, _ tenant: Tenant, _ form: FormFields, _ refusal: Refusal?) -> HTML {
        let here = "\(Self.address)/\(tenant.id.description)"
        guard tenant.status == .active else {
            return Console.confirmed(
                text, id: "resume", action: "\(here)/resumption", label: text("tenancy.operator.resume"),
                question: text("tenancy.operator.resume.question", ["name": tenant.name]), isSmall: false)
        }
        let reason = Console.field(
            "suspension_reason", label: text("tenancy.operator.reason"), value: form["suspension_reason"], hint: text("tenancy.operator.reason.hint"))
        return Console.confirmed(
            text, id: "suspend", action: "\(here)/suspension", label: text("tenancy.operator.suspend"),
            question: text("tenancy.operator.suspend.question", ["name": tenant.name]), fields: reason, isSmall: false)
    }

    private func enterForm(_ text: Localizer, _ tenant: Tenant, _ form: FormFields, _ refusal: Refusal?) -> HTML? {
        guard tenant.status == .active else { return nil }
        let roles = Tenancy.impersonationRoles.map { (value: $0.rawValue, title: text("tenancy.operator.as.\($0.rawValue)")) }
        let minutes = Tenancy.impersonationMinutes.map { (value: String($0), title: text("tenancy.operator.minutes", ["count": String($0)])) }
        return """
            <section class="card stack" aria-labelledby="enter"><h2 id="enter">\(text("tenancy.operator.impersonate"))</h2>
            <p class="lead">\(text("tenancy.operator.impersonate.hint"))</p>
            <form method="post" action="\(Self.address)/\(tenant.id.description)/impersonations" class="row-form">
            \(Console.field("reason", label: text("tenancy.operator.reason"), value: form["reason"], fault: refusal?.message(for: "reason")))
            \(Console.choice("role", label: text("tenancy.column.role"), options: roles, chosen: form["role"], fault: refusal?.message(for: "role")))
            \(Console.choice("minutes", label: text("tenancy.operator.for"), options: minutes, chosen: form["minutes"],
                fault: refusal?.message(for: "minutes")))
            <button class="button primary">\(text("tenancy.operator.impersonate.submit"))</button></form></section>
            """
    }

    private func planForm(_ text: Localizer, _ tenant: Tenant, _ form: FormFields, _ refusal: Refusal?) -> HTML {
        let isTyped = !form["plan"].isEmpty
        let limits = tenant.limits
        let values: [String: Int?] = [
            "workflows": limits.workflows, "executions_per_month": limits.executionsPerMonth, "storage_mib": limits.storageBytes.map { $0 >> 20 },
            "users": limits.users, "requests_per_second": limits.requestsPerSecond,
            "run_days": limits.runDays
        ]
        let fields: [HTML] = Self.limitFields.map { name in
            let value = isTyped ? form[name] : (values[name] ?? nil).map(String.init) ?? ""
            return Console.field(
                name, label: text("tenancy.operator.limit.\(name)"), value: value, fault: refusal?.message(for: name), isRequired: false)
        }
        let plans = PlanName.allCases.map { (value: $0.rawValue, title: text("tenancy.plan.\($0.rawValue)")) }
        return """
            <section class="card stack" aria-labelledby="plan-form"><h2 id="plan-form">\(text("tenancy.operator.plan"))</h2>
            <p class="lead">\(text("tenancy.operator.plan.hint"))</p>
            <form method="post" action="\(Self.address)/\(tenant.id.description)/plan" class="form wide"><div class="row-form">
            \(Console.choice("plan", label: text("tenancy.usage.plan"), options: plans, chosen: isTyped ? form["plan"] : tenant.plan.rawValue))
            \(Console.field("features", label: text("tenancy.operator.features"), value: isTyped ? form["features"] : tenant.features.joined(separator: " "),
                fault: refusal?.message(for: "features"), isRequired: false))</div>
            <div class="row-form">\(fields)</div>
            <p class="buttons"><button class="button primary">\(text("tenancy.save"))</button></p></form></section>
            """
    }

    private func accesses(_ call: EndpointCall, _ tenant: Tenant) async throws -> HTML {
        let text = call.localizer
        let records = try await tenancy.impersonations(of: tenant.id, limit: Self.accessesShown)
        guard !records.isEmpty else { return .empty }
        let list = OperatorAccessList(text: text, now: tenancy.clock.now(), names: try await tenancy.operatorNames(records, in: tenant.id))
        let here = "\(Self.address)/\(tenant.id.description)"
        let table = list.html(records) { "\(here)/impersonations/\($0.id)/end" }
        return """
            <section class="card" aria-labelledby="accesses"><div class="title"><h2 id="accesses">\(text("tenancy.settings.operator_access"))</h2></div>
            \(table)</section>
            """
    }
}
