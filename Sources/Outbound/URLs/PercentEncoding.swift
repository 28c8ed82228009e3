/// Percent-encoding of URL parts (RFC 3986, 2.1) over UTF-8.
package enum PercentEncoding {
    /// A set of ASCII bytes that stand for themselves.
    package struct Allowed: Sendable {
        private var bits: (UInt64, UInt64) = (0, 0)
        init(_ characters: String) {
            for byte in characters.utf8 {
                if byte < 64 { bits.0 |= 1 << UInt64(byte) } else { bits.1 |= 1 << UInt64(byte - 64) }
            }
        }
        func contains(_ byte: UInt8) -> Bool {
            byte < 64 ? bits.0 & (1 << UInt64(byte)) != 0 : byte < 128 && bits.1 & (1 << UInt64(byte - 64)) != 0
        }
    }

    private static let unreservedText = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    /// RFC 3986's unreserved characters alone: for one component's value.
    package static let component = Allowed(unreservedText)
    static let path = Allowed(unreservedText + "!$&'()*+,;=:@/%")
    static let query = Allowed(unreservedText + "!$&'()*+,;=:@/?%[]")
    /// The WHATWG form-urlencoded serializer's set; a space becomes `+`.
    static let form = Allowed("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._")

    /// Encodes all bytes outside `allowed`; where `%` is allowed, one that begins no escape is encoded too.
    package static func encode(_ text: some StringProtocol, allowing allowed: Allowed = component) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            let isStrayPercent = byte == 37 && !(index + 2 < bytes.count && hex(bytes[index + 1]) != nil && hex(bytes[index + 2]) != nil)
            if allowed.contains(byte) && !isStrayPercent { out.append(byte) } else { out += escape(byte) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Decodes escapes; a malformed one stays as it is.
    package static func decode(_ text: some StringProtocol) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == 37, index + 2 < bytes.count, let high = hex(bytes[index + 1]), let low = hex(bytes[index + 2]) {
                out.append(high << 4 | low)
                index += 3
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
