internal import Foundation
package import Kernel

/// What a pull or push did, or would do.
package struct TreeOutcome: Sendable {
    package enum Action: String, Sendable { case create, change, delete, publish }

    package struct Change: Sendable, Hashable {
        package var action: Action
        /// The file, or `variables.json` with the name.
        package var file: String
        package var detail: String
    }

    package var changes: [Change] = []
    /// What is left as it is, and why.
    package var notes: [String] = []

    package var json: JSON {
        [
            "changes": .array(
                changes.map { ["action": .string($0.action.rawValue), "file": .string($0.file), "detail": .string($0.detail)] }),
            "notes": .array(notes.map(JSON.string))
        ]
    }
}

/// A tenant as a folder that Git keeps: pulled from a server, pushed to the same or another.
package struct TenantFolder: Sendable {
    let path: String
    let url: String
    let key: String

    /// - Parameter url: of the server.
    package init(path: String, url: String, key: String) {
        self.path = path
        self.url = url
        self.key = key
    }

    /// Makes the folder's files those of the tenant.
    ///
    /// - Parameter overwrites: also files that were changed here and not pushed.
    /// - Throws: `changed_here` with every file that would be lost.
    package func pull(overwrites: Bool = false) async throws -> TreeOutcome {
        try await withAPI { api in
            let place = try await self.place(api)
            let state = TreeState.load(path, place: place)
            let remote = try await RemoteTree.load(api, known: Dictionary(state.ids.map { ($0.value, $0.key) }) { first, _ in first })
            let files = remote.tree.files
            let gone = state.files.keys.filter { files[$0] == nil }
            var outcome = TreeOutcome()
            var lost: [Refusal.Fault] = []
            for path in files.keys.sorted() + gone.sorted() {
                let here = text(at: path)
                guard here != files[path] else { continue }
                if let here, state.files[path] != TenantTree.hash(here) {
                    lost.append(Refusal.Fault(field: path, code: "changed_here", message: "was changed here"))
                }
                let action: TreeOutcome.Action = files[path] == nil ? .delete : here == nil ? .create : .change
                if files[path] != nil || here != nil { outcome.changes.append(.init(action: action, file: path, detail: "")) }
            }
            guard lost.isEmpty || overwrites else {
                throw Refusal(
                    .conflict, "changed_here",
                    "Files were changed here and not pushed. Commit them and push, or pull with --overwrite and merge with Git.", faults: lost)
            }
            for change in outcome.changes { try write(files[change.file], at: change.file) }
            try Self.state(remote, files).save(path, place: place)
            return outcome
        }
    }

    /// What was last seen of a server.
    static func state(_ remote: RemoteTree, _ files: [String: String]) -> TreeState {
        TreeState(
            files: files.mapValues(TenantTree.hash), variables: remote.tree.variables.mapValues(TenantTree.hash), ids: remote.ids)
    }

    func withAPI<Result: Sendable>(_ body: (TenantAPI) async throws -> Result) async throws -> Result {
        let api = try TenantAPI(url: url, key: key)
        do {
            let result = try await body(api)
            await api.close()
            return result
        } catch {
            await api.close()
            throw error
        }
    }

    /// Names the server and the tenant in what is kept of both.
    func place(_ api: TenantAPI) async throws -> String { "\(api.base) \(try await api.get("/v1/tenant")["subdomain"]?.text ?? "")" }

    private func text(at file: String) -> String? {
        FileManager.default.contents(atPath: "\(path)/\(file)").map { String(decoding: $0, as: UTF8.self) }
    }

    func write(_ text: String?, at file: String) throws {
        let whole = URL(fileURLWithPath: "\(path)/\(file)")
        guard let text else { return try FileManager.default.removeItem(at: whole) }
        try FileManager.default.createDirectory(at: whole.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: whole, options: .atomic)
    }
}
