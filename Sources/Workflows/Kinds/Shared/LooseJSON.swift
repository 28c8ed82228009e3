internal import Kernel

/// JSON as people write it, read as n8n's Edit Fields does: single quotes for double ones, names without quotes, commas at an end.
enum LooseJSON {
    /// - Returns: nil for what is no JSON even then.
    static func parse(_ text: String) -> JSON? {
        if let value = try? JSON(parsing: text) { return value }
        return try? JSON(parsing: mended(text.utf8.map { $0 == UInt8(ascii: "'") ? quote : $0 }))
    }

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")

    /// Every word before a colon gets quotes, in a string too.
    private static func mended(_ bytes: [UInt8]) -> [UInt8] {
        var mended: [UInt8] = []
        mended.reserveCapacity(bytes.count)
        var next = 0
        while next < bytes.count {
            let start = bytes[next] == quote ? next + 1 : next
            let end = bytes[start...].firstIndex { !isWord($0) } ?? bytes.count
            if end > start {
                let colon = end < bytes.count && bytes[end] == quote ? end + 1 : end
                if colon < bytes.count, bytes[colon] == UInt8(ascii: ":") {
                    mended.append(quote)
                    mended.append(contentsOf: bytes[start..<end])
                    mended.append(contentsOf: [quote, bytes[colon]])
                    next = colon + 1
                } else {
                    mended.append(contentsOf: bytes[next..<end])
                    next = end
                }
            } else if bytes[next] == comma, let closing = bytes[(next + 1)...].firstIndex(where: { !isSpace($0) }), isClosing(bytes[closing]) {
                next = closing
            } else {
                mended.append(bytes[next])
                next += 1
            }
        }
        while mended.last == comma { mended.removeLast() }
        return mended
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: byte == UInt8(ascii: "_")
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func isClosing(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") }
}
