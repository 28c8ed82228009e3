internal import HTTPSurface
internal import Kernel

struct ResourceQuery: Codable, Sendable, Described {
    var search: String?
    static let notes: [FieldNote] = [FieldNote("search", "Words of a name; the first of all where it is left out.", length: 0...200)]
}

/// One of the tenant's things that a parameter can name.
struct ResourceView: Codable, Sendable {
    /// What the parameter holds.
    var value: String
    /// What people call it.
    var name: String
    /// What tells it from others of the same name; absent where nothing does.
    var detail: String?
}

struct ResourceListView: Codable, Sendable {
    var data: [ResourceView]
    /// Whether there are more that fit.
    var more: Bool
}

/// What the parameters that name one of the tenant's things can be chosen from, searched while somebody types.
struct ResourceRoutes {
    private static let tag = "Editor"
    private static let shown = 50
    /// Names that are looked through, newest first.
    private static let namesMaximum = 5_000

    let workflows: Workflows
    let dataTables: DataTables
    let variables: Variables

    var endpoints: [Endpoint] {
        [
            list("workflows", .workflowsRead, "Search the workflows that a node can call") { principal in
                let all = try await workflows.titles(limit: Self.namesMaximum, by: principal)
                return all.map { ResourceView(value: $0.id.description, name: $0.name) }
            },
            list("data-tables", .dataTablesRead, "Search the data tables that a node can use") { principal in
                try await dataTables.list(by: principal).map {
                    ResourceView(value: $0.id.description, name: $0.name, detail: $0.columns.map(\.name).joined(separator: ", "))
                }
            },
            list("variables", .variablesRead, "Search the variables that an expression can read") { principal in
                try await variables.list(by: principal).map { ResourceView(value: $0.name, name: $0.name, detail: String($0.value.prefix(80))) }
            },
            Endpoint(
                .get, "/v1/resources/data-tables/{id}/columns", access: .tenant(.dataTablesRead), summary: "Search the columns of a data table",
                tag: Self.tag, query: ResourceQuery.self, returns: .ok(ResourceListView.self)
            ) { call in
                let table = try await dataTables.table(try DataTableRoutes.id(call), by: call.principal)
                let own = [("id", "number"), ("createdAt", "date"), ("updatedAt", "date")]
                let all = table.columns.map { ($0.name, $0.type.rawValue) } + own
                return try Self.fitting(all.map { ResourceView(value: $0.0, name: $0.0, detail: $0.1) }, call)
            }
        ]
    }

    private func list(
        _ name: String, _ permission: Permission, _ summary: String, _ all: @escaping @Sendable (Principal) async throws -> [ResourceView]
    ) -> Endpoint {
        Endpoint(
            .get, "/v1/resources/\(name)", access: .tenant(permission), summary: summary, tag: Self.tag, query: ResourceQuery.self,
            returns: .ok(ResourceListView.self)
        ) { call in try Self.fitting(try await all(call.principal), call) }
    }

    /// The best matches first.
    private static func fitting(_ all: [ResourceView], _ call: EndpointCall) throws -> ResourceListView {
        let words = NameMatch(try call.query(ResourceQuery.self).search ?? "")
        let ranked = all.enumerated().compactMap { offset, one in words.rank(of: one.name).map { (rank: $0, offset: offset, one: one) } }
        let sorted = ranked.sorted { ($0.rank, $0.offset) < ($1.rank, $1.offset) }
        return ResourceListView(data: sorted.prefix(shown).map(\.one), more: sorted.count > shown)
    }
}
