package import Kernel
internal import Persistence

extension Organising {
    /// - Throws: `bad_name`, `unknown_colour`, `tag_taken`, `too_many_tags`
    package func createTag(_ name: String, colour: String, by principal: Principal) async throws -> Label {
        let tenant = try principal.tenant(for: .workflowsWrite)
        let (name, colour) = (try Folder.checkedName(name), try Self.colour(colour))
        return try await database.write(in: tenant) { [policies] tx in
            let store = FolderStore(tx: tx)
            let all = try store.listTags()
            guard all.count < Limits.tagsPerTenant else {
                throw Refusal(.limitReached, "too_many_tags", "There are at most \(Limits.tagsPerTenant) tags.")
            }
            try Self.requireFree(name, among: all)
            let tag = Label(id: tx.ids.next(), name: name, colour: colour)
            try store.insert(tag)
            try policies.audit(tx, principal, "tag.create", "tag:\(tag.id)", ["name": .string(name)])
            return tag
        }
    }

    package func updateTag(_ id: LabelID, name: String, colour: String, by principal: Principal) async throws -> Label {
        let tenant = try principal.tenant(for: .workflowsWrite)
        let (name, colour) = (try Folder.checkedName(name), try Self.colour(colour))
        return try await database.write(in: tenant) { [policies] tx in
            let store = FolderStore(tx: tx)
            let all = try store.listTags()
            guard all.contains(where: { $0.id == id }) else { throw Refusal.missing("tag") }
            try Self.requireFree(name, among: all.filter { $0.id != id })
            let tag = Label(id: id, name: name, colour: colour)
            try store.update(tag)
            try policies.audit(tx, principal, "tag.update", "tag:\(id)", ["name": .string(name)])
            return tag
        }
    }

    package func deleteTag(_ id: LabelID, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .workflowsWrite)
        try await database.write(in: tenant) { [policies] tx in
            let store = FolderStore(tx: tx)
            guard let tag = try store.listTags().first(where: { $0.id == id }) else { throw Refusal.missing("tag") }
            try store.remove(id)
            try policies.audit(tx, principal, "tag.delete", "tag:\(id)", ["name": .string(tag.name)])
        }
    }

    /// Marks a workflow with these tags and no others.
    /// - Throws: `not_found` for a workflow or a tag that is not there; `bad_count` for too many.
    package func mark(_ workflow: WorkflowID, with tags: [LabelID], by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .workflowsWrite)
        let wanted = Set(tags).sorted()
        guard wanted.count <= Limits.tagsPerWorkflow else {
            throw Refusal.invalid("tag_ids", "bad_count", "A workflow has at most \(Limits.tagsPerWorkflow) tags.")
        }
        try await database.write(in: tenant) { [policies] tx in
            let store = FolderStore(tx: tx)
            guard try WorkflowStore(tx: tx).workflow(workflow) != nil else { throw Refusal.missing("workflow") }
            let all = try store.listTags()
            let names = try wanted.map { id in
                guard let tag = all.first(where: { $0.id == id }) else { throw Refusal.missing("tag") }
                return tag.name
            }
            try store.mark(workflow, with: wanted)
            try policies.audit(tx, principal, "workflow.tag", "workflow:\(workflow)", ["tags": .string(names.sorted().joined(separator: ", "))])
        }
    }

    private static func requireFree(_ name: String, among all: [Label]) throws {
        guard !all.contains(where: { $0.name.lowercased() == name.lowercased() }) else {
            throw Refusal(.conflict, "tag_taken", "There is a tag of this name already.", field: "name")
        }
    }

    private static func colour(_ text: String) throws -> Label.Colour {
        guard let colour = Label.Colour(rawValue: text) else {
            throw Refusal.invalid(
                "colour", "unknown_colour", "colour is one of \(Label.Colour.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return colour
    }
}
