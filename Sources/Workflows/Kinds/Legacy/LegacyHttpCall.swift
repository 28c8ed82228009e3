internal import Kernel

/// Reads the request of one item from a node of version 1 or 2.
struct LegacyHttpCall: Sendable {
    let step: StepContext
    let item: Int

    func call() async throws -> HttpCall {
        let reader = HttpCallReader(step: step, item: item)
        let method = try await step.text("requestMethod", item: item, default: "GET")
        var call = HttpCall(method: method.uppercased(), url: try await reader.url())
        let isJSON = try await step.flag("jsonParameters", item: item)
        call.query = try await pairs("queryParameters", isJSON, reader)
        call.headers = try await pairs("headerParameters", isJSON, reader).filter { !$0.value.isNull }
            .map { (name: $0.name, value: $0.value.displayText) }
        if ["POST", "PUT", "PATCH", "DELETE"].contains(call.method) { call.body = try await body(isJSON, reader) }
        return call
    }

    private func pairs(_ name: String, _ isJSON: Bool, _ reader: HttpCallReader) async throws -> [(name: String, value: JSON)] {
        guard isJSON else { return reader.gathered(try await reader.keyValues("\(name)Ui.parameter")) }
        return (try await reader.parsed("\(name)Json").object ?? [:]).map { (name: $0.key, value: $0.value) }
    }

    private func body(_ isJSON: Bool, _ reader: HttpCallReader) async throws -> HttpCall.Body {
        let form = try await step.parameter("options.bodyContentType", item: item)?.text ?? "json"
        if isJSON, try await step.flag("sendBinaryData", item: item) {
            let name = try await step.text("binaryPropertyName", item: item, default: "data")
            let file = try await reader.file(name)
            if form == "multipart-form-data" {
                let bytes = try await step.services.readBinary(file)
                return .multipart([HttpPart(name: name, bytes: bytes, fileName: file.fileName ?? "file", contentType: file.mimeType)])
            }
            return try await reader.fileBody(file)
        }
        if isJSON, form == "raw" {
            let type = try await step.parameter("options.bodyContentCustomMimeType", item: item)?.text ?? "text/plain"
            return .raw(Array(try await step.text("bodyParametersJson", item: item).utf8), contentType: type)
        }
        if isJSON, form == "json" {
            let value = try await reader.parsed("bodyParametersJson")
            return value == [:] && step.rawParameter("bodyParametersJson") == nil ? .none : .json(value)
        }
        let fields = try await pairs("bodyParameters", isJSON, reader)
        if fields.isEmpty { return .none }
        switch form {
        case "form-urlencoded": return .form(fields)
        case "multipart-form-data": return .multipart(fields.map { HttpPart(name: $0.name, bytes: Array($0.value.displayText.utf8)) })
        default: return .json(.object(JSONObject(fields.map { ($0.name, $0.value) })))
        }
    }
}
