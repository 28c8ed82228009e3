package import Kernel
internal import Persistence

/// Folders and tags of a tenant's workflows.
package struct Organising: Sendable {
    let database: any Database
    let policies: TenantPolicies

    init(_ workflows: Workflows) {
        database = workflows.database
        policies = workflows.policies
    }

    package func arrangement(by principal: Principal) async throws -> Arrangement {
        let tenant = try principal.tenant(for: .workflowsRead)
        return try await database.read(in: tenant) { tx in try FolderStore(tx: tx).arrangement() }
    }

    // MARK: Folders

    /// - Throws: `bad_name`, `too_deep`, `folder_taken`, `too_many_folders`; `not_found` for a parent that is not there.
    package func createFolder(_ name: String, in parent: FolderID?, by principal: Principal) async throws -> Folder {
        let tenant = try principal.tenant(for: .workflowsWrite)
        let name = try Folder.checkedName(name)
        return try await database.write(in: tenant) { [policies] tx in
            let store = FolderStore(tx: tx)
            let all = try store.listFolders()
            guard all.count < Limits.foldersPerTenant else {
                throw Refusal(.limitReached, "too_many_folders", "There are at most \(Limits.foldersPerTenant) folders.")
            }
            var path = name
            if let parent {
                guard let above = all.first(where: { $0.id == parent }) else { throw Refusal.missing("folder") }
                guard above.isTop else { throw Refusal.invalid("parent_id", "too_deep", "A folder within a folder holds no further ones.") }
                path = "\(above.path)/\(name)"
            }
            try Self.requireFree(path, among: all)
            let folder = Folder(id: tx.ids.next(), path: path, createdAt: tx.clock.now())
            try store.insert(folder)
            try policies.audit(tx, principal, "folder.create", "folder:\(folder.id)", ["name": .string(path)])
            return folder
        }
    }

    /// Those within it go along.
    package func renameFolder(_ id: FolderID, to name: String, by principal: Principal) async throws -> Folder {
        let tenant = try principal.tenant(for: .workflowsWrite)
        let name = try Folder.checkedName(name)
        return try await database.write(in: tenant) { [policies] tx in
            let store = FolderStore(tx: tx)
            let all = try store.listFolders()
            guard let old = all.first(where: { $0.id == id }) else { throw Refusal.missing("folder") }
            var folder = old
            folder.path = old.parentPath.map { "\($0)/\(name)" } ?? name
            try Self.requireFree(folder.path, among: all.filter { $0.id != id })
            try store.update(folder)
            for var inner in all where inner.id != id && inner.isWithin(old) {
                inner.path = "\(folder.path)/\(inner.name)"
                try store.update(inner)
            }
            try policies.audit(tx, principal, "folder.rename", "folder:\(id)", ["from": .string(old.path), "to": .string(folder.path)])
            return folder
        }
    }

    /// Those within it go too; their workflows stay, in no folder.
    package func deleteFolder(_ id: FolderID, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .workflowsWrite)
        try await database.write(in: tenant) { [policies] tx in
            let store = FolderStore(tx: tx)
            let all = try store.listFolders()
            guard let folder = all.first(where: { $0.id == id }) else { throw Refusal.missing("folder") }
            for one in all where one.isWithin(folder) { try store.remove(one.id) }
            try policies.audit(tx, principal, "folder.delete", "folder:\(id)", ["name": .string(folder.path)])
        }
    }

    /// Puts workflows into a folder, or out of all; all of them or none.
    /// - Throws: `not_found` for a folder or a workflow that is not there; `bad_count` for none or too many.
    package func move(_ workflows: [WorkflowID], to folder: FolderID?, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .workflowsWrite)
        guard (1...Limits.workflowsMoved).contains(workflows.count) else {
            throw Refusal.invalid("workflow_ids", "bad_count", "Choose 1 to \(Limits.workflowsMoved) workflows.")
        }
        try await database.write(in: tenant) { [policies] tx in
            let store = FolderStore(tx: tx)
            let target = try folder.map { id in
                guard let found = try store.listFolders().first(where: { $0.id == id }) else { throw Refusal.missing("folder") }
                return found
            }
            let known = try WorkflowStore(tx: tx).names(of: Set(workflows))
            for id in Set(workflows).sorted() {
                guard known[id] != nil else { throw Refusal.missing("workflow") }
                try store.place(id, in: target?.id)
                try policies.audit(tx, principal, "workflow.move", "workflow:\(id)", ["folder": .string(target?.path ?? "")])
            }
        }
    }

    private static func requireFree(_ path: String, among all: [Folder]) throws {
        guard !all.contains(where: { $0.path.lowercased() == path.lowercased() }) else {
            throw Refusal(.conflict, "folder_taken", "There is a folder of this name already.", field: "name")
        }
    }
}
