internal import HTTPSurface
internal import Kernel

struct AuditEntryView: Codable, Sendable {
    var id: ID<AuditEntry>
    var at: Timestamp
    var actor: String
    var action: String
    var subject: String
    var details: JSON
    var sequence: Int?
    var hash: String?

    init(_ entry: AuditEntry) {
        id = entry.id
        at = entry.at
        actor = entry.actor
        action = entry.action
        subject = entry.subject
        details = entry.details
        sequence = entry.sequence
        hash = entry.hash.map { $0.hexText }
    }
}

struct AuditRoutes {
    let tenancy: Tenancy

    var endpoints: [Endpoint] {
        [
            Endpoint.list(
                "/v1/audit-log", access: .tenant("audit.read"), summary: "List what was changed, newest first", tag: "Audit log",
                of: AuditEntryView.self
            ) { call, page in try await self.page(page, of: call.tenant) },
            Endpoint.list(
                "/v1/platform/audit-log", access: .platformOperator, summary: "List what operators changed of the platform itself, newest first",
                tag: "Operator", of: AuditEntryView.self
            ) { _, page in try await self.page(page, of: Tenancy.platformLog) }
        ]
    }

    private func page(_ page: PageRequest, of tenant: TenantID) async throws -> Page<AuditEntryView> {
        try await tenancy.sealAuditLog(of: tenant)
        let cursor: ID<AuditEntry>? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
        let rows = try await tenancy.auditLog(of: tenant, before: cursor, limit: page.limit + 1)
        return Page(rows.map(AuditEntryView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
    }
}
