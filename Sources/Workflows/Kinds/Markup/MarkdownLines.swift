/// Markdown as it grows: white space collapses as in a browser, and empty lines stand only between two pieces of text.
struct MarkdownLines {
    let newlinesMaximum: Int
    /// Whether a space at the very start is kept, for a piece that goes on in a line.
    var keepsLeadingSpace = false
    private(set) var text = ""
    private var pendingBreaks = 0

    init(newlinesMaximum: Int, keepsLeadingSpace: Bool = false) {
        self.newlinesMaximum = newlinesMaximum
        self.keepsLeadingSpace = keepsLeadingSpace
    }

    var isAtLineStart: Bool { pendingBreaks > 0 || text.isEmpty && !keepsLeadingSpace || text.last == "\n" }

    /// The next text begins `count` line breaks further down at least.
    mutating func breakLine(_ count: Int) { if !text.isEmpty { pendingBreaks = max(pendingBreaks, count) } }

    /// Text of an element, in which runs of white space are one space.
    mutating func add(text added: String, isVerbatim: Bool) {
        if isVerbatim { return add(raw: added) }
        var words = added.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let startsWithSpace = added.first?.isWhitespace == true
        let endsWithSpace = added.last?.isWhitespace == true
        if words.isEmpty {
            if startsWithSpace, !isAtLineStart, text.last != " " { text += " " }
            return
        }
        if startsWithSpace, !isAtLineStart, text.last != " " { words = " " + words }
        if endsWithSpace { words += " " }
        add(raw: words)
    }

    mutating func add(raw added: String) {
        if added.isEmpty { return }
        if pendingBreaks > 0 {
            while text.last == " " || text.last == "\t" { text.removeLast() }
            let present = text.reversed().prefix { $0 == "\n" }.count
            text += String(repeating: "\n", count: max(0, min(pendingBreaks, newlinesMaximum) - present))
            pendingBreaks = 0
        }
        text += added
    }
}
