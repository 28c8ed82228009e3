internal import HTTPSurface
internal import Kernel

/// The door of the platform's own pages, and the way back from a tenant.
struct OperatorDoorPages {
    let tenancy: Tenancy
    let console: Console

    private static let reason = Access.public("Nobody is signed in before the door.")

    var endpoints: [Endpoint] {
        [
            .page(.get, "/operator/sign-in", access: Self.reason, summary: "Sign in as an operator") { call in
                door(call, token: call.parameter(ofQuery: "token"), fault: nil)
            },
            // A form in between: whatever follows the link by itself must not use it up.
            .page(.post, "/operator/sign-in", access: Self.reason, summary: "Sign in as an operator") { call in
                do {
                    try tenancy.limitAttempts("operator", call.clientAddress)
                    let session = try await tenancy.openOperatorSession(token: try call.form()["token"])
                    call.addHeader("Set-Cookie", OperatorCookie.set(session, isSecure: tenancy.usesTLS))
                    return .redirect("/operator")
                } catch let refusal as Refusal {
                    return door(call, token: "", fault: refusal)
                }
            },
            .page(.post, "/operator/sign-out", access: .public("Signing out twice is no fault."), summary: "Sign out as an operator") { call in
                let token = call.head.cookie(OperatorCookie.fullName(isSecure: tenancy.usesTLS))
                if let token { try await tenancy.closeOperatorSession(token: token) }
                call.addHeader("Set-Cookie", OperatorCookie.clear(isSecure: tenancy.usesTLS))
                return .redirect("/operator/sign-in")
            },
            .page(.post, Console.impersonationEnd, access: .public("Ending twice is no fault."), summary: "Leave a tenant") { call in
                let token = call.head.cookie(ImpersonationCookie.fullName(isSecure: tenancy.usesTLS))
                let tenant: TenantID? = if let token { try await tenancy.endImpersonation(token: token) } else { nil }
                call.addHeader("Set-Cookie", ImpersonationCookie.clear(isSecure: tenancy.usesTLS))
                return .redirect(tenant.map { "\(TenantOperationPage.address)/\($0)?done=left" } ?? "/operator")
            },
            .page(
                .get, "/impersonation/over", access: .public("Whoever comes here is in no tenant any more."), summary: "The time in a tenant is over"
            ) {
                call in
                call.addHeader("Set-Cookie", ImpersonationCookie.clear(isSecure: tenancy.usesTLS))
                let text = call.localizer
                return console.door(
                    call, title: text("tenancy.acting.over"), status: 403,
                    """
                    <h1>\(text("tenancy.acting.over"))</h1><p>\(text("tenancy.acting.over.hint"))</p>
                    <p><a class="button primary" href="/operator">\(text("tenancy.operator.back"))</a></p>
                    """)
            }
        ]
    }

    private func door(_ call: EndpointCall, token: String, fault: Refusal?) -> Answer {
        let text = call.localizer
        let form: HTML =
            token.isEmpty
            ? "<p>\(text("tenancy.operator.link.hint"))</p><p><code>aias operator link you@example.com</code></p>"
            : """
            <form method="post" action="/operator/sign-in"><input type="hidden" name="token" value="\(token)">
            <button class="button primary" autofocus>\(text("tenancy.operator.enter"))</button></form><p class="hint">\(text("tenancy.operator.enter.hint"))</p>
            """
        return console.door(
            call, title: text("tenancy.operator.title"), status: fault?.kind.status ?? 200,
            "<h1>\(text("tenancy.operator.title"))</h1>\(Console.notice(fault?.message))\(form)")
    }
}
