import Kernel
@testable import Persistence
import TestKit
import Testing

@Suite struct MoveStoreTests {
    @Test(arguments: DatabaseEngine.allCases)
    func `a tenant is elsewhere once it leaves, and until it has come wholly`(_ engine: DatabaseEngine) async throws {
        try await withFixtures(engine) { lease in
            func elsewhere() async throws -> Set<TenantID> { try await lease.database.readSystem { tx in try MoveStore(tx: tx).elsewhere() } }
            func begin(_ tenant: TenantID, _ direction: MoveStore.Direction) async throws {
                try await lease.database.writeSystem { tx in
                    try MoveStore(tx: tx).begin(.init(direction: direction, state: .copying, statusBefore: "active", peer: "there"), of: tenant)
                }
            }
            #expect(try await elsewhere().isEmpty)
            try await begin(lease.tenant, .outward)
            try await begin(lease.other, .inward)
            #expect(try await elsewhere() == [lease.tenant, lease.other])
            for tenant in [lease.tenant, lease.other] {
                try await lease.database.writeSystem { tx in try MoveStore(tx: tx).finish(tenant) }
            }
            #expect(try await elsewhere() == [lease.tenant])
        }
    }
}
