import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

@Suite struct UpkeepTests {
    @Test(arguments: DatabaseEngine.allCases) func `every audit log is sealed, the platform's too`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let other = try await world.makeTenant("other").tenant.id
            #expect(try await world.tenancy.setOperator(true, email: "olga@example.com", by: TenancyHarness.owner))
            try await world.database.write(in: other) { tx in
                for number in 0..<(AuditStore.sealBatch + 5) { try tx.audit(.system(in: other), "test.act", "thing:\(number)", [:]) }
            }
            try await world.tenancy.sealAuditLogs()
            for (tenant, count) in [(world.acme.id, 1), (other, AuditStore.sealBatch + 6), (Tenancy.platformLog, 1)] {
                let entries = try await world.tenancy.auditLog(of: tenant, before: nil, limit: 1_000)
                #expect(entries.compactMap(\.sequence).sorted() == Array(1...count))
                #expect(try await world.tenancy.firstBrokenAuditEntry(of: tenant) == nil)
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases)
    func `upkeep changes nothing of a tenant that has gone elsewhere or is still coming`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let coming = try await world.makeTenant("coming").tenant.id
            let gone = try await world.makeTenant("gone").tenant.id
            let arrived = try await world.makeTenant("arrived").tenant.id
            let moving: [(TenantID, MoveStore.Direction)] = [(coming, .inward), (gone, .outward), (arrived, .inward)]
            try await world.database.writeSystem { tx in
                let moves = MoveStore(tx: tx)
                for (tenant, direction) in moving {
                    try moves.begin(.init(direction: direction, state: .copying, statusBefore: "active", peer: "there"), of: tenant)
                }
                for tenant in [gone, arrived] { try moves.finish(tenant) }
            }
            var seen: Set<TenantID> = []
            try await world.tenancy.forEachTenantHere { seen.insert($0) }
            #expect(seen == [world.acme.id, arrived])
            for tenant in [coming, gone, arrived] {
                try await world.database.write(in: tenant) { tx in try tx.audit(.system(in: tenant), "test.act", "thing", [:]) }
            }
            try await world.tenancy.sealAuditLogs()
            for (tenant, isSealed) in [(coming, false), (gone, false), (arrived, true)] {
                let entries = try await world.tenancy.auditLog(of: tenant, before: nil, limit: 10)
                #expect(entries.allSatisfy { ($0.sequence != nil) == isSealed })
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `sessions and links go when their time is over, and not before`(engine: DatabaseEngine)
        async throws
    {
        try await withTenancy(engine) { world in
            let password = TenancyHarness.password
            _ = try await world.signUpBen()
            _ = try await world.tenancy.signIn(email: "ben@example.com", password: password)
            _ = try await world.tenancy.makeSignInLink(email: "ana@example.com")
            func left() async throws -> [Int] {
                try await world.tenancy.removeExpired()
                return try await world.database.readDirectory { tx in
                    [
                        try tx.first("SELECT count(*) FROM sessions") { try $0.column(0) } ?? 0,
                        try tx.first("SELECT count(*) FROM one_time_tokens") { try $0.column(0) } ?? 0
                    ]
                }
            }
            #expect(try await left() == [1, 2])
            world.lease.clock.advance(by: OneTimeToken.Purpose.signIn.lifetime)
            #expect(try await left() == [1, 1])
            world.lease.clock.advance(by: OneTimeToken.Purpose.verifyEmail.lifetime)
            #expect(try await left() == [1, 0])
            world.lease.clock.advance(by: SessionStore.lifetime)
            #expect(try await left() == [0, 0])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `over the stored bytes nothing new begins, and what has begun goes on`(engine: DatabaseEngine)
        async throws
    {
        try await withTenancy(engine) { world in
            let tenant = try await world.makeTenant("small", plan: .custom, limits: PlanLimits(storageBytes: 1_000)).tenant.id
            let (run, file): (ID<Int>, PreparedPayload) = (world.lease.ids.next(), PreparedPayload(Array(repeating: 1, count: 700)))
            func upload(_ payload: PreparedPayload) async throws -> String? {
                try await refusal {
                    try await world.database.write(in: tenant) { tx in
                        try PayloadStore(tx: tx).store(payload, for: .files)
                        try tx.requireStorage()
                    }
                }
            }
            func begin() async throws -> String? { try await refusal { try await world.database.write(in: tenant) { try $0.requireStorage() } } }
            func used() async throws -> Int? { try await world.tenancy.quotas(of: tenant).first { $0.key == .storageBytes }?.used }
            #expect(try await upload(file) == nil)
            #expect(try await upload(PreparedPayload(Array(repeating: 2, count: 301))) == "limit_reached")
            #expect(try await used() == 700)
            #expect(try await begin() == nil)
            // The journal is not asked.
            let journaled = PreparedPayload(Array(repeating: 3, count: 600))
            _ = try await world.database.write(in: tenant) { tx in try PayloadStore(tx: tx).store(journaled, for: PayloadUser(run)) }
            #expect(try await used() == 1_300)
            #expect(try await begin() == "limit_reached")
            #expect(try await upload(file) == "limit_reached")
            try await world.database.write(in: tenant) { tx in try tx.audit(.system(in: tenant), "test.act", "thing", [:]) }
            _ = try await world.database.write(in: tenant) { try PayloadStore(tx: $0).release([journaled.hash], of: PayloadUser(run)) }
            #expect(try await used() == 700)
            #expect(try await begin() == nil)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `keys of all tenants are rotated, and it is on record`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let sealed = try await world.lease.vault.seal([1, 2, 3], tenant: world.acme.id, context: "test")
            #expect(try await world.tenancy.rotateKeys(by: TenancyHarness.owner) == 2)
            #expect(try await world.lease.vault.open(sealed, tenant: world.acme.id, context: "test") == [1, 2, 3])
            #expect(try await world.lease.vault.seal([1], tenant: world.acme.id, context: "test").prefix(16) != sealed.prefix(16))
            #expect(try await world.actions(of: world.acme.id).last == "data_key.rotate")
            #expect(try await world.actions(of: Tenancy.platformLog) == ["data_key.rotate"])
        }
    }
}
