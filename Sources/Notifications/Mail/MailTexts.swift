package import HTTPSurface
internal import Kernel
internal import Persistence
package import Tenancy

/// Subject and text of each mail, from the strings `notifications.mail.<template>.subject` and `.body`.
package struct MailTexts: Sendable {
    private let strings: Strings
    private let publicURL: String

    /// - Parameter publicURL: where browsers reach the console, without a slash at the end: `https://flows.example.com`.
    package init(strings: Strings, publicURL: String) {
        self.strings = strings
        self.publicURL = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
    }

    /// - Returns: nil where there is no text for the template.
    package func message(_ mail: MailRequest, from: String, id: String, language: String = "en") -> MailMessage? {
        var arguments = Localizer(strings, language: language).readable(mail.arguments)
        let product = arguments["product"].flatMap { $0 == Brand.platform.name ? nil : $0 }
        if let path = arguments.removeValue(forKey: "path") { arguments["link"] = publicURL + path }
        guard let subject = strings.text("notifications.mail.\(mail.template).subject", arguments, language: language),
            let body = strings.text("notifications.mail.\(mail.template).body", arguments, language: language)
        else { return nil }
        let signature = product.map { "\n-- \n\($0)\n" } ?? ""
        return MailMessage(
            from: product.map { MailMessage.sender($0, at: from) } ?? from, to: mail.to, subject: subject, text: body + "\n" + signature, id: id)
    }
}
