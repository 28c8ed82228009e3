internal import HTTPSurface
internal import Kernel

struct SignUpBody: Codable, Sendable, Described {
    var name: String
    var email: String
    var password: String
    var tenantName: String
    var subdomain: String

    static let notes: [FieldNote] = [
        FieldNote("name", "The person's name.", length: 1...80), FieldNote("email", "Proven by a mail.", example: "ana@example.com", length: 3...254),
        FieldNote("password", "10 to 256 bytes.", length: 10...256), FieldNote("tenantName", "The team's name.", length: 1...80),
        FieldNote("subdomain", "The tenant's address.", example: "acme", length: 3...40)
    ]
}

struct SignInBody: Codable, Sendable, Described {
    var email: String
    var password: String
    static let notes: [FieldNote] = [FieldNote("email", "", length: 1...254), FieldNote("password", "", length: 1...256)]
}

struct AccountView: Codable, Sendable {
    var id: UserID
    var email: String
    var name: String
    var emailVerified: Bool

    init(_ user: User) {
        id = user.id
        email = user.email.text
        name = user.name
        emailVerified = user.emailVerifiedAt != nil
    }
}

struct SignedUp: Codable, Sendable {
    var account: AccountView
    var tenant: TenantView
}

struct VerificationBody: Codable, Sendable, Described {
    var token: String
    var password: String?
    static let notes: [FieldNote] = [
        FieldNote("token", "From the link.", length: 1...200),
        FieldNote("password", "Of the account; not needed where the request has its session.", length: 1...256)
    ]
}

struct EmailBody: Codable, Sendable, Described {
    var email: String
    static let notes: [FieldNote] = [FieldNote("email", "The account's address.", length: 1...254)]
}

struct PasswordResetBody: Codable, Sendable, Described {
    var token: String
    var password: String
    static let notes: [FieldNote] = [FieldNote("token", "From the link.", length: 1...200), FieldNote("password", "The new one.", length: 10...256)]
}

struct AccountRoutes {
    let tenancy: Tenancy
    static let tag = "Accounts"
    static let stale = ErrorDeclaration(.gone, "link_expired", "The link was used or has expired.")

    var endpoints: [Endpoint] { entry + links }

    private var entry: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/sign-ups", access: .public("Somebody who signs up has no account yet."), summary: "Sign up with a new tenant",
                tag: Self.tag, body: SignUpBody.self, returns: .created(SignedUp.self),
                errors: [
                    ErrorDeclaration(.conflict, "email_taken", "There is an account for the address."),
                    ErrorDeclaration(.conflict, "subdomain_taken", "Another tenant has this subdomain.")
                ]
            ) { call, body in
                try tenancy.limitAttempts("sign-up", call.clientAddress)
                let new = NewTenant(name: body.tenantName, subdomain: body.subdomain, plan: .starter)
                let made = try await tenancy.signUp(
                    name: body.name, email: body.email, password: body.password, tenant: new, from: call.clientAddress)
                return SignedUp(account: AccountView(made.user), tenant: TenantView(made.tenant))
            },
            Endpoint(
                .post, "/v1/sessions", access: .public("Signing in is how one stops being anonymous."),
                summary: "Sign in; the answer sets the session's cookie", tag: Self.tag, body: SignInBody.self, returns: .created(AccountView.self),
                errors: [ErrorDeclaration(.unauthenticated, "bad_credentials", "The address or the password is wrong.")]
            ) { call, body in
                try tenancy.limitAttempts("sign-in", call.clientAddress)
                let signedIn = try await tenancy.signIn(email: body.email, password: body.password, from: call.clientAddress)
                try await tenancy.endSession(of: call.head)
                call.addHeader("Set-Cookie", SessionCookie.set(signedIn.token, isSecure: tenancy.usesTLS))
                return AccountView(signedIn.user)
            },
            Endpoint(
                .delete, "/v1/sessions/current", access: .public("Signing out twice is no fault."), summary: "Sign out", tag: Self.tag,
                returns: .noContent
            ) { call in
                try await tenancy.endSession(of: call.head)
                call.addHeader("Set-Cookie", SessionCookie.clear(isSecure: tenancy.usesTLS))
            }
        ]
    }

    private var links: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/email-verifications", access: .public("The token and the account's session or password are the proof."),
                summary: "Prove an address", tag: Self.tag, body: VerificationBody.self, returns: .noContent, errors: [Self.stale]
            ) { call, body in
                try tenancy.limitAttempts("link", call.clientAddress)
                let session = tenancy.session(of: call.head)
                try await tenancy.verifyEmail(token: body.token, session: session, password: body.password, from: call.clientAddress)
            },
            Endpoint(
                .post, "/v1/password-reset-requests", access: .public("Whoever forgot the password cannot sign in."),
                summary: "Ask for a link to choose a new password", tag: Self.tag, body: EmailBody.self, returns: .noContent
            ) { call, body in
                try tenancy.limitAttempts("reset", call.clientAddress)
                try await tenancy.requestPasswordReset(email: body.email)
            },
            Endpoint(
                .post, "/v1/password-resets", access: .public("The token is the proof."), summary: "Choose a new password", tag: Self.tag,
                body: PasswordResetBody.self, returns: .noContent, errors: [Self.stale]
            ) { call, body in
                try tenancy.limitAttempts("link", call.clientAddress)
                let session = tenancy.session(of: call.head)
                try await tenancy.resetPassword(token: body.token, password: body.password, session: session, from: call.clientAddress)
            }
        ]
    }
}

extension Tenancy {
    /// Attempts a second from one network at what costs a password hash or a mail.
    static let attemptsPerSecond = 5

    /// - Throws: `rate_limited`
    func limitAttempts(_ what: String, _ address: String?) throws {
        let place = address.map { ClientNetwork.name(of: $0) } ?? "unknown"
        guard let decision = rates.take("\(what):\(place)", perSecond: Self.attemptsPerSecond), !decision.isAllowed else { return }
        throw Refusal(.rateLimited, "rate_limited", "Too many attempts from here; try again in a moment.", retryAfter: decision.retryAfter)
    }

    /// What one customer of a provider may have: the 2^16 networks of IPv6 that many hand out to whoever asks take their turns as one.
    static func block(of address: String?) -> String { address.map { ClientNetwork.name(of: $0, groups: 3) } ?? "unknown" }
}
