import Kernel
import Testing

@testable import HTTPSurface

/// What a page sends for the tenant that it was made for.
struct PageTenantTests {
    @Test func `forms that write say whose page they are on, whatever else their tags hold`() {
        let tenant = SurfaceHarness.acme
        let marks: [(form: String, action: String?)] = [
            ("<form method=\"post\" action=\"/a\">", "/a?page_tenant=\(tenant)"),
            ("<form class=\"form\" action=\"/a?b=1&amp;c=2\" enctype=\"x\" method=\"post\">", "/a?b=1&amp;c=2&amp;page_tenant=\(tenant)"),
            ("<form method=\"get\" action=\"/a\">", nil), ("<form method=\"post\">", nil), ("<form method=\"post\" action=\"sign-in\">", nil),
            ("<form method=\"post\" action=\"https://elsewhere.example/a\">", nil), ("&lt;form method=\"post\" action=\"/a\"&gt;", nil)
        ]
        for mark in marks {
            let page = "<p>é</p>\(mark.form)<input value=\"action=\"></form>"
            let marked = PageTenant.marking(page, tenant)
            guard let action = mark.action else {
                #expect(marked == page)
                continue
            }
            #expect(marked.contains(" action=\"\(action)\""))
            #expect(marked.count == page.count + action.count - (mark.form.contains("?") ? "/a?b=1&amp;c=2".count : 2))
        }
        let two = String(repeating: "<form method=\"post\" action=\"/a\"></form>", count: 2)
        #expect(PageTenant.marking(two, tenant).split(separator: "page_tenant").count == 3)
        #expect(PageTenant.marking("", tenant) == "")
    }

    @Test func `what a page of another tenant sends is refused before anything is done`() async throws {
        let harness = SurfaceHarness([
            .page(.post, "/notes", access: .tenant("notes.write"), summary: "A form") { _ in .redirect("/done") },
            .page(.get, "/notes", access: .tenant("notes.read"), summary: "A page") { _ in .redirect("/read") },
            Endpoint(.get, "/v1/notes", access: .tenant("notes.read"), summary: "Notes", tag: "Notes", returns: .ok(String.self)) { _ in "read" },
            .page(.post, "/out", access: .signedIn, summary: "Of nobody's tenant") { _ in .redirect("/done") }
        ])
        func call(_ method: String, _ target: String, page: TenantID? = nil) async throws -> SurfaceHarness.Reply {
            var headers = ["Cookie": "session=ana"]
            if let page { headers["Page-Tenant"] = page.description }
            return try await harness.call(method, target, headers: headers)
        }
        let (own, other) = (SurfaceHarness.acme, SurfaceHarness.other)
        #expect(try await call("POST", "/notes").status == 303)
        #expect(try await call("POST", "/notes?page_tenant=\(own)").status == 303)
        #expect(try await call("POST", "/notes?page_tenant=\(other)").status == 409)
        #expect(try await call("POST", "/notes?page_tenant=none").status == 409)
        // The address of a page that a form led to is asked for again.
        #expect(try await call("GET", "/notes?page_tenant=\(other)").status == 303)
        #expect(try await call("GET", "/v1/notes", page: own).status == 200)
        let refused = try await call("GET", "/v1/notes", page: other)
        let code = try refused.json["code"]
        #expect(refused.status == 409 && code == "other_tenant")
        #expect(try await call("POST", "/out?page_tenant=\(other)").status == 303)
    }
}
