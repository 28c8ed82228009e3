internal import HTTPSurface
internal import Kernel

/// Where a tenant's people see which operators of the platform were in it, why and until when, and end what is still open.
struct OperatorAccessPage: SettingsPage {
    let tenancy: Tenancy
    let console: Console

    static let address = "/settings/operator-access"
    static let titleKey = "tenancy.settings.operator_access"
    private static let rowsPerPage = 50

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant("audit.read"), summary: "Access of operators") { call in
                let text = call.localizer
                let cursor: ID<Impersonation>? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await tenancy.impersonations(of: call.tenant, before: cursor, limit: Self.rowsPerPage + 1)
                let shown = Page(rows, limit: Self.rowsPerPage) { Cursor([.string($0.id.description)]) }
                let list = OperatorAccessList(
                    text: text, now: tenancy.clock.now(), names: try await tenancy.operatorNames(shown.data, in: call.tenant))
                let mayEnd = call.principal.may("tenant.write") && call.principal.impersonation == nil
                let table =
                    rows.isEmpty
                    ? Console.empty(text("tenancy.access.empty"), text("tenancy.access.empty.hint"))
                    : list.html(shown.data) { mayEnd ? "\(Self.address)/\($0.id)/end" : nil }
                return try await page(
                    call,
                    """
                    \(done(call, ["access_ended"]))<p class="lead">\(text("tenancy.access.lead"))</p>
                    <section class="card">\(table)\(Console.more(text, Self.address, cursor: shown.nextCursor))</section>
                    """)
            },
            .page(.post, "\(Self.address)/{id}/end", access: .tenant("tenant.write"), summary: "End an operator's access") { call in
                try await tenancy.endImpersonation(try call.id("id", noun: "access"), of: call.tenant, by: call.principal)
                return .redirect("\(Self.address)?done=access_ended")
            }
        ]
    }
}

/// Accesses of operators as a table.
struct OperatorAccessList {
    let text: Localizer
    let now: Timestamp
    /// Addresses by the audit log's name.
    let names: [String: String]

    /// - Parameter end: where an open access is ended; nil where the reader may not.
    func html(_ records: [ImpersonationRecord], end: (ImpersonationRecord) -> String?) -> HTML {
        let columns: [(title: String, kind: String?)] = [
            (text("tenancy.access.operator"), nil), (text("tenancy.column.role"), nil), (text("tenancy.access.from"), nil),
            (text("tenancy.access.until"), nil), ("", "actions")
        ]
        let rows: [HTML] = records.map { record in
            let isOpen = record.isOpen(at: now)
            let open: HTML? = isOpen ? " <span class=\"status running\">\(text("tenancy.access.open"))</span>" : nil
            let button: HTML? =
                isOpen
                ? end(record).map {
                    "<form method=\"post\" action=\"\(href: $0)\"><button class=\"button small\">\(text("http.acting.end"))</button></form>"
                } : nil
            return """
                <tr><td class="name">\(names["operator:\(record.operatorID)"] ?? "")\(open)<span class="sub">\(record.reason)</span></td>
                <td>\(text("tenancy.operator.as.\(record.role.rawValue)"))</td><td class="time">\(Console.time(record.startedAt))</td>
                <td class="time">\(Console.time(record.endedAt ?? record.expiresAt))</td><td class="actions">\(button)</td></tr>
                """
        }
        return Console.table(columns, rows)
    }
}

extension Tenancy {
    func operatorNames(_ records: [ImpersonationRecord], in tenant: TenantID) async throws -> [String: String] {
        try await names(of: Set(records.map { "operator:\($0.operatorID)" }), in: tenant)
    }
}
