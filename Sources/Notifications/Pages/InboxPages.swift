internal import HTTPSurface
internal import Kernel

/// What a person is told, and how they choose to be.
struct InboxPages {
    let inbox: Inbox
    let context: NotificationPageContext

    static let address = "/notifications"
    static let settings = "/settings/notifications"
    private static let rowsPerPage = 50

    var endpoints: [Endpoint] {
        [
            .page(.get, Self.address, access: .tenant(.notificationsRead), summary: "Notifications") { call in try await list(call) },
            .page(.post, "\(Self.address)/read", access: .tenant(.notificationsRead), summary: "Mark all as read") { call in
                try await inbox.readAll(by: call.principal)
                return .redirect(Self.address)
            },
            .page(.post, "\(Self.address)/{id}/visit", access: .tenant(.notificationsRead), summary: "Read one and go where it happened") { call in
                let id: NoticeID = try call.id("id", noun: "notification")
                return .redirect(try await inbox.read(id, by: call.principal))
            },
            .page(.get, Self.settings, access: .tenant(.notificationsRead), summary: "How you are told of what") { call in
                try await preferences(call)
            },
            .page(.post, Self.settings, access: .tenant(.notificationsRead), summary: "Choose how you are told of what") { call in
                let form = try call.form()
                var changes: [NoticeCategory: NoticePreference] = [:]
                for (category, _) in try await inbox.preferences(by: call.principal) {
                    changes[category] = NoticePreference(
                        isInApp: form["in_app_\(category.rawValue)"] == "yes", mail: try InboxRoutes.mail(form["mail_\(category.rawValue)"]))
                }
                try await inbox.setPreferences(changes, by: call.principal)
                return .redirect("\(Self.settings)?done=saved")
            }
        ]
    }

    private func list(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let cursor: NoticeID? = try call.page().cursor.map { try Cursor($0, keys: 1).id(at: 0) }
        let rows = try await inbox.list(before: cursor, limit: Self.rowsPerPage + 1, by: call.principal)
        let shown = Page(rows, limit: Self.rowsPerPage) { Cursor([.string($0.id.description)]) }
        let unread = try await inbox.unread(by: call.principal)
        let entries: [HTML] = shown.data.map { entry(text, $0) }
        let body: HTML =
            entries.isEmpty
            ? Console.empty(text("notifications.list.empty"), text("notifications.list.empty.hint"))
            : "<ul class=\"notices\">\(entries)</ul>\(Console.more(text, Self.address, cursor: shown.nextCursor))"
        let mark: HTML? = unread > 0 ? Console.press("\(Self.address)/read", text("notifications.list.read_all"), kind: "") : nil
        return try await context.page(
            call, title: text("notifications.list.title"), current: Self.address,
            """
            <header><div><h1>\(text("notifications.list.title"))</h1>
            <p class="lead">\(text("notifications.list.unread", ["count": String(unread)]))</p></div>
            <div class="buttons">\(mark)<a class="button" href="\(Self.settings)">\(text("notifications.list.settings"))</a></div></header>
            <section class="card">\(body)</section>
            """)
    }

    private func entry(_ text: Localizer, _ notice: Notice) -> HTML {
        let detail: HTML? = (notice.arguments["error"] ?? "").isEmpty ? nil : "<p class=\"sub\">\(notice.arguments["error"] ?? "")</p>"
        let isNew = notice.readAt == nil
        let mark: HTML? = isNew ? "<span class=\"dot\"><span class=\"visually-hidden\">\(text("notifications.list.new"))</span></span>" : nil
        return """
            <li class="\(isNew ? "new" : "")"><div class="told">\(mark)<p>\(text.title(of: notice))</p>\(detail)
            <p class="sub">\(Console.time(notice.at))</p></div>
            <form method="post" action="\(Self.address)/\(notice.id.description)/visit"><button class="button small">\(text("notifications.list.open"))</button></form></li>
            """
    }

    private func preferences(_ call: EndpointCall) async throws -> Answer {
        let text = call.localizer
        let columns: [(title: String, kind: String?)] = [
            (text("notifications.column.what"), nil), (text("notifications.column.in_app"), nil), (text("notifications.column.mail"), nil)
        ]
        let rows: [HTML] = try await inbox.preferences(by: call.principal).map { category, preference in
            let name = category.rawValue
            let title = text("notifications.category.\(name)")
            let options: [HTML] = NoticePreference.Mail.allCases.map { mail in
                "<option value=\"\(mail.rawValue)\"\("selected", if: mail == preference.mail)>\(text("notifications.mail_choice.\(mail.rawValue)"))</option>"
            }
            return """
                <tr><td class="name">\(title)<span class="sub">\(text("notifications.category.\(name).hint"))</span></td>
                <td data-label="\(columns[1].title)"><label class="tick"><input type="checkbox" name="in_app_\(name)" value="yes"\("checked", if: preference.isInApp)>
                <span class="visually-hidden">\(text("notifications.column.in_app")): \(title)</span></label></td>
                <td data-label="\(columns[2].title)"><select name="mail_\(name)" aria-label="\(text("notifications.column.mail")): \(title)">\(options)</select></td></tr>
                """
        }
        return try await context.settingsPage(
            call, title: text("notifications.settings.notifications"), current: Self.settings,
            """
            \(context.done(call, ["saved"]))<p class="lead">\(text("notifications.preferences.lead"))</p>
            <form method="post" action="\(Self.settings)"><section class="card preferences">\(Console.table(columns, rows))</section>
            <p class="buttons"><button class="button primary">\(text("notifications.save"))</button></p></form>
            """)
    }
}
