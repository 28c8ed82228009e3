internal import HTTPSurface
internal import Kernel

struct VariableView: Codable, Sendable {
    var name: String
    var value: String
    var updatedAt: Timestamp

    init(_ variable: Variable) {
        name = variable.name
        value = variable.value
        updatedAt = variable.updatedAt
    }
}

struct VariableBody: Codable, Sendable, Described {
    var value: String
    static let notes: [FieldNote] = [FieldNote("value", "What $vars.NAME gives.", length: 0...32_768)]
}

struct VariableRoutes {
    let variables: Variables

    var endpoints: [Endpoint] {
        [
            Endpoint.list("/v1/variables", access: .tenant("variables.read"), summary: "List the variables", tag: "Variables", of: VariableView.self)
            {
                call, page in try Page(of: try await variables.list(by: call.principal).map(VariableView.init), page)
            },
            Endpoint(
                .put, "/v1/variables/{name}", access: .tenant("variables.write"), summary: "Set a variable", tag: "Variables",
                body: VariableBody.self, returns: .ok(VariableView.self)
            ) { call, body in
                VariableView(try await variables.set(try call.parameter("name"), to: body.value, by: call.principal))
            },
            Endpoint(
                .delete, "/v1/variables/{name}", access: .tenant("variables.write"), summary: "Delete a variable", tag: "Variables",
                returns: .noContent
            ) { call in try await variables.delete(try call.parameter("name"), by: call.principal) }
        ]
    }
}
