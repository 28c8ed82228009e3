internal import Kernel
internal import Synchronization

/// Published documents, which never change, by workflow and number.
package final class VersionCache: Sendable {
    struct Entry: Sendable {
        var document: WorkflowDocument
    }

    private struct Key: Hashable {
        var workflow: WorkflowID
        var number: Int
    }

    static let entriesMaximum = 2_000
    private let entries = Mutex<[Key: Entry]>([:])

    func find(_ workflow: WorkflowID, _ number: Int) -> Entry? { entries.withLock { $0[Key(workflow: workflow, number: number)] } }

    func keep(_ workflow: WorkflowID, _ number: Int, _ document: WorkflowDocument) -> Entry {
        let entry = Entry(document: document)
        entries.withLock { entries in
            if entries.count >= Self.entriesMaximum { entries.removeAll() }
            entries[Key(workflow: workflow, number: number)] = entry
        }
        return entry
    }
}
