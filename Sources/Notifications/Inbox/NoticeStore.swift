internal import Kernel
internal import Persistence
internal import Tenancy

/// Notices, what members chose, and which mails they got.
struct NoticeStore {
    let tx: TenantTransaction

    static let notices = Table(
        "notices", .tenant, primaryKey: ["user_id", "id"],
        columns: [
            Column("user_id", .uuid), Column("id", .uuid), Column("category", .text), Column("kind", .text), Column("cause", .text),
            Column("arguments", .text), Column("path", .text), Column("count", .integer), Column("at", .timestamp), Column("event", .text),
            Column("is_listed", .boolean), Column("read_at", .timestamp, optional: true)
        ],
        indexes: [
            Index("notices_unread", on: ["tenant_id", "user_id", "cause"], where: .isNull("read_at")), Index("notices_age", on: ["tenant_id", "at"])
        ],
        checks: [.atLeast(column: "count", 1)])

    static let preferences = Table(
        "notice_preferences", .tenant, primaryKey: ["user_id", "category"],
        columns: [Column("user_id", .uuid), Column("category", .text), Column("is_in_app", .boolean), Column("mail", .text)])

    static let mails = Table(
        "notice_mails", .tenant, primaryKey: ["user_id", "topic"],
        columns: [Column("user_id", .uuid), Column("topic", .text), Column("sent_at", .timestamp)])

    /// Counts on the unread notice of the same cause, or makes one; a repeat of the same event changes nothing.
    /// - Parameter isListed: false for those that only a digest tells of.
    func tell(_ draft: NoticeDraft, to user: UserID, event: String, isListed: Bool) throws {
        let now = tx.clock.now()
        let known = try tx.first(
            """
            SELECT id, event, arguments FROM notices
            WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND cause = \(draft.cause) AND read_at IS NULL LIMIT 1
            """
        ) { (try $0.column(0, as: NoticeID.self), try $0.column(1, as: String.self), try $0.column(2, as: String.self)) }
        // It came again after they had read of it.
        if known == nil, try wasRead(event, draft.cause, by: user) { return }
        let arguments = Self.text(draft.arguments, told: try known.map { try Self.arguments($0.2).told } ?? 0)
        if let known {
            guard known.1 != event else { return }
            try tx.execute(
                """
                UPDATE notices SET count = count + 1, at = \(now), arguments = \(arguments), path = \(draft.path), kind = \(draft.kind), event = \(event),
                    is_listed = \(isListed)
                WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND id = \(known.0)
                """)
            return
        }
        try tx.execute(
            """
            INSERT INTO notices (tenant_id, user_id, id, category, kind, cause, arguments, path, count, at, event, is_listed)
            VALUES (\(tx.tenant), \(user), \(tx.ids.next(Notice.self)), \(draft.category), \(draft.kind), \(draft.cause), \(arguments), \(draft.path),
                \(1), \(now), \(event), \(isListed))
            """)
    }

    private func wasRead(_ event: String, _ cause: String, by user: UserID) throws -> Bool {
        let row = try tx.first(
            """
            SELECT 1 FROM notices WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND cause = \(cause) AND event = \(event) LIMIT 1
            """)
        return row != nil
    }

    /// Those of others are a newer program's, which shows them.
    private static let known = NoticeCategory.allCases

    /// Newest first, those before `cursor`.
    func page(of user: UserID, before cursor: NoticeID?, limit: Int) throws -> [Notice] {
        let last = cursor ?? NoticeID(high: .max, low: .max)
        return try tx.all(
            """
            SELECT id, category, kind, cause, arguments, path, count, at, read_at FROM notices
            WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND id < \(last) AND is_listed = \(true) AND category IN \(list: Self.known)
            ORDER BY id DESC LIMIT \(limit)
            """, Self.read)
    }

    /// What happened in some categories since a time, newest first.
    func since(_ time: Timestamp, of user: UserID, in categories: [NoticeCategory], limit: Int) throws -> [Notice] {
        try tx.all(
            """
            SELECT id, category, kind, cause, arguments, path, count, at, read_at FROM notices
            WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND at > \(time) AND category IN \(list: categories) ORDER BY at DESC LIMIT \(limit)
            """, Self.read)
    }

    /// Notes that a digest told of so many as it found.
    func note(told notices: [Notice], of user: UserID) throws {
        for notice in notices {
            let found = try tx.first("SELECT arguments FROM notices WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND id = \(notice.id)") {
                try $0.column(0, as: String.self)
            }
            guard let found else { continue }
            let arguments = Self.text(try Self.arguments(found).values, told: notice.count)
            try tx.execute(
                "UPDATE notices SET arguments = \(arguments) WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND id = \(notice.id)")
        }
    }

    func unread(of user: UserID) throws -> Int {
        try tx.first(
            """
            SELECT count(*) FROM notices
            WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND is_listed = \(true) AND read_at IS NULL AND category IN \(list: Self.known)
            """
        ) { try $0.column(0) } ?? 0
    }

