package import Kernel

/// The console's shell: the same styles, scripts and navigation on every page of every module.
package struct Console: Sendable {
    /// A link of the navigation; shown to those who have the permission of its page.
    package struct Entry: Sendable {
        /// Of its text.
        package var key: String
        package var href: String
        package var permission: Permission?

        package init(_ key: String, _ href: String, _ permission: Permission? = nil) {
            self.key = key
            self.href = href
            self.permission = permission
        }
    }

    package let files: StaticFiles
    package var entries: [Entry]
    /// The pages of the settings, in order.
    package var settings: [Entry]
    /// Where a thing is shown, by the noun before its id in the audit log: `workflow` is at `/workflows/`.
    package var subjects: [String: String]
    /// Where a person reads what they are told; a bell with the number of new ones leads there.
    package var inbox: Entry?
    /// Where people of a tenant are asked something now and then: `…/question` says whether it is due, `…/answers` takes the answer.
    package var question: Entry?
    /// Where the brand leads, and where signing out is asked for.
    package var home = "/"
    package var signOut = "/sign-out"
    /// Where an operator ends their time in a tenant.
    package static let impersonationEnd = "/impersonation/end"

    static let styles = [
        "styles/tokens.css", "styles/base.css", "styles/components.css", "styles/forms.css", "styles/pages.css", "styles/settings.css",
        "styles/notifications.css", "styles/dashboard.css", "styles/palette.css", "styles/services.css"
    ]
    static let scripts = [
        "components/copy-button.js", "components/local-time.js", "components/notification-bell.js", "components/command-palette.js",
        "components/asked-question.js"
    ]
    static let icon = "favicon.svg"
    static let settingsAddress = "/settings"

    package init(
        files: StaticFiles, entries: [Entry], settings: [Entry] = [], subjects: [String: String] = [:], inbox: Entry? = nil, question: Entry? = nil
    ) {
        self.files = files
        self.entries = entries
        self.settings = settings
        self.subjects = subjects
        self.inbox = inbox
        self.question = question
    }

    /// A page for somebody who is signed in.
    /// - Parameters:
    ///   - current: the address of the entry that this page belongs to.
    ///   - person: who is signed in.
    package func page(_ call: EndpointCall, title: String, current: String, person: Visitor, scripts: [String] = [], status: Int = 200, _ main: HTML)
        -> Answer
    {
        layout(call, title: title, current: current, person: person, scripts: scripts).page("\(main)\(question(call))", status: status)
    }

    private func layout(_ call: EndpointCall, title: String, current: String, person: Visitor, scripts: [String]) -> Layout {
        let text = call.localizer
        var layout = Layout(
            title: "\(title) · \(person.brand.name)", localizer: text, styles: styles(person.brand),
            scripts: (Console.scripts + scripts).map(files.moduleURL), navigation: links(entries, call, current: current),
            who: who(call, current: current, person: person, opensByKey: true))
        layout.modules = scripts.flatMap(files.modules(neededBy:)).map(files.moduleURL)
        layout.icon = files.url(Console.icon)
        layout.brand = Console.brand(person.brand, leadingTo: home)
        layout.banner = banner(call, person: person)
        layout.tenant = call.address == nil ? call.principal.tenant : nil
        return layout
    }

    private func who(_ call: EndpointCall, current: String, person: Visitor, opensByKey: Bool) -> HTML {
        let out: HTML? =
            call.principal.impersonation == nil
            ? "<form method=\"post\" action=\"\(signOut)\"><button class=\"button small\">\(call.localizer("http.console.sign_out"))</button></form>"
            : nil
        return """
            \(palette(call, opensByKey: opensByKey))\(bell(call, current: current))\(name(person, call))
            \(out)
            """
    }

    /// A link to the person's tenants where they have several and the address does not say which.
    private func name(_ person: Visitor, _ call: EndpointCall) -> HTML {
        guard let choice = person.choice, call.address == nil else {
            return "<span class=\"person\" title=\"\(person.name)\">\(person.name)</span>"
        }
        return "<a class=\"person\" href=\"\(href: choice)\" title=\"\(call.localizer("http.console.tenants"))\">\(person.name)</a>"
    }

    /// What an operator in a tenant sees above every page of it.
    private func banner(_ call: EndpointCall, person: Visitor) -> HTML? {
        guard let impersonation = call.principal.impersonation else { return nil }
        let text = call.localizer
        let key = call.principal.role == .viewer ? "http.acting.reads" : "http.acting.changes"
        return """
            <aside class="acting" aria-label="\(text("http.acting.label"))"><p><strong>\(text("http.acting.label"))</strong> \(text(key, ["person": person.name])) \
            \(text("http.acting.until")) \(Console.time(impersonation.until, form: "hour")).</p>
            <form method="post" action="\(Console.impersonationEnd)"><button class="button small">\(text("http.acting.end"))</button></form></aside>

            """
    }

    /// A page for work that fills the window, under the console's bar.
    package func fullPage(
        _ call: EndpointCall, title: String, current: String, person: Visitor, styles: [String], scripts: [String], _ main: HTML
    ) -> Answer {
        var layout = layout(call, title: title, current: current, person: person, scripts: scripts)
        layout.styles += styles.map(files.url)
        layout.mainClass = "full"
        // The work has a search of its own at these keys.
        layout.who = who(call, current: current, person: person, opensByKey: false)
        return layout.page(main)
    }

    /// A page of the settings, beside their navigation.
    /// - Parameter crumb: stands above the title, leading back.
    package func settingsPage(
        _ call: EndpointCall, title: String, current: String, person: Visitor, crumb: HTML? = nil, status: Int = 200, _ main: HTML
    ) -> Answer {
        let text = call.localizer
        let links: [HTML] = links(settings, call, current: current).map(\.html)
        return page(
            call, title: title, current: Console.settingsAddress, person: person, status: status,
            """
            <div class="settings"><div class="sections"><p class="heading" id="settings">\(text("http.console.settings"))</p>
            <nav aria-labelledby="settings"><ul>\(links)</ul></nav></div>
            <div class="panel"><header><div>\(crumb)<h1>\(title)</h1></div></header>\(main)</div></div>
            """)
    }

    /// A page before the door: a card in the middle.
    package func door(_ call: EndpointCall, title: String, status: Int = 200, brand: Brand = .platform, _ card: HTML) -> Answer {
        door(call.localizer, title: title, status: status, brand: brand, card)
    }

    private func styles(_ brand: Brand) -> [String] { Console.styles.map(files.url) + [brand.style].compactMap { $0 } }

    /// A page for the visitors of a tenant: a card under its name, without scripts.
    package func visitors(_ text: Localizer, title: String, brand: Brand, status: Int = 200, _ card: HTML) -> Answer {
        var layout = Layout(
            title: "\(title) · \(brand.name)", localizer: text,
            styles: (Console.styles + ["styles/answers.css"]).map(files.url) + [brand.style].compactMap { $0 })
        layout.icon = files.url(Console.icon)
        layout.mainClass = "door visitors"
        let logo: HTML? = brand.logo.map { "<img class=\"logo\" src=\"\(href: $0)\" alt=\"\">" }
        return layout.page("<div class=\"card\"><p class=\"tenant\">\(logo)\(brand.name)</p>\(card)</div>", status: status)
    }

    /// A problem as a page in the console's dress.
    /// - Parameter ways: on from there; to the start where there are none.
    package func problem(_ problem: ErrorPage, ways: HTML? = nil) -> Answer {
        let text = problem.localizer
        let start: HTML = "<p><a class=\"button\" href=\"\(href: home)\">\(text("http.console.home"))</a></p>"
        return door(
            text, title: problem.title, status: problem.status,
            """
            <h1>\(problem.title)</h1><p>\(problem.detail)</p>
            \(ways ?? start)
            <p class="hint">\(text("http.console.request")) <code>\(problem.head.requestID)</code></p>
            """)
    }

    private func door(_ text: Localizer, title: String, status: Int, brand: Brand = .platform, _ card: HTML) -> Answer {
        var layout = Layout(
            title: "\(title) · \(brand.name)", localizer: text, styles: styles(brand), scripts: Console.scripts.map(files.moduleURL))
        layout.icon = files.url(Console.icon)
        layout.mainClass = "door"
        return layout.page("<div class=\"card\"><div class=\"brand\">\(brand.html)</div>\(card)</div>", status: status)
    }

    private func links(_ entries: [Entry], _ call: EndpointCall, current: String) -> [Layout.Link] {
        entries.filter { $0.permission.map(call.principal.may) ?? true }.map {
            Layout.Link(call.localizer($0.key), $0.href, isCurrent: $0.href == current)
        }
    }

    private func bell(_ call: EndpointCall, current: String) -> HTML? {
        guard let inbox, call.principal.tenant != nil, case .user = call.principal.actor, inbox.permission.map(call.principal.may) ?? true else {
            return nil
        }
        let label = call.localizer(inbox.key)
        let here: HTML? = current == inbox.href ? " aria-current=\"page\"" : nil
        return """
            <notification-bell data-source="/v1/notifications/unread" data-label="\(label)"><a class="bell" href="\(href: inbox.href)" aria-label="\(label)"\(here)>\
            <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round">\
            <path d="M10 3a4.5 4.5 0 0 0-4.5 4.5c0 4-1.5 5.5-1.5 5.5h12s-1.500-1.500-1.500-5.500A4.500 4.500 0 0 0 10 3Z"/><path d="M8.500 16a1.600 1.600 0 0 0 3 0" stroke-linecap="round"/></svg>\
            <span class="count" aria-hidden="true" hidden></span></a></notification-bell>
            """
    }

    /// A form that a script shows where the question is due; without scripts nobody is asked.
    private func question(_ call: EndpointCall) -> HTML? {
        guard let question, call.principal.tenant != nil, case .user = call.principal.actor, call.principal.impersonation == nil,
            question.permission.map(call.principal.may) ?? true
        else { return nil }
        let text = call.localizer
        let scores: [HTML] = (0...10).map { "<label><input type=\"radio\" name=\"score\" value=\"\($0)\" required><span>\($0)</span></label>" }
        return """
            <asked-question data-source="\(href: "\(question.href)/question")" data-target="\(href: "\(question.href)/answers")"><template>\
            <form class="card stack asked" aria-label="\(text(question.key))"><fieldset><legend>\(text("\(question.key).ask"))</legend>\
            <div class="scores">\(scores)</div><p class="ends" aria-hidden="true"><span>\(text("\(question.key).low"))</span><span>\(text("\(question.key).high"))</span></p></fieldset>\
            <label class="field">\(text("\(question.key).comment"))<textarea name="comment" rows="2" maxlength="2000"></textarea></label>\
            <p class="notice bad" role="alert" hidden>\(text("\(question.key).failed"))</p>\
            <p class="buttons"><button class="button primary">\(text("\(question.key).send"))</button>\
            <button class="button" type="button" data-later>\(text("\(question.key).later"))</button></p></form>\
            <p class="notice good asked" role="status" tabindex="-1">\(text("\(question.key).thanks"))</p></template></asked-question>
            """
    }

    static let mark: HTML = """
        <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true"><path d="M3 5.5h6.5a3 3 0 0 1 3 3v5a3 3 0 0 0 3 3H19" fill="none" \
        stroke="currentColor" stroke-width="2.2"/><circle cx="4" cy="5.5" r="3" fill="currentColor"/><circle cx="18" cy="16.5" r="3" fill="currentColor"/></svg>
        """
    static func brand(_ brand: Brand, leadingTo home: String) -> HTML { "<a class=\"brand\" href=\"\(href: home)\">\(brand.html)</a>" }
}
