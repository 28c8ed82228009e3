internal import Kernel
internal import Persistence

/// What a published workflow waits for on the tenant's disk.
struct DiskWatch: Sendable {
    enum Event: String, Sendable, CaseIterable { case add, change, unlink, addDir, unlinkDir }

    var workflow: WorkflowID
    /// The node's id.
    var node: String
    /// A file, or a folder with all below it; the root is empty.
    var path: String
    var isFolder: Bool
    var events: Set<Event>
    /// Folders below the watched one that are looked into; nil is any number.
    var depth: Int?
    /// Paths that start nothing, as a pattern; empty where there is none.
    let ignored: String
    private let ignoring: DiskGlob?

    /// Read without a run: expressions are not evaluated.
    /// - Throws: `bad_path`, `required`
    init(_ node: WorkflowNode, workflow: WorkflowID) throws {
        self.workflow = workflow
        self.node = node.id
        let config = node.config
        let written = config["path"].map(FormField.plain) ?? ""
        isFolder = config["triggerOn"]?.text == "folder"
        path = try isFolder ? DiskPath.folder(written) : DiskPath(written).text
        let words = config["events"]?.array?.map(\.displayText) ?? []
        events = isFolder ? Set(words.compactMap(Event.init)) : [.change]
        guard !events.isEmpty else { throw Refusal.invalid("events", "required", "Choose what to watch for in the folder.") }
        let wanted = config["options"]?["depth"]?.coercedNumber ?? -1
        depth = (0...Double(Limits.diskPathBytes)).contains(wanted) ? Int(wanted) : nil
        ignored = config["options"]?["ignored"].map(FormField.plain) ?? ""
        ignoring = try ignored.isEmpty ? nil : DiskGlob(ignored)
    }

    init(workflow: WorkflowID, node: String, path: String, isFolder: Bool, events: Set<Event>, depth: Int?, ignored: String) {
        self.workflow = workflow
        self.node = node
        self.path = path
        self.isFolder = isFolder
        self.events = events
        self.depth = depth
        self.ignored = ignored
        ignoring = try? ignored.isEmpty ? nil : DiskGlob(ignored)
    }

    var wantsFolders: Bool { events.contains(.addDir) || events.contains(.unlinkDir) }

    func wants(_ event: Event, at changed: String) -> Bool {
        guard events.contains(event) else { return false }
        guard isFolder else { return changed == path }
        let prefix = path.isEmpty ? "" : path + "/"
        guard changed.utf8.starts(with: prefix.utf8) else { return false }
        let level = changed.utf8.dropFirst(prefix.utf8.count).count { $0 == UInt8(ascii: "/") }
        if let depth, level > depth { return false }
        return ignoring?.matches(changed) != true
    }
}

extension WorkflowDocument {
    /// What its enabled nodes wait for on the disk.
    /// - Throws: `bad_path`, `required` with the node's name.
    func diskWatches(of workflow: WorkflowID) throws -> [DiskWatch] {
        try nodes.filter { $0.kind == LocalFileTrigger.kind && !$0.disabled }.map { node in
            do { return try DiskWatch(node, workflow: workflow) } catch let refusal as Refusal {
                throw Refusal(refusal.kind, refusal.code, "\(node.name): \(refusal.message)", faults: refusal.faults)
            }
        }
    }
}

/// What published workflows wait for; written by publication, replaced as a whole.
struct DiskWatchStore {
    let tx: TenantTransaction

    static let table = Table(
        "disk_watches", .tenant, primaryKey: ["workflow_id", "node_id"],
        columns: [
            Column("workflow_id", .uuid), Column("node_id", .text), Column("path", .text), Column("is_folder", .boolean), Column("events", .text),
            Column("depth", .integer, optional: true), Column("ignored", .text)
        ],
        foreignKeys: [ForeignKey(["tenant_id", "workflow_id"], references: "workflows", ["tenant_id", "id"], onDelete: .cascade)])

    private func insert(_ watch: DiskWatch) throws {
        try tx.execute(
            """
            INSERT INTO disk_watches (tenant_id, workflow_id, node_id, path, is_folder, events, depth, ignored)
            VALUES (\(tx.tenant), \(watch.workflow), \(watch.node), \(watch.path), \(watch.isFolder),
                \(watch.events.map(\.rawValue).sorted().joined(separator: " ")), \(watch.depth), \(watch.ignored))
            """)
    }

    /// Adds those of a workflow that has none.
    /// - Throws: `too_many`: each change of the disk is told to each of them.
    func add(_ watches: [DiskWatch]) throws {
        guard !watches.isEmpty else { return }
        guard try all().count + watches.count <= Limits.diskWatchesPerTenant else {
            throw Refusal(
                .limitReached, "too_many", "At most \(Limits.diskWatchesPerTenant) triggers of a tenant wait for its disk; unpublish some workflows.")
        }
        for watch in watches { try insert(watch) }
    }

    func removeAll(of workflow: WorkflowID) throws {
        try tx.execute("DELETE FROM disk_watches WHERE tenant_id = \(tx.tenant) AND workflow_id = \(workflow)")
    }

    func all() throws -> [DiskWatch] {
        try tx.all(
            """
            SELECT workflow_id, node_id, path, is_folder, events, depth, ignored FROM disk_watches
            WHERE tenant_id = \(tx.tenant) ORDER BY workflow_id, node_id
            """
        ) { row in
            let words: String = try row.column(4)
            return DiskWatch(
                workflow: try row.column(0), node: try row.column(1), path: try row.column(2), isFolder: try row.column(3),
                events: Set(words.split(separator: " ").compactMap { DiskWatch.Event(rawValue: String($0)) }), depth: try row.column(5),
                ignored: try row.column(6))
        }
    }
}
