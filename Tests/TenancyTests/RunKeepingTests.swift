import HTTPSurface
import Kernel
import Persistence
import TestKit
import Testing

@testable import Tenancy

/// For how long a tenant keeps its runs.
@Suite struct RunKeepingTests {
    private static let day: Duration = .seconds(86_400)

    @Test(arguments: DatabaseEngine.allCases) func `a tenant keeps runs for its own days, within its plan`(engine: DatabaseEngine) async throws {
        try await withTenancy(engine) { world in
            let made = try await world.makeTenant("kept", plan: .custom, limits: PlanLimits(runDays: 30))
            let surface = try world.surface()
            func patch(_ body: String) async throws -> LocalAnswer {
                let headers = [("Authorization", "Bearer \(made.apiKey)"), ("Content-Type", "application/json")]
                return try await surface.answer(LocalRequest("PATCH", "/v1/tenant", headers: headers, body: Array(body.utf8)))
            }
            func ages(_ deployment: Duration? = nil) async throws -> RunKeeping.Ages? {
                try await world.tenancy.tenant(made.tenant.id)?.runAges(atMost: deployment)
            }
            #expect(try await ages() == .init(succeeded: Self.day * 30, failed: Self.day * 30), "as long as the plan allows")
            let set = try await patch(#"{"keep_succeeded_days":7,"keep_failed_days":30}"#)
            #expect(set.status == 200)
            #expect(try JSON(parsing: set.body)["keep_succeeded_days"] == 7)
            #expect(try await ages() == .init(succeeded: Self.day * 7, failed: Self.day * 30))
            #expect(try await ages(Self.day * 14) == .init(succeeded: Self.day * 7, failed: Self.day * 14), "the deployment's own limit holds")
            for (body, code) in [
                (#"{"keep_failed_days":31}"#, "beyond_plan"), (#"{"keep_succeeded_days":1}"#, "bad_days"), (#"{"keep_failed_days":-3}"#, "")
            ] {
                let refused = try await patch(body)
                #expect((400..<500).contains(refused.status) && refused.text.contains(code), "\(body): \(refused.status) \(refused.text)")
            }
            #expect(try await patch(#"{"name":"Kept"}"#).status == 200)
            #expect(try await ages() == .init(succeeded: Self.day * 7, failed: Self.day * 30), "what is not named stays")
            #expect(try await patch(#"{"keep_succeeded_days":0}"#).status == 200)
            #expect(try await ages()?.succeeded == Self.day * 30)
            // A smaller plan holds at once, whatever was set under the larger one.
            let smaller = TenantChange(plan: .custom, limits: PlanLimits(runDays: 5))
            _ = try await world.tenancy.updateTenant(made.tenant.id, smaller, by: TenancyHarness.owner)
            #expect(try await ages() == .init(succeeded: Self.day * 5, failed: Self.day * 5))
            let nobody = TenantChange(plan: .custom, limits: PlanLimits(runDays: 1))
            #expect(try await refusal { try await world.tenancy.updateTenant(made.tenant.id, nobody, by: TenancyHarness.owner) } == "bad_limits")
            #expect(world.acme.runAges(atMost: nil) == .init(), "where nobody says anything they are kept for ever")
        }
    }

    @Test func `the settings show and change it, for those who may`() async throws {
        try await withTenancy(.sqlite) { world in
            let made = try await world.makeTenant("kept", plan: .custom, limits: PlanLimits(runDays: 30))
            let surface = try world.surface()
            func page(_ method: String, _ form: String = "", key: String) async throws -> LocalAnswer {
                let headers = [("Authorization", "Bearer \(key)"), ("Content-Type", "application/x-www-form-urlencoded")]
                return try await surface.answer(LocalRequest(method, "/settings", headers: headers, body: Array(form.utf8)))
            }
            let form = "name=Kept&time_zone=UTC&keep_succeeded_days=12&keep_failed_days="
            #expect(try await page("POST", form, key: made.apiKey).status == 303)
            let kept = try #require(try await world.tenancy.tenant(made.tenant.id))
            #expect(kept.runKeeping == RunKeeping(succeededDays: 12))
            let shown = try await page("GET", key: made.apiKey)
            #expect(shown.text.contains("name=\"keep_succeeded_days\"") && shown.text.contains("value=\"12\""))
            let refused = try await page("POST", form.replacing("failed_days=", with: "failed_days=40"), key: made.apiKey)
            #expect(refused.status == 422 && refused.text.contains("value=\"40\""))
            #expect(try await page("POST", form.replacing("failed_days=", with: "failed_days=many"), key: made.apiKey).status == 422)
            #expect(try await world.tenancy.tenant(made.tenant.id)?.runKeeping == RunKeeping(succeededDays: 12))
        }
    }
}
