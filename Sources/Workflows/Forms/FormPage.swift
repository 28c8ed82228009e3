internal import HTTPSurface
internal import Kernel

/// The pages that visitors see: forms, questions, and what comes after them. They work without scripts and by keyboard.
struct FormPage {
    let console: Console
    let text: Localizer
    let brand: Brand

    func form(
        _ definition: FormDefinition, submitted: SubmittedForm? = nil, faults: [String: (key: String, arguments: [String: String])] = [:],
        query: [(name: String, value: String)] = [], notice: String? = nil
    ) -> Answer {
        let fields: [HTML] = definition.fields.map { field in
            let given = submitted?.all(field.id) ?? query.filter { $0.name == field.member ?? field.label }.map(\.value)
            let fault = faults[field.id].map { text($0.key, $0.arguments) }
            return self.field(field, given: given, fault: fault)
        }
        let hasFiles = definition.fields.contains { $0.kind == .file }
        let lead: HTML? = definition.description.isEmpty ? nil : "<div class=\"lead prose\">\(Self.prose(definition.description))</div>"
        let title = definition.title.isEmpty ? text("workflows.form.title") : definition.title
        let encoding: HTML? = hasFiles ? " enctype=\"multipart/form-data\"" : nil
        let isFaulty = !faults.isEmpty
        return console.visitors(
            text, title: title, brand: brand, status: isFaulty ? 422 : 200,
            """
            <h1>\(title)</h1>\(lead)\(Console.notice(notice ?? (isFaulty ? text("workflows.form.faulty") : nil)))
            <form method="post" class="form wide"\(encoding) novalidate>\(fields)
            <p class="buttons"><button class="button primary">\(definition.button ?? text("workflows.form.submit"))</button></p></form>
            """)
    }

    /// A question with a button for each answer.
    func question(_ message: String, title: String, buttons: [(value: String, label: String, isMain: Bool)]) -> Answer {
        let list: [HTML] = buttons.map { button in
            "<button class=\"button\(button.isMain ? " primary" : "")\" name=\"approved\" value=\"\(button.value)\">\(button.label)</button>"
        }
        return console.visitors(
            text, title: title, brand: brand,
            "<h1>\(title)</h1><div class=\"lead prose\">\(Self.prose(message))</div><form method=\"post\"><p class=\"buttons\">\(list)</p></form>")
    }

    /// The end of a form.
    func done(title: String? = nil, message: String, download: String? = nil, status: Int = 200) -> Answer {
        let title = title.flatMap { $0.isEmpty ? nil : $0 } ?? text("workflows.form.done")
        let link: HTML? = download.map { "<p><a class=\"button\" href=\"\(href: $0)\" download>\(text("workflows.form.download"))</a></p>" }
        return console.visitors(
            text, title: title, brand: brand, status: status, "<h1>\(title)</h1><div class=\"lead prose\">\(Self.prose(message))</div>\(link)")
    }

    /// Stands until the workflow has got on; the browser asks again by itself.
    func working(_ call: EndpointCall) -> Answer {
        call.addHeader("Refresh", "2")
        return console.visitors(
            text, title: text("workflows.form.working"), brand: brand,
            "<h1>\(text("workflows.form.working"))</h1><p class=\"lead\" role=\"status\">\(text("workflows.form.working.hint"))</p>")
    }

