package import Kernel

/// A place in an ordered list: the key columns of the last row shown, opaque to the caller (base64url of a JSON array).
package struct Cursor: Sendable, Hashable {
    package var keys: [JSON]

    package init(_ keys: [JSON]) { self.keys = keys }

    package var text: String { Base64URL.encode(JSON.array(keys).bytes) }

    /// - Throws: `malformed` with the code `invalid_cursor` where the text was not made by `text` for so many keys.
    package init(_ text: String, keys count: Int) throws {
        guard text.utf8.count <= Limits.cursorBytes, let bytes = Base64URL.decode(text), let json = try? JSON(parsing: bytes),
            let keys = json.array, keys.count == count
        else { throw Cursor.refusal }
        self.keys = keys
    }

    package func text(at index: Int) throws -> String {
        guard let text = keys[index].text else { throw Cursor.refusal }
        return text
    }

    package func integer(at index: Int) throws -> Int {
        guard let integer = keys[index].integer else { throw Cursor.refusal }
        return integer
    }

    package func id<Thing>(at index: Int, of: Thing.Type = Thing.self) throws -> ID<Thing> {
        guard let id = ID<Thing>(try text(at: index)) else { throw Cursor.refusal }
        return id
    }

    package func timestamp(at index: Int) throws -> Timestamp {
        guard let time = Timestamp(try text(at: index)) else { throw Cursor.refusal }
        return time
    }

    static let pattern = "^[A-Za-z0-9_-]+$"

    /// Whether a text may be a cursor at all; lists find out whether it is one of theirs.
    static func isWellFormed(_ text: String) -> Bool {
        (1...Limits.cursorBytes).contains(text.utf8.count) && Base64URL.decode(text) != nil
    }

    static var refusal: Refusal {
        Refusal(.malformed, "invalid_cursor", "The cursor is not one that this list gave.", field: "cursor")
    }
}

extension Page {
    /// A page from one row more than `limit`: the extra row only says that there is a next page.
    package init(_ rows: [Element], limit: Int, cursor: (Element) -> Cursor) {
        let shown = Array(rows.prefix(limit))
        self.init(data: shown, nextCursor: rows.count > limit ? shown.last.map { cursor($0).text } : nil)
    }
}

extension Page {
    /// The part that is asked for of a short list at hand, which does not change between two requests in a way that matters.
    package init(of whole: [Element], _ request: PageRequest) throws {
        let start = try request.cursor.map { try Cursor($0, keys: 1).integer(at: 0) } ?? 0
        guard (0...whole.count).contains(start) else { throw Cursor.refusal }
        let end = min(whole.count, start + request.limit)
        self.init(data: Array(whole[start..<end]), nextCursor: end < whole.count ? Cursor([.number(Double(end))]).text : nil)
    }
}

extension Limits {
    package static let cursorBytes = 1_024
}

/// Base 64 with the URL-safe alphabet and without padding (RFC 4648, 5).
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    package static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count * 4 / 3 + 3)
        var index = 0
        while index < bytes.count {
            let group = (0..<3).map { index + $0 < bytes.count ? UInt32(bytes[index + $0]) : 0 }
            let bits = group[0] << 16 | group[1] << 8 | group[2]
            for place in 0..<min(4, bytes.count - index + 1) { out.append(alphabet[Int(bits >> (18 - 6 * UInt32(place)) & 63)]) }
            index += 3
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Nil for other characters, impossible lengths, and bits left over that are not zero.
    package static func decode(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8 {
            guard let value = alphabet.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                bits &= (1 << UInt32(count)) - 1
            }
        }
        return count < 6 && bits == 0 ? out : nil
    }
}
