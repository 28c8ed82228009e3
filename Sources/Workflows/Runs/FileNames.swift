internal import Persistence

/// Finds the files that a text names: a reference names one by the 64 hexadecimal digits of its hash.
enum FileNames {
    private static let digits = 64
    /// What stands before a name, read from it on, and after it, as `BinaryReference.json` and `Item.stored` write it.
    private static let front: [UInt8] = #""id":""#.utf8.reversed()
    private static let back: [UInt8] = Array(#"","mimeType":"#.utf8)

    /// Those that stand anywhere.
    static func all(in text: [UInt8]) -> Set<PayloadHash> {
        var found: Set<PayloadHash> = []
        find(in: text, areReferences: false, &found)
        return found
    }

    /// Those that a reference of a JSON text names, or of one within it: of an item's files, of a node's state, of an answer, or one that was copied
    /// whole. A digest is none, whatever member it stands in.
    static func references(in text: [UInt8], _ found: inout Set<PayloadHash>) { find(in: text, areReferences: true, &found) }

    /// Looks at every 64th byte alone where no digits stand, so that a text without names costs next to nothing.
    private static func find(in text: [UInt8], areReferences: Bool, _ found: inout Set<PayloadHash>) {
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
                if end - start == digits, !areReferences || isReference(bytes, start, end),
                    let hash = PayloadHash(hex: String(decoding: bytes[start..<end], as: UTF8.self))
                {
                    found.insert(hash)
                }
                place = end + digits
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 6 }

    /// Passes over backslashes, which stand before the quotes in a text within a text.
    private static func isReference(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let backslash = UInt8(ascii: "\\")
        var place = start
        for byte in front {
            place -= 1
            while place >= 0, bytes[place] == backslash { place -= 1 }
            guard place >= 0, bytes[place] == byte else { return false }
        }
        place = end
        for byte in back {
            while place < bytes.count, bytes[place] == backslash { place += 1 }
            guard place < bytes.count, bytes[place] == byte else { return false }
            place += 1
        }
        return true
    }
}
