internal import HTTPSurface
internal import Kernel

/// The pages before the door: signing in and up, and where mailed links lead.
struct AccountPages {
    let tenancy: Tenancy
    let console: Console

    var endpoints: [Endpoint] { signIn + signUp + forgotten + links }

    private static let reason = Access.public("Nobody is signed in before the door.")

    private var signIn: [Endpoint] {
        [
            .page(.get, "/sign-in", access: Self.reason, summary: "Sign in") { call in
                if let token = call.queryPairs.first(where: { $0.name == "token" })?.value { return await linkForm(call, token) }
                return await signInForm(call, email: "", fault: nil, status: 200)
            },
            .page(.post, "/sign-in", access: Self.reason, summary: "Sign in") { call in
                let form = try call.form()
                do {
                    try tenancy.limitAttempts("sign-in", call.clientAddress)
                    let password = form.verbatim("password")
                    return try await enter(call, tenancy.signIn(email: form["email"], password: password, from: call.clientAddress))
                } catch let refusal as Refusal {
                    return await signInForm(call, email: form["email"], fault: refusal.message, status: 401)
                }
            },
            // A form in between: a mail scanner that follows the link must not use it up.
            .page(.post, "/sign-in-link", access: Self.reason, summary: "Sign in by link") { call in
                do {
                    return try await enter(call, tenancy.signIn(token: call.form()["token"], session: tenancy.session(of: call.head)))
                } catch let refusal as Refusal {
                    return await signInForm(call, email: "", fault: refusal.message, status: 410)
                }
            },
            .page(.post, "/sign-out", access: .public("Signing out twice is no fault."), summary: "Sign out") { call in
                try await tenancy.endSession(of: call.head)
                call.addHeader("Set-Cookie", SessionCookie.clear(isSecure: tenancy.usesTLS))
                return .redirect("/sign-in")
            }
        ]
    }

    /// Leads to the tenant that was joined, or to the first of those that the person belongs to.
    private func enter(_ call: EndpointCall, _ signedIn: SignedIn) async throws -> Answer {
        try await tenancy.endSession(of: call.head)
        call.addHeader("Set-Cookie", SessionCookie.set(signedIn.token, isSecure: tenancy.usesTLS))
        var joined: Tenant?
        if let id = signedIn.joined {
            joined = try await tenancy.tenant(id)
            call.addHeader("Set-Cookie", TenantCookie.set(id, isSecure: tenancy.usesTLS))
        }
        return .redirect(joined.map { "/t/\($0.subdomain)/" } ?? "/")
    }

    private func signInForm(_ call: EndpointCall, email: String, fault: String?, status: Int) async -> Answer {
        let text = call.localizer
        let form: HTML = """
            <h1>\(text("tenancy.sign_in.title"))</h1>\(Console.notice(fault))
            <form method="post" action="sign-in">
            \(Console.field("email", label: text("tenancy.field.email"), type: "email", value: email, autocomplete: "username"))
            \(Console.field("password", label: text("tenancy.field.password"), type: "password", autocomplete: "current-password"))
            <button class="button primary">\(text("tenancy.sign_in.submit"))</button>
            </form>
            <p class="aside"><span>\(text("tenancy.sign_in.no_account")) <a href="/sign-up">\(text("tenancy.sign_up.title"))</a></span>
            <a href="forgotten-password">\(text("tenancy.forgotten.link"))</a></p>
            """
        return console.door(call, title: text("tenancy.sign_in.title"), status: status, brand: await tenancy.brand(at: call), form)
    }

    private func linkForm(_ call: EndpointCall, _ token: String) async -> Answer {
        let text = call.localizer
        let form: HTML = """
            <h1>\(text("tenancy.sign_in.title"))</h1>
            <form method="post" action="sign-in-link"><input type="hidden" name="token" value="\(token)">
            <button class="button primary" autofocus>\(text("tenancy.sign_in.by_link"))</button></form>
            """
        return console.door(call, title: text("tenancy.sign_in.title"), brand: await tenancy.brand(at: call), form)
    }

    private var signUp: [Endpoint] {
        [
            .page(.get, "/sign-up", access: Self.reason, summary: "Sign up") { call in signUpForm(call, .empty, refusal: nil) },
            .page(.post, "/sign-up", access: Self.reason, summary: "Sign up") { call in
                let form = try call.form()
                do {
                    try tenancy.limitAttempts("sign-up", call.clientAddress)
                    let new = NewTenant(name: form["tenant_name"], subdomain: form["subdomain"], plan: .starter)
                    let password = form.verbatim("password")
                    let (email, address) = (form["email"], call.clientAddress)
                    _ = try await tenancy.signUp(name: form["name"], email: email, password: password, tenant: new, from: address)
                    return try await enter(call, tenancy.signIn(email: email, password: password, from: address))
                } catch let refusal as Refusal {
                    return signUpForm(call, form, refusal: refusal)
                }
            }
        ]
    }

    private func signUpForm(_ call: EndpointCall, _ form: FormFields, refusal: Refusal?) -> Answer {
        let text = call.localizer
        func field(_ name: String, _ type: String = "text", _ autocomplete: String = "off", hint: String? = nil) -> HTML {
            Console.field(
                name, label: text("tenancy.field.\(name)"), type: type, value: type == "password" ? "" : form[name], autocomplete: autocomplete,
                hint: hint.map { text($0) }, fault: refusal?.message(for: name))
        }
        let general = refusal.flatMap { $0.faults.isEmpty ? $0.message : nil }
        let card: HTML = """
            <h1>\(text("tenancy.sign_up.title"))</h1>\(Console.notice(general))
            <form method="post" action="/sign-up">
            \(field("name", "text", "name"))\(field("email", "email", "username"))
            \(field("password", "password", "new-password", hint: "tenancy.field.password.hint"))
            \(field("tenant_name", "text", "organization"))\(field("subdomain", hint: "tenancy.field.subdomain.hint"))
            <button class="button primary">\(text("tenancy.sign_up.submit"))</button>
            </form>
            <p>\(text("tenancy.sign_up.has_account")) <a href="/sign-in">\(text("tenancy.sign_in.title"))</a></p>
            """
        return console.door(call, title: text("tenancy.sign_up.title"), status: refusal == nil ? 200 : 422, card)
    }

