internal import Kernel
internal import Persistence

/// Sign-up, sign-in, and the links that mails carry. Of these only signing up changes a tenant and stands in its audit log; sessions,
/// proven addresses and passwords are a person's own, who may belong to many tenants or none.
extension Tenancy {
    /// Wrong passwords in a row after which a person is locked out, and for how long.
    static let attemptsMaximum = 10
    static let lockOut: Duration = .seconds(15 * 60)

    /// Makes a person and their tenant on the starter plan, and asks for a mail that proves the address.
    /// - Parameter address: of the client; where there are many at once, networks take turns at what costs a password hash. The same below.
    package func signUp(
        name: String, email: String, password: String, tenant new: NewTenant, from address: String? = nil
    ) async throws -> (user: User, tenant: Tenant) {
        let email = try EmailAddress(email)
        let subdomain = try Subdomain(new.subdomain)
        let tenantName = try Self.checkedName(new.name)
        let name = try Self.checkedName(name)
        let hash = try await Passwords.hash(password, from: Self.block(of: address))
        let mailed = try await mail(makeLink(.verifyEmail, email: email))
        return try await database.writeDirectory { tx in
            guard try UserStore(tx: tx).user(email: email) == nil else {
                throw Refusal(.conflict, "email_taken", "There is an account for this address; sign in instead.", field: "email")
            }
            let user = User(
                id: tx.ids.next(), email: email, name: name, passwordHash: hash, emailVerifiedAt: nil, failedAttempts: 0, lockedUntil: nil,
                isOperator: false, createdAt: tx.clock.now())
            try UserStore(tx: tx).insert(user)
            let principal = Principal(actor: .user(user.id))
            let tenant = try Self.insertTenant(new, name: tenantName, subdomain: subdomain, owner: user.id, by: principal, in: tx)
            try send(mailed, user: user.id, in: tx)
            return (user, tenant)
        }
    }

    /// - Throws: `bad_credentials`, the same for an unknown address and a wrong password; `locked_out`.
    package func signIn(email: String, password: String, from address: String? = nil) async throws -> SignedIn {
        let wrong = Refusal(.unauthenticated, "bad_credentials", "The address or the password is wrong.")
        guard let email = try? EmailAddress(email) else { throw wrong }
        let found = try await database.readDirectory { tx in try UserStore(tx: tx).user(email: email) }
        if let wait = found?.lock(at: clock.now()) {
            throw Refusal(.rateLimited, "locked_out", "Too many wrong passwords; try again later or reset the password.", retryAfter: wait)
        }
        let isRight = try await Passwords.matches(password, encoded: found?.passwordHash, from: Self.block(of: address))
        guard let found, let signedIn = try await enter(found, isRight: isRight) else { throw wrong }
        return signedIn
    }

    /// Opens a session for a right password, and counts a wrong one.
    /// - Parameter shown: the account whose password was compared. Where it has another one meanwhile, or is locked, what was compared is worth nothing.
    func enter(_ shown: User, isRight: Bool) async throws -> SignedIn? {
        try await database.writeDirectory { tx -> SignedIn? in
            guard var user = try UserStore(tx: tx).user(shown.id), user.passwordHash == shown.passwordHash else { return nil }
            // Of many attempts at once no more than ten are compared for a result.
            if user.lock(at: tx.clock.now()) != nil { return nil }
            guard isRight else {
                user.failedAttempts += 1
                if user.failedAttempts >= Self.attemptsMaximum {
                    user.failedAttempts = 0
                    user.lockedUntil = tx.clock.now() + Self.lockOut
                }
                try UserStore(tx: tx).update(user)
                return nil
            }
            user.failedAttempts = 0
            user.lockedUntil = nil
            try UserStore(tx: tx).update(user)
            return try Self.openSession(for: user, in: tx)
        }
    }

