internal import CCurl
internal import CShims
internal import Foundation
package import Kernel

/// The relay that mails go to, from the operator's configuration: `smtp://user:password@host:587`, `smtps://…`.
package struct SMTPRelay: Sendable {
    /// Without credentials.
    package var url: String
    package var user: String?
    package var password: String?
    /// `AIAS <noreply@example.com>`
    package var from: String
    /// STARTTLS must succeed; off only for a relay on this machine.
    package var requiresTLS: Bool

    /// - Throws: a refusal that says how such an address looks.
    package init(_ text: String, from: String) throws {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme, ["smtp", "smtps"].contains(scheme), let host = parts.host else {
            throw Refusal.invalid("smtp", "bad_relay", "AIAS_SMTP_URL names a mail relay as smtp://user:password@mail.example.com:587.")
        }
        let port = parts.port ?? (scheme == "smtps" ? 465 : 587)
        url = "\(scheme)://\(host):\(port)"
        user = parts.user
        password = parts.password
        requiresTLS = scheme == "smtps" || !["127.0.0.1", "localhost", "::1"].contains(host)
        self.from = from
    }
}

/// Why a mail was not taken; `isPermanent` where trying again cannot help (a 5xx answer).
package struct MailError: Error, Sendable {
    package var message: String
    package var isPermanent: Bool
}

/// Hands mails to the relay with libcurl, one connection a mail, on threads of its own.
package struct SMTP: Sendable {
    package let relay: SMTPRelay
    private let clock: Clock

    static let timeoutSeconds = 30
    private static let queue: OperationQueue = {
        let queue = OperationQueue()
        queue.name = "smtp"
        queue.maxConcurrentOperationCount = 4
        return queue
    }()

    package init(relay: SMTPRelay, clock: Clock) {
        self.relay = relay
        self.clock = clock
    }

    /// - Throws: `MailError` where the relay did not take the mail.
    package func send(_ message: MailMessage) async throws {
        let bytes = message.wire(at: clock.now())
        let outcome: MailError? = await withCheckedContinuation { continuation in
            Self.queue.addOperation { continuation.resume(returning: deliver(bytes, message)) }
        }
        if let outcome { throw outcome }
    }

    private func deliver(_ bytes: [UInt8], _ message: MailMessage) -> MailError? {
        guard let handle = curl_easy_init() else { return MailError(message: "libcurl did not start", isPermanent: false) }
        defer { curl_easy_cleanup(handle) }
        let recipients = curl_slist_append(nil, "<\(Self.bare(message.to))>")
        defer { curl_slist_free_all(recipients) }
        func set(_ option: CURLoption, _ text: String) { _ = text.withCString { aias_curl_set_pointer(handle, option, $0) } }
        set(CURLOPT_URL, relay.url)
        set(CURLOPT_MAIL_FROM, "<\(Self.bare(message.from))>")
        if let user = relay.user { set(CURLOPT_USERNAME, user) }
        if let password = relay.password { set(CURLOPT_PASSWORD, password) }
        _ = aias_curl_set_pointer(handle, CURLOPT_MAIL_RCPT, recipients)
        _ = aias_curl_set_long(handle, CURLOPT_USE_SSL, relay.requiresTLS ? Int(CURLUSESSL_ALL.rawValue) : Int(CURLUSESSL_TRY.rawValue))
        _ = aias_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, relay.requiresTLS ? 1 : 0)
        _ = aias_curl_set_long(handle, CURLOPT_TIMEOUT, Self.timeoutSeconds)
        return MailSource(bytes).upload(with: handle, to: "relay")
    }

    /// The address within `Name <address>`.
    static func bare(_ address: String) -> String {
        guard let open = address.lastIndex(of: "<"), let close = address.lastIndex(of: ">"), open < close else { return address }
        return String(address[address.index(after: open)..<close])
    }
}
