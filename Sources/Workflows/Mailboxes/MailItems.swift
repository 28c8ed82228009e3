internal import Kernel
internal import Scripting

/// Makes items of mails, in the members that n8n's trigger gives.
struct MailItems: Sendable {
    let wish: MailWish
    /// The walled converter.
    let convert: @Sendable (FileConversion) async throws -> ConvertedFiles
    let store: @Sendable (_ bytes: [UInt8], _ type: String, _ name: String?) async throws -> BinaryReference

    func item(_ mail: FoundMail) async throws -> Item {
        if wish.format == .raw { return Item(json: attributed(["raw": .string(MailItems.body(of: mail.bytes))], mail)) }
        let read: ConvertedFiles
        do { read = try await convert(FileConversion(.readMail, files: [.init(bytes: mail.bytes)])) } catch let error as FileConversionError {
            guard error.code != "unavailable" else { throw error }
            // One that nobody can read must not keep those behind it waiting.
            return Item(json: attributed(["raw": .string(MailItems.body(of: mail.bytes)), "error": .string(error.message)], mail))
        }
        let facts = MailFacts(read.facts)
        var item = Item(json: attributed(wish.format == .simple ? facts.simple : facts.resolved, mail))
        guard wish.downloads else { return item }
        var count = 0
        for (attachment, file) in zip(read.facts["attachments"]?.array ?? [], read.files) {
            // What stands within the text belongs to it, unless all parts are wanted.
            guard wish.format == .resolved || attachment["attached"]?.boolean == true else { continue }
            let name = attachment["name"]?.text.flatMap { $0.isEmpty ? nil : $0 }
            item.binary["\(wish.prefix)\(count)"] = try await store(file.bytes, attachment["type"]?.text ?? "application/octet-stream", name)
            count += 1
        }
        return item
    }

    private func attributed(_ json: JSONObject, _ mail: FoundMail) -> JSONObject {
        var json = json
        json["attributes"] = ["uid": .number(Double(mail.uid))]
        if mail.isTooLarge { json["tooLarge"] = true }
        return json
    }

    /// What follows the first empty line.
    static func body(of bytes: [UInt8]) -> String {
        var previous: UInt8 = 0x0A
        for (index, byte) in bytes.enumerated() where byte != 0x0D {
            if byte == 0x0A, previous == 0x0A { return String(decoding: bytes[(index + 1)...], as: UTF8.self) }
            previous = byte
        }
        return ""
    }
}

/// What the converter tells of a mail.
private struct MailFacts {
    private let headers: [(name: String, value: String, line: String)]
    private let addresses: [(field: String, name: String, address: String)]
    private let texts: [(type: String, text: String)]

    init(_ facts: JSONObject) {
        func rows(_ name: String) -> [[String]] { (facts[name]?.array ?? []).map { ($0.array ?? []).map { $0.text ?? "" } } }
        headers = rows("headers").filter { $0.count == 3 }.map { ($0[0].lowercased(), $0[1], $0[2]) }
        addresses = rows("addresses").filter { $0.count == 3 }.map { ($0[0], $0[1], $0[2]) }
        texts = rows("texts").filter { $0.count == 2 }.map { ($0[0], $0[1]) }
    }

    private func text(_ type: String) -> String { texts.first { $0.type == type }?.text ?? "" }
    private func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    var simple: JSONObject {
        var json: JSONObject = ["textHtml": .string(text("text/html")), "textPlain": .string(text("text/plain"))]
        var metadata = JSONObject()
        for header in headers {
            if ["cc", "date", "from", "subject", "to"].contains(header.name) {
                if json[header.name] == nil { json[header.name] = .string(header.value) }
            } else if metadata[header.name] == nil {
                metadata[header.name] = .string(header.value)
            }
        }
        json["metadata"] = .object(metadata)
        return json
    }

    var resolved: JSONObject {
        var json: JSONObject = ["headers": .object(JSONObject(headers.map { ($0.name, JSON.string($0.line)) }))]
        let (html, plain) = (text("text/html"), text("text/plain"))
        json["html"] = html.isEmpty ? false : .string(html)
        if !plain.isEmpty {
            json["text"] = .string(plain)
            json["textAsHtml"] = .string("<p>" + MailFacts.escaped(plain).replacing("\r\n", with: "\n").replacing("\n", with: "<br/>") + "</p>")
        }
        json["subject"] = header("subject").map { .string($0) }
        if let date = header("date"), let time = LooseTime.parse(.string(date), timeZone: "UTC") {
            json["date"] = .string(String(time.description.dropLast(4)) + "Z")
        }
        for (field, name) in [("to", "to"), ("from", "from"), ("cc", "cc"), ("bcc", "bcc"), ("reply-to", "replyTo")] { json[name] = people(field) }
        for (field, name) in [("message-id", "messageId"), ("in-reply-to", "inReplyTo"), ("references", "references")] {
            json[name] = header(field).map { .string($0) }
        }
        return json
    }

    private func people(_ field: String) -> JSON? {
        let found = addresses.filter { $0.field == field }
        guard !found.isEmpty else { return nil }
        return [
            "value": .array(found.map { ["address": .string($0.address), "name": .string($0.name)] }),
            "html": .string(
                found.map { person in
                    let link = "<a href=\"mailto:\(MailFacts.escaped(person.address))\">\(MailFacts.escaped(person.address))</a>"
                    return person.name.isEmpty ? link : "<span>\(MailFacts.escaped(person.name)) &lt;\(link)&gt;</span>"
                }.joined(separator: ", ")),
            "text": .string(found.map { $0.name.isEmpty ? $0.address : "\"\($0.name)\" <\($0.address)>" }.joined(separator: ", "))
        ]
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}
