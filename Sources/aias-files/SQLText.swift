/// A query's words, as far as they matter here: what stands in quotes or comments is passed over.
struct SQLText {
    struct Word {
        /// In capitals.
        var text: String
        var start: Int
        /// How many parentheses are open around it.
        var depth: Int
        /// Whether a parenthesis follows it.
        var isCall: Bool
    }

    /// Before each `/`, so that whole numbers divide as JavaScript's do; the mark lets a column's name be given back as it was written.
    static let division = "*/*aias*/1.0/"

    /// The query with its divisions made over.
    private(set) var bytes: [UInt8] = []
    private(set) var words: [Word] = []

    init(_ query: String) {
        let source = Array(query.utf8)
        var index = 0
        var depth = 0
        while index < source.count {
            let byte = source[index]
            if let end = SQLText.passedOver(source, index) {
                bytes += source[index..<end]
                index = end
                continue
            }
            if SQLText.isWord(byte) {
                var end = index
                while end < source.count, SQLText.isWord(source[end]) { end += 1 }
                words.append(
                    Word(
                        text: String(decoding: source[index..<end], as: UTF8.self).uppercased(), start: bytes.count, depth: depth,
                        isCall: source[end...].first { $0 != 0x20 } == UInt8(ascii: "(")))
                bytes += source[index..<end]
                index = end
                continue
            }
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth -= 1 }
            if byte == UInt8(ascii: "/") { bytes += Array(SQLText.division.utf8) } else { bytes.append(byte) }
            index += 1
        }
    }

    func has(_ texts: Set<String>) -> Bool { words.contains { texts.contains($0.text) } }
    func calls(_ functions: Set<String>) -> Bool { words.contains { $0.isCall && functions.contains($0.text) } }

    /// Where the list of a plain SELECT's columns ends; nil where the query is something else, or may not be given a further column.
    var endOfColumns: Int? {
        guard words.first?.text == "SELECT", words.count > 1, words[1].text != "DISTINCT" else { return nil }
        guard !words.contains(where: { $0.depth == 0 && ["UNION", "INTERSECT", "EXCEPT"].contains($0.text) }) else { return nil }
        return words.first { $0.depth == 0 && $0.text == "FROM" }?.start
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || byte >= 0x80
    }

    /// Where the text in quotes, the name in brackets or the comment that begins here ends.
    private static func passedOver(_ source: [UInt8], _ start: Int) -> Int? {
        let next = start + 1 < source.count ? source[start + 1] : 0
        switch (source[start], next) {
        case (UInt8(ascii: "'"), _), (UInt8(ascii: "\""), _), (UInt8(ascii: "`"), _): return after(source, [source[start]], from: start + 1)
        case (UInt8(ascii: "["), _): return after(source, [UInt8(ascii: "]")], from: start + 1)
        case (UInt8(ascii: "-"), UInt8(ascii: "-")): return after(source, [UInt8(ascii: "\n")], from: start + 2)
        case (UInt8(ascii: "/"), UInt8(ascii: "*")): return after(source, Array("*/".utf8), from: start + 2)
        default: return nil
        }
    }

    /// A doubled quote begins another text at once, which comes to the same.
    private static func after(_ source: [UInt8], _ end: [UInt8], from start: Int) -> Int {
        var index = start
        while index + end.count <= source.count {
            if Array(source[index..<(index + end.count)]) == end { return index + end.count }
            index += 1
        }
        return source.count
    }
}
