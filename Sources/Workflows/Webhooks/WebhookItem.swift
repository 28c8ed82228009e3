internal import HTTPSurface
internal import Kernel

/// The item a webhook node starts with: `{headers, params, query, body, webhookUrl, executionMode}`, and the files that came.
///
/// What becomes of a body is n8n's rule: JSON, XML, forms and plain text are read by content type; the files of a multipart form, and since
/// version 1.1 of the node a body of any other type, become files of the item.
struct WebhookItem {
    let call: EndpointCall
    let path: String
    let parameters: [String: String]
    /// In lower case.
    let hiddenHeader: String?
    let definition: WebhookDefinition

    typealias Store = (_ bytes: [UInt8], _ type: String, _ name: String) async throws -> BinaryReference

    /// - Throws: `malformed_form` for a multipart form that cannot be read, and what storing a file does.
    func item(store: Store) async throws -> Item {
        var headers = JSONObject()
        for header in call.head.headers {
            let name = header.name.lowercased()
            if name != Self.hidden, name != hiddenHeader { headers[name] = .string(header.value) }
        }
        var query = JSONObject()
        for pair in call.queryPairs { query[pair.name] = Self.joined(query[pair.name], .string(pair.value)) }
        let values = JSONObject(parameters.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) })
        let (body, files) = try await content(store)
        return Item(
            json: [
                "headers": .object(headers), "params": .object(values), "query": .object(query), "body": body,
                "webhookUrl": .string("\(call.head.host)/\(path)"), "executionMode": "production"
            ], binary: files)
    }

    /// What identifies somebody to this platform is not for a workflow's journal.
    private static let hidden = "cookie"
    private static let anyType = "application/octet-stream"

    private static func joined(_ known: JSON?, _ value: JSON) -> JSON {
        switch known {
        case nil: value
        case .array(let values): .array(values + [value])
        case let one?: .array([one, value])
        }
    }

    private func content(_ store: Store) async throws -> (body: JSON, files: [String: BinaryReference]) {
        guard !call.body.isEmpty else { return (.object([:]), [:]) }
        let type = call.header("Content-Type")?.prefix { $0 != ";" && $0 != " " }.lowercased()
        if definition.bodyIsBinary { return (.object([:]), [definition.binaryProperty ?? "data": try await whole(type, store)]) }
        if type == "multipart/form-data" { return try await form(store) }
        if let body = read(type) {
            guard definition.keepsRawBody else { return (body, [:]) }
            return (body, ["data": try await whole(type ?? "application/json", store)])
        }
        guard definition.takesFiles, !definition.keepsRawBody else {
            return (text, definition.keepsRawBody ? ["data": try await whole(type, store)] : [:])
        }
        return (.object([:]), [definition.binaryProperty ?? "data": try await whole(type, store)])
    }

    /// A body of a type that is read; one that is not what it says is kept as text.
    private func read(_ type: String?) -> JSON? {
        guard let type else { return try? JSON(parsing: call.body) }
        if type.hasSuffix("json") { return (try? JSON(parsing: call.body)) ?? text }
        if type == "application/x-www-form-urlencoded" {
            guard let form = try? call.form() else { return text }
            return .object(Self.members(form.pairs))
        }
        if type.hasSuffix("/xml") || type.hasSuffix("+xml") {
            let reader = XMLReader(options: XMLReader.Options(mergesAttributes: false, normalizesText: true, lowersNames: true))
            return (try? reader.json(of: String(decoding: call.body, as: UTF8.self))) ?? text
        }
        guard type == "text/plain" else { return .none }
        return text
    }

    private var text: JSON { .string(String(decoding: call.body, as: UTF8.self)) }

    private static func members(_ pairs: [(name: String, value: String)]) -> JSONObject {
        var members = JSONObject()
        for pair in pairs { members[pair.name] = joined(members[pair.name], .string(pair.value)) }
        return members
    }

    private func whole(_ type: String?, _ store: Store) async throws -> BinaryReference {
        let name = SubmittedForm.parameter("filename", of: call.header("Content-Disposition") ?? "")
        return try await kept(call.body, type ?? Self.anyType, name ?? call.head.requestID, store)
    }

    /// The fields, and each file under its field's name: without `[]` at its end, numbered where the field has several, and under the option's
    /// name, numbered throughout, where that is given.
    private func form(_ store: Store) async throws -> (body: JSON, files: [String: BinaryReference]) {
        let form = try SubmittedForm(call)
        var files: [String: BinaryReference] = [:]
        var places: [String: Int] = [:]
        for (index, file) in form.files.enumerated() {
            let place = places[file.field, default: 0]
            places[file.field] = place + 1
            var name = file.field.hasSuffix("[]") ? String(file.field.dropLast(2)) : file.field
            if form.files(of: file.field).count > 1 { name += "\(place)" }
            if let given = definition.binaryProperty { name = "\(given)\(index)" }
            files[name] = try await kept(file.bytes, file.type, file.name, store)
        }
        return (.object(Self.members(form.values)), files)
    }

    private func kept(_ bytes: [UInt8], _ type: String, _ name: String, _ store: Store) async throws -> BinaryReference {
        var stored = try await store(bytes, type, name)
        stored.fileExtension = FileTypes.ending(ofName: name) ?? FileTypes.ending(ofType: type)
        return stored
    }
}
