internal import Kernel

/// The console's shell: the same styles, scripts and navigation on every page of every module.
package struct Console: Sendable {
    package let files: StaticFiles
    /// Entries of the navigation by text key and address, in order.
    package var entries: [(key: String, href: String)]
    /// Modules beside the shell's own.
    static let styles = ["styles/tokens.css", "styles/base.css", "styles/components.css", "styles/pages.css"]

    package init(files: StaticFiles, entries: [(key: String, href: String)]) {
        self.files = files
        self.entries = entries
    }

    /// A page for somebody who is signed in.
    /// - Parameters:
    ///   - current: the address of the entry that this page belongs to.
    ///   - person: who is signed in.
    package func page(_ call: EndpointCall, title: String, current: String, person: String, scripts: [String] = [], status: Int = 200, _ main: HTML)
        -> Answer
    {
        let text = call.localizer
        let links = entries.map { Layout.Link(text($0.key), $0.href, isCurrent: $0.href == current) }
        let who: HTML = """
            <span>\(person)</span>
            <form method="post" action="/sign-out"><button class="button small">\(text("http.console.sign_out"))</button></form>
            """
        var layout = Layout(
            title: "\(title) · AIAS", localizer: text, styles: Console.styles.map(files.url), scripts: scripts.map(files.url), navigation: links,
            who: who)
        layout.brand = Console.brand
        return layout.page(main, status: status)
    }

    /// A page before the door: a card in the middle.
    package func door(_ call: EndpointCall, title: String, status: Int = 200, _ card: HTML) -> Answer {
        var layout = Layout(title: "\(title) · AIAS", localizer: call.localizer, styles: Console.styles.map(files.url))
        layout.mainClass = "door"
        return layout.page("<div class=\"card\"><div class=\"brand\">\(Console.mark)AIAS</div>\(card)</div>", status: status)
    }

    static let mark: HTML = """
        <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true"><path d="M3 5.5h6.5a3 3 0 0 1 3 3v5a3 3 0 0 0 3 3H19" fill="none" \
        stroke="currentColor" stroke-width="2.2"/><circle cx="4" cy="5.5" r="3" fill="currentColor"/><circle cx="18" cy="16.5" r="3" fill="currentColor"/></svg>
        """
    static let brand: HTML = "<a class=\"brand\" href=\"/\">\(mark)AIAS</a>"

    /// One field of a form: label, input, hint and fault, tied together for screen readers.
    package static func field(
        _ name: String, label: String, type: String = "text", value: String = "", autocomplete: String = "off", hint: String? = nil,
        fault: String? = nil, isRequired: Bool = true
    ) -> HTML {
        let hintHTML: HTML? = hint.map { "<span class=\"hint\" id=\"\(name)-hint\">\($0)</span>" }
        let faultHTML: HTML? = fault.map { "<span class=\"fault\" id=\"\(name)-fault\" role=\"alert\">\($0)</span>" }
        let described = [hint.map { _ in "\(name)-hint" }, fault.map { _ in "\(name)-fault" }].compactMap { $0 }.joined(separator: " ")
        let description: HTML? = described.isEmpty ? nil : " aria-describedby=\"\(described)\""
        let invalid: HTML? = fault.map { _ in " aria-invalid=\"true\"" }
        return """
            <div class="field"><label for="\(name)">\(label)</label>\
            <input id="\(name)" name="\(name)" type="\(type)" value="\(value)" autocomplete="\(autocomplete)"\("required", if: isRequired)\
            \(description)\(invalid)>\(hintHTML)\(faultHTML)</div>
            """
    }

    /// What went wrong, above a form.
    package static func notice(_ text: String?, isBad: Bool = true) -> HTML? {
        text.map { "<p class=\"notice \(isBad ? "bad" : "good")\" role=\"\(isBad ? "alert" : "status")\">\($0)</p>" }
    }
}

extension Refusal {
    /// The message for one field of a form.
    package func message(for field: String) -> String? { faults.first { $0.field == field }?.message }
}
