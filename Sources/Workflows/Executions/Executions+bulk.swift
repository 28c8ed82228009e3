package import Kernel
internal import Persistence

/// What is done to many runs at once.
package enum BulkAct: String, Sendable { case retry, cancel }

/// What a bulk act will do, before it is done.
package struct BulkReview: Sendable {
    /// A step that is executed again.
    package struct Step: Sendable, Hashable {
        package var workflow: WorkflowID
        package var node: String
        /// Whether it does something outside that has been done once may be done again.
        package var reachesOutside: Bool
    }

    package var act: BulkAct
    package var runs: [RunID]
    /// Of those, by status.
    package var counts: [RunStatus: Int]
    /// Chosen, but nothing is done to them: not there, over already, or not over yet.
    package var left: Int
    /// Where failed runs go on, with how many do; most first.
    package var steps: [(step: Step, runs: Int)]
}

package struct BulkOutcome: Sendable, Hashable {
    package struct Refused: Sendable, Hashable {
        package var run: RunID
        package var reason: Refusal
    }

    package var done = 0
    /// Nothing was tried: see `BulkReview.left`.
    package var left = 0
    package var refused: [Refused] = []
}

extension Limits {
    /// Runs of one bulk act.
    package static let runsPerBulk = 100
}

extension Executions {
    /// - Throws: `too_many` above `Limits.runsPerBulk` runs.
    package func review(_ act: BulkAct, of ids: [RunID], by principal: Principal) async throws -> BulkReview {
        let tenant = try principal.tenant(for: .executionsWrite)
        let ids = try Self.checked(ids)
        let kinds = workflows.kinds
        return try await database.read(in: tenant) { tx in
            let store = RunStore(tx: tx)
            let rows = try ids.compactMap { try store.find($0) }.filter { act.applies(to: $0.status) }
            var counts: [RunStatus: Int] = [:]
            for row in rows { counts[row.status, default: 0] += 1 }
            var steps: [BulkReview.Step: Int] = [:]
            if act == .retry {
                let failed = rows.filter { $0.status == .failed }
                let nodes = try store.failing(of: failed.map(\.id))
                var effects: [Place: Bool] = [:]
                for row in failed {
                    guard let node = nodes[row.id] else { continue }
                    let place = Place(workflow: row.workflow, version: row.version, node: node)
                    let reaches = try effects[place] ?? Self.reachesOutside(place, kinds, tx)
                    effects[place] = reaches
                    steps[BulkReview.Step(workflow: row.workflow, node: node, reachesOutside: reaches), default: 0] += 1
                }
            }
            let sorted = steps.sorted { ($1.value, $0.key.node, $0.key.workflow) < ($0.value, $1.key.node, $1.key.workflow) }
            return BulkReview(
                act: act, runs: rows.map(\.id), counts: counts, left: ids.count - rows.count, steps: sorted.map { ($0.key, $0.value) })
        }
    }

    /// Retries runs from where they failed, in the version that they ran, or cancels them, one after the other. One that is refused, since it
    /// has changed meanwhile or the plan's limit is reached, keeps the others from nothing.
    package func perform(_ act: BulkAct, on ids: [RunID], by principal: Principal) async throws -> BulkOutcome {
        let review = try await review(act, of: ids, by: principal)
        var outcome = BulkOutcome(left: review.left)
        for id in review.runs {
            do {
                switch act {
                case .retry: _ = try await replay(id, from: nil, isCurrent: false, by: principal)
                case .cancel: try await cancel(id, by: principal)
                }
                outcome.done += 1
            } catch let reason as Refusal {
                outcome.refused.append(BulkOutcome.Refused(run: id, reason: reason))
            }
        }
        return outcome
    }

    private struct Place: Hashable {
        var workflow: WorkflowID
        var version: Int
        var node: String
    }

    /// Where the version is gone nobody knows, and it is said that it does.
    private static func reachesOutside(_ place: Place, _ kinds: KindRegistry, _ tx: TenantTransaction) throws -> Bool {
        guard let bytes = try WorkflowStore(tx: tx).document(of: place.workflow, version: place.version) else { return true }
        let node = try WorkflowDocument(stored: bytes).nodes.first { $0.name == place.node }
        switch node.flatMap({ node in kinds.kind(node.kind)?.effect(of: node) }) {
        case .pure?, .repeatable?: return false
        default: return true
        }
    }

    private static func checked(_ ids: [RunID]) throws -> [RunID] {
        let ids = Array(Set(ids)).sorted()
        guard ids.count <= Limits.runsPerBulk else {
            throw Refusal.invalid("run", "too_many", "Choose at most \(Limits.runsPerBulk) executions at once.")
        }
        return ids
    }
}

extension BulkAct {
    func applies(to status: RunStatus) -> Bool {
        switch self {
        case .retry: status.isOver
        case .cancel: !status.isOver
        }
    }
}
