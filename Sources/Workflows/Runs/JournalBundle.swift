internal import Kernel
internal import Persistence

/// The whole journal of a run that began and ended in one transaction, as its own row keeps it: one text in the place of a row for each event.
///
/// The first line is a JSON array of `[kind, node, run index, attempt, microseconds, lines]` for each event; then come the lines of the events'
/// own texts. Compressed as a whole where that helps.
enum JournalBundle {
    /// As it is stored, and how many bytes it had before it was compressed.
    static func stored(_ entries: [JournalStore.Record]) -> (bytes: [UInt8], size: Int) {
        var out: [UInt8] = []
        out.reserveCapacity(512)
        out.append(UInt8(ascii: "["))
        for (index, entry) in entries.enumerated() {
            out.append(contentsOf: index == 0 ? "[".utf8 : ",[".utf8)
            JSON.writeString(entry.kind.rawValue, to: &out)
            out.append(UInt8(ascii: ","))
            if let node = entry.node { JSON.writeString(node, to: &out) } else { out.append(contentsOf: "null".utf8) }
            for number in [entry.runIndex, entry.attempt, Int(entry.at.microseconds), entry.text.lineCount] {
                out.append(UInt8(ascii: ","))
                JSON.writeInteger(number, to: &out)
            }
            out.append(UInt8(ascii: "]"))
        }
        out.append(UInt8(ascii: "]"))
        for entry in entries {
            out.append(UInt8(ascii: "\n"))
            entry.text.write(to: &out)
        }
        return (PackedBytes.pack(out), out.count)
    }

    /// - Throws: `UnreadableEvent` for what no program of this version has written.
    static func read(_ stored: [UInt8]) throws -> [JournalStore.Record] {
        let lines = try PackedBytes.unpack(stored).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var rest = lines.dropFirst()
        return try (JSON(parsing: lines.first.map(Array.init) ?? []).array ?? []).enumerated().map { seq, event in
            guard let kind = event[0]?.text.flatMap(RunEvent.Kind.init), let runIndex = event[2]?.integer, let attempt = event[3]?.integer,
                let at = event[4]?.integer, let count = event[5]?.integer, count > 0, rest.count >= count
            else { throw UnreadableEvent(reason: "the journal in the run's row is of another version") }
            defer { rest = rest.dropFirst(count) }
            let own = rest.prefix(count)
            return JournalStore.Record(
                seq: seq, kind: kind, node: event[1]?.text, runIndex: runIndex, attempt: attempt, at: Timestamp(microseconds: Int64(at)),
                text: try JournalText(lines: own, size: own.reduce(0) { $0 + $1.count + 1 }))
        }
    }
}
