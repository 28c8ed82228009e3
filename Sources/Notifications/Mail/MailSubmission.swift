internal import CCurl
internal import CShims
internal import Foundation

/// A message that is handed to somebody's own mail server, over a connection to an address that was checked.
package struct MailSubmission: Sendable {
    package enum Security: Sendable, Hashable {
        /// From the first byte.
        case tls
        /// STARTTLS where the server offers it.
        case offered
        case none
    }

    package var host: String
    package var port: Int
    /// The addresses that may be connected to; the name is not resolved again.
    package var addresses: [String]
    package var user: String
    package var password: String
    package var security: Security
    package var verifiesCertificates: Bool
    /// Bare addresses.
    package var sender: String
    package var recipients: [String]
    /// RFC 5322, lines ended by CRLF.
    package var message: [UInt8]

    static let timeoutSeconds = 60

    package init(
        host: String, port: Int, addresses: [String], user: String, password: String, security: Security, verifiesCertificates: Bool, sender: String,
        recipients: [String], message: [UInt8]
    ) {
        self.host = host
        self.port = port
        self.addresses = addresses
        self.user = user
        self.password = password
        self.security = security
        self.verifiesCertificates = verifiesCertificates
        self.sender = sender
        self.recipients = recipients
        self.message = message
    }

    private static let queue: OperationQueue = {
        let queue = OperationQueue()
        queue.name = "mail-submission"
        queue.maxConcurrentOperationCount = 16
        return queue
    }()

    /// - Throws: `MailError` where the server did not take the message.
    package func send() async throws {
        let outcome: MailError? = await withCheckedContinuation { continuation in
            Self.queue.addOperation { continuation.resume(returning: deliver()) }
        }
        if let outcome { throw outcome }
    }

    private func deliver() -> MailError? {
        guard let handle = curl_easy_init() else { return MailError(message: "libcurl did not start", isPermanent: false) }
        defer { curl_easy_cleanup(handle) }
        var list: UnsafeMutablePointer<curl_slist>?
        for recipient in recipients { list = curl_slist_append(list, "<\(recipient)>") }
        defer { curl_slist_free_all(list) }
        let bracketed = addresses.map { $0.contains(":") ? "[\($0)]" : $0 }
        let pinned = curl_slist_append(nil, "::\(bracketed.first ?? "127.0.0.1"):\(port)")
        defer { curl_slist_free_all(pinned) }
        func set(_ option: CURLoption, _ text: String) { _ = text.withCString { aias_curl_set_pointer(handle, option, $0) } }
        let name = host.contains(":") ? "[\(host)]" : host
        set(CURLOPT_URL, "\(security == .tls ? "smtps" : "smtp")://\(name):\(port)")
        set(CURLOPT_MAIL_FROM, "<\(sender)>")
        if !user.isEmpty || !password.isEmpty {
            set(CURLOPT_USERNAME, user)
            set(CURLOPT_PASSWORD, password)
        }
        // No proxy of the environment may stand between the check and the connection.
        set(CURLOPT_PROXY, "")
        _ = aias_curl_set_pointer(handle, CURLOPT_MAIL_RCPT, list)
        _ = aias_curl_set_pointer(handle, CURLOPT_CONNECT_TO, pinned)
        let ssl = security == .tls ? CURLUSESSL_ALL : security == .offered ? CURLUSESSL_TRY : CURLUSESSL_NONE
        _ = aias_curl_set_long(handle, CURLOPT_USE_SSL, Int(ssl.rawValue))
        _ = aias_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, verifiesCertificates ? 1 : 0)
        _ = aias_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, verifiesCertificates ? 2 : 0)
        _ = aias_curl_set_long(handle, CURLOPT_TIMEOUT, Self.timeoutSeconds)
        _ = aias_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT, 15)
        return MailSource(message).upload(with: handle, to: "server")
    }
}