    private var forgotten: [Endpoint] {
        [
            .page(.get, "/forgotten-password", access: Self.reason, summary: "Ask for a new password") { call in await forgottenForm(call, "", nil) },
            .page(.post, "/forgotten-password", access: Self.reason, summary: "Ask for a new password") { call in
                let email = try call.form()["email"]
                do {
                    try tenancy.limitAttempts("reset", call.clientAddress)
                    try await tenancy.requestPasswordReset(email: email)
                } catch let refusal as Refusal {
                    return await forgottenForm(call, email, refusal)
                }
                let text = call.localizer
                return console.door(
                    call, title: text("tenancy.forgotten.title"),
                    """
                    <h1>\(text("tenancy.forgotten.title"))</h1>\(Console.notice(text("tenancy.forgotten.sent", ["email": email]), isBad: false))
                    <p><a href="/sign-in">\(text("tenancy.sign_in.title"))</a></p>
                    """)
            }
        ]
    }

    private func forgottenForm(_ call: EndpointCall, _ email: String, _ refusal: Refusal?) async -> Answer {
        let text = call.localizer
        let fault = refusal?.message(for: "email")
        let form: HTML = """
            <h1>\(text("tenancy.forgotten.title"))</h1>\(Console.notice(refusal?.message(besides: ["email"])))
            <form method="post" action="forgotten-password">
            \(Console.field("email", label: text("tenancy.field.email"), type: "email", value: email, autocomplete: "username",
                hint: text("tenancy.forgotten.hint"), fault: fault))
            <button class="button primary">\(text("tenancy.forgotten.submit"))</button>
            </form>
            <p><a href="/sign-in">\(text("tenancy.sign_in.title"))</a></p>
            """
        return console.door(
            call, title: text("tenancy.forgotten.title"), status: refusal?.kind.status ?? 200, brand: await tenancy.brand(at: call), form)
    }

    private var links: [Endpoint] {
        [
            link("/verify-email", key: "verify_email") { use in
                try await tenancy.verifyEmail(token: use.token, session: use.session, password: use.password, from: use.address)
                return nil
            },
            link("/reset-password", key: "reset_password") { use in
                try await tenancy.resetPassword(token: use.token, password: use.password ?? "", session: use.session, from: use.address)
                return nil
            },
            link("/invitation", key: "invitation") { use in
                try await tenancy.acceptInvitation(
                    token: use.token, name: use.name, password: use.password, session: use.session, from: use.address)
            }
        ].flatMap { $0 }
    }

    /// What a page behind a mailed link was sent with.
    private struct LinkUse: Sendable {
        var token: String
        var session: String?
        var name: String?
        var password: String?
        var address: String?
    }

    /// The page a mailed link opens, with one button that uses it.
    private func link(_ path: String, key: String, use: @escaping @Sendable (LinkUse) async throws -> SignedIn?) -> [Endpoint] {
        @Sendable func page(_ call: EndpointCall, token: String, fault: String?) async throws -> Answer {
            let text = call.localizer
            let isInvitation = key == "invitation"
            let name: HTML? = isInvitation ? Console.field("name", label: text("tenancy.field.name"), autocomplete: "name", isRequired: false) : nil
            let password: HTML?
            if key == "verify_email" {
                let isKnown = try await tenancy.isOwn(token, session: tenancy.session(of: call.head))
                password =
                    isKnown
                    ? nil
                    : Console.field(
                        "password", label: text("tenancy.field.password"), type: "password", autocomplete: "current-password",
                        hint: text("tenancy.verify_email.hint"))
            } else {
                password = Console.field(
                    "password", label: text("tenancy.field.password"), type: "password", autocomplete: "new-password",
                    hint: text(isInvitation ? "tenancy.invitation.hint" : "tenancy.field.password.hint"), isRequired: !isInvitation)
            }
            let card: HTML = """
                <h1>\(text("tenancy.\(key).title"))</h1>\(Console.notice(fault))
                <form method="post" action="\(path)"><input type="hidden" name="token" value="\(token)">\(name)\(password)
                <button class="button primary">\(text("tenancy.\(key).submit"))</button></form>
                """
            return console.door(call, title: text("tenancy.\(key).title"), status: fault == nil ? 200 : 422, card)
        }
        return [
            .page(.get, path, access: Self.reason, summary: "Use a mailed link") { call in
                try await page(call, token: call.queryPairs.first { $0.name == "token" }?.value ?? "", fault: nil)
            },
            .page(.post, path, access: Self.reason, summary: "Use a mailed link") { call in
                let form = try call.form()
                do {
                    try tenancy.limitAttempts("link", call.clientAddress)
                    func filled(_ text: String) -> String? { text.isEmpty ? nil : text }
                    let sent = LinkUse(
                        token: form["token"], session: tenancy.session(of: call.head), name: filled(form["name"]),
                        password: filled(form.verbatim("password")), address: call.clientAddress)
                    if let signedIn = try await use(sent) { return try await enter(call, signedIn) }
                    return .redirect(key == "verify_email" && sent.session != nil ? "/" : "/sign-in")
                } catch let refusal as Refusal {
                    return try await page(call, token: form["token"], fault: refusal.message)
                }
            }
        ]
    }
}
