internal import Kernel
internal import Synchronization

/// The OpenAPI document as a page for people, from the same endpoints.
struct DocsPage {
    let openAPI: OpenAPI
    let files: StaticFiles
    let localizer: Localizer

    var answer: Answer {
        var layout = Layout(
            title: "\(localizer("http.docs.title")) · \(openAPI.title)", localizer: localizer,
            styles: (Console.styles + ["styles/docs.css"]).map(files.url), scripts: [files.url("pages/docs/docs-search.js")],
            navigation: [
                Layout.Link(localizer("http.docs.console"), "/"), Layout.Link(localizer("http.docs.title"), "/docs", isCurrent: true)
            ])
        layout.icon = files.url(Console.icon)
        layout.brand = Console.brand(.platform, leadingTo: "/")
        return layout.page(body)
    }

    private var body: HTML {
        let tags = openAPI.tags
        let sections: [HTML] = tags.map { tag in
            let operations = openAPI.endpoints.filter { $0.tag == tag }.map(operation)
            return "<section class=\"docs-tag\" id=\"tag-\(DocsPage.anchor(tag))\"><h2>\(tag)</h2>\(operations)</section>"
        }
        let links: [HTML] = tags.map { "<li><a href=\"#tag-\(DocsPage.anchor($0))\">\($0)</a></li>" }
        return """
            <header><div><h1>\(localizer("http.docs.title"))</h1>
            <p class="lead">\(localizer("http.docs.lead", ["count": "\(openAPI.endpoints.count)"]))<a href="/openapi.json">openapi.json</a></p></div></header>
            <docs-search hidden class="field"><label for="docs-query">\(localizer("http.docs.search"))</label>
            <input id="docs-query" type="search" autocomplete="off"><p class="docs-none" role="status" data-none="\(localizer("http.docs.nothing"))"></p></docs-search>
            <nav class="docs-sections" aria-label="\(localizer("http.docs.sections"))"><ul>\(links)</ul></nav>
            <section class="card stack"><h2>\(localizer("http.docs.conventions"))</h2><p>\(DocsPage.prose(OpenAPI.conventions))</p></section>
            \(sections)
            """
    }

    private func operation(_ endpoint: Endpoint) -> HTML {
        let find = "\(endpoint.method.rawValue) \(endpoint.path) \(endpoint.summary) \(endpoint.tag)".lowercased()
        let description: HTML? = endpoint.description.isEmpty ? nil : "<p>\(DocsPage.prose(endpoint.description))</p>"
        return """
            <details class="card docs-operation" id="\(endpoint.operationID)" data-find="\(find)">
            <summary><span class="docs-method">\(endpoint.method.rawValue)</span> <code>\(endpoint.path.documented)</code> <span>\(endpoint.summary)</span></summary>
            <div class="stack">\(description)<p>\(access(endpoint.access))</p>\(parameters(endpoint))\(requestBody(endpoint))\(answers(endpoint))</div>
            </details>
            """
    }

    private func access(_ access: Access) -> HTML {
        switch access {
        case .public: "\(localizer("http.docs.access.public"))"
        case .signedIn: "\(localizer("http.docs.access.signed_in"))"
        case .tenant(let permission): "\(localizer("http.docs.access.tenant", ["permission": permission.name]))"
        case .platformOperator, .platform: "\(localizer("http.docs.access.operator"))"
        }
    }

    private func parameters(_ endpoint: Endpoint) -> HTML {
        let rows: [HTML] = endpoint.parameters.map { parameter in
            row(parameter.name, parameter.schema, isRequired: parameter.isRequired, place: " (\(parameter.place))")
        }
        return table("http.docs.parameters", ["http.docs.field", "http.docs.type", "http.docs.meaning"], rows)
    }

    private func requestBody(_ endpoint: Endpoint) -> HTML {
        guard let body = endpoint.requestBody else { return "" }
        return table(
            "http.docs.body", ["http.docs.field", "http.docs.type", "http.docs.meaning"], fields(body.schema, "", body.schema.root, above: []))
    }

