internal import HTTPSurface
internal import Kernel

struct OperatorAccessView: Codable, Sendable {
    var id: ID<Impersonation>
    var operatorID: UserID
    var role: String
    var reason: String
    var startedAt: Timestamp
    var expiresAt: Timestamp
    var endedAt: Timestamp?

    init(_ record: ImpersonationRecord) {
        id = record.id
        operatorID = record.operatorID
        role = record.role.rawValue
        reason = record.reason
        startedAt = record.startedAt
        expiresAt = record.expiresAt
        endedAt = record.endedAt
    }
}

struct OperatorAccessRoutes {
    let tenancy: Tenancy

    var endpoints: [Endpoint] {
        [
            Endpoint.list(
                "/v1/operator-accesses", access: .tenant("audit.read"), summary: "List the accesses of operators to the tenant, newest first",
                tag: "Audit log", of: OperatorAccessView.self
            ) { call, page in
                let cursor: ID<Impersonation>? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await tenancy.impersonations(of: call.tenant, before: cursor, limit: page.limit + 1)
                return Page(rows.map(OperatorAccessView.init), limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .post, "/v1/operator-accesses/{id}/end", access: .tenant("tenant.write"), summary: "End an operator's access", tag: "Audit log",
                returns: .noContent
            ) { call in
                try await tenancy.endImpersonation(try call.id("id", noun: "access"), of: call.tenant, by: call.principal)
            }
        ]
    }
}
