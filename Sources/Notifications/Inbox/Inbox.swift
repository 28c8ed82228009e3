internal import Foundation
internal import HTTPSurface
package import Jobs
package import Kernel
package import Persistence
package import Tenancy

/// What members are told, in the console and by mail, and how they chose to be.
package struct Inbox: Sendable {
    let database: any Database
    let tenancy: Tenancy
    let vault: KeyVault
    let clock: Clock

    /// Mails of one cause to one person: at most one in so long; the list counts the rest.
    static let mailInterval: Duration = .seconds(3_600)
    /// The hour of the tenant's day at which digests go out.
    static let digestHour = 7
    static let digestEntries = 20
    static let retention: Duration = .seconds(90 * 86_400)

    package init(database: any Database, tenancy: Tenancy, vault: KeyVault, clock: Clock) {
        self.database = database
        self.tenancy = tenancy
        self.vault = vault
        self.clock = clock
    }

    // MARK: Reading

    /// The person whose list it is.
    /// - Throws: `person_required` for keys and programs, which have none.
    private func reader(_ principal: Principal) throws -> (TenantID, UserID) {
        let tenant = try principal.tenant(for: .notificationsRead)
        guard case .user(let user) = principal.actor else {
            throw Refusal(.forbidden, "person_required", "Notifications are a person's; sign in as one.")
        }
        return (tenant, user)
    }

    package func list(before cursor: NoticeID?, limit: Int, by principal: Principal) async throws -> [Notice] {
        let (tenant, user) = try reader(principal)
        return try await database.read(in: tenant) { tx in try NoticeStore(tx: tx).page(of: user, before: cursor, limit: limit) }
    }

    package func unread(by principal: Principal) async throws -> Int {
        let (tenant, user) = try reader(principal)
        return try await database.read(in: tenant) { tx in try NoticeStore(tx: tx).unread(of: user) }
    }

    /// - Returns: where the console shows what it tells of.
    @discardableResult
    package func read(_ id: NoticeID, by principal: Principal) async throws -> String {
        let (tenant, user) = try reader(principal)
        let path = try await database.write(in: tenant) { tx in try NoticeStore(tx: tx).read(id, of: user) }
        guard let path else { throw Refusal.missing("notification") }
        return path
    }

    package func readAll(by principal: Principal) async throws {
        let (tenant, user) = try reader(principal)
        try await database.write(in: tenant) { tx in try NoticeStore(tx: tx).readAll(of: user) }
    }

    /// The categories that the person can be told of, each with what holds for them.
    package func preferences(by principal: Principal) async throws -> [(category: NoticeCategory, preference: NoticePreference)] {
        let (tenant, user) = try reader(principal)
        let chosen = try await database.read(in: tenant) { tx in try NoticeStore(tx: tx).preferences(of: user) }
        return NoticeCategory.allCases.filter { principal.may($0.permission) }.map { category in
            (category, chosen[category] ?? .standard(category, principal.role ?? .viewer))
        }
    }

    package func setPreferences(_ preferences: [NoticeCategory: NoticePreference], by principal: Principal) async throws {
        let (tenant, user) = try reader(principal)
        try await database.write(in: tenant) { tx in
            for (category, preference) in preferences.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                try NoticeStore(tx: tx).set(preference, for: category, of: user)
            }
            try tx.audit(principal, "notification_preferences.update", "user:\(user)")
        }
    }

    // MARK: Telling

    package static let subscribers: [Subscriber] = NoticeDraft.events.map { Subscriber(event: $0, name: "inbox.\($0)") }

    package var subscriptions: [Subscription] {
        Self.subscribers.map { subscriber in Subscription(subscriber) { try await accept($0) } }
    }

    private struct Recipient: Sendable {
        var member: Member
        var preference: NoticePreference
        var mail: MailRequested?
    }

    /// Tells the members whom an event concerns; a repeat of it tells nobody twice.
    package func accept(_ event: Delivery) async throws {
        guard let tenant = event.tenant, let draft = NoticeDraft(event.name, event.payload),
            let place = try await tenancy.tenant(tenant)
        else { return }
        let topic = "\(draft.kind):\(draft.cause)"
        let now = clock.now()
        let product = try await tenancy.brand(of: tenant).name
        var recipients: [Recipient] = []
        let (chosen, mailed) = try await database.read(in: tenant) { tx in
            let store = NoticeStore(tx: tx)
            return (try store.preferences(for: draft.category), try store.lastMails(topic))
        }
        for member in try await tenancy.members(of: tenant)
        where tenancy.permissions.permissions(of: member.role).contains(draft.category.permission)
            && draft.only?.contains(member.user) ?? true
        {
            let preference = chosen[member.user] ?? .standard(draft.category, member.role)
            var recipient = Recipient(member: member, preference: preference)
            if preference.mail == .immediate, mailed[member.user].map({ now - $0 >= Self.mailInterval }) ?? true {
                let arguments = draft.arguments.merging(["tenant": place.name, "path": draft.path, "product": product]) { first, _ in first }
                recipient.mail = try await MailRequested(
                    sealing: MailRequest(template: draft.kind, to: member.email, arguments: arguments), in: vault)
            }
            if preference.isInApp || preference.mail != .off { recipients.append(recipient) }
        }
        let told = recipients
        try await database.write(in: tenant) { tx in
            let store = NoticeStore(tx: tx)
            for recipient in told {
                let user = recipient.member.user
                if recipient.preference.isInApp || recipient.preference.mail == .digest {
                    try store.tell(draft, to: user, event: event.key, isListed: recipient.preference.isInApp)
                }
                if let mail = recipient.mail, try store.claimMail(topic, to: user, notSince: tx.clock.now() - Self.mailInterval) {
                    try tx.directory.emit(mail)
                }
            }
        }
    }

    // MARK: Digests

    /// Sends the day's digests of all tenants where it is late enough in their day; called every hour or so.
    package func sendDigests() async throws { try await tenancy.forEachTenantHere { try await sendDigests(of: $0) } }

    func sendDigests(of tenant: TenantID) async throws {
        guard let place = try await tenancy.tenant(tenant), let morning = morning(in: place.timeZone) else { return }
        for member in try await tenancy.members(of: tenant) {
            // What happens from here on is for the next one.
            let looked = clock.now()
            let granted = tenancy.permissions.permissions(of: member.role)
            let (notices, isDue) = try await database.read(in: tenant) { tx -> ([Notice], Bool) in
                let store = NoticeStore(tx: tx)
                let chosen = try store.preferences(of: member.user)
                let wanted = NoticeCategory.allCases.filter { category in
                    granted.contains(category.permission) && (chosen[category] ?? .standard(category, member.role)).mail == .digest
                }
                let last = try store.lastMail("digest", to: member.user)
                guard !wanted.isEmpty, last.map({ $0 < morning }) ?? true else { return ([], false) }
                let since = last ?? morning - .seconds(86_400)
                let found = try store.since(since, of: member.user, in: wanted, limit: Self.digestEntries)
                return (found.filter { $0.count > $0.told }, true)
            }
            guard isDue else { continue }
            guard !notices.isEmpty else {
                // Nothing to tell this morning; what comes later in the day waits for the next.
                try await database.write(in: tenant) { tx in
                    _ = try NoticeStore(tx: tx).claimMail("digest", to: member.user, notSince: morning, at: looked)
                }
                continue
            }
            let lines: [String] = notices.map { notice in
                let facts = notice.arguments
                let name: String = facts["workflow"] ?? facts["limit"] ?? facts["host"] ?? facts["invoice"] ?? ""
                return "- \(name) × \(notice.count - notice.told)"
            }
            let arguments: [String: String] = [
                "tenant": place.name, "count": String(notices.reduce(0) { $0 + $1.count - $1.told }), "lines": lines.joined(separator: "\n"),
                "path": "/notifications", "product": try await tenancy.brand(of: tenant).name
            ]
            let mail = try await MailRequested(sealing: MailRequest(template: "digest", to: member.email, arguments: arguments), in: vault)
            try await database.write(in: tenant) { tx in
                let store = NoticeStore(tx: tx)
                guard try store.claimMail("digest", to: member.user, notSince: morning, at: looked) else { return }
                try tx.directory.emit(mail)
                try store.note(told: notices, of: member.user)
            }
        }
    }

    /// Today's hour of digests in a time zone; nil before it.
    private func morning(in zone: String) -> Timestamp? {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        let now = Date(timeIntervalSince1970: Double(clock.now().microseconds) / 1_000_000)
        let hour = calendar.date(bySettingHour: Self.digestHour, minute: 0, second: 0, of: now) ?? now
        let morning = Timestamp(seconds: Int64(hour.timeIntervalSince1970))
        return morning <= clock.now() ? morning : nil
    }

    /// Removes notices that are old, read or not.
    package func removeOld(of tenant: TenantID) async throws {
        try await database.write(in: tenant) { tx in try NoticeStore(tx: tx).remove(before: tx.clock.now() - Self.retention) }
    }
}

extension Principal {
    /// The tenant acted in.
    /// - Throws: without the permission, or outside a tenant.
    func tenant(for permission: Permission) throws -> TenantID {
        try require(permission)
        guard let tenant else {
            throw Refusal(.forbidden, "no_tenant", "This is done within a tenant; use a tenant's address or key.")
        }
        return tenant
    }
}
