import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct RunSpanTests {
    private static let start = Timestamp(microseconds: 1_790_000_000_000_000)

    @Test(arguments: DatabaseEngine.allCases)
    func `the runs of a workflow are listed whole, in order and page by page, whichever way each is found`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let workflows: [WorkflowID] = (0..<3).map { _ in harness.lease.ids.next() }
            // Some share a span, some have one for themselves, and spans of one workflow hold runs of the others.
            let rows = (0..<300).map { number in
                RunRow(
                    workflow: workflows[number % 7 % 3], status: number % 11 == 0 ? .failed : .succeeded,
                    start: Self.start + .milliseconds(number * number / 5), isAtOnce: number % 2 == 0, isOld: number % 5 == 1)
            }
            let ids = try await harness.write(rows)
            let ends: [Int?] = [nil, 0, 4_000, 8_003]
            for (workflow, isOldestFirst) in workflows.flatMap({ [($0, false), ($0, true)] }) {
                for (from, status) in ends.flatMap({ [($0, RunStatus?.none), ($0, .succeeded), ($0, .failed)] }) {
                    var wanted = ExecutionSearch(workflow: workflow, status: status)
                    wanted.isOldestFirst = isOldestFirst
                    wanted.from = from.map { Self.start + .milliseconds($0) }
                    wanted.until = from.map { Self.start + .milliseconds($0 + 6_000) }
                    let expected = zip(ids, rows).filter { _, row in
                        row.workflow == workflow && (status == nil || row.status == status)
                            && wanted.from.map { row.start >= $0 } ?? true && wanted.until.map { row.start < $0 } ?? true
                    }.map(\.0)
                    let sought = wanted
                    let found = try await harness.lease.database.read(in: harness.lease.tenant) { tx in
                        var (all, cursor): ([RunID], RunID?) = ([], nil)
                        while true {
                            let page = try RunStore(tx: tx).search(sought, after: cursor, limit: 7).map(\.id)
                            all += page
                            guard page.count == 7 else { return all }
                            cursor = page.last
                        }
                    }
                    #expect(found == (isOldestFirst ? expected : expected.reversed()), "from \(from ?? -1), \(status?.rawValue ?? "any")")
                }
            }
        }
    }

    @Test func `a span goes with the last run of its workflow, and comes again with the next`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let (database, tenant) = (harness.lease.database, harness.lease.tenant)
            let (workflow, other): (WorkflowID, WorkflowID) = (harness.lease.ids.next(), harness.lease.ids.next())
            let row = RunRow(workflow: workflow, start: Self.start)
            let ids = try await harness.write([row, row, RunRow(workflow: other, start: Self.start), row])
            let spans: @Sendable () async throws -> Int = {
                try await database.read(in: tenant) { tx in
                    try tx.first("SELECT count(*) FROM run_spans WHERE tenant_id = \(tx.tenant)") { try $0.column(0) } ?? 0
                }
            }
            let remove: @Sendable ([RunID]) async throws -> Void = { ids in
                try await database.write(in: tenant) { tx in for id in ids { try RunStore(tx: tx).remove(id) } }
            }
            #expect(try await spans() == 2)
            try await remove([ids[0], ids[3]])
            #expect(try await spans() == 2)
            try await remove([ids[1]])
            #expect(try await spans() == 1)
            let next = try await harness.write([row])
            let found = try await database.read(in: tenant) { tx in try RunStore(tx: tx).list(workflow: workflow, before: nil, limit: 10).map(\.id) }
            #expect(found == next)
            try await remove(next + [ids[2]])
            #expect(try await spans() == 0)
        }
    }

    @Test func `a span that was undone is written by the next run`() async throws {
        struct Unwanted: Error {}
        try await WorkflowHarness.run(.sqlite) { harness in
            let workflow: WorkflowID = harness.lease.ids.next()
            let run = RunID(high: UInt64(Self.start.microseconds / 1_000) << 16 | 0x7000, low: 1 << 63)
            await #expect(throws: Unwanted.self) {
                try await harness.lease.database.write(in: harness.lease.tenant) { tx in
                    _ = try RunSpanStore(tx: tx).note(run, of: workflow)
                    throw Unwanted()
                }
            }
            let ids = try await harness.write([RunRow(workflow: workflow, start: Self.start)])
            let found = try await harness.lease.database.read(in: harness.lease.tenant) { tx in
                try RunStore(tx: tx).list(workflow: workflow, before: nil, limit: 10).map(\.id)
            }
            #expect(found == ids)
        }
    }
}