    /// - Returns: where the console shows what it tells of; nil where there is no such notice. One that was read stays as it is.
    func read(_ id: NoticeID, of user: UserID) throws -> String? {
        let found = try tx.first("SELECT path FROM notices WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND id = \(id)") {
            try $0.column(0, as: String.self)
        }
        guard let found else { return nil }
        try tx.execute(
            """
            UPDATE notices SET read_at = \(tx.clock.now()) WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND id = \(id) AND read_at IS NULL
            """)
        return found
    }

    func readAll(of user: UserID) throws {
        try tx.execute("UPDATE notices SET read_at = \(tx.clock.now()) WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND read_at IS NULL")
    }

    func remove(before time: Timestamp) throws {
        try tx.execute("DELETE FROM notices WHERE tenant_id = \(tx.tenant) AND at < \(time)")
    }

    // MARK: Preferences and mails

    func preferences(of user: UserID) throws -> [NoticeCategory: NoticePreference] {
        let rows = try tx.all(
            """
            SELECT category, is_in_app, mail FROM notice_preferences
            WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND category IN \(list: Self.known)
            """
        ) { row in
            (try row.column(0, as: NoticeCategory.self), NoticePreference(isInApp: try row.column(1), mail: try row.column(2)))
        }
        return Dictionary(rows) { first, _ in first }
    }

    func set(_ preference: NoticePreference, for category: NoticeCategory, of user: UserID) throws {
        try tx.execute(
            """
            INSERT INTO notice_preferences (tenant_id, user_id, category, is_in_app, mail)
            VALUES (\(tx.tenant), \(user), \(category), \(preference.isInApp), \(preference.mail))
            ON CONFLICT (tenant_id, user_id, category) DO UPDATE SET is_in_app = excluded.is_in_app, mail = excluded.mail
            """)
    }

    /// What all members of the tenant chose for a category.
    func preferences(for category: NoticeCategory) throws -> [UserID: NoticePreference] {
        let rows = try tx.all(
            "SELECT user_id, is_in_app, mail FROM notice_preferences WHERE tenant_id = \(tx.tenant) AND category = \(category)"
        ) { row in
            (try row.column(0, as: UserID.self), NoticePreference(isInApp: try row.column(1), mail: try row.column(2)))
        }
        return Dictionary(rows) { first, _ in first }
    }

    /// What was sent later than now was sent by a clock that has been set back since, and counts as long ago.
    private var latest: Timestamp { tx.clock.now() + .seconds(300) }

    /// When each member got a mail on a topic last.
    func lastMails(_ topic: String) throws -> [UserID: Timestamp] {
        let rows = try tx.all(
            "SELECT user_id, sent_at FROM notice_mails WHERE tenant_id = \(tx.tenant) AND topic = \(topic) AND sent_at <= \(latest)"
        ) { row in
            (try row.column(0, as: UserID.self), try row.column(1, as: Timestamp.self))
        }
        return Dictionary(rows) { first, _ in first }
    }

    func lastMail(_ topic: String, to user: UserID) throws -> Timestamp? {
        try tx.first(
            "SELECT sent_at FROM notice_mails WHERE tenant_id = \(tx.tenant) AND user_id = \(user) AND topic = \(topic) AND sent_at <= \(latest)"
        ) { try $0.column(0) }
    }

    /// - Parameter time: as of which it goes out; now unless it tells of what was there before.
    /// - Returns: false where such a mail went out since `limit`.
    func claimMail(_ topic: String, to user: UserID, notSince limit: Timestamp, at time: Timestamp? = nil) throws -> Bool {
        if let last = try lastMail(topic, to: user), last > limit { return false }
        try tx.execute(
            """
            INSERT INTO notice_mails (tenant_id, user_id, topic, sent_at) VALUES (\(tx.tenant), \(user), \(topic), \(time ?? tx.clock.now()))
            ON CONFLICT (tenant_id, user_id, topic) DO UPDATE SET sent_at = excluded.sent_at
            """)
        return true
    }

    /// Beside the arguments: how many a digest has told of. No text has an argument of this name.
    private static let toldKey = "told_by_digest"

    private static func text(_ arguments: [String: String], told: Int) -> String {
        var all = arguments
        if told > 0 { all[toldKey] = String(told) }
        return JSON.object(JSONObject(all.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) })).serialized
    }

    private static func arguments(_ text: String) throws -> (values: [String: String], told: Int) {
        let members = try JSON(parsing: text).object ?? [:]
        var values: [String: String] = Dictionary(members.map { ($0.key, $0.value.text ?? "") }) { first, _ in first }
        let told = values.removeValue(forKey: toldKey).flatMap { Int($0) } ?? 0
        return (values, told)
    }

    private static func read(_ row: Row) throws -> Notice {
        let (arguments, told) = try Self.arguments(try row.column(4, as: String.self))
        return Notice(
            id: try row.column(0), category: try row.column(1), kind: try row.column(2), cause: try row.column(3), arguments: arguments,
            path: try row.column(5), count: try row.column(6), told: told, at: try row.column(7), readAt: try row.column(8))
    }
}
