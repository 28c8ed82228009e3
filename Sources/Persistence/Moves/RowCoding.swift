internal import Kernel

/// Values of a row in a form that does not tell which driver read them, and as bytes.
enum RowCoding {
    /// SQLite knows no ids, times and truth values: what a column holds is said by its declaration.
    static func canonical(_ value: SQLValue, _ kind: Column.Kind) throws -> SQLValue {
        switch (kind, value) {
        case (_, .null): .null
        case (.uuid, _): try ID<RowCoding>(sqlValue: value).sqlValue
        case (.timestamp, _): .timestamp(try Timestamp(sqlValue: value))
        case (.boolean, _): .boolean(try Bool(sqlValue: value))
        case (.real, .integer(let whole)): .real(Double(whole))
        default: value
        }
    }

    /// Each value by a mark of its type, and the length of those that have one (64 bits, the lowest byte last).
    static func encode(_ row: [SQLValue]) -> [UInt8] {
        var out: [UInt8] = []
        for value in row {
            switch value {
            case .null: out.append(0)
            case .integer(let number): out += [1] + bytes(UInt64(bitPattern: number))
            case .real(let number): out += [2] + bytes(number.bitPattern)
            case .text(let text): out += [3] + bytes(UInt64(text.utf8.count)) + Array(text.utf8)
            case .blob(let content): out += [4] + bytes(UInt64(content.count)) + content
            case .uuid(let high, let low): out += [5] + bytes(high) + bytes(low)
            case .timestamp(let time): out += [6] + bytes(UInt64(bitPattern: time.microseconds))
            case .boolean(let flag): out += [7, flag ? 1 : 0]
            }
        }
        return out
    }

    static func decode(_ bytes: [UInt8]) throws -> [SQLValue] {
        var reader = Reader(bytes: bytes)
        var row: [SQLValue] = []
        while let mark = try reader.mark() {
            switch mark {
            case 0: row.append(.null)
            case 1: row.append(.integer(Int64(bitPattern: try reader.number())))
            case 2: row.append(.real(Double(bitPattern: try reader.number())))
            case 3: row.append(.text(String(decoding: try reader.counted(), as: UTF8.self)))
            case 4: row.append(.blob(Array(try reader.counted())))
            case 5: row.append(.uuid(high: try reader.number(), low: try reader.number()))
            case 6: row.append(.timestamp(Timestamp(microseconds: Int64(bitPattern: try reader.number()))))
            case 7: row.append(.boolean(try reader.take(1).first == 1))
            default: throw Reader.damaged
            }
        }
        return row
    }

    private static func bytes(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    private struct Reader {
        let bytes: [UInt8]
        var place = 0

        static let damaged = PersistenceError.driver(code: "PARCEL", message: "a row that was laid aside is damaged")

        mutating func mark() throws -> UInt8? { place == bytes.count ? nil : try take(1).first }

        mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
            guard count >= 0, count <= bytes.count - place else { throw Self.damaged }
            defer { place += count }
            return bytes[place..<(place + count)]
        }

        mutating func number() throws -> UInt64 { try take(8).reduce(0) { $0 << 8 | UInt64($1) } }

        mutating func counted() throws -> ArraySlice<UInt8> {
            guard let count = Int(exactly: try number()) else { throw Self.damaged }
            return try take(count)
        }
    }
}
