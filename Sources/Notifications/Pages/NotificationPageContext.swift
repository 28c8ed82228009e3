package import HTTPSurface
package import Kernel

/// What the module's pages ask of the rest of the program.
package struct NotificationPageContext: Sendable {
    let console: Console
    /// How the bar names who is signed in.
    let person: @Sendable (Principal) async throws -> Visitor

    package init(console: Console, person: @escaping @Sendable (Principal) async throws -> Visitor) {
        self.console = console
        self.person = person
    }

    func settingsPage(
        _ call: EndpointCall, title: String, current: String, crumb: HTML? = nil, status: Int = 200, _ main: HTML
    ) async throws -> Answer {
        console.settingsPage(call, title: title, current: current, person: try await person(call.principal), crumb: crumb, status: status, main)
    }

    func page(_ call: EndpointCall, title: String, current: String, _ main: HTML) async throws -> Answer {
        console.page(call, title: title, current: current, person: try await person(call.principal), main)
    }

    /// What a form before this page has done, as the redirect's query tells; words that are not `known` show nothing.
    func done(_ call: EndpointCall, _ known: [String]) -> HTML? {
        let word = call.parameter(ofQuery: "done")
        return known.contains(word) ? Console.notice(call.localizer("notifications.done.\(word)"), isBad: false) : nil
    }
}

extension Console {
    /// A form of one button.
    static func press(_ action: String, _ label: String, kind: String = "small") -> HTML {
        "<form method=\"post\" action=\"\(href: action)\"><button class=\"button \(kind)\">\(label)</button></form>"
    }
}
