internal import Foundation
internal import Kernel

/// A plain-text mail (RFC 5322) to one person.
package struct MailMessage: Sendable, Hashable {
    package var from: String
    package var to: String
    package var subject: String
    package var text: String
    /// Becomes the Message-ID, the same for a repeat of the same mail.
    package var id: String

    package init(from: String, to: String, subject: String, text: String, id: String) {
        self.from = from
        self.to = to
        self.subject = subject
        self.text = text
        self.id = id
    }

    static let lineBytesMaximum = 998

    /// The message as SMTP carries it: CRLF line ends, subject and text as UTF-8 in base 64, so that no value can add a header.
    func wire(at time: Timestamp) -> [UInt8] {
        let domain = Self.oneLine(from).split(separator: "@").last.map { $0.filter { $0 != ">" } } ?? "localhost"
        let lines: [String] = [
            "Date: \(Self.date(time))", "From: \(Self.oneLine(from))", "To: \(Self.oneLine(to))", "Message-ID: <\(Self.oneLine(id))@\(domain)>",
            "Subject: =?UTF-8?B?\(Data(Self.oneLine(subject).utf8).base64EncodedString())?=", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "Auto-Submitted: auto-generated", "",
            Data(text.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed]), ""
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    /// An address under another name: `AIAS <noreply@example.com>` as `Acme Flows`. Words are encoded (RFC 2047), so that no name is a second address.
    static func sender(_ name: String, at from: String) -> String {
        let address = from.split(separator: "<").last.map { $0.filter { $0 != ">" && $0 != " " } } ?? from
        var words: [[UInt8]] = [[]]
        for character in name {
            let bytes = Array(String(character).utf8)
            if words[words.count - 1].count + bytes.count > encodedWordBytes { words.append([]) }
            words[words.count - 1] += bytes
        }
        let encoded = words.map { "=?UTF-8?B?\(Data($0).base64EncodedString())?=" }.joined(separator: " ")
        return "\(encoded) <\(address)>"
    }

    /// So that a word with its frame stays below 75 characters.
    private static let encodedWordBytes = 42

    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }).prefix(lineBytesMaximum / 4))
    }

    /// RFC 5322, 3.3: `Tue, 24 Nov 2026 11:07:19 +0000`.
    static func date(_ time: Timestamp) -> String {
        let days = time.seconds.flooringDivision(86_400)
        let (year, month, day) = Timestamp.civil(fromDays: days)
        let second = Int(time.seconds - days * 86_400)
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let weekday = weekdays[Int(days - days.flooringDivision(7) * 7)]
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return
            "\(weekday), \(two(Int(day))) \(months[Int(month) - 1]) \(year) \(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60)) +0000"
    }
}
