internal import Kernel

/// Comma-separated values (RFC 4180), read as strictly as n8n does and written as spreadsheet programs do.
enum CSVText {
    struct Fault: Error { var message: String }

    struct Options: Sendable {
        var delimiter = ","
        /// From 1; lines before it are passed over.
        var firstLine = 1
        var recordsMaximum: Int?
        /// A quote inside an unquoted field is part of it.
        var relaxesQuotes = false
        /// Records that cannot be read are passed over.
        var skipsFaults = false
    }

    /// Records with the line they begin at; empty lines are none where they hold nothing at all.
    /// - Returns: the records, and how many were passed over.
    static func records(_ text: String, _ options: Options) throws -> (records: [[String]], skipped: Int) {
        var reader = Reader(bytes: Array(text.utf8), delimiter: Array((options.delimiter.isEmpty ? "," : options.delimiter).utf8), options: options)
        return try reader.all()
    }

    private struct Reader {
        let bytes: [UInt8]
        let delimiter: [UInt8]
        let options: Options
        var place = 0
        var line = 1

        static let quote = UInt8(ascii: "\"")
        static let lineFeed = UInt8(ascii: "\n")
        static let carriageReturn = UInt8(ascii: "\r")

        mutating func all() throws -> (records: [[String]], skipped: Int) {
            var records: [[String]] = []
            var skipped = 0
            var columns: Int?
            while line < options.firstLine, place < bytes.count { skipLine() }
            while place < bytes.count {
                if let maximum = options.recordsMaximum, records.count >= maximum { break }
                let begin = line
                let record: [String]
                do { record = try self.record() } catch let fault as Fault {
                    guard options.skipsFaults else { throw fault }
                    skipped += 1
                    skipLine()
                    continue
                }
                let width = columns ?? record.count
                columns = width
                if record.count == width {
                    records.append(record)
                } else {
                    guard options.skipsFaults else {
                        throw Fault(message: "Invalid Record Length: expect \(width), got \(record.count) on line \(begin)")
                    }
                    skipped += 1
                }
                guard records.count <= KindLimits.itemsPerStep else { throw Fault(message: "The file has too many records") }
            }
            return (records, skipped)
        }

        private mutating func record() throws -> [String] {
            var fields: [String] = []
            while true {
                fields.append(try field())
                if matches(delimiter) {
                    place += delimiter.count
                    // A delimiter at the very end is followed by one more, empty field.
                    if place < bytes.count { continue }
                    fields.append("")
                    return fields
                }
                endLine()
                return fields
            }
        }

        private mutating func field() throws -> String {
            if place < bytes.count, bytes[place] == Self.quote, let quoted = try quoted() { return quoted }
            let start = place
            while place < bytes.count, bytes[place] != Self.lineFeed, bytes[place] != Self.carriageReturn, !matches(delimiter) {
                if bytes[place] == Self.quote, !options.relaxesQuotes {
                    throw Fault(message: "Invalid Opening Quote: a quote is found on field at line \(line)")
                }
                place += 1
            }
            return String(decoding: bytes[start..<place], as: UTF8.self)
        }

        /// - Returns: nil, at the old place, where what looks like a quoted field is none and quotes are relaxed.
        private mutating func quoted() throws -> String? {
            let start = (place, line)
            place += 1
            var content: [UInt8] = []
            while place < bytes.count {
                let byte = bytes[place]
                if byte == Self.quote {
                    if place + 1 < bytes.count, bytes[place + 1] == Self.quote {
                        content.append(byte)
                        place += 2
                        continue
                    }
                    place += 1
                    if place == bytes.count || bytes[place] == Self.lineFeed || bytes[place] == Self.carriageReturn || matches(delimiter) {
                        return String(decoding: content, as: UTF8.self)
                    }
                    guard options.relaxesQuotes else {
                        throw Fault(message: "Invalid Closing Quote: got \"\(Character(UnicodeScalar(bytes[place])))\" at line \(line)")
                    }
                    (place, line) = start
                    return relaxed()
                }
                if byte == Self.lineFeed { line += 1 }
                content.append(byte)
                place += 1
            }
            guard options.relaxesQuotes else {
                (place, line) = start
                throw Fault(message: "Quote Not Closed: the parsing is finished with an opening quote at line \(line)")
            }
            (place, line) = start
            return relaxed()
        }

        /// The field with its quotes, up to the next delimiter or line.
        private mutating func relaxed() -> String {
            let start = place
            while place < bytes.count, bytes[place] != Self.lineFeed, bytes[place] != Self.carriageReturn, !matches(delimiter) { place += 1 }
            return String(decoding: bytes[start..<place], as: UTF8.self)
        }

        private func matches(_ pattern: [UInt8]) -> Bool {
            guard place + pattern.count <= bytes.count else { return false }
            for (index, byte) in pattern.enumerated() where bytes[place + index] != byte { return false }
            return true
        }

        private mutating func endLine() {
            if place < bytes.count, bytes[place] == Self.carriageReturn { place += 1 }
            if place < bytes.count, bytes[place] == Self.lineFeed { place += 1 }
            line += 1
        }

        private mutating func skipLine() {
            while place < bytes.count, bytes[place] != Self.lineFeed, bytes[place] != Self.carriageReturn { place += 1 }
            endLine()
        }
    }

    /// Rows of cells as text, with a byte order mark as spreadsheet programs expect it.
    static func write(_ rows: [[JSON]], delimiter: String = ",") -> [UInt8] {
        let separator = delimiter.isEmpty ? "," : delimiter
        let lines = rows.map { row in row.map { field($0, separator) }.joined(separator: separator) }
        return Array(("\u{FEFF}" + lines.joined(separator: "\n")).utf8)
    }

    private static func field(_ value: JSON, _ separator: String) -> String {
        let text: String
        switch value {
        case .null: return ""
        case .bool(let flag): text = flag ? "TRUE" : "FALSE"
        default: text = value.displayText
        }
        guard text.contains(separator) || text.contains("\"") || text.contains(where: \.isNewline) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
