internal import Kernel

/// Reads the request of one item from a node of version 3 or 4.
struct HttpCallReader: Sendable {
    let step: StepContext
    let item: Int

    func call() async throws -> HttpCall {
        var call = HttpCall(method: try await step.text("method", item: item, default: "GET").uppercased(), url: try await url())
        if try await step.flag("sendQuery", item: item) {
            call.query = try await pairs("specifyQuery", "queryParameters.parameters", "jsonQuery")
        }
        if try await step.flag("sendHeaders", item: item) {
            for (name, value) in try await pairs("specifyHeaders", "headerParameters.parameters", "jsonHeaders") {
                for one in value.array ?? [value] where !one.isNull { call.headers.append((name: name, value: one.displayText)) }
            }
        }
        call.queryArrays = try await step.parameter("options.queryParameterArrays", item: item)?.text ?? "brackets"
        if try await step.flag("sendBody", item: item) { call.body = try await body() }
        return call
    }

    func url() async throws -> String {
        let written = try await step.text("url", item: item)
        let url = String(written.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
        let lower = url.lowercased()
        guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else {
            throw StepFailure.invalid("url", "'\(url)' must begin with http:// or https://.", item: item)
        }
        return url
    }

    private func pairs(_ specify: String, _ list: String, _ json: String) async throws -> [(name: String, value: JSON)] {
        guard try await step.text(specify, item: item, default: "keypair") == "json" else { return gathered(try await keyValues(list)) }
        guard case .object(let members) = try await parsed(json) else {
            throw StepFailure.invalid(json, "'\(json)' must be a JSON object.", item: item)
        }
        return members.map { (name: $0.key, value: $0.value) }
    }

    /// `[{name, value}]`; entries without a name are left out, and those whose expression gives nothing.
    func keyValues(_ path: String) async throws -> [(name: String, value: JSON)] {
        let written = step.rawParameter(path)
        var pairs: [(name: String, value: JSON)] = []
        for (index, entry) in (try await step.value(path, item: item)?.array ?? []).enumerated() {
            guard let name = entry["name"]?.displayText, !name.isEmpty else { continue }
            let value = entry["value"]
            if value == nil, written?[index]?["value"] != nil { continue }
            pairs.append((name: name, value: value ?? ""))
        }
        return pairs
    }

    /// Of several entries with one name the last one counts; from 4.3 on all of them do, as one list.
    func gathered(_ pairs: [(name: String, value: JSON)]) -> [(name: String, value: JSON)] {
        var values = JSONObject()
        for (name, value) in pairs {
            if step.version >= 4.3, let known = values[name] {
                values[name] = .array((known.array ?? [known]) + [value])
            } else {
                values[name] = value
            }
        }
        return values.map { (name: $0.key, value: $0.value) }
    }

    func parsed(_ path: String) async throws -> JSON {
        let value = try await step.value(path, item: item) ?? [:]
        guard case .string(let text) = value else { return value }
        if text.allSatisfy(\.isWhitespace) { return [:] }
        do { return try JSON(parsing: text) } catch {
            throw StepFailure.invalid(path, "'\(path)' is not valid JSON: \(error)", item: item)
        }
    }

    private func body() async throws -> HttpCall.Body {
        switch try await step.text("contentType", item: item, default: "json") {
        case "json":
            if try await step.text("specifyBody", item: item, default: "keypair") == "json" { return .json(try await parsed("jsonBody")) }
            var members = JSONObject()
            for (name, value) in try await keyValues("bodyParameters.parameters") {
                DotPath(name, dotNotation: step.version >= 4).set(value, in: &members)
            }
            return .json(.object(members))
        case "form-urlencoded":
            if try await step.text("specifyBody", item: item, default: "keypair") == "string" {
                return .raw(Array(try await step.text("body", item: item).utf8), contentType: "application/x-www-form-urlencoded")
            }
            return .form(gathered(try await keyValues("bodyParameters.parameters")))
        case "multipart-form-data": return .multipart(try await parts())
        case "binaryData":
            let file = try await file(try await step.text("inputDataFieldName", item: item))
            return try await fileBody(file)
        case "raw":
            let type = try await step.text("rawContentType", item: item)
            return .raw(Array(try await step.text("body", item: item).utf8), contentType: type.isEmpty ? "text/plain" : type)
        case let type: throw StepFailure.invalid("contentType", "'\(type)' is no form of a body.", item: item)
        }
    }

    /// A small file is sent as the bytes that it is, which signatures of a request cover.
    func fileBody(_ file: BinaryReference) async throws -> HttpCall.Body {
        guard file.byteCount > KindLimits.fileSentAsBytes else { return .raw(try await step.services.readBinary(file), contentType: file.mimeType) }
        return .file(file, step.services)
    }

    private func parts() async throws -> [HttpPart] {
        var parts: [HttpPart] = []
        for entry in try await step.value("bodyParameters.parameters", item: item)?.array ?? [] {
            guard let name = entry["name"]?.displayText, !name.isEmpty else { continue }
            guard entry["parameterType"] == "formBinaryData" else {
                parts.append(HttpPart(name: name, bytes: Array((entry["value"] ?? "").displayText.utf8)))
                continue
            }
            let file = try await file(entry["inputDataFieldName"]?.displayText ?? "")
            let bytes = try await step.services.readBinary(file)
            parts.append(HttpPart(name: name, bytes: bytes, fileName: file.fileName ?? "file", contentType: file.mimeType))
        }
        return step.version < 4.2 ? lastOfEachName(parts) : parts
    }

    private func lastOfEachName(_ parts: [HttpPart]) -> [HttpPart] {
        var kept: [HttpPart] = []
        for part in parts {
            if let place = kept.firstIndex(where: { $0.name == part.name }) { kept[place] = part } else { kept.append(part) }
        }
        return kept
    }

    func file(_ name: String) async throws -> BinaryReference {
        guard let file = step.items[item].binary[name] else {
            throw StepFailure.invalid("inputDataFieldName", "The item has no file '\(name)'.", item: item)
        }
        return file
    }
}
