internal import HTTPSurface
internal import Kernel
internal import Notifications
internal import Tenancy

struct PresenceBody: Codable, Sendable, Described {
    var session: String
    var number: Int
    var cursor: [Double]?
    var nodes: [String]?
    var open: String?
    var left: Bool?
    static let typeDescription: String? = "Where somebody is in a draft. It is told to those who watch the draft, and stored nowhere."
    static let notes: [FieldNote] = [
        FieldNote("session", "Of one window; its own choice.", length: 1...40),
        FieldNote("number", "Rises within a session; what arrives late is known by it.", range: 0...1e15),
        FieldNote("cursor", "Where the pointer is, in the document's coordinates: x and y.", items: 2...2),
        FieldNote("nodes", "The ids of the nodes that are chosen.", items: 0...PresenceRoutes.nodesMaximum),
        FieldNote("open", "The id of the node whose panel is open.", length: 1...100), FieldNote("left", "Nobody is there any more.")
    ]
}

/// Who is in a draft, told to the others there.
struct PresenceRoutes {
    static let nodesMaximum = 50
    private static let idLength = 100

    let workflows: Workflows
    let live: LiveEvents
    let names: PageContext.Names

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/workflows/{id}/presence", access: .tenant("workflows.read"), summary: "Tell who watches a draft where one is in it",
                tag: "Editor", body: PresenceBody.self, returns: .noContent
            ) { call, body in
                let id: WorkflowID = try call.id("id", noun: "workflow")
                guard try await workflows.names(of: [id], by: call.principal)[id] != nil else { throw Refusal.missing("workflow") }
                guard (body.nodes ?? []).allSatisfy({ $0.count <= Self.idLength }) else {
                    throw Refusal.invalid("nodes", "too_long", "An id has at most \(Self.idLength) characters.")
                }
                let actor = call.principal.auditName
                let name = try await names([actor], call.tenant)[actor] ?? actor
                live.publish(call.tenant, EditorRoutes.topic(id), ["presence": Self.told(body, actor, name)], isPassing: true)
            }
        ]
    }

    private static func told(_ body: PresenceBody, _ person: String, _ name: String) -> JSON {
        var members: JSONObject = [
            "session": .string(body.session), "number": .number(Double(body.number)), "person": .string(person), "name": .string(name),
            "nodes": .array((body.nodes ?? []).map(JSON.string))
        ]
        if let cursor = body.cursor { members["cursor"] = .array(cursor.map(JSON.number)) }
        if let open = body.open { members["open"] = .string(open) }
        if body.left == true { members["left"] = true }
        return .object(members)
    }
}
