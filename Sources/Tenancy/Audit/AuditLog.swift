package import Kernel
package import Persistence
internal import Crypto

/// One change, by whom, of what. Holds ids and digests, no personal values.
package struct AuditEntry: Sendable, Hashable {
    package var id: ID<AuditEntry>
    package var at: Timestamp
    /// `user:<id>`, `key:<id>`, `operator:<id>`, `system`
    package var actor: String
    /// `workflow.publish`
    package var action: String
    /// `workflow:<id>`
    package var subject: String
    package var details: JSON
    /// Place in the tenant's chain, from 1; nil until sealed.
    package var sequence: Int?
    /// SHA-256 over the previous hash and this row.
    package var hash: [UInt8]?
}

/// The append-only log of a tenant. Entries are written with the change itself; a sealer numbers and chains them after the commit, so that
/// the chain is no bottleneck and its order is that of commits.
struct AuditStore {
    let tx: TenantTransaction

    static let table = Table(
        "audit_log", .tenant, primaryKey: ["id"],
        columns: [
            Column("id", .uuid), Column("at", .timestamp), Column("actor", .text), Column("action", .text), Column("subject", .text),
            Column("details", .text), Column("sequence", .integer, optional: true), Column("hash", .blob, optional: true)
        ],
        indexes: [
            Index("audit_log_sequence", on: ["tenant_id", "sequence"], unique: true, where: .isNotNull("sequence")),
            Index("audit_log_unsealed", on: ["tenant_id", "id"], where: .isNull("sequence"))
        ])

    static let sealBatch = 500

    func append(_ entry: AuditEntry) throws {
        try tx.execute(
            """
            INSERT INTO audit_log (tenant_id, id, at, actor, action, subject, details)
            VALUES (\(tx.tenant), \(entry.id), \(entry.at), \(entry.actor), \(entry.action), \(entry.subject), \(entry.details.serialized))
            """)
    }

    /// Newest first, those before `cursor`.
    func page(before cursor: ID<AuditEntry>?, limit: Int) throws -> [AuditEntry] {
        let last = cursor ?? ID<AuditEntry>(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, at, actor, action, subject, details, sequence, hash FROM audit_log
            WHERE tenant_id = \(tx.tenant) AND id < \(last) ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    /// Chains the entries that are not yet sealed, oldest first.
    /// - Returns: how many.
    func seal() throws -> Int {
        let unsealed = try tx.all(
            """
            SELECT id, at, actor, action, subject, details, sequence, hash FROM audit_log
            WHERE tenant_id = \(tx.tenant) AND sequence IS NULL ORDER BY id LIMIT \(Self.sealBatch)
            """, Self.read)
        guard !unsealed.isEmpty else { return 0 }
        let last = try tx.first(
            """
            SELECT sequence, hash FROM audit_log WHERE tenant_id = \(tx.tenant) AND sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1
            """)
        var sequence: Int = try last?.column(0) ?? 0
        var previous: [UInt8] = try last?.column(1) ?? []
        for entry in unsealed {
            sequence += 1
            previous = entry.chained(after: previous, sequence: sequence)
            try tx.execute(
                """
                UPDATE audit_log SET sequence = \(sequence), hash = \(previous)
                WHERE tenant_id = \(tx.tenant) AND id = \(entry.id) AND sequence IS NULL
                """)
        }
        return unsealed.count
    }

    func hasUnsealed() throws -> Bool {
        try tx.first("SELECT id FROM audit_log WHERE tenant_id = \(tx.tenant) AND sequence IS NULL LIMIT 1") != nil
    }

    /// The whole chain in order, for verification.
    func chain(after sequence: Int, limit: Int) throws -> [AuditEntry] {
        try tx.all(
            """
            SELECT id, at, actor, action, subject, details, sequence, hash FROM audit_log
            WHERE tenant_id = \(tx.tenant) AND sequence > \(sequence) ORDER BY sequence LIMIT \(limit)
            """, Self.read)
    }

    private static func read(_ row: Row) throws -> AuditEntry {
        AuditEntry(
            id: try row.column(0), at: try row.column(1), actor: try row.column(2), action: try row.column(3), subject: try row.column(4),
            details: try JSON(parsing: try row.column(5, as: String.self)), sequence: try row.column(6), hash: try row.column(7))
    }
}

extension AuditEntry {
    /// The hash of this entry at `sequence` when the one before has hash `previous`.
    func chained(after previous: [UInt8], sequence: Int) -> [UInt8] {
        let fields: JSON = [
            .number(Double(sequence)), .string(id.description), .number(Double(at.microseconds)), .string(actor), .string(action),
            .string(subject), details
        ]
        var hash = SHA256()
        hash.update(data: previous)
        hash.update(data: fields.bytes)
        return Array(hash.finalize())
    }
}

extension Principal {
    /// How the audit log names the one who acts.
    package var auditName: String {
        switch actor {
        case .anonymous: "anonymous"
        case .user(let id): "user:\(id)"
        case .apiKey(let id): "key:\(id)"
        case .platformOperator(let id): "operator:\(id)"
        case .system: "system"
        }
    }
}

extension TenantTransaction {
    /// Writes what was done into the tenant's audit log, in the transaction of the change.
    package func audit(_ principal: Principal, _ action: String, _ subject: String, _ details: JSON = [:]) throws {
        var details = details
        if let access = principal.impersonation, var members = details.object {
            members["impersonation"] = .string(access.id.description)
            details = .object(members)
        }
        try AuditStore(tx: self).append(
            AuditEntry(
                id: ids.next(), at: clock.now(), actor: principal.auditName, action: action, subject: subject, details: details,
                sequence: nil, hash: nil))
    }
}
