internal import CMail
internal import Kernel

/// A mail with its parts decoded.
///
/// Answer: `{headers: [[name, value, line], …], addresses: [[field, name, address], …], texts: [[type, text], …], attachments: [{type, name, id,
/// attached}, …]}`, and the attachments' contents as files in the same order.
enum MailReader {
    static let partsMaximum = 1_000

    private final class Found {
        var headers: [JSON] = []
        var addresses: [JSON] = []
        var texts: [JSON] = []
        var attachments: [JSON] = []
        var files: [Wire.File] = []
    }

    static func read(_ request: Wire.Message) throws -> Wire.Message {
        let bytes = try request.file()
        let found = Found()
        let code = withExtendedLifetime(found) {
            var events = aias_mail_events(
                context: Unmanaged.passUnretained(found).toOpaque(),
                header: { context, name, value, line in
                    MailReader.found(context)?.headers.append([MailReader.text(name), MailReader.text(value), MailReader.text(line)])
                },
                address: { context, field, name, address in
                    MailReader.found(context)?.addresses.append([MailReader.text(field), MailReader.text(name), MailReader.text(address)])
                },
                text: { context, type, text in MailReader.found(context)?.texts.append([MailReader.text(type), MailReader.text(text)]) },
                file: { context, type, name, id, isAttachment, bytes, count in
                    guard let found = MailReader.found(context) else { return }
                    found.attachments.append([
                        "type": MailReader.text(type), "name": MailReader.text(name), "id": MailReader.text(id), "attached": .bool(isAttachment != 0)
                    ])
                    found.files.append(Wire.File(name: "", bytes: Array(UnsafeBufferPointer(start: bytes, count: count))))
                })
            return aias_mail_read(bytes, bytes.count, Int32(partsMaximum), &events)
        }
        switch code {
        case 0: break
        case 2: throw Fault("file_too_large", "The mail has more than \(partsMaximum) parts, or too deep ones.")
        default: throw Fault("unreadable_file", "This is no mail.")
        }
        let head: JSONObject = [
            "headers": .array(found.headers), "addresses": .array(found.addresses), "texts": .array(found.texts),
            "attachments": .array(found.attachments)
        ]
        return Wire.Message(head: head, files: found.files)
    }

    private static func found(_ context: UnsafeMutableRawPointer?) -> Found? {
        context.map { Unmanaged<Found>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func text(_ bytes: UnsafePointer<CChar>?) -> JSON { .string(bytes.map { String(cString: $0) } ?? "") }
}
