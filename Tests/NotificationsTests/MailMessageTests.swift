import Foundation
import Kernel
import Testing

@testable import Notifications

@Suite struct MailMessageTests {
    @Test func `no value can add a header or end the head`() throws {
        let evil = "x\r\nBcc: victim@example.com\r\n\r\nbody\u{2028}\n.\r\n"
        let message = MailMessage(from: "AIAS <a@example.com>\r\nX: y", to: "ben@example.com" + evil, subject: evil, text: evil, id: evil)
        let text = String(decoding: message.wire(at: Timestamp(seconds: 0)), as: UTF8.self)
        let halves = text.split(separator: "\r\n\r\n", maxSplits: 1)
        let names = halves[0].split(separator: "\r\n").map { $0.prefix { $0 != ":" } }
        #expect(
            names == ["Date", "From", "To", "Message-ID", "Subject", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted"])
        #expect(!halves[0].replacing("\r\n", with: "").unicodeScalars.contains { $0.value < 32 })
        let body = try #require(Data(base64Encoded: String(halves[1]), options: .ignoreUnknownCharacters))
        #expect(String(decoding: body, as: UTF8.self) == evil)
    }

    @Test func `a date reads as RFC 5322 has it`() throws {
        #expect(MailMessage.date(try #require(Timestamp("2026-11-24T11:07:19Z"))) == "Tue, 24 Nov 2026 11:07:19 +0000")
        #expect(MailMessage.date(try #require(Timestamp("1969-12-31T23:59:59Z"))) == "Wed, 31 Dec 1969 23:59:59 +0000")
    }

    @Test func `a relay is read from its address, its password kept apart`() throws {
        let relay = try SMTPRelay("smtp://ana:s%40cret@mail.example.com", from: "a@example.com")
        #expect(relay.url == "smtp://mail.example.com:587" && relay.user == "ana" && relay.password == "s@cret" && relay.requiresTLS)
        #expect(try !SMTPRelay("smtp://127.0.0.1:2525", from: "a@example.com").requiresTLS)
        #expect(throws: Refusal.self) { try SMTPRelay("mail.example.com", from: "a@example.com") }
    }
}

@Suite struct MailSenderTests {
    @Test func `a tenant's name is no second address and keeps the platform's`() throws {
        let plain = MailMessage.sender("Acme Flows", at: "AIAS <noreply@example.com>")
        #expect(plain == "=?UTF-8?B?QWNtZSBGbG93cw==?= <noreply@example.com>")
        let forged = MailMessage.sender("Bank <ceo@bank.example>,", at: "AIAS <noreply@example.com>")
        #expect(forged.filter { $0 == "<" }.count == 1 && forged.hasSuffix("<noreply@example.com>") && !forged.contains(","))
        let long = MailMessage.sender(String(repeating: "ü", count: 40), at: "noreply@example.com")
        #expect(long.split(separator: " ").allSatisfy { $0.count <= 75 })
    }
}
