package import HTTPSurface
package import Kernel
internal import Persistence

/// How an operator comes to the platform's own pages: by a link that the command prints on the host, and by nothing else.
extension Tenancy {
    /// Declared with no role: no member and no key of a tenant ever has one of them.
    static let operatorPermissions: [PermissionDeclaration] = [
        PermissionDeclaration("operator.tenants.read", "See all tenants of the platform.", roles: []),
        PermissionDeclaration("operator.tenants.write", "Suspend and resume tenants, change their plans.", roles: []),
        PermissionDeclaration("operator.services.write", "Offer consulting and courses of the platform itself.", roles: []),
        PermissionDeclaration("operator.impersonate", "Enter a tenant for a limited time.", roles: []),
        PermissionDeclaration("operator.health.read", "See the state of the platform.", roles: []),
        PermissionDeclaration("operator.figures.read", "See the figures of the business.", roles: []),
        PermissionDeclaration("operator.figures.write", "Enter what was spent, and targets.", roles: [])
    ]

    /// The path of a link for an operator, good once for a quarter of an hour.
    /// - Throws: `not_an_operator`
    package func makeOperatorLink(email: String) async throws -> String {
        let email = try EmailAddress(email)
        let link = makeLink(.operatorSignIn, email: email)
        return try await database.writeDirectory { tx in
            guard let user = try UserStore(tx: tx).user(email: email), user.isOperator else {
                throw Refusal.invalid(
                    "email", "not_an_operator", "\(email) does not run the platform; `aias operator add` makes a person an operator.")
            }
            try insert(link, user: user.id, in: tx)
            return link.path
        }
    }

    /// Takes the token of a printed link; in the platform's audit log.
    /// - Returns: the session's token, shown once.
    package func openOperatorSession(token: String) async throws -> String {
        try await database.writeDirectory { tx in
            let found = try OneTimeTokenStore(tx: tx).take(token, .operatorSignIn, now: tx.clock.now())
            guard let id = found?.user, let user = try UserStore(tx: tx).user(id), user.isOperator else { throw Self.staleLink }
            let session = Secrets.make(prefix: "")
            try OperatorSessionStore(tx: tx).insert(tokenHash: Secrets.hash(session), user: id, now: tx.clock.now())
            try tx.tenant(Self.platformLog).audit(Principal(actor: .platformOperator(id)), "operator.sign_in", "user:\(id)")
            return session
        }
    }

    package func closeOperatorSession(token: String) async throws {
        let hash = Secrets.hash(token)
        try await database.writeDirectory { tx in try OperatorSessionStore(tx: tx).remove(tokenHash: hash) }
    }

    /// The operator of a request to the platform's own pages, with every permission of operators; `.anonymous` for everybody else.
    package func operatorPrincipal(of request: AuthenticationRequest) async throws -> Principal {
        guard let token = request.head.cookie(OperatorCookie.fullName(isSecure: usesTLS)) else { return .anonymous }
        let (hash, now) = (Secrets.hash(token), clock.now())
        let user = try await database.readDirectory { tx in
            try OperatorSessionStore(tx: tx).user(tokenHash: hash, now: now).flatMap { try UserStore(tx: tx).user($0) }
        }
        guard let user, user.isOperator else { return .anonymous }
        return Principal(actor: .platformOperator(user.id), permissions: Set(Self.operatorPermissions.map(\.permission)))
    }
}
