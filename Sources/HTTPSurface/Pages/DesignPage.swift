internal import Kernel

/// The design language on one page: the tokens, and the parts of the pages with their states; those that are functions, by them.
package struct DesignPage: Sendable {
    private let console: Console

    package init(console: Console) { self.console = console }

    package var endpoint: Endpoint {
        .page(.get, "/design", access: .public("It shows what all pages are made of, and nothing of anybody."), summary: "Design language") { call in
            page(call)
        }
    }

    /// The names of `Web/styles/tokens.css`.
    static let colours = [
        "paper", "sheet", "sunken", "line", "line-strong", "ink", "ink-soft", "accent", "accent-soft", "fill", "good", "good-soft", "warn",
        "warn-soft", "bad", "bad-soft"
    ]
    static let sizes = ["text-s", "text-m", "text-l", "text-xl", "text-xxl"]
    static let steps = ["step-1", "step-2", "step-3", "step-4", "step-6", "step-8", "step-12"]
    static let statuses = ["queued", "running", "waiting", "paused", "succeeded", "published", "failed", "uncertain", "cancelled"]
    static let tags = ["grey", "blue", "violet", "green", "amber", "red"]

    private func page(_ call: EndpointCall) -> Answer {
        let text = call.localizer
        var layout = Layout(
            title: text("http.design.title"), localizer: text, styles: (Console.styles + ["styles/design.css"]).map(console.files.url),
            scripts: Console.scripts.map(console.files.moduleURL))
        layout.icon = console.files.url(Console.icon)
        layout.brand = Console.brand(.platform, leadingTo: console.home)
        return layout.page(
            """
            <div class="design"><h1>\(text("http.design.title"))</h1><p class="lead">\(text("http.design.lead"))</p>
            \(tokens(text))\(buttons(text))\(notices(text))\(words(text))\(fields(text))\(lists(text))</div>
            """)
    }

    private func section(_ text: Localizer, _ name: String, _ content: HTML) -> HTML {
        """
        <section class="card stack" aria-labelledby="of-\(name)"><h2 id="of-\(name)">\(text("http.design.\(name)"))</h2>\(content)</section>

        """
    }

    private func tokens(_ text: Localizer) -> HTML {
        let colours: [HTML] = Self.colours.map { "<li class=\"swatch \($0)\"><code>--\($0)</code></li>" }
        let sizes: [HTML] = Self.sizes.map { "<p class=\"\($0)\">\(text("http.design.sample")) <code>--\($0)</code></p>" }
        let steps: [HTML] = Self.steps.map { "<p class=\"measure \($0)\"><code>--\($0)</code></p>" }
        return """
            \(section(text, "colour", "<p class=\"lead\">\(text("http.design.colour.hint"))</p><ul class=\"swatches\">\(colours)</ul>"))\
            \(section(text, "type", "\(sizes)"))\
            \(section(text, "space", "<p class=\"lead\">\(text("http.design.space.hint"))</p>\(steps)"))
            """
    }

    private func buttons(_ text: Localizer) -> HTML {
        section(
            text, "buttons",
            """
            <p class="parts"><button class="button primary" type="button">\(text("http.design.button.primary"))</button>
            <button class="button" type="button">\(text("http.design.button"))</button>
            <button class="button danger" type="button">\(text("http.design.button.danger"))</button>
            <button class="button small" type="button">\(text("http.design.button.small"))</button>
            <a class="button" href="/design">\(text("http.design.button.link"))</a>
            <button class="button" type="button" disabled>\(text("http.design.button.off"))</button>
            <button class="button primary" type="button" disabled>\(text("http.design.button.off"))</button>
            <button class="button danger" type="button" disabled>\(text("http.design.button.off"))</button></p>
            <h3>\(text("http.design.confirm"))</h3>
            <p>\(Console.confirmed(text, id: "asks", action: "/design", label: text("http.design.button.danger"),
                question: text("http.design.confirm.question"), isSmall: false))</p>
            <h3>\(text("http.design.copy"))</h3><p>\(Console.copyable(text, id: "copied", "https://acme.example/hooks/orders"))</p>
            """)
    }

    private func notices(_ text: Localizer) -> HTML {
        section(
            text, "notices",
            """
            <p class="notice">\(text("http.design.notice"))</p>\(Console.notice(text("http.design.notice.good"), isBad: false))
            <p class="notice warn">\(text("http.design.notice.warn"))</p><p class="notice bad">\(text("http.design.notice.bad"))</p>
            """)
    }

    private func words(_ text: Localizer) -> HTML {
        let statuses: [HTML] = Self.statuses.map { "<span class=\"status \($0)\">\($0)</span>" }
        let tags: [HTML] = Self.tags.map { "<span class=\"tag \($0)\">\($0)</span>" }
        return """
            \(section(text, "status", "<p class=\"parts\">\(statuses)</p>"))\(section(text, "tags", "<p class=\"parts\">\(tags)</p>"))
            """
    }

    private func fields(_ text: Localizer) -> HTML {
        let plans = [(value: "starter", title: "Starter"), (value: "professional", title: "Professional")]
        return section(
            text, "fields",
            """
            <form class="form" method="get" action="/design">
            \(Console.field("plain", label: text("http.design.field.name"), value: "Ada", hint: text("http.design.field.hint")))
            \(Console.field("wrong", label: text("http.design.field.name"), fault: text("http.design.field.fault"), isRequired: false))
            \(Console.area("notes", label: text("http.design.field.area"), isRequired: false))
            \(Console.choice("plan", label: text("http.design.field.choice"), options: plans, chosen: "starter"))
            \(Console.tick("mail", value: "yes", label: text("http.design.field.tick"), hint: text("http.design.field.hint"), isTicked: true))
            \(Console.tick("post", value: "yes", label: text("http.design.field.tick")))</form>
            """)
    }

    private func lists(_ text: Localizer) -> HTML {
        let time = Console.time(Timestamp(seconds: 1_767_225_600))
        let rows: [HTML] = [("Lead routing", "succeeded", "1,204"), ("Night report", "failed", "31")].map { name, status, runs in
            """
            <tr><td class="name"><a href="/design">\(name)</a></td><td><span class="status \(status)">\(status)</span></td>
            <td class="number">\(runs)</td><td class="time optional">\(time)</td></tr>
            """
        }
        let columns: [(title: String, kind: String?)] = [
            (text("http.design.field.name"), nil), (text("http.design.status"), nil), (text("http.design.list.runs"), "number"),
            (text("http.design.list.changed"), "optional")
        ]
        return """
            <section class="card" aria-labelledby="of-list"><div class="title"><h2 id="of-list">\(text("http.design.list"))</h2></div>
            \(Console.table(columns, rows))\(Console.more(text, "/design", cursor: "older"))</section>
            <section class="card">\(Console.empty(text("http.design.empty"), text("http.design.empty.hint")))</section>
            """
    }
}
