internal import HTTPSurface
internal import Kernel
internal import Tenancy

/// Where those who offer services have their pages: a tenant in its settings, the operator in the console of the platform.
struct ServiceDesk: Sendable {
    let context: BillingPageContext
    let isPlatform: Bool
    let consulting: String
    let courses: String
    let read: Access
    let write: Access

    static func tenant(_ context: BillingPageContext) -> ServiceDesk {
        ServiceDesk(
            context: context, isPlatform: false, consulting: "/settings/consulting", courses: "/settings/courses", read: .tenant(.servicesRead),
            write: .tenant(.servicesWrite))
    }

    static func platform(_ context: BillingPageContext) -> ServiceDesk {
        ServiceDesk(
            context: context, isPlatform: true, consulting: "/operator/consulting", courses: "/operator/courses",
            read: .platform(.operatorServices), write: .platform(.operatorServices))
    }

    /// Who sells here.
    func side(_ call: EndpointCall) -> TenantID { isPlatform ? Tenancy.platformLog : call.tenant }

    func mayWrite(_ call: EndpointCall) -> Bool { call.principal.may(isPlatform ? .operatorServices : .servicesWrite) }

    func page(
        _ call: EndpointCall, title: String, current: String, crumb: HTML? = nil, status: Int = 200, _ main: HTML
    ) async throws -> Answer {
        guard isPlatform else {
            return try await context.page(call, title: title, current: current, crumb: crumb, status: status, main)
        }
        return context.operators.page(
            call, title: title, current: current, person: try await context.person(call.principal), status: status,
            "<header><div>\(crumb)<h1>\(title)</h1></div></header>\(main)")
    }

    func back(_ text: Localizer, to address: String, _ key: String) -> HTML {
        "<p class=\"crumb\"><a href=\"\(href: address)\">\(text(key))</a></p>"
    }
}
