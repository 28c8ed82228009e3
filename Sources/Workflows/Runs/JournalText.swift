internal import Kernel
internal import Persistence

/// What the journal, and a run's row of its input and result, keep in a column: a JSON text, and on the lines after it the lists of items that it
/// holds itself. Compact JSON has no line breaks of its own, so that no list has to be escaped. Compressed as a whole where that helps.
struct JournalText: Sendable {
    var head: JSON
    var lists: [[UInt8]]
    /// Bytes before compression, of a text that was read.
    private(set) var size = 0

    init(_ head: JSON, lists: [[UInt8]] = [], size: Int = 0) {
        self.head = head
        self.lists = lists
        self.size = size
    }

    /// - Throws: `JSON.ParseError`, or `PersistenceError.driver` for what is damaged.
    init(stored: [UInt8]) throws {
        let bytes = try PackedBytes.unpack(stored)
        size = bytes.count
        let parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        head = try JSON(parsing: parts.first.map(Array.init) ?? [])
        lists = parts.dropFirst().map(Array.init)
    }

    /// As it is stored, and how many bytes it had before it was compressed.
    var stored: (bytes: [UInt8], size: Int) {
        var out: [UInt8] = []
        out.reserveCapacity(256 + lists.reduce(0) { $0 + $1.count + 1 })
        write(to: &out)
        return (PackedBytes.pack(out), out.count)
    }

    /// Appends its lines.
    func write(to out: inout [UInt8]) {
        head.write(to: &out)
        for list in lists {
            out.append(UInt8(ascii: "\n"))
            out.append(contentsOf: list)
        }
    }

    /// What it takes of a text that holds several, one after the other.
    var lineCount: Int { 1 + lists.count }
}
