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

    /// What a run starts with: the item, put together as text where its body is JSON that can stay as it is.
    /// - Parameter claims: of the token that let the request in.
    /// - Throws: as `item`.
    func list(claims: JSON?, store: Store) async throws -> ItemList {
        if claims == nil, let plain { return plain }
        var item = try await item(store: store)
        if let claims { item.json["jwtPayload"] = claims }
        return ItemList([item])
    }

    /// The list of `item` without reading the body; nil where that takes more.
    var plain: ItemList? { plainList.map { ItemList(bytes: $0, count: 1, isPlain: true) } }

    /// The same bytes as those of the list of `item`; nil where it takes more than putting them together.
    var plainList: [UInt8]? {
        guard !call.body.isEmpty, !definition.bodyIsBinary, !definition.keepsRawBody, type?.hasSuffix("json") ?? true else { return nil }
        var out = ItemCodec.opening
        out.reserveCapacity(call.body.count + 1_024)
        out.append(contentsOf: #"{"headers":{"#.utf8)
        let headers = call.head.headers
        var names: [String] = []
        names.reserveCapacity(headers.count)
        for (name, value) in headers where name != Self.hidden && name != hiddenHeader {
            guard !names.contains(name) else { return nil }
            if !names.isEmpty { out.append(UInt8(ascii: ",")) }
            names.append(name)
            JSON.writeString(name, to: &out)
            out.append(UInt8(ascii: ":"))
            JSON.writeString(value, to: &out)
        }
        out.append(contentsOf: #"},"params":"#.utf8)
        JSON.object(params).write(to: &out)
        out.append(contentsOf: #","query":"#.utf8)
        JSON.object(query).write(to: &out)
        out.append(contentsOf: #","body":"#.utf8)
        guard JSON.appendCompact(call.body, to: &out) else { return nil }
        out.append(contentsOf: #","webhookUrl":"#.utf8)
        JSON.writeString(address, to: &out)
        out.append(contentsOf: #","executionMode":"production"}"#.utf8)
        out.append(contentsOf: ItemCodec.closing)
        return out
    }

    /// - Throws: `malformed_form` for a multipart form that cannot be read, and what storing a file does.
    func item(store: Store) async throws -> Item {
        var headers = JSONObject()
        for (name, value) in call.head.headers where name != Self.hidden && name != hiddenHeader { headers[name] = .string(value) }
        let (body, files) = try await content(store)
        return Item(
            json: [
                "headers": .object(headers), "params": .object(params), "query": .object(query), "body": body,
                "webhookUrl": .string(address), "executionMode": "production"
            ], binary: files)
    }

    private var query: JSONObject { Self.members(call.queryPairs) }
    private var params: JSONObject { JSONObject(parameters.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }) }
    private var address: String { "\(call.head.host)/\(path)" }
    /// Of the body, in lower case and without its parameters.
    private var type: String? { call.head.mediaType }

    /// What identifies somebody to this platform is not for a workflow's journal.
    private static let hidden = "cookie"
    private static let anyType = "application/octet-stream"

    private func content(_ store: Store) async throws -> (body: JSON, files: [String: BinaryReference]) {
        guard !call.body.isEmpty else { return (.object([:]), [:]) }
        let type = type
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
        var values: [String: [JSON]] = [:]
        var names: [String] = []
        for (name, value) in pairs {
            if values[name] == nil { names.append(name) }
            values[name, default: []].append(.string(value))
        }
        let members: [(String, JSON)] = names.map { name -> (String, JSON) in
            let own: [JSON] = values[name] ?? []
            return (name, own.count == 1 ? own[0] : .array(own))
        }
        return JSONObject(members)
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
