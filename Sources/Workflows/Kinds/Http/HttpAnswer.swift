internal import Foundation
internal import Kernel
internal import Outbound

/// An answer, read in the form that the node asks for.
struct HttpAnswer: Sendable {
    let response: OutboundResponse
    let options: HttpOptions
    /// The body, where it was kept as it came.
    var kept: BinaryReference?

    /// Takes bodies that are to be files as they come, whatever their size.
    static func intake(_ options: HttpOptions, _ services: any StepServices, _ keep: @escaping @Sendable (BinaryReference) -> Void)
        -> OutboundRequest.Intake
    {
        OutboundRequest.Intake(
            isWanted: { $0.status < 300 && HttpAnswer(response: $0, options: options).format == .file },
            take: { response, pieces in
                let answer = HttpAnswer(response: response, options: options)
                keep(try await services.keepBinary(pieces, mimeType: answer.fileType, fileName: answer.fileName))
            })
    }

    private var contentType: String { (response.header("Content-Type") ?? "").lowercased() }

    private var format: HttpOptions.Format {
        guard options.format == .autodetect else { return options.format }
        let type = contentType
        if type.contains("application/json") { return .json }
        let files = [
            "image/", "audio/", "video/", "font/", "application/octet-stream", "application/pdf", "application/zip", "application/gzip",
            "application/x-", "application/vnd.", "application/msword", "application/rtf", "application/epub"
        ]
        return !isText(type) && files.contains { type.hasPrefix($0) } ? .file : .text
    }

    /// Programs' own types whose names say that they are text: `application/vnd.api+json`, `application/x-ndjson`.
    private func isText(_ type: String) -> Bool {
        guard type.hasPrefix("application/") else { return false }
        let name = type.prefix { $0 != ";" && !$0.isWhitespace }
        return ["json", "+xml", "yaml", "javascript", "x-www-form-urlencoded"].contains { name.hasSuffix($0) }
    }

    /// The body as expressions see it: JSON where it is JSON, else text.
    var body: JSON {
        let isJSON = format == .json || contentType.contains("json")
        if isJSON, let value = try? json() { return value }
        return .string(text)
    }

    /// - Throws: where the body is no JSON.
    private func json() throws -> JSON {
        // Most answers are UTF-8 without a byte order mark, and need no text made of them.
        if response.body.first != 0xEF, charset == nil || charset == "utf-8" { return try JSON(parsing: response.body) }
        return try JSON(parsing: text)
    }

    var text: String { TextEncoding.decode(response.body, charset: charset) }

    private var charset: String? { contentType.firstMatch(of: /charset=["']?([^;,\s"']+)/).map { String($0.output.1) } }

    var headers: JSON { HttpAnswer.headers(of: response) }

    /// By names in lower case, repeated ones joined; cookies are always a list, as Node gives them.
    static func headers(of response: OutboundResponse) -> JSON {
        var members = JSONObject()
        for (name, value) in response.headers {
            let key = name.lowercased()
            switch members[key] {
            case .array(let known)?: members[key] = .array(known + [.string(value)])
            case let known?: members[key] = .string("\(known.displayText), \(value)")
            case nil: members[key] = key == "set-cookie" ? JSON.array([.string(value)]) : JSON.string(value)
            }
        }
        return .object(members)
    }

    /// `{body, headers, statusCode}`: what `$response` is.
    var root: JSON { ["body": body, "headers": headers, "statusCode": .number(Double(response.status))] }

    var isSuccess: Bool { (200..<300).contains(response.status) }

    /// - Throws: `http_error` for a status that tells no success, unless the node takes every answer.
    func check() throws {
        if !isSuccess, !options.neverError { throw refusal }
    }

    var refusal: StepFailure {
        let shown = body["message"]?.text ?? body["error"]?["message"]?.text ?? body["error"]?.text ?? String(text.prefix(500))
        return StepFailure(
            "http_error", "The request failed with status \(response.status)\(shown.isEmpty ? "" : ": \(shown)")",
            details: ["status": .number(Double(response.status)), "body": .string(String(text.prefix(4_000)))])
    }

    /// A JSON list gives an item for each element, where the node splits lists.
    /// - Parameter given: the item that the request was made for, which a file is added to.
    func items(_ services: any StepServices, given: Item?) async throws -> [Item] {
        switch format {
        case .file: return [try await file(services, given)]
        case .text:
            // n8n finds no data in an answer without a body, unless it was told to take text.
            return [full(response.body.isEmpty && options.format == .autodetect ? JSON?.none : JSON?.some(.string(text)))]
        case .json, .autodetect:
            let value = try parsed()
            if options.fullResponse { return [full(value)] }
            if case .array(let elements) = value {
                if options.splitsLists { return elements.map { Item(json: wrapped($0)) } }
                // An item is an object: a list becomes one by its indices, and `$json["0"]` reads it.
                return [Item(json: JSONObject(elements.enumerated().map { (String($0), $1) }))]
            }
            return [Item(json: wrapped(value))]
        }
    }

    private func parsed() throws -> JSON {
        if response.body.allSatisfy({ $0 <= 0x20 }) { return [:] }
        do { return try json() } catch {
            if options.neverError, options.format == .autodetect { return [:] }
            throw StepFailure("invalid_response", "The response is not valid JSON (\(error)); choose the format text to read it as it is.")
        }
    }

    private func wrapped(_ value: JSON) -> JSONObject {
        if case .object(let members) = value { return members }
        if value.isNull { return [:] }
        return [options.outputProperty: value]
    }

    private func full(_ value: JSON?) -> Item {
        guard options.fullResponse else { return Item(json: value.map(wrapped) ?? [:]) }
        var members = facts
        if let value { members[format == .text ? options.outputProperty : "body"] = value }
        return Item(json: members)
    }

    private var facts: JSONObject {
        ["headers": headers, "statusCode": .number(Double(response.status)), "statusMessage": .string(response.reason)]
    }

    private func file(_ services: any StepServices, _ given: Item?) async throws -> Item {
        var file: BinaryReference
        if let kept { file = kept } else { file = try await services.writeBinary(response.body, mimeType: fileType, fileName: fileName) }
        file.fileExtension = fileEnding
        var files = given?.binary ?? [:]
        files[options.outputProperty] = file
        return Item(json: options.fullResponse ? facts : given?.json ?? [:], binary: files)
    }

    /// The type that the server names, else that of the name.
    private var fileType: String {
        let type = contentType.prefix { $0 != ";" && $0 != " " }
        return type.isEmpty ? writtenName.flatMap(FileTypes.type(ofName:)) ?? "application/octet-stream" : String(type)
    }

    private var fileEnding: String? { writtenName.flatMap(FileTypes.ending(ofName:)) ?? FileTypes.ending(ofType: fileType) }

    /// A file without a name is called by its field, as in n8n.
    private var fileName: String? { writtenName ?? fileEnding.map { "\(options.outputProperty).\($0)" } }

    /// From the disposition (RFC 6266), else the last part of the path.
    private var writtenName: String? {
        let disposition = response.header("Content-Disposition") ?? ""
        if let match = disposition.firstMatch(of: /filename\*=[^']*'[^']*'([^;]+)/), let name = String(match.output.1).removingPercentEncoding {
            return name
        }
        if let match = disposition.firstMatch(of: /filename="?([^";]+)"?/) { return String(match.output.1) }
        let path = response.url.prefix { $0 != "?" && $0 != "#" }.split(separator: "/")
        return path.count > 2 ? path.last.map(String.init) : nil
    }
}