    /// Takes the token of a printed or mailed sign-in link.
    /// - Parameter session: of the browser that follows the link, where it is signed in. The same below.
    package func signIn(token: String, session: String? = nil) async throws -> SignedIn {
        let own = try await ownAccount(token, .signIn, session: session)
        return try await database.writeDirectory { tx in
            let found = try OneTimeTokenStore(tx: tx).take(token, .signIn, now: tx.clock.now())
            guard let id = found?.user, var user = try UserStore(tx: tx).user(id) else { throw Self.staleLink }
            try prove(&user, own: own, in: tx)
            try UserStore(tx: tx).update(user)
            return try Self.openSession(for: user, in: tx)
        }
    }

    package func signOut(token: String) async throws {
        let hash = Secrets.hash(token)
        try await database.writeDirectory { tx in try SessionStore(tx: tx).remove(tokenHash: hash) }
    }

    /// A link for an operator to hand to a person: the path within the console, good once for a quarter of an hour.
    package func makeSignInLink(email: String) async throws -> String {
        let email = try EmailAddress(email)
        let link = makeLink(.signIn, email: email)
        return try await database.writeDirectory { tx in
            guard let user = try UserStore(tx: tx).user(email: email) else { throw Refusal.missing("person") }
            try insert(link, user: user.id, in: tx)
            return link.path
        }
    }

    /// Proves an address. The mail alone is not enough: whoever reads it must also be who made the account, by its session or its password, or a
    /// stranger who signed up with somebody's address would have it proven by them.
    /// - Throws: `link_expired`; `password_needed` where neither shows whose account it is.
    package func verifyEmail(token: String, session: String?, password: String?, from address: String? = nil) async throws {
        let now = clock.now()
        let (account, visitor) = try await database.readDirectory { tx in
            let id = try OneTimeTokenStore(tx: tx).find(token, .verifyEmail, now: now)?.user
            let visitor = try session.flatMap { try SessionStore(tx: tx).user(tokenHash: Secrets.hash($0), now: now) }
            return (try id.flatMap { try UserStore(tx: tx).user($0) }, visitor)
        }
        guard let account else { throw Self.staleLink }
        if visitor != account.id {
            let place = Self.block(of: address)
            guard let password, try await Passwords.matches(password, encoded: account.passwordHash, from: place) else { throw Self.passwordNeeded }
        }
        try await database.writeDirectory { tx in
            let found = try OneTimeTokenStore(tx: tx).take(token, .verifyEmail, now: tx.clock.now())
            guard let id = found?.user, var user = try UserStore(tx: tx).user(id) else { throw Self.staleLink }
            // Where the account was taken over meanwhile, what was shown of it is worth nothing.
            guard user.passwordHash == account.passwordHash else { throw Self.passwordNeeded }
            user.emailVerifiedAt = tx.clock.now()
            try UserStore(tx: tx).update(user)
        }
    }

    /// Whether a link that proves an address was sent for the account of a session.
    func isOwn(_ token: String, session: String?) async throws -> Bool {
        guard let session else { return false }
        let now = clock.now()
        return try await database.readDirectory { tx in
            guard let visitor = try SessionStore(tx: tx).user(tokenHash: Secrets.hash(session), now: now) else { return false }
            return try OneTimeTokenStore(tx: tx).find(token, .verifyEmail, now: now)?.user == visitor
        }
    }

    static let passwordNeeded = Refusal.invalid("password", "password_needed", "Give the password of the account whose address this proves.")

    /// Answers alike whether the address is known or not.
    package func requestPasswordReset(email: String) async throws {
        let email = try EmailAddress(email)
        let mailed = try await mail(makeLink(.resetPassword, email: email))
        try await database.writeDirectory { tx in
            guard let user = try UserStore(tx: tx).user(email: email) else { return }
            // Whoever has that many links at hand needs no other one.
            let open = try OneTimeTokenStore(tx: tx).count(.resetPassword, of: email, now: tx.clock.now())
            guard open < Self.openResetsMaximum else { return }
            try send(mailed, user: user.id, in: tx)
        }
    }

    /// Links to choose a new password that one address gets within the hour for which each works.
    static let openResetsMaximum = 5

