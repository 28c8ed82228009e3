import Kernel
import Persistence
import TestKit
import Testing

@testable import Jobs

@Suite struct DeadLetterTests {
    private struct Gone: Event {
        static let name = "test.gone"
        static let version = 1
        let subject = "gone"
        let payload: JSON = [:]
    }

    @Test(arguments: DatabaseEngine.allCases) func `deliveries given up are counted by tenant, and those under way are not`(engine: DatabaseEngine)
        async throws
    {
        try await withDatabase(engine, tables: JobsModule.tables, migrations: JobsModule.migrations) { lease in
            for (tenant, count) in [(lease.tenant, 2), (lease.other, 1)] {
                for _ in 0..<count { try await lease.database.write(in: tenant) { tx in try tx.emit(Gone()) } }
            }
            try await lease.database.writeSystem { tx in
                let store = DeliveryStore(tx: tx)
                try store.fanOut([Gone.name: ["one"]])
                #expect(try DeadLetterStore(tx: tx).tally(limit: 10).isEmpty)
                try tx.execute("UPDATE outbox_deliveries SET state = \("dead")")
                #expect(try DeadLetterStore(tx: tx).tally(limit: 10).map(\.count) == [2, 1])
                #expect(try DeadLetterStore(tx: tx).tally(limit: 10).map(\.tenant) == [lease.tenant, lease.other])
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `processes at work are listed with what they do`(engine: DatabaseEngine) async throws {
        try await withDatabase(engine, tables: JobsModule.tables, migrations: JobsModule.migrations) { lease in
            let found = try await lease.database.writeSystem { tx in
                let store = LeaseStore(tx: tx)
                let gone = try store.acquire(name: "a", for: .seconds(30), roles: "worker", version: "1")
                _ = try store.acquire(name: "b", for: .seconds(30), roles: "gateway,scheduler", version: "2")
                try store.end(gone)
                return try store.processes(limit: 10)
            }
            #expect(found.map(\.name) == ["b"] && found.map(\.roles) == ["gateway,scheduler"] && found.map(\.version) == ["2"])
        }
    }
}
