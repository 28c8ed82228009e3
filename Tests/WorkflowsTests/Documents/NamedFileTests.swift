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

    /// After the time for which files stay whose names somebody may have read just before.
    private func sweepLater(_ harness: WorkflowHarness) async throws {
        harness.lease.clock.advance(by: RunFileSweep.grace + .seconds(1))
        try await RunFileSweep(database: harness.lease.database).sweep(harness.lease.tenant)
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `what a workflow names stays when the run goes, and goes with the last workflow that names it`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
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
            #expect(try await left(of: all, in: harness) == all, "a pin that was replaced may be put back")
            try await sweepLater(harness)
            #expect(try await left(of: all, in: harness) == ["published", "drafted", "tried", "remembered"])
            try await workflows.delete(first, by: me)
            #expect(try await left(of: all, in: harness) == ["drafted"])
            try await workflows.delete(second, by: me)
            #expect(try await left(of: all, in: harness).isEmpty)
            await #expect(throws: Refusal.self) { try await workflows.delete(first, by: me) }
        }
    }

    @Test func `what a draft named that was tried goes with the trial`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let workflow = try await harness.workflows.create(.hook(), by: harness.principal()).id
            let (tenant, database, first) = (harness.lease.tenant, harness.lease.database, document(pinning: "tried").json.bytes)
            func tryOut(_ document: [UInt8]) async throws {
                _ = try await database.write(in: tenant) { tx in try TrialStore(tx: tx).keep(document, of: workflow) }
            }
            try await withRun(of: ["tried"], in: harness) { try await tryOut(first) }
            for number in 1..<Limits.trialsKept { try await tryOut(WorkflowDocument.hook("Hook \(number)").json.bytes) }
            try await sweepLater(harness)
            #expect(try await left(of: ["tried"], in: harness) == ["tried"])
            try await tryOut(WorkflowDocument.hook("Hook \(Limits.trialsKept)").json.bytes)
            try await sweepLater(harness)
            #expect(try await left(of: ["tried"], in: harness).isEmpty)
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `what a node remembers keeps its files until something else is remembered, and no longer than the workflow`(
        engine: DatabaseEngine
    ) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let (tenant, database) = (harness.lease.tenant, harness.lease.database)
            let workflow = try await harness.workflows.create(.hook(), by: me).id
            func remember(_ text: String) async throws {
                let data: JSON = ["file": .string(hash(text).hex)]
                try await database.write(in: tenant) { tx in try JournalStore(tx: tx).keep(data, of: "Set", workflow: workflow) }
            }
            let all = ["former", "latest", "late"]
            try await withRun(of: ["former", "latest"], in: harness) { for text in ["former", "latest"] { try await remember(text) } }
            try await sweepLater(harness)
            #expect(try await left(of: all, in: harness) == ["latest"])
            try await harness.workflows.delete(workflow, by: me)
            #expect(try await left(of: all, in: harness).isEmpty)
            // By a run that was under way.
            try await withRun(of: ["late"], in: harness) { try await remember("late") }
            #expect(try await left(of: all, in: harness) == ["late"])
            let sweep = StaticDataSweep(database: database)
            #expect(try await sweep.sweep(tenant) == 1)
            #expect(try await left(of: all, in: harness).isEmpty)
            #expect(try await sweep.sweep(tenant) == 0)
        }
    }

    @Test(arguments: [DatabaseEngine.sqlite, .postgres])
    func `what rows of a data table and variables name goes with them`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let me = harness.principal()
            let tables = DataTables(database: harness.lease.database, ids: harness.lease.ids, policies: TenantPolicies.tenancy { _ in "UTC" })
            let names = ["row", "changed", "removed", "variable", "former"]
            let table = try await withRun(of: names, in: harness) {
                let table = try await tables.create("Files", columns: [.init("file", .string)], by: me).id
                var rows: [Int] = []
                for text in ["row", "changed", "removed"] {
                    rows.append(try await tables.insert(["file": .string(hash(text).hex)], into: table, by: me).id)
                }
                _ = try await tables.update(rows[1], of: table, to: ["file": "none"], by: me)
                try await tables.delete(row: rows[2], of: table, by: me)
                for text in ["former", "variable"] { _ = try await harness.variables.set("FILE", to: hash(text).hex, by: me) }
                return table
            }
            #expect(try await left(of: names, in: harness) == names, "a step may have read the names just before")
            try await sweepLater(harness)
            #expect(try await left(of: names, in: harness) == ["row", "variable"])
            try await tables.delete(table, by: me)
            #expect(try await left(of: names, in: harness) == ["variable"])
            try await harness.variables.delete("FILE", by: me)
            try await sweepLater(harness)
            #expect(try await left(of: names, in: harness).isEmpty)
        }
    }
}
