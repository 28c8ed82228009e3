internal import HTTPSurface
package import Kernel
internal import Persistence

/// What is looked for among a tenant's workflows.
package struct WorkflowSearch: Sendable, Hashable {
    package enum State: String, Sendable, CaseIterable { case active, published, draft, archived }
    package enum Order: String, Sendable, CaseIterable { case newest, name, changed }

    package enum Place: Sendable, Hashable {
        case anywhere
        case noFolder
        /// Those within it as well.
        case folder(FolderID)

        /// `none`, an id, or nothing.
        init(_ text: String) { self = text == "none" ? .noFolder : FolderID(text).map { .folder($0) } ?? .anywhere }
    }

    /// Words of a name.
    package var words: String
    package var place: Place
    package var tag: LabelID?
    /// `active` are all that are not archived.
    package var state: State
    package var order: Order

    package init(words: String = "", place: Place = .anywhere, tag: LabelID? = nil, state: State = .active, order: Order = .newest) {
        self.words = words
        self.place = place
        self.tag = tag
        self.state = state
        self.order = order
    }

    var isNarrow: Bool { self != WorkflowSearch(order: order) }

    /// Those of a list, newest first, that are looked for, in the order asked for.
    func choose(_ all: [Workflow], _ arrangement: Arrangement) -> [Workflow] {
        let match = NameMatch(words)
        let found = all.filter { workflow in
            switch state {
            case .active, .archived: break
            case .published: if workflow.publishedVersion == nil { return false }
            case .draft: if workflow.publishedVersion != nil { return false }
            }
            if let tag, !(arrangement.marks[workflow.id] ?? []).contains(tag) { return false }
            let folder = arrangement.folder(of: workflow.id)
            switch place {
            case .anywhere: break
            case .noFolder: if folder != nil { return false }
            case .folder(let id):
                guard let folder, let wanted = arrangement.folders[id], folder.isWithin(wanted) else { return false }
            }
            return match.rank(of: workflow.name) != nil
        }
        switch order {
        case .newest: return found
        case .name: return found.sorted { ($0.name.lowercased(), $1.id) < ($1.name.lowercased(), $0.id) }
        case .changed: return found.sorted { ($0.updatedAt, $0.id) > ($1.updatedAt, $1.id) }
        }
    }
}

extension Workflows {
    /// Workflows that a search looks through, the newest ones.
    static let searched = 5_000

    /// - Parameter last: only those before it, the newest first.
    /// - Returns: those that are found, with where all workflows lie.
    package func search(
        _ search: WorkflowSearch, after last: WorkflowID? = nil, by principal: Principal
    ) async throws -> (found: [Workflow], arrangement: Arrangement) {
        let tenant = try principal.tenant(for: .workflowsRead)
        let status: Workflow.Status = search.state == .archived ? .archived : .active
        let (all, arrangement) = try await database.read(in: tenant) { tx in
            (try WorkflowStore(tx: tx).page(status, before: last, limit: Self.searched), try FolderStore(tx: tx).arrangement())
        }
        return (search.choose(all, arrangement), arrangement)
    }
}
