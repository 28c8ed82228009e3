/// Finds the tables that a statement reads or writes, from its text alone.
///
/// Both drivers share this reading, so that a statement refused on one is refused on the other. A table's name counts where the grammar
/// expects a table (after FROM, JOIN, INTO, UPDATE, IN, or a comma of a FROM list), once for each place: a self-join is two uses. Where the
/// text is ambiguous it counts a use too many rather than one too few.
struct TableUses {
    /// Lower-case names in the order of the text, with repetition.
    private(set) var names: [String] = []

    private var level = Level()
    private var outer: [Level] = []
    /// After a table's name: a dot makes it the name of a schema, and the next word the table.
    private var mayContinue = false

    private struct Level {
        /// The next word names a table.
        var awaitsTable = false
        /// A parenthesis at this place holds tables, not columns.
        var opensTables = false
        /// A comma leads to another table.
        var isList = false
    }

    private init() {}

    static func find(in text: String) -> [String] {
        var uses = TableUses()
        var tokens = SQLTokens(text)
        while let token = tokens.next() { uses.take(token) }
        return uses.names
    }

    /// The tables that a statement inserts into, in lower case.
    static func inserted(in text: String) -> [String] {
        var names: [String] = []
        var (awaitsName, mayContinue) = (false, false)
        var tokens = SQLTokens(text)
        while let token = tokens.next() {
            let isContinued = mayContinue
            mayContinue = false
            switch token {
            case .word(let name) where awaitsName, .quoted(let name) where awaitsName:
                names.append(name)
                (awaitsName, mayContinue) = (false, true)
            case .dot where isContinued:
                names.removeLast()
                awaitsName = true
            case .word("into"): awaitsName = true
            default: awaitsName = false
            }
        }
        return names
    }

    private mutating func take(_ token: SQLTokens.Token) {
        let isContinued = mayContinue
        mayContinue = false
        switch token {
        case .word(let word): take(word: word)
        case .quoted(let name): if level.awaitsTable { take(name: name) }
        case .comma: expect(table: level.isList)
        case .dot where isContinued:
            names.removeLast()
            level.awaitsTable = true
        case .dot, .other: expect(table: false)
        case .open:
            let holdsTables = level.opensTables
            expect(table: false)
            outer.append(level)
            level = Level(awaitsTable: holdsTables, opensTables: holdsTables, isList: holdsTables)
        case .close: level = outer.popLast() ?? Level()
        }
    }

    private mutating func expect(table isTable: Bool) {
        level.awaitsTable = isTable
        level.opensTables = isTable
    }

    private mutating func take(word: String) {
        switch word {
        case "from": level = Level(awaitsTable: true, opensTables: true, isList: true)
        case "join": expect(table: true)
        case "into", "update", "in", "using", "table":
            level.awaitsTable = true
            level.opensTables = false
        case "on", "default": expect(table: false)
        case "where", "group", "having", "order", "limit", "returning", "set", "values", "select", "union", "except", "intersect", "window":
            level = Level()
        case "or", "ignore", "replace", "abort", "fail", "rollback", "only", "lateral", "not", "exists", "if": return
        default: if level.awaitsTable { take(name: word) }
        }
    }

    private mutating func take(name: String) {
        names.append(name)
        expect(table: false)
        mayContinue = true
    }
}

/// The words and marks of a statement; strings and comments are passed over.
struct SQLTokens {
    enum Token: Hashable {
        /// In lower case.
        case word(String)
        /// An identifier in quotes, in lower case: SQLite compares those without regard to case too.
        case quoted(String)
        case open, close, comma, dot, other
    }

    private let bytes: [UInt8]
    private var place = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func next() -> Token? {
        while place < bytes.count {
            let byte = bytes[place]
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): place += 1
            case UInt8(ascii: "-") where follows(UInt8(ascii: "-")): skip(past: "\n")
            case UInt8(ascii: "/") where follows(UInt8(ascii: "*")): skip(past: "*/")
            case UInt8(ascii: "'"):
                _ = quoted(until: byte)
                return .other
            case UInt8(ascii: "\""), UInt8(ascii: "`"): return .quoted(quoted(until: byte))
            case UInt8(ascii: "["): return .quoted(quoted(until: UInt8(ascii: "]")))
            case UInt8(ascii: "("): return single(.open)
            case UInt8(ascii: ")"): return single(.close)
            case UInt8(ascii: ","): return single(.comma)
            case UInt8(ascii: "."): return single(.dot)
            default: return isWord(byte) ? .word(word()) : single(.other)
            }
        }
        return nil
    }

    private mutating func single(_ token: Token) -> Token {
        place += 1
        return token
    }

    private func follows(_ byte: UInt8) -> Bool { place + 1 < bytes.count && bytes[place + 1] == byte }

    private mutating func skip(past end: StaticString) {
        let end = Array(UnsafeBufferPointer(start: end.utf8Start, count: end.utf8CodeUnitCount))
        while place < bytes.count {
            if bytes[place...].starts(with: end) { return place += end.count }
            place += 1
        }
    }

    /// A doubled quote stands for itself.
    private mutating func quoted(until end: UInt8) -> String {
        var inside: [UInt8] = []
        place += 1
        while place < bytes.count {
            if bytes[place] == end {
                place += 1
                guard place < bytes.count, bytes[place] == end, end != UInt8(ascii: "]") else { break }
            }
            inside.append(bytes[place])
            place += 1
        }
        return String(decoding: inside, as: UTF8.self).lowercased()
    }

    private func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: byte >= 0x80
        }
    }

    private mutating func word() -> String {
        let start = place
        while place < bytes.count, isWord(bytes[place]) { place += 1 }
        return String(decoding: bytes[start..<place], as: UTF8.self).lowercased()
    }
}
