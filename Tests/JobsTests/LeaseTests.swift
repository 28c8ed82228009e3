import Kernel
import Persistence
import Testing
import TestKit

@testable import Jobs

/// A database with this module's tables.
func withJobs(_ engine: DatabaseEngine, _ body: (DatabaseLease) async throws -> Void) async throws {
    try await withDatabase(engine, tables: JobsModule.tables, migrations: JobsModule.migrations, body)
}

@Suite(.timeLimit(.minutes(3))) struct LeaseTests {
    @Test(arguments: DatabaseEngine.allCases)
    func `epochs rise with every lease, whoever asks at the same moment`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { lease in
            let database = lease.database
            let epochs = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 1...8 {
                    group.addTask {
                        try await database.writeSystem { try LeaseStore(tx: $0).acquire(name: "w\(number)", for: .seconds(30)).epoch }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(epochs.sorted() == Array(1...8))
            #expect(try await database.readSystem { try LeaseStore(tx: $0).live() } == Array(1...8))
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a process sees whether one of another version is at work`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { fresh in
            let database = fresh.database
            func acquire(_ version: String) async throws -> Lease {
                try await database.writeSystem { try LeaseStore(tx: $0).acquire(name: "a", for: .seconds(30), version: version) }
            }
            func hasOther(_ lease: Lease) async throws -> Bool { try await database.readSystem { try LeaseStore(tx: $0).hasOther(than: lease) } }
            let (own, _) = (try await acquire("1"), try await acquire("1"))
            #expect(try await !hasOther(own))
            let newer = try await acquire("2")
            #expect(try await hasOther(own))
            #expect(try await hasOther(newer))
            try await database.writeSystem { try LeaseStore(tx: $0).end(newer) }
            #expect(try await !hasOther(own))
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a lease lasts until it is ended, whatever the clocks say, and never comes back`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { fresh in
            let database = fresh.database
            let held = try await database.writeSystem { try LeaseStore(tx: $0).acquire(name: "a", for: .seconds(30)) }
            func renew(_ lease: Lease) async throws -> Bool {
                try await database.writeSystem { try LeaseStore(tx: $0).renew(lease, for: .seconds(30)) }
            }
            func seen() async throws -> HeldLease {
                try #require(try await database.readSystem { try LeaseStore(tx: $0).held() }.first { $0.epoch == held.epoch })
            }
            fresh.clock.advance(by: .seconds(3_600))
            let before = try await seen()
            #expect(try await renew(held))
            #expect(try await !database.writeSystem { try LeaseStore(tx: $0).end(before) }, "it was renewed since it was looked at")
            fresh.clock.advance(by: .seconds(-7_200))
            #expect(try await renew(held))
            let last = try await seen()
            #expect(try await database.writeSystem { try LeaseStore(tx: $0).end(last) })
            #expect(try await database.readSystem { try LeaseStore(tx: $0).live() } == [])
            #expect(try await !renew(held))

            let next = try await database.writeSystem { try LeaseStore(tx: $0).acquire(name: "a", for: .seconds(30)) }
            #expect(next.epoch > held.epoch && next.worker != held.worker)
            try await database.writeSystem { try LeaseStore(tx: $0).end(next) }
            #expect(try await !renew(next))
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `the owner of a folder ends the leases of its predecessors`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { fresh in
            let database = fresh.database
            let old = try await database.writeSystem { try LeaseStore(tx: $0).acquire(name: "old", for: .seconds(30)) }
            let new = try await database.writeSystem { tx in
                let lease = try LeaseStore(tx: tx).acquire(name: "new", for: .seconds(30))
                try LeaseStore(tx: tx).endAll(except: lease)
                return lease
            }
            #expect(try await database.readSystem { try LeaseStore(tx: $0).live() } == [new.epoch])
            #expect(try await !database.writeSystem { try LeaseStore(tx: $0).renew(old, for: .seconds(30)) })
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `a process of an older program is seen for as long as its lease holds`(engine: DatabaseEngine) async throws {
        try await withJobs(engine) { fresh in
            let database = fresh.database
            let old = try await database.writeSystem { try LeaseStore(tx: $0).acquire(name: "old", for: .seconds(30)) }
            #expect(try await !database.readSystem { try LeaseStore(tx: $0).hasOlder() })
            // As one writes it that does not know the column.
            try await database.writeSystem { tx in _ = try tx.execute("UPDATE workers SET format = 0 WHERE epoch = \(old.epoch)") }
            _ = try await database.writeSystem { try LeaseStore(tx: $0).acquire(name: "new", for: .seconds(30)) }
            #expect(try await database.readSystem { try LeaseStore(tx: $0).hasOlder() })
            try await database.writeSystem { try LeaseStore(tx: $0).end(old) }
            #expect(try await !database.readSystem { try LeaseStore(tx: $0).hasOlder() })
        }
    }
}
