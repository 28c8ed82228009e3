package import HTTPSurface
package import Kernel
package import Tenancy

/// What the module's pages ask of the rest of the program.
package struct PageContext: Sendable {
    package typealias Names = @Sendable (_ actors: Set<String>, TenantID) async throws -> [String: String]

    let console: Console
    /// How the bar names who is signed in.
    let person: @Sendable (Principal) async throws -> Visitor
    /// What people call those whom versions and the audit log name `user:<id>`.
    let names: Names
    /// The address below which a tenant's webhooks are, without a slash at its end.
    let hooks: @Sendable (TenantID) async throws -> String
    /// The same for its forms.
    let forms: @Sendable (TenantID) async throws -> String
    /// What a tenant has used of its plan.
    let usage: @Sendable (TenantID) async throws -> [QuotaUse]

    package init(
        console: Console, person: @escaping @Sendable (Principal) async throws -> Visitor, names: @escaping Names,
        hooks: @escaping @Sendable (TenantID) async throws -> String, forms: @escaping @Sendable (TenantID) async throws -> String,
        usage: @escaping @Sendable (TenantID) async throws -> [QuotaUse] = { _ in [] }
    ) {
        self.console = console
        self.person = person
        self.names = names
        self.hooks = hooks
        self.forms = forms
        self.usage = usage
    }

    func page(
        _ call: EndpointCall, title: String, current: String, scripts: [String] = [], status: Int = 200, _ main: HTML
    ) async throws -> Answer {
        console.page(call, title: title, current: current, person: try await person(call.principal), scripts: scripts, status: status, main)
    }

    func fullPage(
        _ call: EndpointCall, title: String, current: String, styles: [String], scripts: [String], _ main: HTML
    ) async throws -> Answer {
        console.fullPage(call, title: title, current: current, person: try await person(call.principal), styles: styles, scripts: scripts, main)
    }

    func settingsPage(
        _ call: EndpointCall, title: String, current: String, crumb: HTML? = nil, status: Int = 200, _ main: HTML
    ) async throws -> Answer {
        console.settingsPage(call, title: title, current: current, person: try await person(call.principal), crumb: crumb, status: status, main)
    }
}

extension Console {
    /// What a form before this page has done, as the redirect's query tells; words that are not `known` show nothing.
    static func workflowDone(_ call: EndpointCall, _ known: [String]) -> HTML? {
        let word = call.parameter(ofQuery: "done")
        return known.contains(word) ? notice(call.localizer("workflows.done.\(word)"), isBad: false) : nil
    }

    static func badge(_ text: Localizer, _ status: String) -> HTML {
        "<span class=\"status \(status)\">\(text("workflows.run.\(status)"))</span>"
    }

    static func badge(_ text: Localizer, _ workflow: Workflow) -> HTML {
        if workflow.status == .archived { return "<span class=\"status paused\">\(text("workflows.state.archived"))</span>" }
        return workflow.publishedVersion == nil
            ? "<span class=\"status\">\(text("workflows.status.draft"))</span>"
            : "<span class=\"status published\">\(text("workflows.status.published"))</span>"
    }

    /// A form of one button.
    static func button(_ action: String, _ label: String, kind: String = "small") -> HTML {
        "<form method=\"post\" action=\"\(href: action)\"><button class=\"button \(kind)\">\(label)</button></form>"
    }
}
