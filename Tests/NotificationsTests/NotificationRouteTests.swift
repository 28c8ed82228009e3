import HTTPSurface
import Kernel
import Logging
import Persistence
import Tenancy
import TestKit
import Testing

@testable import Notifications

@Suite(.timeLimit(.minutes(4))) struct NotificationRouteTests {
    private func endpoints(_ harness: NotificationsHarness) throws -> [Endpoint] {
        let console = Console(files: try StaticFiles(roots: ["Web"]), entries: [])
        let context = NotificationPageContext(console: console) { _ in "Ana" }
        return NotificationsModule.module(webhooks: harness.webhooks, inbox: harness.inbox, pages: context).endpoints
    }

    /// Signed in as the person, who belongs to the tenant alone.
    private func surface(_ harness: NotificationsHarness, as person: Principal, strings: Strings = .none) throws -> Surface {
        let tenancy = harness.tenancy
        let doors = Doors(
            authenticate: { request in
                if request.head.header("X-Nobody") != nil { return .anonymous }
                if let named = request.tenant, named != person.tenant { throw Refusal.missing("tenant") }
                return person
            },
            resolveTenant: { address in
                guard case .subdomain(let name) = address else { return nil }
                return try await tenancy.tenant(subdomain: name)?.id
            })
        return Surface(endpoints: try endpoints(harness), doors: doors, ids: harness.lease.ids, strings: strings, logger: NotificationsHarness.quiet)
    }

    @Test func `the endpoints are declared without fault`() async throws {
        try await withNotifications { harness in
            let permissions = NotificationsModule.permissions
            let faults = EndpointAudit.faults(in: try endpoints(harness), permissions: permissions)
            #expect(faults == [])
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `no endpoint shows or changes another tenant`(engine: DatabaseEngine) async throws {
        try await withNotifications(engine) { harness in
            // Acme is the stranger here: it has one of everything, and a person of another tenant looks for it.
            let made = try await harness.makeEndpoint(url: "https://secret.example.com/hook")
            let delivery = try await harness.webhooks.test(made.endpoint.id, by: harness.owner)
            try await harness.failed("w1", run: "r1")
            let notice = try #require(try await harness.inbox.list(before: nil, limit: 1, by: harness.ana).first)
            let new = NewTenant(name: "Other", subdomain: "other", plan: .custom)
            let other = try await harness.tenancy.createTenant(new, owner: "oscar@example.com", by: .system(in: nil)).tenant
            let oscar = Principal(
                actor: .user(try await harness.tenancy.members(of: other.id)[0].user), tenant: other.id, role: .owner,
                permissions: NotificationsHarness.permissions.permissions(of: .owner))
            let surface = try surface(harness, as: oscar)
            let all = try endpoints(harness)
            #expect(all.count >= 25)
            for endpoint in all {
                let template = endpoint.path.description
                let id =
                    template.contains("deliveries/{id}")
                    ? delivery.id.description
                    : template.contains("/notifications/{id}")
                        ? notice.id.description : made.endpoint.id.description
                let path = template.replacing("{id}", with: id)
                let bodies = [
                    "/v1/webhook-endpoints": #"{"url":"https://mine.example.com/"}"#, "/v1/webhook-endpoints/{id}": #"{"description":"mine"}"#,
                    "/v1/webhook-endpoints/{id}/replays": #"{"since":"2020-01-01T00:00:00Z","until":"2030-01-01T00:00:00Z"}"#,
                    "/v1/notification-preferences": #"{"preferences":[{"category":"limits","in_app":true,"mail":"off"}]}"#
                ]
                let isForm = endpoint.kind == .page
                let mails = ["failures", "limits", "webhooks", "mentions", "security"].map { "&mail_\($0)=off" }.joined()
                let form = "url=https%3A%2F%2Fmine.example.com%2F" + mails
                let isWriting = [.post, .put, .patch].contains(endpoint.method)
                let body = isWriting ? Array((isForm ? form : bodies[template] ?? "{}").utf8) : []
                let headers = [("Content-Type", isForm ? "application/x-www-form-urlencoded" : "application/json")]
                let name = "\(endpoint.method.rawValue) \(template)"
                for (host, target) in [("acme.localhost", path), ("localhost", "/t/acme" + path)] {
                    let answer = try await surface.answer(LocalRequest(endpoint.method.rawValue, target, host: host, headers: headers, body: body))
                    #expect(answer.status == 404, "\(name) at \(host)\(target): \(answer.status) \(answer.text)")
                }
                let own = try await surface.answer(LocalRequest(endpoint.method.rawValue, path, headers: headers, body: body))
                if endpoint.path.parameters.isEmpty {
                    #expect((200..<400).contains(own.status), "\(name): \(own.status) \(own.text)")
                    for secret in ["secret.example.com", made.endpoint.id.description, notice.id.description, "Orders"] {
                        #expect(!own.text.contains(secret), "\(name) shows \(secret)")
                    }
                } else {
                    #expect(own.status == 404, "\(name) with another's id: \(own.status) \(own.text)")
                }
                let nobody = try await surface.answer(
                    LocalRequest(endpoint.method.rawValue, path, headers: headers + [("X-Nobody", "1")], body: body))
                #expect(nobody.status == 401, "\(name) for nobody: \(nobody.status)")
            }
            #expect(try await harness.inbox.unread(by: harness.ana) == 1)
            let left = try await harness.webhooks.deliveries(of: made.endpoint.id, before: nil, limit: 10, by: harness.owner)
            #expect(left.count == 2)
        }
    }

    @Test func `a member without the right sees neither endpoints nor their pages`() async throws {
        try await withNotifications { harness in
            let viewer = Principal(
                actor: harness.ana.actor, tenant: harness.acme.id, role: .viewer,
                permissions: NotificationsHarness.permissions.permissions(of: .viewer))
            let surface = try surface(harness, as: viewer)
            for path in ["/v1/webhook-endpoints", "/settings/webhooks", "/v1/event-types"] {
                let answer = try await surface.answer(LocalRequest("GET", path))
                #expect(answer.status == 403, "\(path)")
            }
            let list = try await surface.answer(LocalRequest("GET", "/v1/notifications"))
            #expect(list.status == 200)
        }
    }

    @Test func `opening a notice leads where it happened and marks it as read`() async throws {
        try await withNotifications { harness in
            try await harness.failed("w1", run: "r1")
            let surface = try surface(harness, as: harness.ana, strings: try Strings(directory: "Locales"))
            let page = try await surface.answer(LocalRequest("GET", "/notifications"))
            #expect(page.text.contains("Orders failed") && page.text.contains("no stock") && page.text.contains("1 is new"))
            let notice = try #require(try await harness.inbox.list(before: nil, limit: 1, by: harness.ana).first)
            let visit = try await surface.answer(LocalRequest("POST", "/notifications/\(notice.id)/visit"))
            #expect(visit.status == 303 && visit.header("Location") == "/executions/r1")
            #expect(try await harness.inbox.unread(by: harness.ana) == 0)
        }
    }
}
