internal import Foundation
internal import Kernel
internal import Notifications
internal import Outbound
internal import Scripting

/// Sends e-mail through the tenant's own server, or sends a question by e-mail and waits for the answer.
struct EmailSend: NodeExecutor {
    /// A tenant whose mail server is slow holds a few of the threads that all tenants' mails go through.
    private static let gate = ConcurrencyGate(concurrent: 4, queued: 10_000)

    static var kinds: [NodeKind] {
        [
            NodeKind(
                kind: "email_send", version: 2.1, category: .action, title: "Send e-mail", summary: "Sends an e-mail, or asks by e-mail and waits.",
                icon: "mail", parameters: EmailParameters.all, credentials: ["smtp"], effect: .once, n8nTypes: ["n8n-nodes-base.emailSend"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        if try await step.text("operation", default: "send") == "sendAndWait" { return try await ask(step) }
        return .items([try await step.eachItem { index, item in [Item(json: try await send(step, try await message(step, item, index), index))] }])
    }

    // MARK: Sending

    private func message(_ step: StepContext, _ item: Item, _ index: Int) async throws -> EmailMessage {
        func text(_ name: String) async throws -> String { try await step.text(name, item: index) }
        let isOld = step.version < 2
        var message = EmailMessage(
            from: try await text("fromEmail"), to: try await text("toEmail"), subject: try await text("subject"),
            id: step.idempotencyKey(item: index))
        message.cc = try await text(isOld ? "ccEmail" : "options.ccEmail")
        message.bcc = try await text(isOld ? "bccEmail" : "options.bccEmail")
        message.replyTo = try await text("options.replyTo")
        let format = isOld ? "both" : try await step.text("emailFormat", item: index, default: step.version == 2 ? "text" : "html")
        if format != "html" { message.text = try await text("text") }
        if format != "text" { message.html = try await text("html") }
        if isOld, message.html?.isEmpty == true { message.html = nil }
        for name in try await step.names(isOld ? "attachments" : "options.attachments", item: index) {
            if isOld, item.binary[name] == nil { continue }
            let file = try step.attachment(name, of: item, at: index)
            message.attachments.append(
                EmailMessage.Attachment(
                    name: file.fileName ?? "unknown", type: file.mimeType, id: name, bytes: try await step.services.readBinary(file)))
        }
        guard message.size <= EmailMessage.bytesMaximum else {
            throw StepFailure.invalid("options.attachments", "An e-mail has at most \(EmailMessage.bytesMaximum) bytes.", item: index)
        }
        return message
    }

    private func send(_ step: StepContext, _ message: EmailMessage, _ index: Int) async throws -> JSONObject {
        guard let network = step.services.facilities.network else { throw StepFailure.noNetwork }
        let recipients = message.recipients
        guard let sender = EmailMessage.addresses(in: message.from).first else {
            throw StepFailure.invalid("fromEmail", "'\(message.from)' is no e-mail address.", item: index)
        }
        guard !recipients.isEmpty else { throw StepFailure.invalid("toEmail", "No recipients defined", item: index) }
        let fields = try await step.services.credential(ofType: "smtp")
        func field(_ name: String) -> String { fields[name]?.displayText ?? "" }
        let isSecure = fields["secure"].map(\.isTruthy) ?? (field("port").isEmpty || field("port") == "465")
        let port = Int(field("port")) ?? (isSecure ? 465 : 587)
        let bytes = message.wire(at: step.now)
        let addresses = try await network.addresses(OutboundDestination(host: field("host"), port: port), step.tenant)
        let submission = MailSubmission(
            host: field("host"), port: port, addresses: addresses, user: field("user"), password: field("password"),
            security: isSecure ? .tls : fields["disableStartTls"]?.isTruthy == true ? .none : .offered,
            verifiesCertificates: try await !step.flag("options.allowUnauthorizedCerts", item: index), sender: sender, recipients: recipients,
            message: bytes)
        do { try await Self.gate.pass(step.tenant) { try await submission.send() } } catch let error as MailError {
            throw StepFailure("mail_refused", error.message, itemIndex: index, isRetryable: !error.isPermanent)
        }
        return [
            "accepted": .array(recipients.map { .string($0) }), "rejected": [], "messageSize": .number(Double(bytes.count)),
            "envelope": ["from": .string(sender), "to": .array(recipients.map { .string($0) })], "messageId": .string(message.messageID)
        ]
    }

    // MARK: Asking

    private func ask(_ step: StepContext) async throws -> StepOutcome {
        switch step.resume {
        case .answered(let given)?: return .items([given])
        case .timer?: return .items([step.items])
        default: break
        }
        guard let run = (step.services.scope().facts.execution["id"]?.text).flatMap({ RunID($0) }) else { throw StepFailure.noNetwork }
        let page = try await page(step)
        let place = "\(step.node.id).\(step.runIndex)"
        let address = try await step.services.facilities.addresses(step.tenant, run, place).page
        let to = try await step.text("toEmail")
        guard EmailMessage.addresses(in: to).count == 1 else {
            throw StepFailure.invalid("toEmail", "The email address '\(to)' isn't valid or contains multiple addresses.")
        }
        var message = EmailMessage(from: try await step.text("fromEmail"), to: to, subject: try await step.text("subject"), id: step.idempotencyKey)
        let body = try await step.text("message")
        let label = page["kind"] == "approval" ? try await step.text("options.messageButtonLabel", default: "Respond") : "Respond"
        message.text = "\(body)\n\n\(label): \(address)\n"
        message.html = EmailMessage.question(body, label: label, address: address)
        _ = try await send(step, message, 0)
        step.services.setState(["page": page])
        let isLimited = step.rawOption("limitWaitTime") != nil
        return .wait(until: try await step.waitLimit(isLimited ? "options.limitWaitTime.values." : "", isLimited: isLimited))
    }

    /// What the page behind the link shows. `own` keeps it off the pages of the whole run, which other people may be looking at.
    private func page(_ step: StepContext) async throws -> JSON {
        let subject = try await step.text("subject")
        let body = try await step.text("message")
        switch try await step.text("responseType", default: "approval") {
        case "approval":
            func option(_ name: String, _ fallback: String) async throws -> String {
                let text = try await step.text("approvalOptions.values.\(name)", default: fallback)
                return text.isEmpty ? fallback : text
            }
            var buttons: [JSON] = [["value": "true", "label": .string(try await option("approveLabel", "Approve"))]]
            if try await step.text("approvalOptions.values.approvalType", default: "single") == "double" {
                buttons.append(["value": "false", "label": .string(try await option("disapproveLabel", "Decline"))])
            }
            return ["kind": "approval", "own": true, "title": .string(subject), "message": .string(body), "buttons": .array(buttons)]
        case let type:
            var config = JSONObject()
            config["defineForm"] = .string(try await step.text("defineForm", default: "fields"))
            config["jsonOutput"] = try await step.parameter("jsonOutput")
            config["formFields"] = ["values": try await step.parameter("formFields.values") ?? []]
            let free: JSON = [["fieldLabel": "Response", "fieldName": "text", "fieldType": "textarea", "requiredField": true]]
            let title = try await step.text("options.responseFormTitle")
            let lead = try await step.text("options.responseFormDescription")
            return [
                "kind": "form", "own": true, "wrap": true, "title": .string(title.isEmpty ? subject : title),
                "description": .string(lead.isEmpty ? body : lead),
                "button": .string(try await step.rawOption("responseFormButtonLabel") == nil ? "" : step.text("options.responseFormButtonLabel")),
                "fields": type == "freeText" ? free : FormDefinition.fields(of: config), "version": 2.4
            ]
        }
    }
}
