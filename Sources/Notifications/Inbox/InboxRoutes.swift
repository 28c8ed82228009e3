internal import HTTPSurface
internal import Kernel
internal import Tenancy

struct NoticeView: Codable, Sendable {
    var id: NoticeID
    var category: String
    var kind: String
    /// In the reader's language.
    var title: String
    var arguments: JSON
    /// Where the console shows it.
    var path: String
    var count: Int
    var at: Timestamp
    var readAt: Timestamp?

    init(_ notice: Notice, _ text: Localizer) {
        id = notice.id
        category = notice.category.rawValue
        kind = notice.kind
        title = text.title(of: notice)
        arguments = .object(JSONObject(notice.arguments.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }))
        path = notice.path
        count = notice.count
        at = notice.at
        readAt = notice.readAt
    }
}

extension Localizer {
    func title(of notice: Notice) -> String {
        var arguments = readable(notice.arguments)
        arguments["count"] = String(notice.count)
        return self("notifications.kind.\(notice.kind)", arguments)
    }

    /// What an event says, in the words, numbers and days of people.
    func readable(_ arguments: [String: String]) -> [String: String] {
        var readable = arguments
        if let limit = arguments["limit"] { readable["limit"] = strings.text("notifications.limit.\(limit)", language: language) ?? limit }
        let isBytes = arguments["limit"] == "storage_bytes"
        for key in ["used", "allowed"] {
            guard let plain = arguments[key] else { continue }
            readable[key] = isBytes ? Int(plain).map(UsageLine.size) ?? plain : figure(plain)
        }
        if let due = arguments["due"] { readable["due"] = day(due) }
        return readable
    }
}

struct UnreadView: Codable, Sendable {
    var count: Int
}

struct NoticePreferenceView: Codable, Sendable {
    var category: String
    var inApp: Bool
    var mail: String
}

struct NoticePreferencesBody: Codable, Sendable, Described {
    var preferences: [NoticePreferenceBody]
    static let notes: [FieldNote] = [FieldNote("preferences", "Those to change; others stay as they are.", items: 1...10)]
}

struct NoticePreferenceBody: Codable, Sendable, Described {
    var category: String
    var inApp: Bool
    var mail: String
    static let notes: [FieldNote] = [
        FieldNote("category", "failures, limits, webhooks, billing, mentions or security.", example: "failures", length: 1...40),
        FieldNote("inApp", "Whether the console lists it."), FieldNote("mail", "immediate, digest or off.", example: "digest", length: 1...20)
    ]
}

struct InboxRoutes {
    let inbox: Inbox

    private static let tag = "Notifications"
    private static let access = Access.tenant(.notificationsRead)
    private static let person = ErrorDeclaration(.forbidden, "person_required", "Keys have no notifications.")

    var endpoints: [Endpoint] {
        [
            Endpoint.list(
                "/v1/notifications", access: Self.access, summary: "List your notifications, newest first", tag: Self.tag, of: NoticeView.self,
                errors: [Self.person]
            ) { call, page in
                let cursor: NoticeID? = try page.cursor.map { try Cursor($0, keys: 1).id(at: 0) }
                let rows = try await inbox.list(before: cursor, limit: page.limit + 1, by: call.principal)
                let text = call.localizer
                return Page(rows.map { NoticeView($0, text) }, limit: page.limit) { Cursor([.string($0.id.description)]) }
            },
            Endpoint(
                .get, "/v1/notifications/unread", access: Self.access, summary: "Count what you have not read", tag: Self.tag,
                returns: .ok(UnreadView.self), errors: [Self.person]
            ) { call in UnreadView(count: try await inbox.unread(by: call.principal)) },
            Endpoint(
                .post, "/v1/notifications/read", access: Self.access, summary: "Mark all of them as read", tag: Self.tag, returns: .noContent,
                errors: [Self.person]
            ) { call in try await inbox.readAll(by: call.principal) },
            Endpoint(
                .post, "/v1/notifications/{id}/read", access: Self.access, summary: "Mark one as read", tag: Self.tag, returns: .noContent,
                errors: [Self.person]
            ) { call in try await inbox.read(try call.id("id", noun: "notification"), by: call.principal) },
            Endpoint.list(
                "/v1/notification-preferences", access: Self.access, summary: "List how you are told of what", tag: Self.tag,
                of: NoticePreferenceView.self, errors: [Self.person]
            ) { call, page in try Page(of: try await views(call), page) },
            Endpoint(
                .patch, "/v1/notification-preferences", access: Self.access, summary: "Choose how you are told of what", tag: Self.tag,
                body: NoticePreferencesBody.self, returns: .noContent, errors: [Self.person]
            ) { call, body in
                var changes: [NoticeCategory: NoticePreference] = [:]
                for entry in body.preferences {
                    changes[try Self.category(entry.category)] = NoticePreference(isInApp: entry.inApp, mail: try Self.mail(entry.mail))
                }
                try await inbox.setPreferences(changes, by: call.principal)
            }
        ]
    }

    private func views(_ call: EndpointCall) async throws -> [NoticePreferenceView] {
        try await inbox.preferences(by: call.principal).map {
            NoticePreferenceView(category: $0.category.rawValue, inApp: $0.preference.isInApp, mail: $0.preference.mail.rawValue)
        }
    }

    static func category(_ text: String) throws -> NoticeCategory {
        guard let category = NoticeCategory(rawValue: text) else {
            throw Refusal.invalid("category", "unknown_category", "category is one of failures, limits, webhooks, billing, mentions, security.")
        }
        return category
    }

    static func mail(_ text: String) throws -> NoticePreference.Mail {
        guard let mail = NoticePreference.Mail(rawValue: text) else {
            throw Refusal.invalid("mail", "unknown_mail", "mail is one of immediate, digest, off.")
        }
        return mail
    }
}
