import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

@Suite struct TenantTests {
    @Test(arguments: DatabaseEngine.allCases) func `plans are seeded once and keep an operator's price`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            _ = try await world.database.writeDirectory { tx in
                try tx.execute("UPDATE plans SET price_monthly = \(3_900) WHERE name = \(PlanName.starter)")
            }
            try await world.tenancy.seedPlans()
            let plans = try await world.tenancy.plans()
            #expect(plans.map(\.name) == [.starter, .professional, .enterprise])
            #expect(plans.map(\.priceMonthly) == [3_900, 9_900, 29_900])
            #expect(plans.map(\.priceYearly) == [39_000, 99_000, 299_000])
            #expect(plans.map(\.limits.workflows) == [5, 25, nil])
            #expect(plans.map(\.limits.executionsPerMonth) == [1_000, 10_000, 100_000])
            #expect(plans.map(\.limits.storageBytes) == [1 << 30, 10 << 30, 100 << 30])
            #expect(plans.map(\.limits.users) == [3, 15, nil])
            #expect(plans.map(\.limits.requestsPerSecond) == [10, 50, 200])
        }
    }

    @Test(arguments: [
        ("acme", "subdomain_taken"), ("ACME", "subdomain_taken"), ("www", "reserved"), ("ab", "bad_length"), ("a_b", "bad_characters"),
        ("-ab", "bad_characters"), ("über", "bad_characters"), (String(repeating: "a", count: 41), "bad_length")
    ])
    func `a subdomain that cannot be had is refused`(subdomain: String, code: String) async throws {
        try await withTenancy(.sqlite) { world in
            let refused = try await refusal { try await world.makeTenant(subdomain) }
            #expect(refused == code)
        }
    }

    @Test func `two who want the same subdomain at once do not both get it`() async throws {
        for engine in DatabaseEngine.allCases {
            try await withTenancy(engine) { world in
                let made = await withTaskGroup(of: Bool.self) { group in
                    for _ in 0..<8 { group.addTask { (try? await world.makeTenant("wanted")) != nil } }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(made == 1)
            }
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `only the custom plan takes limits, and those left out are unlimited`(engine: DatabaseEngine)
        async throws
    {
        try await withTenancy(engine) { world in
            let custom = try await world.makeTenant("custom", plan: .custom, limits: PlanLimits(workflows: 7)).tenant
            #expect(custom.limits == PlanLimits(workflows: 7))
            #expect(
                try await refusal { try await world.makeTenant("greedy", plan: .starter, limits: PlanLimits(workflows: 7)) } == "plan_brings_limits")
            #expect(try await refusal { try await world.makeTenant("nobody", plan: .custom, limits: PlanLimits(users: -1)) } == "bad_limits")
            let renamed = try await world.tenancy.updateTenant(custom.id, TenantChange(name: "Renamed", plan: .custom), by: TenancyHarness.owner)
            #expect(renamed.limits == PlanLimits(workflows: 7))
        }
    }

    @Test func `a suspended tenant is shut out with its data kept`() async throws {
        try await withTenancy(.sqlite) { world in
            _ = try await world.tenancy.updateTenant(world.acme.id, TenantChange(status: .suspended), by: TenancyHarness.owner)
            let presented = Presented(bearer: world.acmeKey, session: nil, tenant: nil)
            #expect(try await refusal { try await world.tenancy.principal(presented) } == "tenant_suspended")
            _ = try await world.tenancy.updateTenant(world.acme.id, TenantChange(status: .active), by: TenancyHarness.owner)
            #expect(try await world.tenancy.principal(presented).tenant == world.acme.id)
        }
    }

    @Test func `the migrations lead to the declared tables`() throws {
        let folded = try SchemaRegistry.fold(TenancyModule.migrations)
        #expect(folded == Dictionary(uniqueKeysWithValues: TenancyModule.tables.map { ($0.name, $0) }))
    }
}
