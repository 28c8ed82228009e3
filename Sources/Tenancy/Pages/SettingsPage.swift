internal import HTTPSurface
internal import Kernel

/// What the module's pages of the settings have in common.
protocol SettingsPage: Sendable {
    var tenancy: Tenancy { get }
    var console: Console { get }
    static var address: String { get }
    static var titleKey: String { get }
}

extension SettingsPage {
    func page(_ call: EndpointCall, status: Int = 200, _ main: HTML) async throws -> Answer {
        console.settingsPage(
            call, title: call.localizer(Self.titleKey), current: Self.address, person: try await tenancy.visitor(call.principal),
            status: status, main)
    }

    /// What a form before this page has done, as the redirect's query tells; words that are not `known` show nothing.
    func done(_ call: EndpointCall, _ known: [String]) -> HTML? {
        let word = call.parameter(ofQuery: "done")
        return known.contains(word) ? Console.notice(call.localizer("tenancy.done.\(word)"), isBad: false) : nil
    }

    func role(_ role: Role, _ text: Localizer) -> String { text("tenancy.role.\(role.rawValue)") }
}
