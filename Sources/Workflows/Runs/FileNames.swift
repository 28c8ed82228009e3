internal import Persistence

/// Finds the files that a text names: a reference names one by the 64 hexadecimal digits of its hash, in whatever member a script or a node puts it.
enum FileNames {
    private static let digits = 64

    /// Those that stand anywhere.
    static func all(in text: [UInt8]) -> Set<PayloadHash> {
        var found: Set<PayloadHash> = []
        find(in: text, areValues: false, &found)
        return found
    }

    /// Those that are a string of a JSON text, or of one within it. Names of lists are none, nor are digests that are parts of other texts.
    static func values(in text: [UInt8], _ found: inout Set<PayloadHash>) { find(in: text, areValues: true, &found) }

    /// Looks at every 64th byte alone where no digits stand, so that a text without names costs next to nothing.
    private static func find(in text: [UInt8], areValues: Bool, _ found: inout Set<PayloadHash>) {
        text.withUnsafeBufferPointer { bytes in
            var place = digits - 1
            while place < bytes.count {
                guard isDigit(bytes[place]) else {
                    place += digits
                    continue
                }
                var (start, end) = (place, place + 1)
                while start > 0, isDigit(bytes[start - 1]) { start -= 1 }
                while end < bytes.count, isDigit(bytes[end]) { end += 1 }
                if end - start == digits, !areValues || isValue(bytes, start, end),
                    let hash = PayloadHash(hex: String(decoding: bytes[start..<end], as: UTF8.self))
                {
                    found.insert(hash)
                }
                place = end + digits
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 6 }

    private static func isValue(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let quote = UInt8(ascii: "\"")
        guard start > 0, end < bytes.count, bytes[start - 1] == quote else { return false }
        return bytes[end] == quote || bytes[end] == UInt8(ascii: "\\")
    }
}
