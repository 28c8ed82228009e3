import HTTPSurface
import Kernel
import Testing

struct OpenAPITests {
    let document = OpenAPI(title: "AIAS", version: "1", endpoints: EndpointTests.endpoints).document
    static let permissions = [
        PermissionDeclaration("notes.read", "See notes.", roles: [.viewer]), PermissionDeclaration("notes.write", "Change notes.", roles: [.editor])
    ]

    @Test func `the audit passes good endpoints and names what is wrong with others`() {
        #expect(EndpointAudit.faults(in: EndpointTests.endpoints, permissions: OpenAPITests.permissions).isEmpty)
        let bad = Endpoint(.get, "/x/{a}/{a}", access: .tenant("nobody.declares"), summary: "", tag: "", returns: .noContent) { _ in }
        let faults = EndpointAudit.faults(
            in: [bad, Endpoint.raw(.get, "/y", access: .public(""), summary: "Y", tag: "T") { _ in Answer() }], permissions: [])
        #expect(faults.count == 6)
    }

    @Test func `every reference leads somewhere, every operation has its answers and security`() throws {
        let schemas = try #require(document["components"]?["schemas"]?.object)
        for name in references(document) { #expect(schemas.contains(key: name), "\(name)") }
        let paths = try #require(document["paths"]?.object)
        #expect(paths.keys == ["/v1/notes", "/v1/notes/{id}", "/v1/notes/{id}/copies", "/v1/platform", "/v1/boom"])
        var ids: Set<String> = []
        for (path, item) in paths {
            for (_, operation) in item.object ?? [:] {
                #expect(ids.insert(try #require(operation["operationId"]?.text)).inserted)
                #expect(operation["security"] != nil)
                let statuses = operation["responses"]?.object?.keys ?? []
                #expect(statuses.contains("500") && !statuses.contains("default"))
                let named = operation["parameters"]?.array?.filter { $0["in"] == "path" }.count ?? 0
                #expect(named == path.filter { $0 == "{" }.count)
            }
        }
    }

    @Test func `the document says what the pipeline does`() throws {
        let create = document["paths"]?["/v1/notes"]?["post"]
        let statuses = create?["responses"]?.object?.keys.compactMap(Int.init) ?? []
        #expect(Set(statuses) == [201, 400, 401, 403, 404, 406, 408, 409, 413, 414, 415, 422, 429, 500, 503])
        #expect(create?["requestBody"]?["content"]?["application/json"]?["schema"]?["$ref"] == "#/components/schemas/CreateNote")
        let note = document["components"]?["schemas"]?["CreateNote"]
        #expect(note?["required"] == ["title"])
        #expect(
            note?["properties"]?["title"] == [
                "type": "string", "pattern": #"^[^\u0000]*$"#, "description": "What it is about", "minLength": 1, "maxLength": 20,
                "examples": ["Milk"]
            ])
        #expect(note?["properties"]?["color"] == ["type": ["string", "null"], "enum": ["red", "dark_blue", nil]])
        let parameters = document["paths"]?["/v1/notes"]?["get"]?["parameters"]?.array?.compactMap { $0["name"]?.text }
        #expect(parameters == ["color", "limit_to", "tag", "cursor", "limit"])
    }

    private func references(_ json: JSON) -> [String] {
        switch json {
        case .object(let members):
            (members["$ref"]?.text).map { [String($0.split(separator: "/").last!)] } ?? members.flatMap { references($0.value) }
        case .array(let elements): elements.flatMap(references)
        default: []
        }
    }
}
