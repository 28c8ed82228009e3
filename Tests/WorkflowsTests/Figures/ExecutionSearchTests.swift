import Foundation
import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct ExecutionSearchTests {
    private func search(
        _ harness: WorkflowHarness, _ wanted: ExecutionSearch, after cursor: RunID? = nil, limit: Int = 10
    ) async throws -> [RunID] {
        try await harness.lease.database.read(in: harness.lease.tenant) { tx in
            try RunStore(tx: tx).search(wanted, after: cursor, limit: limit).map(\.id)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `runs are found by status, workflow, time and value, in both orders`(_ engine: DatabaseEngine)
        async throws
    {
        try await WorkflowHarness.run(engine) { harness in
            let (tenant, other, now) = (harness.lease.tenant, harness.lease.other, harness.lease.clock.now)
            let (first, second): (WorkflowID, WorkflowID) = (harness.lease.ids.next(), harness.lease.ids.next())
            let runs = try await harness.write([
                RunRow(workflow: first, start: now - .seconds(300)), RunRow(workflow: second, status: .failed, start: now - .seconds(200)),
                RunRow(workflow: first, status: .failed, start: now - .seconds(100)), RunRow(workflow: first, start: now)
            ])
            let foreign = try await harness.write([RunRow(workflow: first, status: .failed, start: now - .seconds(1))], in: other)
            let mark = RunMark(name: "order", value: "1234")
            for (place, run) in [(tenant, runs[0]), (tenant, runs[2]), (other, foreign[0])] {
                try await harness.lease.database.write(in: place) { tx in try RunMarkStore(tx: tx).mark(run, [mark]) }
            }
            #expect(try await search(harness, ExecutionSearch()) == runs.reversed())
            #expect(try await search(harness, ExecutionSearch(status: .failed)) == [runs[2], runs[1]])
            #expect(try await search(harness, ExecutionSearch(workflow: first, status: .failed)) == [runs[2]])
            var wanted = ExecutionSearch()
            wanted.from = now - .seconds(200)
            wanted.until = now
            #expect(try await search(harness, wanted) == [runs[2], runs[1]])
            wanted = ExecutionSearch()
            wanted.mark = mark
            #expect(try await search(harness, wanted) == [runs[2], runs[0]])
            wanted.isOldestFirst = true
            #expect(try await search(harness, wanted, limit: 1) == [runs[0]])
            #expect(try await search(harness, wanted, after: runs[0]) == [runs[2]])
            wanted.status = .failed
            #expect(try await search(harness, wanted) == [runs[2]])
            wanted.mark = RunMark(name: "order", value: "123")
            #expect(try await search(harness, wanted).isEmpty)
            wanted = ExecutionSearch()
            wanted.isOldestFirst = true
            #expect(try await search(harness, wanted, after: runs[1]) == [runs[2], runs[3]])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a run is marked with ten names at most, and its marks go with it`(_ engine: DatabaseEngine)
        async throws
    {
        try await WorkflowHarness.run(engine) { harness in
            let run = try await harness.write([RunRow(workflow: harness.lease.ids.next(), start: harness.lease.clock.now)])[0]
            let marks = try await harness.lease.database.write(in: harness.lease.tenant) { tx in
                let store = RunMarkStore(tx: tx)
                try store.mark(run, (0..<12).map { RunMark(name: "name\($0)", value: "a") })
                try store.mark(run, [RunMark(name: "name3", value: "b"), RunMark(name: "late", value: "c")])
                return try store.marks(of: [run])[run] ?? []
            }
            #expect(marks.count == Limits.marksPerRun && marks.contains(RunMark(name: "name3", value: "b")))
            let left = try await harness.lease.database.write(in: harness.lease.tenant) { tx in
                try RunStore(tx: tx).remove(run)
                return try RunMarkStore(tx: tx).marks(of: [run])
            }
            #expect(left.isEmpty)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `whatever a run is marked with, its commit is taken`(_ engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let run = try await harness.write([RunRow(workflow: harness.lease.ids.next(), start: harness.lease.clock.now)])[0]
            // One character for people, whatever it weighs.
            let scalars: [Unicode.Scalar] = (0..<4_000).map { Unicode.Scalar(0x300 + UInt32($0 * 7 % 79)) ?? "a" }
            let tall = String(String.UnicodeScalarView(scalars))
            let marks = try await harness.lease.database.write(in: harness.lease.tenant) { tx in
                let store = RunMarkStore(tx: tx)
                try store.mark(run, [RunMark(name: "a", value: "x\0y"), RunMark(name: "b", value: tall), RunMark(name: "n\0", value: "")])
                return try store.marks(of: [run])[run] ?? []
            }
            #expect(marks.map(\.name) == ["a", "b", "n\u{FFFD}"])
            #expect(marks[0].value == "x\u{FFFD}y")
            #expect(marks[1].value.unicodeScalars.count == Limits.markValueCharacters)
        }
    }

    @Test func `a value is written as name = value`() {
        #expect(RunMark(" order = 12 = 3 ") == RunMark(name: "order", value: "12 = 3"))
        #expect(RunMark("order") == nil && RunMark("= 3") == nil)
    }

    @Test func `a day is of the calendar, whatever numbers are written`() throws {
        let berlin = try #require(TimeZone(identifier: "Europe/Berlin"))
        #expect(ExecutionQueryForm.day("2026-03-10", adding: 0, in: berlin)?.description == "2026-03-09T23:00:00.000000Z")
        #expect(ExecutionQueryForm.day("2026-03-29", adding: 1, in: berlin)?.description == "2026-03-29T22:00:00.000000Z")
        for odd in ["", "2026-03", "2026-3-9223372036854775806", "2026-9223372036854775806-1", "9223372036854775806-1-1", "2026-0-1", "2026-1-0"] {
            #expect(ExecutionQueryForm.day(odd, adding: 1, in: berlin) == nil, "\(odd)")
        }
    }

    @Test func `every search goes by an index and sorts nothing`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let (database, tenant, workflow) = (harness.lease.database, harness.lease.tenant, harness.lease.ids.next() as WorkflowID)
            var marked = ExecutionSearch(status: .failed)
            marked.mark = RunMark(name: "a", value: "b")
            let cases = [
                (ExecutionSearch(), "(tenant_id=? AND id>? AND id<?)"),
                (ExecutionSearch(status: .failed), "runs_unsucceeded (status=? AND tenant_id=?"),
                (ExecutionSearch(workflow: workflow), "runs_of_workflow (workflow_id=?"),
                (ExecutionSearch(workflow: workflow, status: .failed), "runs_unsucceeded (status=? AND tenant_id=?"),
                (marked, "run_values_by_value (tenant_id=? AND name=? AND value=?")
            ]
            for (wanted, index) in cases {
                let statement = try await database.read(in: tenant) { tx in
                    RunStore.searchStatement(tx.tenant, wanted, after: nil, limit: 10)
                }
                let plan = try await SQL.plan(of: statement, database, in: tenant)
                #expect(plan.contains(index) && !plan.contains("TEMP B-TREE"), "\(plan)")
            }
            for isOldestFirst in [false, true] {
                var wanted = ExecutionSearch(workflow: workflow)
                wanted.isOldestFirst = isOldestFirst
                let sought = wanted
                let statement = try await database.read(in: tenant) { tx in
                    try #require(RunStore.spanStatement(tx.tenant, sought, after: nil, limit: 10))
                }
                let plan = try await SQL.plan(of: statement, database, in: tenant)
                #expect(plan.contains("(tenant_id=? AND workflow=? AND first_run>? AND first_run<?)"), "\(plan)")
                #expect(plan.contains("(tenant_id=? AND id>? AND id<?)") && !plan.contains("TEMP B-TREE"), "\(plan)")
            }
        }
    }
}
