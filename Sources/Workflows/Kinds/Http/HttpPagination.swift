internal import Kernel
internal import Outbound

/// Asks for page after page: `options.pagination.pagination`, whose expressions see `$response`, `$request` and `$pageCount`.
struct HttpPagination: Sendable {
    private let step: StepContext
    private let item: Int
    private let raw: JSON
    private let patience: HttpPatience

    /// nil where the node does not paginate.
    init?(_ step: StepContext, item: Int, patience: HttpPatience) {
        guard let raw = step.rawParameter("options.pagination.pagination"), raw["paginationMode"] != "off" else { return nil }
        self.step = step
        self.item = item
        self.raw = raw
        self.patience = patience
    }

    private var mode: String { raw["paginationMode"]?.text ?? "updateAParameterInEachRequest" }

    private func value(_ name: String, _ roots: JSONObject) async throws -> JSON? {
        guard let written = raw[name] else { return nil }
        return try await step.services.evaluate(written, item: item, roots: roots)
    }

    /// - Parameters:
    ///   - place: where a step that waited goes on.
    ///   - send: sends one page's request, status not yet checked; gets its number and the attempts that ended before.
    /// - Throws: `HttpPause` with the pages that were read.
    func items(_ first: HttpCall, from place: HttpProgress.Place, send: (HttpCall, Int, Int) async throws -> HttpAnswer) async throws -> [Item] {
        var call = first
        let limit = try await limit()
        var pages = place.pages ?? HttpPages(page: 0, items: [], roots: ["$response": [:], "$request": first.json, "$pageCount": 0], url: nil)
        var ended = place.attempts
        let given = step.items.indices.contains(item) ? step.items[item] : nil
        while pages.page < limit {
            if let url = pages.url { (call.url, call.query) = (url, []) }
            if mode == "updateAParameterInEachRequest" { try await update(&call, pages.roots) }
            let answer: HttpAnswer
            do { answer = try await send(call, pages.page, ended) } catch var pause as HttpPause {
                pause.place.pages = pages
                throw pause
            }
            ended = 0
            pages.page += 1
            pages.roots = ["$response": answer.root, "$request": call.json, "$pageCount": .number(Double(pages.page))]
            let isLast = try await isComplete(answer, pages.roots) || pages.page >= limit
            // The last answer counts whatever its status; only from one that tells success the way goes on.
            guard isLast || answer.isSuccess else { throw answer.refusal }
            pages.items += try await answer.items(step.services, given: given)
            if isLast { return pages.items }
            if mode == "responseContainsNextURL" {
                guard let next = try await value("nextURL", pages.roots)?.text, !next.isEmpty else { return pages.items }
                pages.url = next
            }
            if let wait = try await value("requestInterval", pages.roots)?.coercedNumber, wait > 0 {
                try await patience.wait(.milliseconds(Int64(min(wait, 60_000))), at: .init(pages: pages))
            }
        }
        return pages.items
    }

    private func limit() async throws -> Int {
        guard try await value("limitPagesFetched", [:])?.isTruthy == true else { return KindLimits.pagesPerRequest }
        let most = try await value("maxRequests", [:])?.coercedNumber ?? 100
        return Int(min(max(most.isNaN ? 100 : most, 1), Double(KindLimits.pagesPerRequest)))
    }

    /// A value that is not there yet (before the first answer) sets nothing.
    private func update(_ call: inout HttpCall, _ roots: JSONObject) async throws {
        for entry in raw["parameters"]?["parameters"]?.array ?? [] {
            guard let name = entry["name"]?.text, !name.isEmpty, let written = entry["value"] else { continue }
            let value = try await step.services.evaluate(written, item: item, roots: roots)
            if value.isNull || value == "" { continue }
            switch entry["type"]?.text ?? "qs" {
            case "headers", "header": call.setHeader(name, value.displayText)
            case "body": call.setBody(name, value)
            default: call.setQuery(name, value)
            }
        }
    }

    private func isComplete(_ answer: HttpAnswer, _ roots: JSONObject) async throws -> Bool {
        switch raw["paginationCompleteWhen"]?.text ?? "responseIsEmpty" {
        case "receiveSpecificStatusCodes":
            let codes = try await value("statusCodesWhenComplete", roots)?.displayText ?? ""
            return StepContext.names(in: codes).contains(String(answer.response.status))
        case "other":
            guard answer.isSuccess || answer.options.neverError else { return false }
            return try await value("completeExpression", roots)?.isTruthy ?? false
        default:
            switch answer.body {
            case .array(let elements): return elements.isEmpty
            case .object(let members): return members.isEmpty
            case .string(let text): return text.isEmpty
            default: return answer.body.isNull
            }
        }
    }
}
