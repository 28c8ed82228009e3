internal import Foundation
internal import Kernel

/// An e-mail with its parts (RFC 5322, RFC 2045 to 2047): no value can add a header, and lines stay short.
struct EmailMessage: Sendable {
    struct Attachment: Sendable {
        var name: String
        var type: String
        /// For `cid:` references of the HTML.
        var id: String
        var bytes: [UInt8]
    }

    static let bytesMaximum = 30 << 20

    var from: String
    var to: String
    var cc = ""
    var bcc = ""
    var replyTo = ""
    var subject: String
    var text: String?
    var html: String?
    var attachments: [Attachment] = []
    /// The same for a repeat of the same mail.
    var id: String

    init(from: String, to: String, subject: String, id: String) {
        self.from = from
        self.to = to
        self.subject = subject
        self.id = id
    }

    var size: Int { (text?.utf8.count ?? 0) + (html?.utf8.count ?? 0) + attachments.reduce(0) { $0 + $1.bytes.count } }

    /// Bare addresses of all who get it, each once.
    var recipients: [String] {
        var seen: Set<String> = []
        return [to, cc, bcc].flatMap(Self.addresses).filter { seen.insert($0).inserted }
    }

    var messageID: String {
        let domain = Self.addresses(in: from).first?.split(separator: "@").last.map(String.init) ?? "localhost"
        return "<\(id.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })@\(domain)>"
    }

    /// The addresses of `Ann <ann@a.test>, bob@b.test`.
    static func addresses(in list: String) -> [String] { mailboxes(in: list).map(\.address) }

    private static func mailboxes(in list: String) -> [(name: String, address: String)] {
        var parts: [String] = [""]
        var isQuoted = false
        for character in list {
            if character == "\"" { isQuoted.toggle() }
            if (character == "," || character == ";") && !isQuoted { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts.compactMap { part in
            let plain = part.trimmingCharacters(in: .whitespacesAndNewlines)
            var (name, address) = ("", plain)
            if let open = plain.lastIndex(of: "<"), let close = plain.lastIndex(of: ">"), open < close {
                name = plain[..<open].trimmingCharacters(in: CharacterSet(charactersIn: " \"'"))
                address = String(plain[plain.index(after: open)..<close]).trimmingCharacters(in: .whitespaces)
            }
            let isAddress =
                address.wholeMatch(of: #/[^\s@<>()\[\],;:\\"]+@[^\s@<>()\[\],;:\\"]+/#) != nil && address.utf8.count <= 320
                && address.utf8.allSatisfy { $0 > 32 && $0 < 127 }
            return isAddress ? (name, address) : nil
        }
    }

    func wire(at time: Timestamp) -> [UInt8] {
        var lines = ["Date: \(Self.date(time))", "From: \(Self.list(from))", "To: \(Self.list(to))"]
        if !cc.isEmpty { lines.append("Cc: \(Self.list(cc))") }
        if !replyTo.isEmpty { lines.append("Reply-To: \(Self.list(replyTo))") }
        lines += ["Message-ID: \(messageID)", "Subject: \(Self.encoded(subject))", "MIME-Version: 1.0"]
        let body = Self.content(text: text, html: html, mark: "alternative-\(mark)")
        if attachments.isEmpty {
            lines += body
        } else {
            let boundary = "mixed-\(mark)"
            lines += ["Content-Type: multipart/mixed; boundary=\"\(boundary)\"", "", "--\(boundary)"] + body
            for attachment in attachments { lines += ["--\(boundary)"] + Self.part(attachment) }
            lines.append("--\(boundary)--")
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
    }

    /// Base 64 holds no hyphen, so that no boundary can stand in a body.
    private var mark: String { id.filter { $0.isASCII && ($0.isLetter || $0.isNumber) } }

    private static func content(text: String?, html: String?, mark: String) -> [String] {
        func part(_ type: String, _ content: String) -> [String] {
            ["Content-Type: \(type); charset=utf-8", "Content-Transfer-Encoding: base64", "", base64(Array(content.utf8))]
        }
        guard let html else { return part("text/plain", text ?? "") }
        guard let text else { return part("text/html", html) }
        return ["Content-Type: multipart/alternative; boundary=\"\(mark)\"", "", "--\(mark)"] + part("text/plain", text) + ["--\(mark)"]
            + part("text/html", html)
            + ["--\(mark)--"]
    }

    private static func part(_ attachment: Attachment) -> [String] {
        let type =
            attachment.type.wholeMatch(of: #/[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+/#) != nil ? attachment.type : "application/octet-stream"
        let plain = attachment.name.filter { $0.isASCII && !$0.isNewline && $0 != "\"" && $0 != "\\" && ($0.asciiValue ?? 0) >= 32 }
        let allowed = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        let full = attachment.name.addingPercentEncoding(withAllowedCharacters: allowed) ?? plain
        let id = attachment.id.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        return [
            "Content-Type: \(type)", "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename=\"\(plain.prefix(150))\";", " filename*=UTF-8''\(full.prefix(600))", "Content-ID: <\(id)>", "",
            base64(attachment.bytes)
        ]
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed])
    }

    private static func list(_ text: String) -> String {
        mailboxes(in: text).map { $0.name.isEmpty ? $0.address : "\(encoded($0.name)) <\($0.address)>" }.joined(separator: ",\r\n ")
    }

    /// RFC 2047 in words of at most 75 characters.
    private static func encoded(_ text: String) -> String {
        let line = text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }
        var words: [String] = []
        var word = ""
        for scalar in line {
            if word.utf8.count + String(scalar).utf8.count > 42 {
                words.append(word)
                word = ""
            }
            word.unicodeScalars.append(scalar)
        }
        words.append(word)
        return words.map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// RFC 5322, 3.3: `Tue, 24 Nov 2026 11:07:19 +0000`.
    private static func date(_ time: Timestamp) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return formatter.string(from: Date(timeIntervalSince1970: Double(time.seconds)))
    }

    /// The HTML of a question with a link to its page.
    static func question(_ message: String, label: String, address: String) -> String {
        func escaped(_ text: String) -> String {
            text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
        }
        let body = escaped(message).replacing("\\n", with: "<br>").replacing("\n", with: "<br>")
        return """
            <!doctype html><html><body style="font-family:sans-serif;line-height:1.5"><p>\(body)</p>
            <p><a href="\(escaped(address))" style="display:inline-block;padding:10px 18px;border-radius:6px;background:#1f4fd8;color:#ffffff;text-decoration:none">\(escaped(label))</a></p>
            </body></html>
            """
    }
}
