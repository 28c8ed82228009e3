/// Lays words out in lines, and lines in blocks, with as many empty lines between two blocks as the greater of their wishes.
struct TextBlocks {
    /// Characters of a line, unless a single word is longer.
    static let lineLength = 80
    private static let shortestLine = 20

    /// Words of a block that are not yet part of its text.
    private struct Lines {
        var lines: [[String]] = []
        var words: [String] = []
        let length: Int
        var left: Int
        var hasPendingSpace = false
        var mayBreakWord = false

        init(length: Int) {
            self.length = length
            left = length
        }

        var isEmpty: Bool { lines.isEmpty && words.isEmpty }
        var text: String { (lines + [words]).map { $0.joined(separator: " ") }.joined(separator: "\n") }

        mutating func startLine(_ count: Int = 1) {
            lines.append(words)
            for _ in 1..<max(count, 1) { lines.append([]) }
            words = []
            left = length
        }

        mutating func push(_ word: String) {
            if left <= 0 { startLine() }
            let cost = word.count + (words.isEmpty ? 0 : 1)
            if cost > left, !words.isEmpty {
                startLine()
                left -= word.count
            } else {
                left -= cost
            }
            words.append(word)
        }

        /// Goes on with the last word.
        mutating func join(_ word: String) {
            if mayBreakWord, word.count > left {
                mayBreakWord = false
                return push(word)
            }
            guard let last = words.popLast() else { return push(word) }
            left += last.count + (words.isEmpty ? 0 : 1)
            push(last + word)
        }
    }

    private struct Block {
        var leadingBreaks: Int
        var lines: Lines
        var raw = ""
        var pendingBreaks = 0
        var isPreformatted = false
        var prefix = ""
        var width = 0
        /// A list holds items alone.
        var isList = false

        var text: String { lines.isEmpty ? raw : raw + lines.text }

        mutating func add(_ text: String, leadingBreaks leading: Int, trailingBreaks: Int) {
            let breaks = max(pendingBreaks, leading)
            if !lines.isEmpty { raw += lines.text }
            lines = Lines(length: lines.length)
            if raw.isEmpty {
                raw = text
                leadingBreaks = breaks
            } else {
                raw += String(repeating: "\n", count: breaks)
                raw += text
            }
            pendingBreaks = trailingBreaks
        }
    }

    private var blocks = [Block(leadingBreaks: 0, lines: Lines(length: TextBlocks.lineLength))]
    /// How many elements around want capitals.
    var capitals = 0
    /// All words so far.
    private(set) var wordCount = 0

    var text: String { blocks[0].text }
    /// Blocks that are open; each copies its text into the next when it ends.
    var depth: Int { blocks.count }

    private var top: Block {
        get { blocks[blocks.count - 1] }
        _modify { yield &blocks[blocks.count - 1] }
    }

    mutating func openBlock(leadingBreaks: Int, reservedLength: Int = 0, isPreformatted: Bool = false) {
        let length = max(TextBlocks.shortestLine, top.lines.length - reservedLength)
        var block = Block(leadingBreaks: leadingBreaks, lines: Lines(length: length))
        block.isPreformatted = isPreformatted || top.isPreformatted
        blocks.append(block)
    }

    mutating func closeBlock(trailingBreaks: Int, _ transform: (String) -> String = { $0 }) {
        let block = blocks.removeLast()
        top.add(transform(block.text), leadingBreaks: block.leadingBreaks, trailingBreaks: max(block.pendingBreaks, trailingBreaks))
    }

    mutating func openList(leadingBreaks: Int) {
        var list = Block(leadingBreaks: leadingBreaks, lines: Lines(length: top.lines.length))
        list.isList = true
        list.isPreformatted = top.isPreformatted
        blocks.append(list)
    }

    mutating func openListItem(prefix: String, width: Int) {
        var item = Block(leadingBreaks: 1, lines: Lines(length: max(TextBlocks.shortestLine, top.lines.length - width)))
        item.prefix = prefix
        item.width = width
        item.isPreformatted = top.isPreformatted
        blocks.append(item)
    }

    mutating func closeListItem() {
        let item = blocks.removeLast()
        let padding = String(repeating: " ", count: max(0, item.width - item.prefix.count))
        let indented = item.text.prefixingLines(with: String(repeating: " ", count: item.width), alsoFirst: false)
        top.add(item.prefix + padding + indented, leadingBreaks: item.leadingBreaks, trailingBreaks: max(item.pendingBreaks, 1))
    }

    mutating func closeList(trailingBreaks: Int) {
        let list = blocks.removeLast()
        if !list.text.isEmpty { top.add(list.text, leadingBreaks: list.leadingBreaks, trailingBreaks: trailingBreaks) }
    }

    mutating func addLineBreak() {
        if top.isList { return }
        if top.isPreformatted { top.raw += "\n" } else { top.lines.startLine() }
    }

    mutating func addWordBreak() { if !top.isList { top.lines.mayBreakWord = true } }

    /// - Parameter isVerbatim: keeps capitals and small letters, and does not count as words.
    mutating func add(_ text: String, isVerbatim: Bool = false) {
        if top.isList || text.isEmpty { return }
        if top.isPreformatted {
            top.raw += text
            if !isVerbatim { wordCount += 1 }
            return
        }
        let words = text.split { TextBlocks.isSpace($0) }
        if top.pendingBreaks > 0 {
            if words.isEmpty { return }
            top.lines.startLine(top.pendingBreaks)
            top.pendingBreaks = 0
        }
        let hadPendingSpace = top.lines.hasPendingSpace
        for (index, word) in words.enumerated() {
            let shown = capitals > 0 && !isVerbatim ? word.uppercased() : String(word)
            let beginsWord = index > 0 || hadPendingSpace || text.first.map(TextBlocks.isSpace) == true
            if beginsWord { top.lines.push(shown) } else { top.lines.join(shown) }
        }
        if !isVerbatim { wordCount += words.count }
        top.lines.hasPendingSpace = hadPendingSpace && words.isEmpty || text.last.map(TextBlocks.isSpace) == true
    }

    private static func isSpace(_ character: Character) -> Bool {
        switch character {
        case " ", "\t", "\r", "\n", "\r\n", "\u{0C}", "\u{200B}": true
        default: false
        }
    }
}

extension String {
    /// Every line, but for the first where it is not wanted, begins with the prefix.
    func prefixingLines(with prefix: String, alsoFirst: Bool) -> String {
        var out: [UInt8] = alsoFirst ? Array(prefix.utf8) : []
        out.reserveCapacity(utf8.count)
        for byte in utf8 {
            out.append(byte)
            if byte == UInt8(ascii: "\n") { out += prefix.utf8 }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
