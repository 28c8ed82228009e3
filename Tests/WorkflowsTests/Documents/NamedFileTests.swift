import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

/// Files of runs that are named by what outlives them.
@Suite struct NamedFileTests {
    private func hash(_ text: String) -> PayloadHash { PayloadHash(of: Array(text.utf8)) }

    private func document(pinning text: String) -> WorkflowDocument {
        var document = WorkflowDocument.hook()
        let file = BinaryReference(id: hash(text).hex, mimeType: "text/plain", byteCount: text.utf8.count)
        let items: JSON = [["json": [:], "binary": ["file": file.json]]]
        document.pinnedData = ["In": items]
        return document
    }

    /// Stores files for a run, and removes the run once something has named them.
    private func withRun<Made>(
        of texts: [String], in harness: WorkflowHarness, _ name: () async throws -> Made
    ) async throws -> Made {
        let tenant = harness.lease.tenant
        let run: RunID = harness.lease.ids.next()
        let payloads = texts.map { PreparedPayload(Array($0.utf8)) }
        try await harness.lease.database.write(in: tenant) { tx in
            for payload in payloads { try RunFileStore(tx: tx).store(payload, for: run) }
        }
        let made = try await name()
        try await harness.lease.database.write(in: tenant) { tx in
            _ = try PayloadStore(tx: tx).release(try RunFileStore(tx: tx).forget(run), of: PayloadUser(run))
        }
        return made
    }

    private func left(of texts: [String], in harness: WorkflowHarness) async throws -> [String] {
        let hashes = texts.map { hash($0) }
        let found = try await harness.lease.database.read(in: harness.lease.tenant) { tx in
            try hashes.map { try PayloadStore(tx: tx).find($0) != nil }
        }
        return zip(texts, found).filter { $0.1 }.map { $0.0 }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `what a workflow names stays when the run goes, and goes with the last workflow that names it`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine, running: true) { harness in
            let me = harness.principal()
            let (workflows, tenant) = (harness.workflows, harness.lease.tenant)
            let all = ["published", "replaced", "drafted", "tried", "remembered"]
            let remembered: JSON = ["list": .string("1,\(hash("remembered").hex),2")]
            let tried = document(pinning: "tried").json.bytes
            let (first, second) = try await withRun(of: all, in: harness) {
                let made = try await workflows.create(document(pinning: "published"), by: me)
                _ = try await workflows.publish(made.id, by: me)
                _ = try await workflows.update(made.id, draft: document(pinning: "replaced"), expecting: 1, by: me)
                _ = try await workflows.update(made.id, draft: document(pinning: "drafted"), expecting: 2, by: me)
                try await harness.lease.database.write(in: tenant) { tx in
                    _ = try TrialStore(tx: tx).keep(tried, of: made.id)
                    try JournalStore(tx: tx).keep(remembered, of: "", workflow: made.id)
                }
                let other = try await workflows.create(document(pinning: "drafted"), by: me)
                return (made.id, other.id)
            }
            #expect(try await left(of: all, in: harness) == all)
            try await workflows.delete(first, by: me)
            #expect(try await left(of: all, in: harness) == ["drafted"])
            try await workflows.delete(second, by: me)
            #expect(try await left(of: all, in: harness).isEmpty)
            await #expect(throws: Refusal.self) { try await workflows.delete(first, by: me) }
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `what rows of a data table name goes with the table, and what a variable names stays`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let tables = DataTables(database: harness.lease.database, ids: harness.lease.ids, policies: TenantPolicies.tenancy { _ in "UTC" })
            let names = ["row", "variable"]
            let (row, variable) = (hash("row").hex, hash("variable").hex)
            let table = try await withRun(of: names, in: harness) {
                let table = try await tables.create("Files", columns: [.init("file", .string)], by: me)
                _ = try await tables.insert(["file": .string(row)], into: table.id, by: me)
                try await harness.lease.database.write(in: harness.lease.tenant) { tx in
                    try VariableStore(tx: tx).set(Variable(name: "FILE", value: variable, updatedAt: tx.clock.now()))
                }
                return table.id
            }
            #expect(try await left(of: names, in: harness) == names)
            try await tables.delete(table, by: me)
            #expect(try await left(of: names, in: harness) == ["variable"])
        }
    }
}
