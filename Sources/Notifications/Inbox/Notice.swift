package import Kernel
internal import Persistence
internal import Tenancy

package typealias NoticeID = ID<Notice>

/// Something a member is told: in the console's list, perhaps by mail. Those of the same cause that nobody has read yet are one, with a count.
package struct Notice: Sendable, Hashable {
    package var id: NoticeID
    package var category: NoticeCategory
    /// Names its text: `execution_failed`.
    package var kind: String
    /// Of what: the same unread one counts on.
    package var cause: String
    package var arguments: [String: String]
    /// Where the console shows it.
    package var path: String
    package var count: Int
    /// How many of them a digest has told of.
    var told: Int
    /// When it happened last.
    package var at: Timestamp
    package var readAt: Timestamp?
}

/// What a member can choose to be told of.
package enum NoticeCategory: String, Sendable, Hashable, CaseIterable, SQLBindable, SQLReadable {
    /// Published workflows that failed.
    case failures
    /// The plan's limits, near or reached.
    case limits
    /// Webhook endpoints that were disabled.
    case webhooks
    /// Invoices: issued, overdue, and payments that failed.
    case billing
    /// Comments in which somebody named them.
    case mentions
    /// What the platform closed for the tenant's safety.
    case security

    /// Who can be told at all: what leads nowhere for a member is no use to them.
    var permission: Permission {
        switch self {
        case .failures: "executions.read"
        case .limits: "usage.read"
        case .webhooks: .webhooksRead
        case .billing: "billing.read"
        case .mentions: "workflows.read"
        case .security: "audit.read"
        }
    }
}

/// How a member is told of a category.
package struct NoticePreference: Sendable, Hashable {
    package enum Mail: String, Sendable, Hashable, CaseIterable, SQLBindable, SQLReadable { case immediate, digest, off }

    package var isInApp: Bool
    package var mail: Mail

    /// Until they choose: those who answer for the tenant get a mail at once.
    static func standard(_ category: NoticeCategory, _ role: Role) -> NoticePreference {
        // Who is named is asked something, whatever their role; the console says so.
        if category == .mentions { return NoticePreference(isInApp: true, mail: .off) }
        let isOfMoney = category == .limits || category == .billing
        let answers: [Role] = isOfMoney ? [.owner, .admin, .billing] : [.owner, .admin]
        let isFor = isOfMoney ? answers.contains(role) : true
        return NoticePreference(isInApp: isFor, mail: answers.contains(role) ? .immediate : .off)
    }
}

/// What an event is to the members.
struct NoticeDraft: Sendable {
    var category: NoticeCategory
    var kind: String
    var cause: String
    var arguments: [String: String]
    var path: String
    /// The people who are told; nil for all members whom the category concerns.
    var only: Set<UserID>?

    /// Nil for events that nobody is told of.
    init?(_ name: String, _ payload: JSON) {
        func text(_ key: String) -> String { payload[key]?.text ?? "" }
        switch name {
        case "execution.failed":
            // The caller of a run that was called fails too, and tells.
            if text("mode") == "call" { return nil }
            category = .failures
            kind = "execution_failed"
            cause = "workflow:\(text("workflow"))"
            arguments = ["workflow": text("workflow_name"), "error": String((payload["error"]?["message"]?.text ?? "").prefix(Self.errorLength))]
            path = "/executions/\(text("execution"))"
        case LimitNear.name, LimitReached.name:
            category = .limits
            kind = name == LimitNear.name ? "limit_near" : "limit_reached"
            cause = "\(kind):\(text("limit"))"
            arguments = [
                "limit": text("limit"), "used": String(payload["used"]?.integer ?? 0), "allowed": String(payload["allowed"]?.integer ?? 0)
            ]
            path = "/settings/usage"
        case EndpointDisabled.name:
            category = .webhooks
            kind = "webhook_disabled"
            cause = "webhook_endpoint:\(text("webhook_endpoint"))"
            arguments = ["host": text("host"), "reason": text("reason")]
            path = "/settings/webhooks/\(text("webhook_endpoint"))"
        case "billing.invoice.issued", "billing.invoice.reopened", "billing.invoice.overdue", "billing.payment.failed":
            // What is paid already, or takes back, needs nobody.
            guard text("kind") == "invoice", text("due") != "0" else { return nil }
            category = .billing
            kind = Self.billing[name] ?? ""
            cause = "\(kind):\(text("invoice")):\(payload["step"]?.integer ?? 0)"
            arguments = ["invoice": text("number"), "amount": text("amount"), "reason": text("reason"), "due": String(text("due_at").prefix(10))]
            path = "/settings/billing/invoices/\(text("invoice"))"
        case "billing.consulting.changed":
            category = .billing
            kind = "consulting"
            cause = "consulting:\(text("booking")):\(text("step"))"
            arguments = ["title": text("title"), "step": text("step")]
            path = "/settings/consulting/bookings/\(text("booking"))"
        case "workflow.mentioned":
            category = .mentions
            kind = "mentioned"
            cause = "comments:\(text("thread"))"
            arguments = ["workflow": text("workflow_name"), "author": text("author_name"), "text": text("text")]
            path = "/workflows/\(text("workflow"))/editor#comment-\(text("comment"))"
            only = Set((payload["mentions"]?.array ?? []).compactMap { $0.text.flatMap { UserID($0) } })
        case AccountTakenOver.name:
            category = .security
            kind = "account_taken_over"
            cause = "account:\(text("owner"))"
            let counts: [(String, String)] = Self.closed.map { what in (what, String(payload["closed"]?[what]?.integer ?? 0)) }
            arguments = Dictionary(uniqueKeysWithValues: counts)
            path = "/settings/audit-log"
            only = Set([UserID(text("owner"))].compactMap { $0 })
        default: return nil
        }
    }

    /// What a take-over closes, as the texts name it.
    private static let closed = ["keys", "invitations", "members", "endpoints", "workflows", "runs", "payees"]

    private static let billing = [
        "billing.invoice.issued": "invoice_issued", "billing.invoice.reopened": "invoice_reopened", "billing.invoice.overdue": "invoice_overdue",
        "billing.payment.failed": "payment_failed"
    ]

    static let events =
        [
            "execution.failed", LimitNear.name, LimitReached.name, EndpointDisabled.name, "workflow.mentioned", "billing.consulting.changed",
            AccountTakenOver.name
        ] + billing.keys.sorted()
    private static let errorLength = 500
}
