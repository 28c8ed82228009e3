internal import Kernel

extension TenantFolder {
    package struct PushOptions: Sendable {
        package var isDryRun = false
        package var publishes = false
        /// Also what was changed on the server since it was pulled.
        package var overwrites = false
        /// Deletes what is gone here; from a fresh clone, with `overwrites`, all that is not here.
        package var prunes = false
        package init() {}
    }

    /// Makes the tenant what the folder says: drafts, data tables' columns, variables. Credentials are never made, only missed. Nothing is
    /// changed where anything stands in the way.
    ///
    /// - Throws: `invalid_tree` with file and line of every fault; `newer_on_server` with what was changed there since it was pulled.
    package func push(_ options: PushOptions = PushOptions()) async throws -> TreeOutcome {
        let (local, texts) = try TenantTree.read(path)
        return try await withAPI { api in
            let place = try await self.place(api)
            let state = TreeState.load(path, place: place)
            let remote = try await RemoteTree.load(api, known: Dictionary(state.ids.map { ($0.value, $0.key) }) { first, _ in first })
            let plan = try TreePlan(local: local, texts: texts, remote: remote, state: state, options: options)
            guard plan.conflicts.isEmpty else {
                throw Refusal(
                    .conflict, "newer_on_server",
                    "The server has changes that were not pulled. Commit yours, `aias pull --overwrite`, merge with Git, and push again; or push with "
                        + "--overwrite to replace what is there.", faults: plan.conflicts)
            }
            var outcome = plan.outcome
            guard !options.isDryRun else {
                if options.publishes {
                    outcome.changes += try await TreeApplication(plan: plan, api: api, remote: remote, texts: texts).wouldPublish()
                }
                return outcome
            }
            var application = TreeApplication(plan: plan, api: api, remote: remote, texts: texts)
            try await application.apply()
            if options.publishes { outcome.changes += try await application.publish() }
            // What is there now, as it would be pulled.
            let known = Dictionary(application.ids.map { ($0.value, $0.key) }) { first, _ in first }
            let after = try await RemoteTree.load(api, known: known)
            let files = after.tree.files
            // What was pushed stands here as it would be pulled, with what the server has added.
            for path in plan.workflows.keys + Array(plan.tables.keys) where texts[path] != files[path] { try write(files[path], at: path) }
            var kept = TenantFolder.state(after, files)
            for path in plan.untouched { kept.files[path] = state.files[path] }
            // What this folder never had is not gone from it later.
            func isOurs(_ path: String) -> Bool { local.workflows[path] != nil || local.tables[path] != nil || state.ids[path] != nil }
            kept.files = kept.files.filter { after.ids[$0.key] == nil || isOurs($0.key) }
            kept.ids = kept.ids.filter { isOurs($0.key) }
            kept.variables = kept.variables.filter { local.variables[$0.key] != nil || state.variables[$0.key] != nil }
            try kept.save(path, place: place)
            return outcome
        }
    }
}

/// What a push has to do, from what is here, what is there, and what both were when they last met.
struct TreePlan: Sendable {
    var outcome = TreeOutcome()
    var conflicts: [Refusal.Fault] = []
    var workflows: [String: JSON] = [:]
    var tables: [String: JSON] = [:]
    var variables: [String: String?] = [:]
    var deletions: [String] = []
    /// Files that the server has newer, and that are not touched.
    var untouched: [String] = []
    let local: TenantTree
    private let remote: RemoteTree
    private let state: TreeState
    private let options: TenantFolder.PushOptions

    init(local: TenantTree, texts: [String: String], remote: RemoteTree, state: TreeState, options: TenantFolder.PushOptions) throws {
        (self.local, self.remote, self.state, self.options) = (local, remote, state, options)
        workflows = compare(local.workflows, remote.tree.workflows) { Self.summary($0, $1) }
        tables = compare(local.tables, remote.tree.tables) { _, _ in "" }
        try checkColumns()
        planVariables()
        planDeletions()
        checkReferences(texts)
        noteCredentials()
    }

    /// The files that have to be written there.
    private mutating func compare(
        _ here: [String: JSON], _ there: [String: JSON], _ summary: (_ before: JSON, _ after: JSON) -> String
    ) -> [String: JSON] {
        var todo: [String: JSON] = [:]
        for path in TenantTree.inOrder(here.keys) {
            guard let file = here[path] else { continue }
            guard let other = there[path] else {
                if state.files[path] == TenantTree.hash(TreeText.write(file)), state.ids[path] != nil {
                    outcome.notes.append("\(path): it is gone on the server; delete the file, or change it to make it anew.")
                    continue
                }
                outcome.changes.append(.init(action: .create, file: path, detail: file["name"]?.text ?? ""))
                todo[path] = file
                continue
            }
            guard file != other else { continue }
            let base = state.files[path]
            if base == TenantTree.hash(TreeText.write(file)) {
                outcome.notes.append("\(path): the server has it newer; pull it.")
                untouched.append(path)
                continue
            }
            if base != TenantTree.hash(TreeText.write(other)), !options.overwrites {
                conflicts.append(Refusal.Fault(field: path, code: "newer_on_server", message: "was changed here and on the server"))
                continue
            }
            outcome.changes.append(.init(action: .change, file: path, detail: summary(other, file)))
            todo[path] = file
        }
        return todo
    }

