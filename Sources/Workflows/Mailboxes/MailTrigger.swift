internal import Kernel
internal import Scripting

/// Starts for the mails that come into a mailbox. The poller looks; started by hand it gives the newest mail that matches.
struct MailTrigger: NodeExecutor {
    static let kind = "email_trigger"
    static let anyMail = "[\"UNSEEN\"]"

    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: kind, version: 2.1, category: .trigger, title: "E-mail (IMAP)", summary: "Starts when a mailbox has new mails.", icon: "mail",
                parameters: parameters, inputs: .fixed([]), credentials: ["imap"], effect: .repeatable, n8nTypes: ["n8n-nodes-base.emailReadImap"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if step.mode != "manual" || step.items.contains(where: { !$0.json.isEmpty }) { return .items([step.startItems]) }
        guard let network = step.services.facilities.network else { throw StepFailure.noNetwork }
        let wish = try MailWish(step.node)
        let mailbox = try Mailbox(try await step.services.credential(ofType: "imap"), network: network, tenant: step.tenant)
        guard let mail = try await mailbox.newest(wish) else { return .items([[]]) }
        let items = MailItems(
            wish: wish, convert: { conversion in try await step.services.facilities.convert(conversion.of(step.tenant)) },
            store: { bytes, type, name in try await step.store(bytes, name: name, type: type) })
        return .items([[try await items.item(mail)]])
    }

    private static var parameters: [Parameter] {
        let simple: Parameter.ShowWhen = ["format": ["simple"]]
        func prefix(_ showWhen: Parameter.ShowWhen) -> Parameter {
            Parameter("dataPropertyAttachmentsPrefixName", .string, "Prefix of attachments", default: "attachment_", showWhen: showWhen)
        }
        return [
            Parameter("mailbox", .string, "Mailbox", default: "INBOX"),
            Parameter(
                "postProcessAction", .options, "Afterwards", default: "read",
                options: [.init("read", "Mark as read"), .init("nothing", "Leave as it is")]),
            Parameter("downloadAttachments", .boolean, "Attachments", default: false, showWhen: simple),
            Parameter(
                "format", .options, "Format", default: "simple",
                options: [.init("raw", "As it was sent"), .init("resolved", "All parts"), .init("simple", "Simple")]),
            prefix(["format": ["resolved"]]), prefix(simple.merging(["downloadAttachments": [true]]) { $1 }),
            Parameter(
                "options", .collection, "Options", default: .init([:]),
                fields: [
                    Parameter(
                        "customEmailConfig", .string, "Rules", help: "Which mails, as a JSON list of IMAP's search criteria.",
                        default: .init(.string(anyMail))),
                    // A connection lasts for one look.
                    Parameter("forceReconnect", .number, "Reconnect after minutes", help: "Without effect here: each look connects anew."),
                    Parameter("allowUnauthorizedCerts", .boolean, "Ignore TLS faults", default: false)
                ]),
            Parameter(
                "pollTimes", .collection, "Poll times", default: .init(["item": [["mode": "everyMinute"]]]),
                fields: [Parameter("item", .list, "Times", fields: ScheduleParameters.cron)])
        ]
    }
}

/// What the node asks for, read without a run: expressions are not evaluated.
struct MailWish: Sendable {
    enum Format: String, Sendable { case simple, resolved, raw }

    let mailbox: String
    let criteria: [ImapClient.Word]
    let format: Format
    let downloads: Bool
    let prefix: String
    let marksRead: Bool
    let verifies: Bool

    /// - Throws: `invalid_parameter`.
    init(_ node: WorkflowNode) throws {
        let config = node.config
        func text(_ name: String, _ fallback: String) -> String {
            let text = config[name].map(FormField.plain) ?? ""
            return text.isEmpty ? fallback : text
        }
        mailbox = text("mailbox", "INBOX")
        criteria = try MailSearch.words(config["options"]?["customEmailConfig"].map(FormField.plain) ?? MailTrigger.anyMail)
        guard let format = Format(rawValue: text("format", "simple")) else { throw StepFailure.invalid("format", "There is no such format.") }
        self.format = format
        downloads = format == .resolved || (config["downloadAttachments"]?.isTruthy ?? false)
        prefix = text("dataPropertyAttachmentsPrefixName", "attachment_")
        marksRead = text("postProcessAction", "read") == "read"
        verifies = config["options"]?["allowUnauthorizedCerts"]?.isTruthy != true
    }
}
