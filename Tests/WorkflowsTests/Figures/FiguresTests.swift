import Kernel
import Persistence
import TestKit
import Testing

@testable import Workflows

@Suite struct FiguresTests {
    private func figures(_ harness: WorkflowHarness) -> Figures { Figures(database: harness.lease.database, clock: harness.lease.clock.clock) }

    @Test(arguments: DatabaseEngine.allCases) func `runs are counted by hour, status and workflow, folded or not`(_ engine: DatabaseEngine)
        async throws
    {
        try await WorkflowHarness.run(engine) { harness in
            let (me, now) = (harness.principal(), harness.lease.clock.now)
            let good = try await harness.workflows.create(.hook("Good"), by: me).id
            let bad = try await harness.workflows.create(.hook("Bad", path: "bad"), by: me).id
            try await harness.write([
                RunRow(workflow: good, start: now - .seconds(7_200), isAtOnce: true),
                RunRow(workflow: good, start: now - .seconds(3_700)),
                RunRow(workflow: good, start: now - .seconds(60), isAtOnce: true),
                RunRow(workflow: bad, status: .failed, start: now - .seconds(7_200)),
                RunRow(workflow: bad, status: .cancelled, start: now - .seconds(50)), RunRow(workflow: good, version: -1, start: now - .seconds(40)),
                RunRow(workflow: good, start: now - .seconds(3 * 86_400)), RunRow(workflow: good, status: .running, start: now - .seconds(5)),
                RunRow(workflow: bad, status: .uncertain, start: now - .seconds(5))
            ])
            try await harness.write([RunRow(workflow: good, status: .failed, start: now - .seconds(60))], in: harness.lease.other)
            for _ in 0..<3 {
                let day = try await figures(harness).overview(.day, by: me)
                #expect(day.total.succeeded == 3 && day.total.failed == 1 && day.total.cancelled == 1)
                #expect(day.slots.count == 24 && day.slots[23].tally.runs == 2 || day.slots[22].tally.runs + day.slots[23].tally.runs >= 2)
                #expect(day.workflows.map(\.name) == ["Bad", "Good"] && day.workflows[0].tally.runs == 2)
                #expect(day.open[.running] == 1 && day.open[.uncertain] == 1 && day.open[.waiting] == 0)
                #expect(try await figures(harness).overview(.week, by: me).total.succeeded == 4)
                try await figures(harness).fold(of: harness.lease.tenant)
            }
            let counted = try await harness.lease.database.read(in: harness.lease.tenant) { tx in
                try RunFigureStore(tx: tx).counts(from: 0).map(\.runs).reduce(0, +)
            }
            #expect(counted == 4)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `runs that ended are read in parts, each once, however long they took`(_ engine: DatabaseEngine)
        async throws
    {
        try await WorkflowHarness.run(engine) { harness in
            let (me, now, database, tenant) = (harness.principal(), harness.lease.clock.now, harness.lease.database, harness.lease.tenant)
            let id = try await harness.workflows.create(.hook(), by: me).id
            // Some end together, some before the time in their ids, some as late as one in a single commit may; and then a burst.
            let steady = (0..<120).map { index in
                RunRow(
                    workflow: id, start: now - .seconds(3_600) + .milliseconds(index * 700),
                    took: .milliseconds([0, 700, 5_000, -5_000, 40, 90_000][index % 6]), isAtOnce: index % 6 != 5)
            }
            let burst = (0..<60).map { RunRow(workflow: id, start: now - .seconds(600) + .milliseconds($0 / 20), isAtOnce: true) }
            let expected = try await harness.write(steady + burst)
            for limit in [7, 50, 1_000] {
                var (found, start, parts): ([RunID], Timestamp, Int) = ([], Timestamp(microseconds: 0), 0)
                while start < now {
                    let from = start
                    let part = try await database.read(in: tenant) { tx in
                        try RunFigureStore(tx: tx).ended(from: from, until: now, limit: limit)
                    }
                    #expect(part.until > start && part.runs.allSatisfy { $0.finishedAt >= from && $0.finishedAt < part.until })
                    found += part.runs.map(\.id)
                    start = part.until
                    parts += 1
                }
                #expect(found.sorted() == expected.sorted(), "in \(parts) parts of \(limit)")
                #expect(limit == 1_000 ? parts == 1 : parts > 1)
            }
            let begun = try await database.read(in: tenant) { tx in try tx.begunRuns(from: now - .seconds(700), to: now) }
            #expect(begun == 60)
            #expect(try await RunRetention(database: database, succeeded: .seconds(700), failed: nil).prune(tenant) == 120)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `a fold that another has done meanwhile counts nothing twice`(_ engine: DatabaseEngine)
        async throws
    {
        try await WorkflowHarness.run(engine) { harness in
            let (me, now, tenant) = (harness.principal(), harness.lease.clock.now, harness.lease.tenant)
            let id = try await harness.workflows.create(.hook(), by: me).id
            try await harness.write((0..<50).map { RunRow(workflow: id, start: now - .seconds(3_600) + .milliseconds($0)) })
            let figures = figures(harness)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { try await figures.fold(of: tenant) } }
                try await group.waitForAll()
            }
            #expect(try await figures.overview(.day, by: me).total.succeeded == 50)
            // A run that ends at the very mark belongs to the next fold.
            harness.lease.clock.advance(by: .seconds(600))
            try await harness.write([RunRow(workflow: id, start: now - Figures.grace, took: .zero)])
            try await figures.fold(of: tenant)
            #expect(try await figures.overview(.day, by: me).total.succeeded == 51)
        }
    }

    @Test func `quantiles are within a tenth of the true ones`() {
        var counts = LatencyCounts()
        #expect(counts.quantile(0.5) == nil)
        for millisecond in 1...1_000 { counts.add(1, at: LatencyCounts.step(of: .milliseconds(millisecond))) }
        let (median, high) = (counts.quantile(0.5)!.microseconds, counts.quantile(0.95)!.microseconds)
        #expect((450_000...550_000).contains(median) && (855_000...1_045_000).contains(high))
        #expect(LatencyCounts.step(of: .zero) == 0 && LatencyCounts.step(of: .seconds(-1)) == 0)
    }

    @Test func `the dashboard's queries go by indexes`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let (database, tenant, now) = (harness.lease.database, harness.lease.tenant, harness.lease.clock.now)
            let statements = try await database.read(in: tenant) { tx in
                [
                    RunFigureStore.endedStatement(.later, tx.tenant, from: now, until: now, limit: 10),
                    RunFigureStore.countsStatement(tx.tenant, from: 3), RunFigureStore.countStatement(tx.tenant, .failed, limit: 10),
                    RunFigureStore.endedStatement(.atOnce, tx.tenant, from: now, until: now, limit: 10)
                ]
            }
            let plans = [
                try await SQL.plan(of: statements[0], database, in: tenant), try await SQL.plan(of: statements[1], database, in: tenant),
                try await SQL.plan(of: statements[2], database, in: tenant), try await SQL.plan(of: statements[3], database, in: tenant)
            ]
            #expect(plans[0].contains("runs_ended_later (tenant_id=? AND finished_at>? AND finished_at<?)") && !plans[0].contains("TEMP B-TREE"))
            #expect(plans[1].contains("(tenant_id=? AND hour>?)"))
            #expect(plans[2].contains("runs_unsucceeded (status=? AND tenant_id=?)"))
            #expect(plans[3].contains("(tenant_id=? AND id>? AND id<?)") && !plans[3].contains("TEMP B-TREE"))
        }
    }
}
