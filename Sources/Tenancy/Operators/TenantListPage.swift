internal import HTTPSurface
internal import Kernel

/// All tenants of the platform, for its operators.
struct TenantListPage {
    let tenancy: Tenancy
    let console: Console

    static let address = "/operator"
    private static let rowsPerPage = 25

    var endpoints: [Endpoint] {
        [.page(.get, Self.address, access: .platform("operator.tenants.read"), summary: "Tenants") { call in try await list(call) }]
    }

    private func list(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let search = TenantSearch(
            words: call.parameter(ofQuery: "q"), status: Tenant.Status(rawValue: call.parameter(ofQuery: "status")),
            plan: PlanName(rawValue: call.parameter(ofQuery: "plan")), order: .init(rawValue: call.parameter(ofQuery: "order")) ?? .newest)
        let found = try await tenancy.tenants(search)
        let shown = try Page(of: found, PageRequest(cursor: try call.page().cursor, limit: Self.rowsPerPage))
        var rows: [HTML] = []
        for one in shown.data { rows.append(row(text, try await tenancy.counted(one))) }
        let columns: [(title: String, kind: String?)] = [
            (text("tenancy.operator.tenant"), nil), (text("tenancy.usage.plan"), nil), (text("tenancy.operator.status"), nil),
            (text("tenancy.limit.users"), "number"), (text("tenancy.operator.runs"), "number"), (text("tenancy.limit.storage_bytes"), "number"),
            (text("tenancy.column.created"), "optional")
        ]
        let isSearched = search != TenantSearch(order: search.order)
        let table =
            rows.isEmpty
            ? Console.empty(
                text(isSearched ? "tenancy.operator.none" : "tenancy.operator.empty"),
                text(isSearched ? "tenancy.operator.none.hint" : "tenancy.operator.empty.hint")) : Console.table(columns, rows)
        let names = ["q", "status", "plan", "order"]
        let pairs = names.compactMap { name -> String? in
            let value = call.parameter(ofQuery: name)
            return value.isEmpty ? nil : "\(name)=\(Percent.encode(value))"
        }
        let here = pairs.isEmpty ? Self.address : "\(Self.address)?\(pairs.joined(separator: "&"))"
        return console.page(
            call, title: text("tenancy.operator.tenants"), current: Self.address, person: try await tenancy.visitor(call.principal),
            """
            <header><div><h1>\(text("tenancy.operator.tenants"))</h1><p class="lead">\(text("tenancy.operator.found", ["count": String(found.count)]))</p></div></header>
            <section class="card stack">\(form(text, search))</section>
            <section class="card">\(table)\(Console.more(text, here, cursor: shown.nextCursor))</section>
            """)
    }

    private func form(_ text: Localizer, _ search: TenantSearch) -> HTML {
        let any = (value: "", title: text("tenancy.operator.any"))
        let statuses = [any] + Tenant.Status.allCases.map { (value: $0.rawValue, title: text("tenancy.status.\($0.rawValue)")) }
        let plans = [any] + PlanName.allCases.map { (value: $0.rawValue, title: text("tenancy.plan.\($0.rawValue)")) }
        let orders = TenantSearch.Order.allCases.map { (value: $0.rawValue, title: text("tenancy.operator.order.\($0.rawValue)")) }
        return """
            <form method="get" action="\(Self.address)" class="row-form search" role="search">
            \(Console.field("q", label: text("tenancy.operator.find"), type: "search", value: search.words, isRequired: false))
            \(Console.choice("status", label: text("tenancy.operator.status"), options: statuses, chosen: search.status?.rawValue ?? ""))
            \(Console.choice("plan", label: text("tenancy.usage.plan"), options: plans, chosen: search.plan?.rawValue ?? ""))
            \(Console.choice("order", label: text("tenancy.operator.order"), options: orders, chosen: search.order.rawValue))
            <button class="button">\(text("tenancy.operator.search"))</button></form>
            """
    }

    private func row(_ text: Localizer, _ one: TenantOverview) -> HTML {
        let tenant = one.tenant
        return """
            <tr><td class="name"><a href="\(TenantOperationPage.address)/\(tenant.id.description)">\(tenant.name)</a><span class="sub">\(tenant.subdomain.text)</span></td>
            <td>\(text("tenancy.plan.\(tenant.plan.rawValue)"))</td><td>\(tenant.badge(text))</td>
            <td class="number" data-label="\(text("tenancy.limit.users"))">\(one.members)</td>
            <td class="number" data-label="\(text("tenancy.operator.runs"))">\(one.runs)</td>
            <td class="number" data-label="\(text("tenancy.limit.storage_bytes"))">\(UsageLine.size(one.storageBytes))</td>
            <td class="time optional">\(Console.time(tenant.createdAt))</td></tr>
            """
    }
}

extension Tenant {
    func badge(_ text: Localizer) -> HTML {
        "<span class=\"status \(status == .active ? "succeeded" : "failed")\">\(text("tenancy.status.\(status.rawValue)"))</span>"
    }
}
