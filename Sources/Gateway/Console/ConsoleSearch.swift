internal import Foundation
internal import HTTPSurface
internal import Kernel
internal import Tenancy
internal import Workflows

struct ConsoleSearchQuery: Codable, Sendable, Described {
    var q: String?
    static let notes: [FieldNote] = [FieldNote("q", "Words of a name; pages alone where it is left out.", length: 0...100)]
}

struct ConsoleHit: Codable, Sendable {
    /// `page`, `workflow`, `member`, `credential`, `data_table`
    var kind: String
    /// The kind in the reader's language.
    var label: String
    var title: String
    /// What tells it from others of the same title; empty where nothing does.
    var detail: String
    var href: String
}

struct ConsoleHits: Codable, Sendable {
    var data: [ConsoleHit]
}

/// Finds what a person may open in the console, by words of its name, in whatever case and without accents.
struct ConsoleSearch: Sendable {
    let tenancy: Tenancy
    let workflows: Workflows
    let credentials: Credentials
    let dataTables: DataTables
    let pages: [Console.Entry]

    private static let hitsShown = 20
    /// Names that are looked through of each kind, newest first.
    private static let namesMaximum = 5_000

    var module: Module { Module(name: "console", endpoints: [endpoint]) }

    private var endpoint: Endpoint {
        Endpoint(
            .get, Console.searchAddress, access: .tenant(Console.searchPermission), summary: "Search the console",
            description: "Pages, workflows, members, credentials and data tables that the caller may see, the best matches first, at most 20.",
            tag: "Console", query: ConsoleSearchQuery.self, returns: .ok(ConsoleHits.self)
        ) { call in
            ConsoleHits(data: try await hits(try call.query(ConsoleSearchQuery.self).q ?? "", call))
        }
    }

    private func hits(_ written: String, _ call: EndpointCall) async throws -> [ConsoleHit] {
        let words = NameMatch(written)
        let text = call.localizer
        var found: [(rank: Int, hit: ConsoleHit)] = []
        func add(_ kind: String, _ title: String, _ detail: String, _ href: String) {
            guard let rank = words.rank(of: title, or: detail) else { return }
            found.append((rank, ConsoleHit(kind: kind, label: text("http.palette.\(kind)"), title: title, detail: detail, href: href)))
        }
        let principal = call.principal
        for page in pages where page.permission.map(principal.may) ?? true { add("page", text(page.key), "", page.href) }
        guard !words.isEmpty else { return found.map(\.hit) }
        if principal.may(.workflowsRead) {
            for (id, name) in try await workflows.titles(limit: Self.namesMaximum, by: principal) { add("workflow", name, "", "/workflows/\(id)") }
        }
        if principal.may("members.read") {
            for member in try await tenancy.members(of: call.tenant) { add("member", member.name, member.email, "/settings/members") }
        }
        if principal.may(.credentialsRead) {
            for one in try await credentials.list(before: nil, limit: Self.namesMaximum, by: principal) {
                add("credential", one.name, one.type, "/settings/credentials/\(one.id)")
            }
        }
        if principal.may(.dataTablesRead) {
            for table in try await dataTables.list(by: principal) { add("data_table", table.name, "", "/settings/data-tables/\(table.id)") }
        }
        let sorted = found.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
        return sorted.prefix(Self.hitsShown).map(\.element.hit)
    }
}