    /// Leads on to an address of the author's choice: by the browser, or by hand.
    func leading(_ call: EndpointCall, to address: String) -> Answer {
        let url = address.contains("://") ? address : "http://\(address)"
        let isWeb = url.lowercased().hasPrefix("https://") || url.lowercased().hasPrefix("http://")
        if isWeb, !url.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f }) { call.addHeader("Refresh", "0; url=\(url)") }
        return console.visitors(
            text, title: text("workflows.form.done"), brand: brand,
            "<h1>\(text("workflows.form.done"))</h1><p><a href=\"\(href: url)\" rel=\"noopener\">\(text("workflows.form.continue"))</a></p>")
    }

    private static func prose(_ text: String) -> HTML { SafeMarkup.html(text.replacing("\\n", with: "\n").replacing("<br>", with: "\n")) }

    private func field(_ field: FormField, given: [String], fault: String?) -> HTML {
        let value = given.first ?? ""
        switch field.kind {
        case .html: return "<div class=\"prose\">\(SafeMarkup.html(field.html))</div>"
        case .hidden: return "<input type=\"hidden\" name=\"\(field.id)\" value=\"\(value.isEmpty ? field.fixedValue : value)\">"
        case .checkbox, .radio: return choices(field, given: given, fault: fault)
        case .dropdown where field.takesSeveral: return choices(field, given: given, fault: fault)
        case .dropdown:
            let empty: HTML = "<option value=\"\">\(text("workflows.form.choose"))</option>"
            let options: [HTML] = field.options.map { "<option value=\"\($0)\"\("selected", if: $0 == value)>\($0)</option>" }
            return labelled(field, fault, "<select id=\"\(field.id)\" name=\"\(field.id)\"\(described(field, fault))>\(empty)\(options)</select>")
        case .textarea:
            return labelled(
                field, fault,
                "<textarea id=\"\(field.id)\" name=\"\(field.id)\" rows=\"4\" placeholder=\"\(field.placeholder)\"\(described(field, fault))>\n\(value)</textarea>"
            )
        case .file:
            let accept: HTML? = field.acceptedTypes.isEmpty ? nil : " accept=\"\(field.acceptedTypes)\""
            return labelled(
                field, fault,
                "<input id=\"\(field.id)\" name=\"\(field.id)\" type=\"file\"\(accept)\("multiple", if: field.takesSeveral)\(described(field, fault))>"
            )
        default:
            let type = field.kind == .number ? "number" : field.kind.rawValue
            let step: HTML? = field.kind == .number ? " step=\"any\"" : nil
            let shown = field.kind == .password ? "" : value
            return labelled(
                field, fault,
                "<input id=\"\(field.id)\" name=\"\(field.id)\" type=\"\(type)\"\(step) value=\"\(shown)\" placeholder=\"\(field.placeholder)\"\(described(field, fault))>"
            )
        }
    }

    private func labelled(_ field: FormField, _ fault: String?, _ control: HTML) -> HTML {
        "<div class=\"field\"><label for=\"\(field.id)\">\(field.label)\(mark(field))</label>\(control)\(message(field, fault))</div>"
    }

    private func choices(_ field: FormField, given: [String], fault: String?) -> HTML {
        let type = field.kind == .radio ? "radio" : "checkbox"
        let boxes: [HTML] = field.options.map { option in
            """
            <label class="tick"><input type="\(type)" name="\(field.id)" value="\(option)"\("checked", if: given.contains(option))>\
            <span>\(option)</span></label>
            """
        }
        return """
            <fieldset class="ticks" id="\(field.id)"\(described(field, fault))><legend>\(field.label)\(mark(field))</legend>\(boxes)\
            \(message(field, fault))</fieldset>
            """
    }

    private func mark(_ field: FormField) -> HTML? {
        field.isRequired ? " <span class=\"required\" title=\"\(text("workflows.form.required"))\" aria-hidden=\"true\">*</span>" : nil
    }

    private func message(_ field: FormField, _ fault: String?) -> HTML? {
        fault.map { "<span class=\"fault\" id=\"\(field.id)-fault\">\($0)</span>" }
    }

    private func described(_ field: FormField, _ fault: String?) -> HTML {
        let isGroup = field.kind == .checkbox || field.kind == .radio || (field.kind == .dropdown && field.takesSeveral)
        let required: HTML? = field.isRequired && !isGroup ? " required" : nil
        let faulty: HTML? = fault.map { _ in " aria-invalid=\"true\" aria-describedby=\"\(field.id)-fault\"" }
        return "\(required)\(faulty)"
    }
}
