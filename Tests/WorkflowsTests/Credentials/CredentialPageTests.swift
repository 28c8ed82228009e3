import HTTPSurface
import Kernel
import Logging
import Persistence
import TestKit
import Testing

@testable import Workflows

/// The credentials' pages, called without a network by a person of some role.
@Suite struct CredentialPageTests {
    func surface(_ harness: WorkflowHarness, _ role: Role = .editor) throws -> Surface {
        let context = PageContext(
            console: Console(files: try StaticFiles(roots: ["Web"]), entries: []), person: { _ in "" }, names: { _, _ in [:] }, hooks: { _ in "" },
            forms: { _ in "" })
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let principal = harness.principal(role)
        let doors = Doors(authenticate: { _ in principal }, resolveTenant: { _ in nil })
        return Surface(
            endpoints: CredentialPages(credentials: harness.credentials, context: context).endpoints, doors: doors, ids: harness.lease.ids,
            logger: logger)
    }

    func post(_ surface: Surface, _ path: String, _ form: String) async throws -> LocalAnswer {
        let type = [("Content-Type", "application/x-www-form-urlencoded")]
        return try await surface.answer(LocalRequest("POST", path, headers: type, body: Array(form.utf8)))
    }

    static let form = "type=httpBasicAuth&name=CRM&field-user=ana&field-password=s3cret"

    @Test func `a form that is shown again keeps what was typed, but no secret`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let surface = try surface(harness)
            let page = try await post(surface, "/settings/credentials", Self.form.replacing("name=CRM", with: "name="))
            #expect(page.status == 422 && page.text.contains("id=\"name-fault\"") && page.text.contains("value=\"ana\""))
            #expect(!page.text.contains("s3cret"))
            let missing = try await post(surface, "/settings/credentials", Self.form.replacing("ana", with: ""))
            #expect(missing.text.contains("id=\"field-user-fault\""))
            #expect(try await harness.credentials.list(before: nil, limit: 9, by: harness.principal()).isEmpty)
        }
    }

    @Test func `a stored credential is shown without its secret and tried out`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let surface = try surface(harness)
            let made = try await post(surface, "/settings/credentials", Self.form)
            let address = try #require(made.header("Location")?.split(separator: "?").first.map(String.init))
            for path in ["/settings/credentials", address] {
                let page = try await surface.answer(LocalRequest("GET", path))
                #expect(page.status == 200 && page.text.contains("CRM") && !page.text.contains("s3cret"))
            }
            let nowhere = try await post(surface, "\(address)/test", "url=")
            #expect(nowhere.status == 422 && nowhere.text.contains("id=\"url-fault\""))
            harness.outside.answer(with: 401)
            let refused = try await post(surface, "\(address)/test", "url=https%3A%2F%2Fcrm.example%2F")
            #expect(refused.text.contains("notice bad") && harness.outside.sent.count == 1)
            #expect(try await post(surface, "\(address)/deletion", "").status == 303)
            #expect(try await surface.answer(LocalRequest("GET", address)).status == 404)
        }
    }

    @Test func `a change without a secret keeps the one that is stored`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let surface = try surface(harness)
            let made = try await post(surface, "/settings/credentials", Self.form)
            let address = try #require(made.header("Location")?.split(separator: "?").first.map(String.init))
            #expect(try await post(surface, address, "name=CRM&field-user=&field-password=").text.contains("id=\"field-user-fault\""))
            #expect(try await post(surface, address, "name=Shop&field-user=ben&field-password=").status == 303)
            let id = try #require(address.split(separator: "/").last.map(String.init))
            let kept = try await harness.credentials.fields(id, type: "httpBasicAuth", tenant: harness.lease.tenant)
            #expect(kept == ["user": "ben", "password": "s3cret"])
            #expect(try await post(surface, address, "name=Shop&field-user=ben&field-password=new").status == 303)
            let changed = try await harness.credentials.fields(id, type: "httpBasicAuth", tenant: harness.lease.tenant)
            #expect(changed == ["user": "ben", "password": "new"])
        }
    }

    @Test func `who may not see credentials sees none`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let surface = try surface(harness, .viewer)
            #expect(try await surface.answer(LocalRequest("GET", "/settings/credentials")).status == 403)
            #expect(try await post(surface, "/settings/credentials", Self.form).status == 403)
        }
    }
}
