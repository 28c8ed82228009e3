import HTTPSurface
import Kernel
import Logging
import Notifications
import Persistence
import TestKit
import Testing

@testable import Workflows

/// Folders, tags, and what is found by them.
@Suite struct OrganisingTests {
    private func code(_ body: () async throws -> Void) async -> String? {
        do { try await body() } catch { return (error as? Refusal)?.faults.first?.code ?? (error as? Refusal)?.code }
        return nil
    }

    @Test(arguments: DatabaseEngine.allCases) func `a folder holds folders one level deep, and keeps its workflows when it goes`(
        engine: DatabaseEngine
    ) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (organising, me) = (Organising(harness.workflows), harness.principal())
            let sales = try await organising.createFolder("  Sales ", in: nil, by: me)
            let leads = try await organising.createFolder("Leads", in: sales.id, by: me)
            #expect(leads.path == "Sales/Leads" && leads.name == "Leads" && leads.parentPath == "Sales")
            #expect(await code { _ = try await organising.createFolder("Cold", in: leads.id, by: me) } == "too_deep")
            #expect(await code { _ = try await organising.createFolder("sales", in: nil, by: me) } == "folder_taken")
            for bad in ["", "a/b", "a\u{7}b", String(repeating: "x", count: 61)] {
                #expect(await code { _ = try await organising.createFolder(bad, in: nil, by: me) } == "bad_name", "\(bad)")
            }
            let one = try await harness.workflows.create(.hook("One", path: "one"), by: me)
            let two = try await harness.workflows.create(.hook("Two", path: "two"), by: me)
            try await organising.move([one.id, two.id], to: leads.id, by: me)
            _ = try await organising.renameFolder(sales.id, to: "Vertrieb", by: me)
            var seen = try await organising.arrangement(by: me)
            #expect(seen.sortedFolders.map(\.path) == ["Vertrieb", "Vertrieb/Leads"] && seen.folder(of: one.id)?.id == leads.id)
            try await organising.move([two.id], to: nil, by: me)
            #expect(try await organising.arrangement(by: me).folder(of: two.id) == nil)
            // All or none are moved.
            let nobody: WorkflowID = harness.lease.ids.next()
            #expect(await code { try await organising.move([two.id, nobody], to: leads.id, by: me) } == "not_found")
            #expect(try await organising.arrangement(by: me).folder(of: two.id) == nil)
            #expect(await code { try await organising.move([], to: leads.id, by: me) } == "bad_count")
            try await organising.deleteFolder(sales.id, by: me)
            seen = try await organising.arrangement(by: me)
            #expect(seen.folders.isEmpty && seen.places.isEmpty)
            #expect(try await harness.workflows.workflow(one.id, by: me).workflow.name == "One")
            try await organising.move([one.id], to: try await organising.createFolder("Again", in: nil, by: me).id, by: me)
            try await harness.workflows.delete(one.id, by: me)
            #expect(try await organising.arrangement(by: me).places.isEmpty)
            let actions = try await harness.auditActions()
            #expect(actions.filter { $0.hasPrefix("folder.") } == ["create", "create", "rename", "delete", "create"].map { "folder.\($0)" })
            #expect(actions.count { $0 == "workflow.move" } == 4)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `workflows are found by words, folder, tag and status`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (organising, workflows, me) = (Organising(harness.workflows), harness.workflows, harness.principal())
            var ids: [String: WorkflowID] = [:]
            for name in ["Alpha lead", "Beta order", "Gamma lead"] {
                ids[name] = try await workflows.create(.hook(name, path: name.replacing(" ", with: "-")), by: me).id
            }
            let top = try await organising.createFolder("Top", in: nil, by: me)
            let inner = try await organising.createFolder("Inner", in: top.id, by: me)
            let urgent = try await organising.createTag("urgent", colour: "red", by: me)
            #expect(await code { _ = try await organising.createTag("Urgent", colour: "red", by: me) } == "tag_taken")
            #expect(await code { _ = try await organising.createTag("x", colour: "pinkish", by: me) } == "unknown_colour")
            let (alpha, beta, gamma) = (try #require(ids["Alpha lead"]), try #require(ids["Beta order"]), try #require(ids["Gamma lead"]))
            try await organising.move([alpha], to: top.id, by: me)
            try await organising.move([beta], to: inner.id, by: me)
            try await organising.mark(beta, with: [urgent.id, urgent.id], by: me)
            _ = try await workflows.publish(gamma, by: me)
            func names(_ search: WorkflowSearch) async throws -> [String] {
                try await workflows.search(search, by: me).found.map { String($0.name.prefix { $0 != " " }) }
            }
            #expect(try await names(WorkflowSearch()) == ["Gamma", "Beta", "Alpha"])
            #expect(try await names(WorkflowSearch(order: .name)) == ["Alpha", "Beta", "Gamma"])
            #expect(try await names(WorkflowSearch(order: .changed)).first == "Gamma")
            #expect(try await names(WorkflowSearch(words: "LEAD")) == ["Gamma", "Alpha"])
            #expect(try await names(WorkflowSearch(place: .folder(top.id))) == ["Beta", "Alpha"])
            #expect(try await names(WorkflowSearch(place: .folder(inner.id))) == ["Beta"])
            #expect(try await names(WorkflowSearch(place: .noFolder)) == ["Gamma"])
            #expect(try await names(WorkflowSearch(tag: urgent.id)) == ["Beta"])
            #expect(try await names(WorkflowSearch(state: .published)) == ["Gamma"])
            #expect(try await names(WorkflowSearch(state: .draft)) == ["Beta", "Alpha"])
            _ = try await workflows.archive(alpha, by: me)
            #expect(try await names(WorkflowSearch()) == ["Gamma", "Beta"])
            #expect(try await names(WorkflowSearch(state: .archived)) == ["Alpha"])
            _ = try await workflows.restore(alpha, by: me)
            #expect(try await names(WorkflowSearch(place: .folder(top.id))) == ["Beta", "Alpha"])
            #expect(try await organising.updateTag(urgent.id, name: "Later", colour: "grey", by: me).name == "Later")
            try await organising.deleteTag(urgent.id, by: me)
            #expect(try await organising.arrangement(by: me).marks.isEmpty)
        }
    }

    @Test(arguments: DatabaseEngine.allCases) func `nothing of this shows or changes another tenant`(engine: DatabaseEngine) async throws {
        try await WorkflowHarness.run(engine) { harness in
            let (organising, me) = (Organising(harness.workflows), harness.principal())
            let stranger = harness.principal(in: harness.lease.other)
            let secret = try await organising.createFolder("Secret", in: nil, by: me)
            let mark = try await organising.createTag("secret", colour: "red", by: me)
            let mine = try await harness.workflows.create(.hook("Mine", path: "mine"), by: me)
            let theirs = try await harness.workflows.create(.hook("Theirs", path: "theirs"), by: stranger)
            try await organising.move([mine.id], to: secret.id, by: me)
            let seen = try await organising.arrangement(by: stranger)
            #expect(seen == Arrangement())
            #expect(try await harness.workflows.search(WorkflowSearch(place: .folder(secret.id)), by: stranger).found.isEmpty)
            for refused in [
                await code { _ = try await organising.renameFolder(secret.id, to: "x", by: stranger) },
                await code { try await organising.deleteFolder(secret.id, by: stranger) },
                await code { _ = try await organising.createFolder("x", in: secret.id, by: stranger) },
                await code { try await organising.move([theirs.id], to: secret.id, by: stranger) },
                await code { try await organising.move([mine.id], to: nil, by: stranger) },
                await code { _ = try await organising.updateTag(mark.id, name: "x", colour: "red", by: stranger) },
                await code { try await organising.deleteTag(mark.id, by: stranger) },
                await code { try await organising.mark(theirs.id, with: [mark.id], by: stranger) },
                await code { try await organising.mark(mine.id, with: [], by: stranger) }
            ] { #expect(refused == "not_found") }
            #expect(try await organising.arrangement(by: me).folder(of: mine.id)?.path == "Secret")
            // The same names are free there, and a viewer changes nothing.
            _ = try await organising.createFolder("Secret", in: nil, by: stranger)
            let viewer = harness.principal(.viewer)
            #expect(await code { _ = try await organising.createFolder("V", in: nil, by: viewer) } == "permission_denied")
            #expect(await code { try await organising.mark(mine.id, with: [], by: viewer) } == "permission_denied")
        }
    }

    @Test func `the API lists, filters and pages`() async throws {
        try await WorkflowHarness.run(.sqlite) { harness in
            let principal = harness.principal()
            let workflows = harness.workflows
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let endpoints =
                WorkflowRoutes(workflows: workflows, live: LiveEvents()).endpoints
                + OrganisingRoutes(organising: Organising(workflows), workflows: workflows).endpoints
            #expect(EndpointAudit.faults(in: endpoints, permissions: WorkflowPermissions.all) == [])
            let surface = Surface(
                endpoints: endpoints, doors: Doors(authenticate: { _ in principal }, resolveTenant: { _ in nil }), ids: harness.lease.ids,
                logger: logger)
            func call(_ method: String, _ path: String, _ body: String = "") async throws -> (status: Int, json: JSON) {
                let answer = try await surface.answer(
                    LocalRequest(method, path, headers: [("Content-Type", "application/json")], body: Array(body.utf8)))
                return (answer.status, answer.body.isEmpty ? .null : try JSON(parsing: answer.body))
            }
            var ids: [String] = []
            for name in ["A", "B", "C"] {
                ids.append(try await workflows.create(.hook(name, path: name), by: principal).id.description)
            }
            let folder = try await call("POST", "/v1/folders", #"{"name":"Sales"}"#)
            let id = try #require(folder.json["id"]?.text)
            #expect(folder.status == 201 && folder.json["path"] == "Sales")
            #expect(try await call("POST", "/v1/folders", #"{"name":"Leads","parent_id":"\#(id)"}"#).json["parent_id"]?.text == id)
            #expect(try await call("POST", "/v1/workflow-moves", #"{"workflow_ids":["\#(ids[0])","\#(ids[2])"],"folder_id":"\#(id)"}"#).status == 204)
            let tag = try await call("POST", "/v1/tags", #"{"name":"urgent","colour":"red"}"#).json["id"]?.text ?? ""
            #expect(try await call("PUT", "/v1/workflows/\(ids[0])/tags", #"{"tag_ids":["\#(tag)"]}"#).status == 204)
            let within = try await call("GET", "/v1/workflows?folder_id=\(id)")
            #expect(within.json["data"]?.array?.map { $0["name"] } == ["C", "A"] && within.json["data"]?[1]?["tag_ids"] == [.string(tag)])
            #expect(try await call("GET", "/v1/workflows?folder_id=none").json["data"]?.array?.map { $0["name"] } == ["B"])
            for order in ["newest", "name", "changed"] {
                var (seen, next): ([String], String?) = ([], "/v1/workflows?limit=1&order=\(order)")
                while let path = next {
                    let page = try await call("GET", path).json
                    seen += page["data"]?.array?.compactMap { $0["name"]?.text } ?? []
                    next = page["next_cursor"]?.text.map { "/v1/workflows?limit=1&order=\(order)&cursor=\($0)" }
                }
                #expect(seen.sorted() == ["A", "B", "C"] && seen.count == 3, "\(order)")
            }
            for bad in ["state=x", "order=x", "folder_id=x"] { #expect(try await call("GET", "/v1/workflows?\(bad)").status == 422, "\(bad)") }
            #expect(try await call("POST", "/v1/workflows/\(ids[1])/archival").json["status"] == "archived")
            #expect(try await call("GET", "/v1/workflows?state=archived").json["data"]?.array?.count == 1)
            #expect(try await call("DELETE", "/v1/workflows/\(ids[1])/archival").status == 204)
            #expect(try await call("PATCH", "/v1/folders/\(id)", #"{"name":"Vertrieb"}"#).json["path"] == "Vertrieb")
            #expect(try await call("GET", "/v1/folders").json["data"]?.array?.map { $0["path"] } == ["Vertrieb", "Vertrieb/Leads"])
            #expect(try await call("DELETE", "/v1/folders/\(id)").status == 204)
            #expect(try await call("GET", "/v1/tags").json["data"]?.array?.count == 1)
            #expect(try await call("DELETE", "/v1/tags/\(tag)").status == 204)
        }
    }
}
