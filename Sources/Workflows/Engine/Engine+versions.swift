internal import Jobs
internal import Kernel
internal import Persistence
internal import Synchronization

/// What this process leaves to those of another version while an upgrade lasts: kinds and documents that it does not know.
///
/// Without such a process nobody else knows them either, and it says that it cannot run them.
extension Engine {
    var isBesideOthers: Bool { others.withLock { $0 } }

    /// Looks whether processes of another version are at work.
    package func lookForOthers() async throws {
        let lease = self.lease
        let isFound = try await database.readSystem { tx in try LeaseStore(tx: tx).hasOther(than: lease) }
        let before = others.withLock { others in
            defer { others = isFound }
            return others
        }
        // What was left to them is for whoever is there.
        if before, !isFound { forgetNewerRuns() }
    }

    /// A stored document that starts runs.
    /// - Throws: `TimerService.Busy` where it is left to a process of another version.
    func document(_ bytes: [UInt8]) throws -> WorkflowDocument {
        guard isBesideOthers else { return try WorkflowDocument(stored: bytes) }
        guard let document = try? WorkflowDocument(stored: bytes), !isNewer(document) else { throw TimerService.Busy(after: NewerRun.wait) }
        return document
    }

    /// Whether a run of a document begins in a process of another version.
    func leavesToOthers(_ document: WorkflowDocument) -> Bool { isBesideOthers && isNewer(document) }

    func isLeftToOthers(_ run: RunID, tenant: TenantID) async throws -> Bool {
        guard isBesideOthers else { return false }
        guard let row = try await database.read(in: tenant, { tx in try RunStore(tx: tx).find(run) }) else { return false }
        return try await isLeftToOthers(row, tenant: tenant)
    }

    /// Those of timers that many runs are taken up by at once.
    func leftToOthers(_ timers: [Jobs.Timer]) async -> Set<RunID> {
        guard isBesideOthers else { return [] }
        var left: Set<RunID> = []
        for (tenant, timers) in Dictionary(grouping: timers, by: \.tenant) {
            let ids = timers.compactMap { RunID($0.subject) }
            do {
                let rows = try await database.read(in: tenant) { tx in try ids.compactMap { try RunStore(tx: tx).find($0) } }
                for row in rows { if try await isLeftToOthers(row, tenant: tenant) { left.insert(row.id) } }
            } catch {
                // Each is looked at once more by itself.
                left.formUnion(ids)
            }
        }
        return left
    }

    private func isLeftToOthers(_ row: Run, tenant: TenantID) async throws -> Bool {
        do {
            return isNewer(try await compile(row, tenant).document)
        } catch let error as PersistenceError {
            throw error
        } catch let gone as Refusal where gone.kind == .missing {
            return false
        } catch {
            // A document that this program cannot read.
            return true
        }
    }

    /// Whether a run could come to a node that this program has no kind for. What an import could not express has none in any version.
    private func isNewer(_ document: WorkflowDocument) -> Bool {
        func isUnknown(_ node: WorkflowNode) -> Bool {
            !node.disabled && configuration.kinds.kind(node.kind) == nil && N8nTypes.type(ofForeignKind: node.kind) == nil
        }
        guard document.nodes.contains(where: isUnknown) else { return false }
        let reachable = document.reachableNodes()
        return document.nodes.contains { isUnknown($0) && reachable.contains($0.id) }
    }
}
