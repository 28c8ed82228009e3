internal import Foundation
package import Kernel
internal import Persistence
internal import Tenancy

/// The verbs on comments: everybody who may comment may answer and resolve; only its author changes or deletes a comment.
package struct WorkflowComments: Sendable {
    let workflows: Workflows

    package init(workflows: Workflows) { self.workflows = workflows }

    /// Oldest first.
    package func list(
        on workflow: WorkflowID, after cursor: WorkflowCommentID?, limit: Int, by principal: Principal
    ) async throws -> [WorkflowComment] {
        let tenant = try principal.tenant(for: .workflowsRead)
        return try await workflows.database.read(in: tenant) { tx in
            guard try WorkflowStore(tx: tx).workflow(workflow) != nil else { throw Refusal.missing("workflow") }
            return try WorkflowCommentStore(tx: tx).page(on: workflow, after: cursor, limit: limit)
        }
    }

    /// Begins a thread, or answers in one.
    ///
    /// - Parameters:
    ///   - node: what a new thread is about; nil for the workflow. An answer is about what its thread is.
    ///   - thread: the first comment of the thread that is answered.
    ///   - mentions: the members who are told of it.
    ///   - authorName: how the others know who writes.
    /// - Throws: `too_long`, `too_many_comments`, `unknown_node`, and not found for a thread that is not there.
    package func add(
        _ text: String, to workflow: WorkflowID, node: String? = nil, thread: WorkflowCommentID? = nil, mentions: [UserID] = [], authorName: String,
        by principal: Principal
    ) async throws -> WorkflowComment {
        let tenant = try principal.tenant(for: .commentsWrite)
        let text = try Self.checked(text)
        guard mentions.count <= Limits.mentionsPerComment else {
            throw Refusal.invalid("mentions", "too_many", "A comment names at most \(Limits.mentionsPerComment) members.")
        }
        return try await workflows.database.write(in: tenant) { tx in
            guard let found = try WorkflowStore(tx: tx).workflow(workflow) else { throw Refusal.missing("workflow") }
            let store = WorkflowCommentStore(tx: tx)
            guard try store.count(on: workflow) < Limits.commentsPerWorkflow else {
                throw Refusal(
                    .conflict, "too_many_comments", "A workflow has at most \(Limits.commentsPerWorkflow) comments; delete some that are done.")
            }
            let first = try thread.map { thread in
                guard let first = try store.comment(thread, on: workflow), first.isFirst else { throw Refusal.missing("comment") }
                return first
            }
            if first == nil, let node { try Self.require(node, in: workflow, tx) }
            let id: WorkflowCommentID = tx.ids.next()
            let made = WorkflowComment(
                id: id, workflow: workflow, node: first?.node ?? node, thread: first?.id ?? id, author: principal.auditName, text: text,
                createdAt: tx.clock.now())
            try store.insert(made)
            // Who answers has something open to say.
            if var first, first.resolvedAt != nil {
                (first.resolvedAt, first.resolvedBy) = (nil, nil)
                try store.update(first)
            }
            try workflows.policies.audit(tx, principal, "workflow_comment.create", "workflow:\(workflow)", ["comment": .string(id.description)])
            if !mentions.isEmpty {
                try tx.emit(CommentEvents.Mentioned(comment: made, workflowName: found.name, authorName: authorName, mentions: mentions))
            }
            return made
        }
    }

    /// - Throws: `not_yours` for another's comment.
    package func edit(_ id: WorkflowCommentID, on workflow: WorkflowID, text: String, by principal: Principal) async throws -> WorkflowComment {
        let text = try Self.checked(text)
        return try await change(id, on: workflow, "workflow_comment.update", by: principal) { comment, tx in
            try Self.requireOwn(comment, principal)
            comment.text = text
            comment.editedAt = tx.clock.now()
        }
    }

    /// Says that nothing is open about a thread any more, or that something is again.
    /// - Throws: `not_first` for an answer.
    package func setResolved(
        _ isResolved: Bool, _ id: WorkflowCommentID, on workflow: WorkflowID, by principal: Principal
    ) async throws -> WorkflowComment {
        try await change(id, on: workflow, isResolved ? "workflow_comment.resolve" : "workflow_comment.reopen", by: principal) { comment, tx in
            guard comment.isFirst else { throw Refusal(.conflict, "not_first", "A thread is resolved at its first comment.") }
            guard (comment.resolvedAt != nil) != isResolved else { return }
            comment.resolvedAt = isResolved ? tx.clock.now() : nil
            comment.resolvedBy = isResolved ? principal.auditName : nil
        }
    }

    /// - Throws: `not_yours` for another's comment; `has_answers` for one that was answered.
    package func delete(_ id: WorkflowCommentID, on workflow: WorkflowID, by principal: Principal) async throws {
        let tenant = try principal.tenant(for: .commentsWrite)
        try await workflows.database.write(in: tenant) { tx in
            let store = WorkflowCommentStore(tx: tx)
            guard let comment = try store.comment(id, on: workflow) else { throw Refusal.missing("comment") }
            try Self.requireOwn(comment, principal)
            if comment.isFirst, try store.hasAnswers(comment) {
                throw Refusal(.conflict, "has_answers", "It was answered; resolve the thread, or change what it says.")
            }
            try store.delete(comment)
            try workflows.policies.audit(tx, principal, "workflow_comment.delete", "workflow:\(workflow)", ["comment": .string(id.description)])
        }
    }

    private func change(
        _ id: WorkflowCommentID, on workflow: WorkflowID, _ action: String, by principal: Principal,
        _ body: @escaping @Sendable (inout WorkflowComment, TenantTransaction) throws -> Void
    ) async throws -> WorkflowComment {
        let tenant = try principal.tenant(for: .commentsWrite)
        return try await workflows.database.write(in: tenant) { tx in
            let store = WorkflowCommentStore(tx: tx)
            guard let before = try store.comment(id, on: workflow) else { throw Refusal.missing("comment") }
            var comment = before
            try body(&comment, tx)
            guard comment != before else { return comment }
            try store.update(comment)
            try workflows.policies.audit(tx, principal, action, "workflow:\(workflow)", ["comment": .string(id.description)])
            return comment
        }
    }

    private static func checked(_ text: String) throws -> String {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw Refusal.invalid("text", "missing", "A comment says something.") }
        guard text.unicodeScalars.count <= Limits.commentLength else {
            throw Refusal.invalid("text", "too_long", "A comment has at most \(Limits.commentLength) characters.")
        }
        return text
    }

    private static func require(_ node: String, in workflow: WorkflowID, _ tx: TenantTransaction) throws {
        guard let bytes = try WorkflowStore(tx: tx).draft(of: workflow) else { throw Refusal.missing("workflow") }
        guard try WorkflowDocument(stored: bytes).nodes.contains(where: { $0.id == node }) else {
            throw Refusal.invalid("node", "unknown_node", "The draft has no node with this id.")
        }
    }

    private static func requireOwn(_ comment: WorkflowComment, _ principal: Principal) throws {
        guard comment.author == principal.auditName else {
            throw Refusal(.forbidden, "not_yours", "Only who wrote a comment changes or deletes it.")
        }
    }
}
