internal import Crypto
internal import Foundation
package import Kernel
package import Persistence

/// What a mail is to say. Links are made at the edge from `path`, since only that knows the public address.
package struct MailRequest: Sendable, Hashable {
    /// Names the text: `verify_email`, `reset_password`, `invitation`, `sign_in`.
    package var template: String
    package var to: String
    /// Values for the text's placeholders; `path` is a link within the console.
    package var arguments: [String: String]

    package init(template: String, to: String, arguments: [String: String]) {
        self.template = template
        self.to = to
        self.arguments = arguments
    }
}

/// Asks for a mail; Notifications sends it. Links are as good as passwords and addresses are personal, so that the outbox holds only the
/// sealed request.
package struct MailRequested: Event {
    package static let name = "mail.requested"
    package static let version = 1

    /// `mail:<digest of the address>`: mails to one person keep their order.
    package let subject: String
    private let sealed: [UInt8]
    private static let context = "mail"

    package var payload: JSON { ["sealed": .string(Data(sealed).base64EncodedString())] }

    /// Sealing asks the database for a key, so it comes before the transaction that emits the event.
    package init(sealing mail: MailRequest, in vault: KeyVault) async throws {
        let values = JSONObject(mail.arguments.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) })
        let clear: JSON = ["template": .string(mail.template), "to": .string(mail.to), "arguments": .object(values)]
        sealed = try await vault.seal(clear.bytes, tenant: KeyVault.platform, context: Self.context)
        subject = "mail:" + SHA256.hash(data: Data(mail.to.utf8)).prefix(16).hexText
    }

    /// - Throws: `PersistenceError` where the payload was not sealed here.
    package static func open(_ payload: JSON, in vault: KeyVault) async throws -> MailRequest {
        let unreadable = PersistenceError.driver(code: "SEAL", message: "this is no sealed mail")
        guard let text = payload["sealed"]?.text, let sealed = Data(base64Encoded: text) else { throw unreadable }
        let clear = try JSON(parsing: try await vault.open([UInt8](sealed), tenant: KeyVault.platform, context: context))
        guard let template = clear["template"]?.text, let to = clear["to"]?.text, let values = clear["arguments"]?.object else { throw unreadable }
        return MailRequest(
            template: template, to: to, arguments: Dictionary(values.map { ($0.key, $0.value.text ?? "") }) { _, last in last })
    }
}
