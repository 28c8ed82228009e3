package import Kernel
internal import Persistence

/// Asks for a mail; Notifications sends it. Links are made at the edge from `path`, since only that knows the public address.
package struct MailRequested: Event {
    package static let name = "mail.requested"
    package static let version = 1

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

    package var subject: String { "mail:\(to)" }
    package var payload: JSON {
        let values = JSONObject(arguments.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) })
        return ["template": .string(template), "to": .string(to), "arguments": .object(values)]
    }
}
