internal import Kernel
internal import Synchronization

/// How many event streams people and tenants have open in a process: each holds a connection and what waits for its reader.
///
/// Programs that share a tenant's key are bound by the tenant's limit alone.
final class StreamPlaces: Sendable {
    private struct State {
        var people: [UserID: Int] = [:]
        var tenants: [TenantID: Int] = [:]
    }

    private let perTenant: Int
    private let state = Mutex(State())

    init(perTenant: Int) { self.perTenant = perTenant }

    /// - Returns: the place, which is free again once nobody holds it.
    /// - Throws: `too_many_streams` where the person or the tenant has all of theirs.
    func take(_ actor: Principal.Actor, in tenant: TenantID?) throws -> StreamPlace {
        let person: UserID? =
            switch actor {
            case .user(let id), .platformOperator(let id): id
            case .anonymous, .apiKey, .system: nil
            }
        let limit: Int? = state.withLock { state -> Int? in
            if let person, state.people[person, default: 0] >= Limits.streamsPerPerson { return Limits.streamsPerPerson }
            if let tenant, state.tenants[tenant, default: 0] >= perTenant { return perTenant }
            if let person { state.people[person, default: 0] += 1 }
            if let tenant { state.tenants[tenant, default: 0] += 1 }
            return nil
        }
        if let limit {
            throw Refusal(
                .rateLimited, "too_many_streams", "At most \(limit) event streams may be open at a time; close some of them.",
                arguments: ["limit": "\(limit)"], retryAfter: Limits.heartbeat)
        }
        return StreamPlace { [self] in leave(person, tenant) }
    }

    private func leave(_ person: UserID?, _ tenant: TenantID?) {
        state.withLock { state in
            if let person { state.people[person] = Self.lessOne(state.people[person]) }
            if let tenant { state.tenants[tenant] = Self.lessOne(state.tenants[tenant]) }
        }
    }

    private static func lessOne(_ count: Int?) -> Int? {
        guard let count, count > 1 else { return nil }
        return count - 1
    }
}

/// The place of one stream, given back when it is let go of: at the stream's end, or where it never began.
final class StreamPlace: Sendable {
    private let leave: @Sendable () -> Void

    init(leave: @escaping @Sendable () -> Void) { self.leave = leave }

    deinit { leave() }
}
