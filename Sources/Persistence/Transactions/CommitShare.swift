/// What the transactions of one commit do once for all of them: a counter that each raises is written at the end, a question that each asks is
/// asked once. Where one of them fails all are undone, and run again each by itself and without this.
package final class CommitShare {
    private var values: [AnyHashable: AnyObject] = [:]
    private var endings: [(SystemTransaction) throws -> Void] = []

    /// The value of this key, made by the first that asks.
    /// - Parameters:
    ///   - make: not kept where it gives nil.
    ///   - ending: runs before the commit, with what has become of the value.
    package func value<Value: AnyObject>(
        _ key: some Hashable, _ make: () throws -> Value?, ending: ((Value, SystemTransaction) throws -> Void)? = nil
    ) rethrows -> Value? {
        if let known = values[AnyHashable(key)] as? Value { return known }
        guard let made = try make() else { return nil }
        values[AnyHashable(key)] = made
        if let ending { endings.append { tx in try ending(made, tx) } }
        return made
    }

    func end(_ session: any Session) throws { for ending in endings { try ending(SystemTransaction(session: session)) } }
}
