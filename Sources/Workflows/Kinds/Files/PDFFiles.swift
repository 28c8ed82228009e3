internal import Kernel
internal import Scripting

/// The text and facts of a PDF file, in the members that n8n gives: `{numpages, numrender, info, metadata?, text, version}`.
struct PDFFiles: Sendable {
    let step: StepContext

    func read(_ bytes: [UInt8], password: String, maximumPages: Int?, joinsPages: Bool, item: Int) async throws -> JSONObject {
        var settings: JSONObject = ["password": .string(password)]
        settings["maximum_pages"] = maximumPages.map { .number(Double($0)) }
        let answer = try await step.convert(FileConversion(.readPDF, settings: settings, files: [.init(bytes: bytes)]), item: item)
        let pages = answer.facts["pages"]?.array ?? []
        var json = JSONObject()
        json["numpages"] = answer.facts["numpages"]
        json["numrender"] = answer.facts["numpages"]
        json["info"] = answer.facts["info"]
        json["metadata"] = answer.facts["metadata"]
        json["text"] = joinsPages ? .string(pages.compactMap(\.text).joined(separator: "\n\n")) : .array(pages)
        json["version"] = answer.facts["version"]
        return json
    }
}
