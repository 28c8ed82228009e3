import HTTPSurface
import Kernel
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Billing

@Suite(.timeLimit(.minutes(3))) struct BillingRouteTests {
    static let bodies = [
        "/v1/subscription": #"{"plan":"starter"}"#, "/v1/subscription/previews": #"{"action":"start","plan":"starter"}"#,
        "/v1/subscription/changes": #"{"plan":"professional"}"#, "/v1/subscription/overage": #"{"overage_cap":5}"#,
        "/v1/billing-profile": #"{"name":"Mine","street":"","postal_code":"","city":"","country":"US"}"#,
        "/v1/billing-clock": #"{"now":"2026-02-01T00:00:00Z"}"#,
        "/v1/usage-metrics": #"{"code":"mine","name":"Mine","aggregation":"sum"}"#,
        "/v1/usage-events": #"{"events":[{"key":"k","metric":"mine","quantity":1}]}"#,
        "/v1/bank-statements": #"{"format":"csv","content":"id;amount;currency;text\n"}"#,
        "/v1/tenants/{tenant}/invoices/{id}/credit-notes": #"{"amount":1}"#, "/v1/invoices/{id}/checkouts": #"{"provider":"stripe"}"#,
        "/v1/payee":
            #"{"provider":"bank","destination":"DE89370400440532013000","tax":{"form":"w9","name":"Mine","country":"US","tax_id":"1"}}"#,
        "/v1/tenants/{tenant}/sales":
            #"{"key":"k","seller":"00000000-0000-0000-0000-000000000001","listing":"l","kind":"app","name":"N","amount":5}"#,
        "/v1/split-terms": #"{"kind":"app","share_basis_points":7000}"#, "/v1/tenants/{tenant}/payouts/{id}/failures": #"{"reason":"r"}"#,
        "/v1/payouts/bank-files": #"{"account":"DE89370400440532013000"}"#, "/v1/affiliate": #"{"code":"MINE"}"#, "/v1/referral": #"{"code":"NONE"}"#,
        "/v1/tenants/{tenant}/affiliate-terms": #"{"months":12}"#,
        "/v1/tenants/{tenant}/licences": #"{"product":"P","seats":1,"price":500000}"#,
        "/v1/tenants/{tenant}/licences/{id}/renewals": #"{"product":"P","seats":1,"price":500000}"#,
        "/v1/consulting-bookings": #"{"offer_id":"00000000-0000-0000-0000-000000000001","minutes":60}"#,
        "/v1/consulting-bookings/{id}/extension-decision": #"{"minutes":60,"is_agreed":true}"#,
        "/v1/consulting-sheets/{id}/dispute": #"{"reason":"r"}"#, "/v1/consulting-offers": #"{"title":"T"}"#,
        "/v1/consulting-offers/{id}": #"{"title":"T"}"#, "/v1/consulting-orders/{id}/decision": #"{"is_accepted":true}"#,
        "/v1/consulting-orders/{id}/extensions": #"{"minutes":60,"reason":"r"}"#,
        "/v1/consulting-orders/{id}/sheets": #"{"entries":[{"day":"2026-01-01","minutes":60,"what":"w"}]}"#,
        "/v1/consulting-sheets/{id}": #"{"entries":[{"day":"2026-01-01","minutes":60,"what":"w"}]}"#,
        "/v1/enrolments": #"{"course_id":"00000000-0000-0000-0000-000000000001","learner_name":"N"}"#,
        "/v1/enrolments/{id}/attempts/{attempt}/answers": #"{"answers":[[0]]}"#,
        "/v1/courses": #"{"title":"T","price":29900,"exam_questions":1}"#, "/v1/courses/{id}": #"{"title":"T","price":29900,"exam_questions":1}"#,
        "/v1/courses/{id}/lessons": #"{"title":"T","text":"x"}"#, "/v1/courses/{id}/lessons/{lesson}": #"{"title":"T","text":"x"}"#,
        "/v1/courses/{id}/questions": #"{"text":"T","options":["a","b"],"right":[0]}"#,
        "/v1/courses/{id}/questions/{question}": #"{"text":"T","options":["a","b"],"right":[0]}"#,
        "/v1/coupons": #"{"code":"MINE","name":"Mine","amount":5,"lasting":"once"}"#, "/v1/subscription/coupons": #"{"code":"NONE"}"#,
        "/v1/add-ons": #"{"code":"mine","name":"Mine","monthly":5}"#, "/v1/subscription/add-ons/{code}": #"{"quantity":1}"#,
        "/v1/wallet/top-ups": #"{"amount":500,"provider":"stripe"}"#, "/v1/tenants/{tenant}/wallet-grants": #"{"amount":5,"reason":"secret"}"#,
        "/v1/revenue/spend": #"{"month":"2026-01","source":"ads","amount":5}"#,
        "/v1/revenue/spend-imports": #"{"content":"month,source,amount\n2026-01,ads,5"}"#,
        "/v1/revenue/targets": #"{"month":"2026-01","figure":"customers","value":5}"#, "/v1/satisfaction/answers": #"{"score":9}"#,
        "/v1/payment-providers/{provider}": #"{"settings":{"key":"k","webhook_secret":"w"}}"#
    ]

    @Test func `the endpoints are declared without fault`() async throws {
        try await withBilling { harness in
            let permissions = TenancyModule.permissions + BillingModule.permissions
            let faults = EndpointAudit.faults(in: try harness.endpoints(), permissions: permissions)
            #expect(faults == [])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `no endpoint shows or changes another tenant`(engine: DatabaseEngine) async throws {
        try await withBilling(engine) { harness in
            // Acme is the stranger here: it has one of everything, and the owner of another tenant looks for it.
            try await harness.profile("DE")
            let invoice = try await harness.perform(.start(.starter, .month, trialDays: 0, overageCap: 0)).invoices[0]
            _ = try await harness.pay(100, reference: "secret-reference", for: invoice)
            _ = try await harness.billing.define(
                Metric(code: "secret_metric", name: "S", aggregation: .sum, dimension: ""), of: harness.id, by: harness.ana)
            let other = try await harness.tenancy.createTenant(
                NewTenant(name: "Other", subdomain: "other", plan: .starter), owner: "oscar@example.com", by: .system(in: nil)
            ).tenant
            let oscar = try await BillingHarness.owner(of: other, harness.tenancy)
            let surface = try harness.surface(as: oscar)
            let before = try await harness.billing.subscription(of: harness.id)
            let all = try harness.endpoints()
            #expect(all.count >= 28)
            for endpoint in all {
                let template = endpoint.path.description
                let path = template.replacing("{id}", with: invoice.id.description).replacing("{tenant}", with: harness.id.description)
                    .replacing("{code}", with: "secret_metric").replacing("{provider}", with: "stripe")
                    .replacing("{lesson}", with: invoice.id.description).replacing("{question}", with: invoice.id.description)
                    .replacing("{attempt}", with: invoice.id.description).replacing("{certificate}", with: invoice.id.description)
                let isForm = endpoint.kind == .page
                let isWriting = [.post, .put, .patch].contains(endpoint.method)
                let body = isWriting ? Array((isForm ? "action=cancel&name=x&country=US" : Self.bodies[template] ?? "").utf8) : []
                let headers = [("Content-Type", isForm ? "application/x-www-form-urlencoded" : "application/json")]
                let name = "\(endpoint.method.rawValue) \(template)"
                // Nobody signs in to it; a signature is asked for instead, see ProviderTests.
                if case .public = endpoint.access { continue }
                let target =
                    path
                    + (template.hasSuffix("/quantity") || template == "/v1/revenue" || template == "/v1/revenue/satisfaction"
                        || template.hasSuffix("/statement")
                        ? "?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z" : "")
                var isOfOperators = endpoint.access == .platformOperator
                if case .platform = endpoint.access { isOfOperators = true }
                if isOfOperators {
                    let answer = try await surface.answer(LocalRequest(endpoint.method.rawValue, target, headers: headers, body: body))
                    #expect([403, 404].contains(answer.status), "\(name): \(answer.status) \(answer.text)")
                    continue
                }
                for (host, place) in [("acme.localhost", target), ("localhost", "/t/acme" + target)] {
                    let answer = try await surface.answer(LocalRequest(endpoint.method.rawValue, place, host: host, headers: headers, body: body))
                    #expect(answer.status == 404, "\(name) at \(host)\(place): \(answer.status) \(answer.text)")
                }
                let own = try await surface.answer(LocalRequest(endpoint.method.rawValue, target, headers: headers, body: body))
                if !endpoint.path.parameters.isEmpty { #expect(own.status == 404, "\(name) with another's id: \(own.status)") }
                #expect(own.status < 500, "\(name): \(own.status) \(own.text)")
                for secret in [invoice.id.description, "secret-reference", "secret_metric", "Acme GmbH"] {
                    #expect(!own.text.contains(secret) || path.contains(secret), "\(name) shows \(secret)")
                }
                let nobody = try await surface.answer(
                    LocalRequest(endpoint.method.rawValue, target, headers: headers + [("X-Nobody", "1")], body: body))
                #expect(nobody.status == 401, "\(name) for nobody: \(nobody.status)")
            }
            #expect(try await harness.billing.subscription(of: harness.id) == before)
            #expect(try await harness.billing.invoices(of: harness.id, before: nil, limit: 9).count == 1)
        }
    }

    @Test func `a person sees to the cent what a change comes to, confirms it, and reads the invoice`() async throws {
        try await withBilling { harness in
            let surface = try harness.surface(as: harness.ana)
            let headers = [("Content-Type", "application/x-www-form-urlencoded")]
            func post(_ path: String, _ form: String) async throws -> LocalAnswer {
                try await surface.answer(LocalRequest("POST", path, headers: headers, body: Array(form.utf8)))
            }
            let bad = try await post("/settings/billing/profile", "name=Acme&country=DE&vat_id=DE1")
            #expect(bad.status == 422 && bad.text.contains("no VAT number of DE"))
            #expect(try await post("/settings/billing/profile", "name=Acme&country=de&city=Berlin").status == 303)
            let preview = try await post("/settings/billing/previews", "action=start&plan=starter&period=month")
            #expect(preview.status == 200 && preview.text.contains("34.51 USD") && preview.text.contains("5.51"))
            #expect(try await harness.billing.subscription(of: harness.id) == nil)
            #expect(try await post("/settings/billing/changes", "action=start&plan=starter&period=month").status == 303)
            let page = try await surface.answer(LocalRequest("GET", "/settings/billing"))
            #expect(page.text.contains("AIAS-1") && !page.text.contains("billing."))
            let invoice = try await harness.billing.invoices(of: harness.id, before: nil, limit: 1)[0]
            let sheet = try await surface.answer(LocalRequest("GET", "/settings/billing/invoices/\(invoice.id)"))
            #expect(sheet.text.contains("34.51") && sheet.text.contains("Flows GmbH") && !sheet.text.contains(">billing."))
            let again = try await post("/settings/billing/changes", "action=start&plan=starter&period=month")
            #expect(again.status == 409)
            let ubl = try await surface.answer(LocalRequest("GET", "/v1/invoices/\(invoice.id)/ubl"))
            #expect(ubl.status == 200 && ubl.text.contains("<cbc:PayableAmount currencyID=\"USD\">34.51</cbc:PayableAmount>"))
        }
    }
}
