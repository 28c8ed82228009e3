package import HTTPSurface
internal import Kernel
package import Persistence

/// The module's door.
package enum NotificationsModule {
    package static let tables: [Table] = [
        WebhookEndpointStore.table, WebhookDeliveryStore.messages, WebhookDeliveryStore.deliveries, WebhookDeliveryStore.attempts,
        WebhookQueueStore.table, NoticeStore.notices, NoticeStore.preferences, NoticeStore.mails, LimitNoticeStore.table
    ]

    package static let migrations: [Migration] = [Migration("notifications.0001-webhooks-notices", tables.map { .createTable($0) })]

    package static let permissions: [PermissionDeclaration] = [
        PermissionDeclaration(.webhooksRead, "See webhook endpoints and what was sent to them.", roles: [.owner, .admin]),
        PermissionDeclaration(.webhooksWrite, "Create, change and delete webhook endpoints, and send again.", roles: [.owner, .admin]),
        PermissionDeclaration(.notificationsRead, "Read your notifications and choose how you are told.", roles: Set(Role.allCases))
    ]

    package static func module(webhooks: OutgoingWebhooks, inbox: Inbox, pages context: NotificationPageContext) -> Module {
        let endpoints: [Endpoint] =
            WebhookEndpointRoutes(webhooks: webhooks).endpoints + InboxRoutes(inbox: inbox).endpoints
            + WebhookPages(webhooks: webhooks, context: context).endpoints + DeliveryPages(webhooks: webhooks, context: context).endpoints
            + InboxPages(inbox: inbox, context: context).endpoints
        return Module(name: "notifications", tables: tables, migrations: migrations, endpoints: endpoints, permissions: permissions)
    }
}
