internal import Kernel

/// Bodies are kept as text where they are UTF-8, else as digits in base 16.
extension WebhookAnswer {
    var journaled: JSON {
        var members: JSONObject = [
            "status": .number(Double(status)), "headers": .array(headers.map { [.string($0.name), .string($0.value)] })
        ]
        switch body {
        case .none: break
        case .binary(let reference): members["binary"] = reference.json
        case .bytes(let bytes, let type):
            members["type"] = .string(type)
            if let text = String(validating: bytes, as: UTF8.self) {
                members["text"] = .string(text)
            } else {
                members["hex"] = .string(Hex.text(bytes))
            }
        }
        return .object(members)
    }

    init(journaled json: JSON) throws {
        let body: Body
        if let reference = json["binary"] {
            body = .binary(BinaryReference(reference))
        } else if let type = json["type"]?.text {
            guard let bytes = json["text"]?.text.map({ Array($0.utf8) }) ?? json["hex"]?.text.flatMap({ Hex.bytes($0) }) else {
                throw UnreadableEvent(reason: "an answer without its body")
            }
            body = .bytes(bytes, contentType: type)
        } else {
            body = .none
        }
        let headers = (json["headers"]?.array ?? []).compactMap { pair -> (name: String, value: String)? in
            guard let name = pair[0]?.text, let value = pair[1]?.text else { return nil }
            return (name, value)
        }
        self.init(status: json["status"]?.integer ?? 200, headers: headers, body: body)
    }
}

/// Bytes as lower-case digits in base 16.
enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var out: [UInt8] = []
        for byte in bytes {
            out.append(digits[Int(byte >> 4)])
            out.append(digits[Int(byte & 15)])
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func bytes(_ text: String) -> [UInt8]? {
        let nibbles = text.utf8.compactMap { byte -> UInt8? in digits.firstIndex(of: byte).map { UInt8($0) } }
        guard nibbles.count == text.utf8.count, nibbles.count % 2 == 0 else { return nil }
        return stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }
}
