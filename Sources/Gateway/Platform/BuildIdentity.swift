internal import Glibc
internal import Kernel

/// Which build of the program this is, so that two builds of one version are told apart: the digest that the linker made of it (`NT_GNU_BUILD_ID` in
/// a segment of notes, elf(5)). It is read from a few hundred bytes of the file, and stays when symbols are stripped.
enum BuildIdentity {
    /// 12 hexadecimal digits; nil where the program has none.
    static let own = read("/proc/self/exe")

    private static let digits = 12
    /// Of a table of segments, or of the notes in one.
    private static let bytesMaximum = 64 << 10
    private static let (segmentOfNotes, noteOfBuild) = (4, 3)

    /// - Returns: nil for what is no program, or has no such note.
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let head = bytes(of: file, at: 0, count: 64)
        // Of 64 bits, the lowest byte of a number first.
        guard head.count == 64, head.starts(with: Array("\u{7F}ELF\u{2}\u{1}".utf8)) else { return nil }
        let (size, count) = (number(head, 54, 2), number(head, 56, 2))
        let table = bytes(of: file, at: number(head, 32, 8), count: size * count)
        guard size >= 56, table.count == size * count else { return nil }
        for start in stride(from: 0, to: table.count, by: size) where number(table, start, 4) == segmentOfNotes {
            let notes = bytes(of: file, at: number(table, start + 8, 8), count: number(table, start + 32, 8))
            if let build = build(in: notes) { return build }
        }
        return nil
    }

    private static func build(in notes: [UInt8]) -> String? {
        var place = 0
        while place + 12 <= notes.count {
            let (nameSize, textSize, type) = (number(notes, place, 4), number(notes, place + 4, 4), number(notes, place + 8, 4))
            let text = place + 12 + padded(nameSize)
            guard text + textSize <= notes.count else { return nil }
            if type == noteOfBuild, notes[(place + 12)...].starts(with: Array("GNU\0".utf8)) {
                return String(notes[text..<(text + textSize)].hexText.prefix(digits))
            }
            place = text + padded(textSize)
        }
        return nil
    }

    private static func padded(_ size: Int) -> Int { (size + 3) & ~3 }

    private static func number(_ bytes: [UInt8], _ place: Int, _ size: Int) -> Int {
        let value = bytes[place..<(place + size)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(clamping: value)
    }

    private static func bytes(of file: Int32, at place: Int, count: Int) -> [UInt8] {
        guard (1...bytesMaximum).contains(count) else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, pread(file, buffer.baseAddress!, count, off_t(place)))
        }
    }
}