    /// `2 nodes more, 1 changed`
    private static func summary(_ before: JSON, _ after: JSON) -> String {
        func nodes(_ json: JSON) -> [String: JSON] {
            Dictionary((json["nodes"]?.array ?? []).map { ($0["id"]?.text ?? "", $0) }) { first, _ in first }
        }
        let (old, new) = (nodes(before), nodes(after))
        let counts = [
            ("added", new.keys.filter { old[$0] == nil }.count), ("removed", old.keys.filter { new[$0] == nil }.count),
            ("changed", new.filter { old[$0.key] != nil && old[$0.key] != $0.value }.count)
        ]
        let words = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.1 == 1 ? "node" : "nodes") \($0.0)" }
        return words.isEmpty ? "settings or layout" : words.joined(separator: ", ")
    }

    /// Columns that go take their data with them.
    private mutating func checkColumns() throws {
        for (path, file) in tables {
            let columns = Set((file["columns"]?.array ?? []).compactMap { $0["name"]?.text })
            let lost = (remote.tree.tables[path]?["columns"]?.array ?? []).compactMap { $0["name"]?.text }.filter { !columns.contains($0) }
            if !lost.isEmpty, !options.prunes {
                conflicts.append(
                    Refusal.Fault(
                        field: path, code: "drops_columns", message: "would drop \(lost.joined(separator: ", ")) with the data; --prune does so"))
            }
        }
    }

    private mutating func planVariables() {
        for (name, value) in local.variables.sorted(by: { $0.key < $1.key }) where remote.tree.variables[name] != value {
            let there = remote.tree.variables[name].map(TenantTree.hash)
            let base = state.variables[name]
            if base != nil, base == TenantTree.hash(value) {
                outcome.notes.append("\(TenantTree.variablesFile): the server has \(name) newer; pull it.")
                untouched.append(TenantTree.variablesFile)
                continue
            }
            if there != nil, there != base, !options.overwrites {
                conflicts.append(
                    Refusal.Fault(field: TenantTree.variablesFile, code: "newer_on_server", message: "\(name) was changed here and on the server"))
                continue
            }
            outcome.changes.append(.init(action: there == nil ? .create : .change, file: TenantTree.variablesFile, detail: name))
            variables[name] = .some(value)
        }
        let met = state.isKnown ? state.variables : remote.tree.variables
        for name in met.keys.sorted() where local.variables[name] == nil && remote.tree.variables[name] != nil {
            guard options.prunes else {
                outcome.notes.append("\(TenantTree.variablesFile): \(name) is not here and stays on the server; --prune deletes it.")
                continue
            }
            guard state.isKnown || options.overwrites else {
                conflicts.append(Refusal.Fault(field: TenantTree.variablesFile, code: "unknown_here", message: "\(name) \(Self.unknown)"))
                continue
            }
            outcome.changes.append(.init(action: .delete, file: TenantTree.variablesFile, detail: name))
            variables[name] = .some(nil)
        }
    }

    private static let unknown = "is not here, and may never have been: --prune with --overwrite deletes it"

    /// What is there and not here. Where both have met, only what was here then: what is new there is nobody's loss.
    private mutating func planDeletions() {
        let met = state.isKnown ? state.ids : remote.ids
        for path in met.keys.sorted() where local.workflows[path] == nil && local.tables[path] == nil {
            guard let other = remote.tree.workflows[path] ?? remote.tree.tables[path] else { continue }
            guard options.prunes, remote.tree.workflows[path] != nil else {
                let advice = remote.tree.workflows[path] == nil ? "delete it in the console" : "--prune deletes it"
                outcome.notes.append("\(path): it is not here and stays on the server; \(advice).")
                continue
            }
            guard state.isKnown || options.overwrites else {
                conflicts.append(Refusal.Fault(field: path, code: "unknown_here", message: Self.unknown))
                continue
            }
            if state.files[path] != TenantTree.hash(TreeText.write(other)), !options.overwrites {
                conflicts.append(Refusal.Fault(field: path, code: "newer_on_server", message: "is gone here and was changed on the server"))
                continue
            }
            outcome.changes.append(.init(action: .delete, file: path, detail: other["name"]?.text ?? ""))
            deletions.append(path)
        }
    }

    /// A word for a workflow or a data table stands for a file that is here, or there.
    private mutating func checkReferences(_ texts: [String: String]) {
        let files = Set(local.workflows.keys.map { "@workflow:\($0)" } + local.tables.keys.map { "@table:\($0)" })
        for (path, file) in local.workflows.sorted(by: { $0.key < $1.key }) {
            for word in TreeReferences.words(in: file).sorted() where !files.contains(word) && !remote.references.knows(word) {
                outcome.notes.append("\(path): \(word) is no file here; it is sent as it stands.")
            }
        }
    }

    private mutating func noteCredentials() {
        var missing: Set<String> = []
        let wanted =
            local.credentials.map { ($0.type, $0.name) }
            + local.workflows.values.flatMap { TreeWorkflow.credentials(in: $0).map { ($0.type, $0.name) } }
        for (type, name) in wanted where remote.references.credential(name, type: type) == nil { missing.insert("\"\(name)\" (\(type))") }
        guard !missing.isEmpty else { return }
        outcome.notes.append(
            "Credentials that are missing there: \(missing.sorted().joined(separator: ", ")). Add them in the console under these names.")
    }
}