    /// Refuses a link before a password is hashed for it.
    func requireLink(_ token: String, _ purpose: OneTimeToken.Purpose) async throws {
        let now = clock.now()
        let found = try await database.readDirectory { tx in try OneTimeTokenStore(tx: tx).find(token, purpose, now: now) }
        guard found != nil else { throw Self.staleLink }
    }

    /// Sets a new password, and ends every session of the person, an operator's too, and every other link that would open one or choose another
    /// password.
    package func resetPassword(token: String, password: String, session: String? = nil, from address: String? = nil) async throws {
        try await requireLink(token, .resetPassword)
        let own = try await ownAccount(token, .resetPassword, session: session)
        let hash = try await Passwords.hash(password, from: Self.block(of: address))
        try await database.writeDirectory { tx in
            let found = try OneTimeTokenStore(tx: tx).take(token, .resetPassword, now: tx.clock.now())
            guard let id = found?.user, var user = try UserStore(tx: tx).user(id) else { throw Self.staleLink }
            if !Self.isUnchanged(own, user) { try doubtTenants(of: user, in: tx) }
            user.passwordHash = hash
            user.emailVerifiedAt = user.emailVerifiedAt ?? tx.clock.now()
            user.failedAttempts = 0
            user.lockedUntil = nil
            try UserStore(tx: tx).update(user)
            try SessionStore(tx: tx).removeAll(of: user.id)
            try OperatorSessionStore(tx: tx).removeAll(of: user.id)
            try ImpersonationStore(tx: tx).endAll(of: user.id, at: tx.clock.now())
            try OneTimeTokenStore(tx: tx).removeEntries(to: user.email)
        }
    }

    static let staleLink = Refusal(.gone, "link_expired", "This link was used or has expired; ask for a new one.")

    static func openSession(for user: User, in tx: DirectoryTransaction) throws -> SignedIn {
        let token = Secrets.make(prefix: "")
        let expiry = try SessionStore(tx: tx).insert(tokenHash: Secrets.hash(token), user: user.id, now: tx.clock.now())
        return SignedIn(user: user, token: token, expiresAt: expiry)
    }
}

/// A one-time link before it is stored.
struct Link {
    var purpose: OneTimeToken.Purpose
    var email: EmailAddress
    var secret: String
    /// Within the console.
    var path: String
}

/// A link with the sealed mail that carries it.
struct MailedLink {
    var link: Link
    var event: MailRequested
}

extension Tenancy {
    func makeLink(_ purpose: OneTimeToken.Purpose, email: EmailAddress) -> Link {
        let secret = Secrets.make(prefix: "")
        let page =
            switch purpose {
            case .signIn: "sign-in"
            case .operatorSignIn: "operator/sign-in"
            case .verifyEmail: "verify-email"
            case .resetPassword: "reset-password"
            case .invitation: "invitation"
            }
        return Link(purpose: purpose, email: email, secret: secret, path: "/\(page)?token=\(secret)")
    }

    func insert(_ link: Link, user: UserID?, tenant: TenantID? = nil, role: Role? = nil, in tx: DirectoryTransaction) throws {
        try OneTimeTokenStore(tx: tx).insert(
            OneTimeToken(
                hash: Secrets.hash(link.secret), purpose: link.purpose, email: link.email, user: user, tenant: tenant, role: role,
                expiresAt: tx.clock.now() + link.purpose.lifetime))
    }

    /// Seals the mail that carries the link; before the transaction, since that must not wait for the vault.
    func mail(_ link: Link, arguments: [String: String] = [:]) async throws -> MailedLink {
        let values = arguments.merging(["path": link.path]) { given, _ in given }
        let request = MailRequest(template: link.purpose.rawValue, to: link.email.text, arguments: values)
        return MailedLink(link: link, event: try await MailRequested(sealing: request, in: vault))
    }

    /// Stores the link and asks for its mail in the same transaction.
    func send(_ mailed: MailedLink, user: UserID?, tenant: TenantID? = nil, role: Role? = nil, in tx: DirectoryTransaction) throws {
        try insert(mailed.link, user: user, tenant: tenant, role: role, in: tx)
        try tx.emit(mailed.event)
    }
}
