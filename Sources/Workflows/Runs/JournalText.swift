internal import Kernel
internal import Persistence

/// What the journal, and a run's row of its input and result, keep in a column: a JSON text, and on the lines after it the lists of items that it
/// holds itself. Compact JSON has no line breaks of its own, so that no list has to be escaped. Compressed as a whole where that helps.
struct JournalText: Sendable {
    let headText: [UInt8]
    let lists: [[UInt8]]
    /// Bytes before compression, of a text that was read.
    let size: Int
    private let parsed: JSON?

    /// - Parameter headText: of a JSON object.
    init(headText: [UInt8], lists: [[UInt8]]) {
        self.headText = headText
        self.lists = lists
        size = 0
        parsed = nil
    }

    /// The lines of a text that was read.
    /// - Throws: `JSON.ParseError`
    init(lines: some Collection<ArraySlice<UInt8>>, size: Int) throws {
        headText = lines.first.map(Array.init) ?? []
        lists = lines.dropFirst().map(Array.init)
        self.size = size
        parsed = try JSON(parsing: headText)
    }

    /// What the first line says.
    var head: JSON { parsed ?? (try? JSON(parsing: headText)) ?? .null }

    /// - Throws: `JSON.ParseError`, or `PersistenceError.driver` for what is damaged.
    init(stored: [UInt8]) throws {
        let bytes = try PackedBytes.unpack(stored)
        try self.init(lines: bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false), size: bytes.count)
    }

    /// As it is stored, and how many bytes it had before it was compressed.
    var stored: (bytes: [UInt8], size: Int) {
        var out: [UInt8] = []
        out.reserveCapacity(headText.count + lists.reduce(0) { $0 + $1.count + 1 })
        write(to: &out)
        return (PackedBytes.pack(out), out.count)
    }

    /// Appends its lines.
    func write(to out: inout [UInt8]) {
        out += headText
        for list in lists {
            out.append(UInt8(ascii: "\n"))
            out.append(contentsOf: list)
        }
    }

    /// What it takes of a text that holds several, one after the other.
    var lineCount: Int { 1 + lists.count }
}