    private func answers(_ endpoint: Endpoint) -> HTML {
        let parts: [HTML] = endpoint.responses.map { response in
            let rows = response.schema.map { fields($0, "", $0.root, above: []) } ?? []
            let shown = table(nil, ["http.docs.field", "http.docs.type", "http.docs.meaning"], rows)
            return "<h3>\(localizer("http.docs.answers")): \(response.status) \(response.description)</h3>\(shown)"
        }
        let refusals: [HTML] = endpoint.errors.map {
            "<tr><td>\($0.kind.status)</td><td><code>\($0.code)</code></td><td>\($0.description)</td></tr>"
        }
        return "\(parts)\(table("http.docs.refusals", ["http.docs.status", "http.docs.code", "http.docs.meaning"], refusals))"
    }

    /// The fields of a type and of the types within, each type once on the way down.
    private func fields(_ type: TypeSchema, _ prefix: String, _ schema: Schema, above: Set<String>) -> [HTML] {
        var above = above
        if case .reference(let name) = schema.shape, !above.insert(name).inserted { return [] }
        switch type.resolved(schema).shape {
        case .object(let fields):
            return fields.flatMap { field -> [HTML] in
                let name = prefix + field.name
                return [row(name, field.schema, isRequired: field.isRequired)] + self.fields(type, "\(name).", field.schema, above: above)
            }
        case .array(let element): return fields(type, prefix.isEmpty ? "[]." : "\(prefix.dropLast())[].", element, above: above)
        default: return []
        }
    }

    private func row(_ name: String, _ schema: Schema, isRequired: Bool, place: String = "") -> HTML {
        let mark: HTML? = isRequired ? " <small>\(localizer("http.docs.required"))</small>" : nil
        let values = schema.values.map { $0.joined(separator: " | ") } ?? schema.typeName
        return "<tr><td><code>\(name)</code>\(place)\(mark)</td><td>\(values)</td><td>\(DocsPage.prose(schema.description ?? ""))</td></tr>"
    }

    private func table(_ title: String?, _ heads: [String], _ rows: [HTML]) -> HTML {
        if rows.isEmpty { return "" }
        let caption: HTML? = title.map { "<h3>\(localizer($0))</h3>" }
        let cells: [HTML] = heads.map { "<th scope=\"col\">\(localizer($0))</th>" }
        return "\(caption)<div class=\"table-scroll\"><table class=\"list\"><thead><tr>\(cells)</tr></thead><tbody>\(rows)</tbody></table></div>"
    }

    private static func anchor(_ tag: String) -> String { String(tag.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" }) }

    /// Text in which `words` between backquotes are code.
    private static func prose(_ text: String) -> HTML {
        var out = HTML.empty
        for (index, part) in text.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
            out = out + (index.isMultiple(of: 2) ? "\(part)" : "<code>\(part)</code>")
        }
        return out
    }
}

extension Schema {
    fileprivate var typeName: String {
        let name =
            switch shape {
            case .any: "any"
            case .boolean: "boolean"
            case .integer: "integer"
            case .number: "number"
            case .string: format ?? "string"
            case .array(let element): "\(element.typeName)[]"
            case .map(let element): "{ …: \(element.typeName) }"
            case .object: "object"
            case .reference(let name): name
            }
        return isNullable ? "\(name) | null" : name
    }
}

extension Endpoint {
    /// `/openapi.json` and `/docs`, of these endpoints and of themselves.
    package static func documentation(of endpoints: [Endpoint], title: String, version: String, files: StaticFiles) -> [Endpoint] {
        let openAPI = OpenAPI(title: title, version: version, endpoints: endpoints)
        let bytes = openAPI.document.bytes
        let pages = DocsPages()
        return [
            .raw(
                .get, "/openapi.json", access: .public("Documentation."), summary: "This document", tag: "Documentation", answers: "application/json"
            ) { _ in .json(bytes) }.undocumented,
            .page(.get, "/docs", access: .public("Documentation."), summary: "The API reference") { call in
                pages.page(in: call.localizer.language) { DocsPage(openAPI: openAPI, files: files, localizer: call.localizer).answer }
            }
        ]
    }
}

/// The pages that were made, one for each language: the whole reference is much work for whoever may ask for it, and that is everybody.
final class DocsPages: Sendable {
    private let made = Mutex<[String: Answer]>([:])

    func page(in language: String, make: () -> Answer) -> Answer {
        made.withLock { made in
            if let page = made[language] { return page }
            let page = make()
            made[language] = page
            return page
        }
    }
}
