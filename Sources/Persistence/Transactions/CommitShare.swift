package import Kernel

/// What the transactions of one commit have together, see `CommitShare`.
package protocol CommitShared: AnyObject {
    /// Runs before the commit, with what has become of the value.
    func end(_ tx: SystemTransaction) throws
}

extension CommitShared {
    package func end(_ tx: SystemTransaction) throws {}
}

/// What the transactions of one commit do once for all of them: a counter that each raises is written at the end, a question that each asks is
/// asked once. Where one of them fails all are undone, and run again each by itself and without this.
package final class CommitShare {
    private var values: [Key: any CommitShared] = [:]
    /// In the order in which they were made.
    private var order: [any CommitShared] = []

    private struct Key: Hashable {
        /// So that what is found has the type that is asked for.
        let type: ObjectIdentifier
        let tenant: TenantID
        let name: String
        let number: Int64

        // There are few: more than this only costs time.
        func hash(into hasher: inout Hasher) { hasher.combine(tenant.low ^ UInt64(bitPattern: number)) }
    }

    /// The value of a tenant by its name and number, made by the first that asks.
    /// - Parameter make: not kept where it gives nil.
    package func value<Value: CommitShared>(
        of tenant: TenantID, _ name: String = "", _ number: Int64 = 0, make: () throws -> Value?
    ) rethrows -> Value? {
        let key = Key(type: ObjectIdentifier(Value.self), tenant: tenant, name: name, number: number)
        if let known = values[key] { return unsafeDowncast(known, to: Value.self) }
        guard let made = try make() else { return nil }
        values[key] = made
        order.append(made)
        return made
    }

    func end(_ session: any Session) throws { for value in order { try value.end(SystemTransaction(session: session)) } }
}
