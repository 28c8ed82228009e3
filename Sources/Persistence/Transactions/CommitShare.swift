package import Kernel

/// What the transactions of one commit have together, see `CommitShare`.
package protocol CommitShared: AnyObject {
    /// Whether the commits after this one may go on with the value, see `CommitMemory`.
    var lasts: Bool { get }
    /// Runs before the commit, with what has become of the value.
    func end(_ tx: SystemTransaction) throws
}

extension CommitShared {
    package var lasts: Bool { false }
    package func end(_ tx: SystemTransaction) throws {}
}

/// What the transactions of one commit do once for all of them: a counter that each raises is written at the end, a question that each asks is
/// asked once. Where one of them fails all are undone, and run again each by itself and without this.
package final class CommitShare {
    private var values: [Key: any CommitShared] = [:]
    /// In the order in which they were made.
    private var order: [any CommitShared] = []
    private let memory: CommitMemory?

    init(memory: CommitMemory? = nil) { self.memory = memory }

    fileprivate struct Key: Hashable {
        /// So that what is found has the type that is asked for.
        let type: ObjectIdentifier
        let tenant: TenantID
        let name: String
        let number: Int64

        init<Value: CommitShared>(_ type: Value.Type, of tenant: TenantID, _ name: String = "", _ number: Int64 = 0) {
            self.type = ObjectIdentifier(type)
            (self.tenant, self.name, self.number) = (tenant, name, number)
        }

        // There are few: more than this only costs time.
        func hash(into hasher: inout Hasher) { hasher.combine(tenant.low ^ UInt64(bitPattern: number)) }
    }

    /// The value of a tenant by its name and number, made by the first that asks.
    /// - Parameter make: not kept where it gives nil.
    package func value<Value: CommitShared>(
        of tenant: TenantID, _ name: String = "", _ number: Int64 = 0, make: () throws -> Value?
    ) rethrows -> Value? {
        let key = Key(Value.self, of: tenant, name, number)
        if let known = values[key] { return unsafeDowncast(known, to: Value.self) }
        guard let made = try memory?.take(key).map({ unsafeDowncast($0, to: Value.self) }) ?? make() else { return nil }
        values[key] = made
        order.append(made)
        return made
    }

    /// The value of a tenant holds no longer.
    package func forget<Value: CommitShared>(_ type: Value.Type, of tenant: TenantID) {
        values[Key(type, of: tenant)] = nil
    }

    func end(_ session: any Session) throws { for value in order { try value.end(SystemTransaction(session: session)) } }

    /// After the commit.
    func remember() {
        guard let memory else { return }
        for (key, value) in values where value.lasts { memory.keep(value, as: key) }
    }
}

/// What the commits of one connection have learned and the next ones go on with, instead of asking again. Others may have changed it meanwhile: it
/// is for what is checked by the statement that writes, or need not be exact. Only the connection's thread touches it.
///
/// A commit takes out what it uses and puts it back once it is done, so that nothing is kept of one that is undone.
package final class CommitMemory {
    private static let maximum = 10_000
    private var values: [CommitShare.Key: any CommitShared] = [:]

    fileprivate func take(_ key: CommitShare.Key) -> (any CommitShared)? { values.isEmpty ? nil : values.removeValue(forKey: key) }

    fileprivate func keep(_ value: any CommitShared, as key: CommitShare.Key) {
        if values.count >= Self.maximum { values.removeAll() }
        values[key] = value
    }

    package func forget<Value: CommitShared>(_ type: Value.Type, of tenant: TenantID) {
        values[CommitShare.Key(type, of: tenant)] = nil
    }
}
