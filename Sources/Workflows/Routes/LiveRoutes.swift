internal import HTTPSurface
internal import Kernel
internal import Notifications

/// Many drafts and executions over one connection: a browser has few connections to a host, and shares this one among its windows.
struct LiveRoutes {
    static let watchesMaximum = 100

    let workflows: Workflows
    let executions: Executions
    let live: LiveEvents

    var endpoints: [Endpoint] {
        [
            Endpoint.events(
                "/v1/live", access: .tenant("workflows.read"), summary: "Watch several drafts and executions", tag: "Editor"
            ) { call in
                let asked = call.queryPairs.first { $0.name == "watch" }?.value ?? ""
                let watched = try await topics(of: asked, by: call.principal)
                guard !watched.isEmpty else { throw Refusal.missing("draft or execution") }
                return live.events(call.tenant, of: watched).map { ServerEvent(name: "live", data: Self.told($0).serialized) }
            }.undocumented
        ]
    }

    /// What of a list, `workflow:<id>,run:<id>`, is there for whoever asks; the rest is left out.
    func topics(of text: String, by principal: Principal) async throws -> [String] {
        var (drafts, runs): ([WorkflowID], [RunID]) = ([], [])
        for part in text.split(separator: ",").prefix(Self.watchesMaximum) {
            let parts = part.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            if parts[0] == "workflow", let id = WorkflowID(parts[1]) { drafts.append(id) }
            if parts[0] == "run", let id = RunID(parts[1]) { runs.append(id) }
        }
        var topics: [String] = []
        if !drafts.isEmpty { topics += try await workflows.names(of: Set(drafts), by: principal).keys.map { EditorRoutes.topic($0) } }
        if !runs.isEmpty, principal.may(.executionsRead) { topics += try await executions.known(runs, by: principal).map { "run:\($0)" } }
        return topics.sorted()
    }

    private static func told(_ one: TopicEvent) -> JSON {
        let name = one.topic.hasPrefix("run:") ? "run" : EditorRoutes.name(of: one.event.payload)
        return ["watch": .string(one.topic), "event": .string(name), "data": one.event.payload]
    }
}
