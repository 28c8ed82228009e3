internal import CPostgres
internal import Kernel

/// Binary wire forms of the types in use.
enum PostgresValue {
    private static let boolType: Oid = 16
    private static let byteaType: Oid = 17
    private static let int8Type: Oid = 20
    private static let int4Type: Oid = 23
    private static let textType: Oid = 25
    private static let float8Type: Oid = 701
    private static let timestamptzType: Oid = 1_184
    private static let numericType: Oid = 1_700
    private static let uuidType: Oid = 2_950
    /// Microseconds from 1970 to 2000, where PostgreSQL's times begin.
    private static let epoch: Int64 = 946_684_800_000_000

    /// Appends a value's bytes; a null has none.
    /// - Returns: its type.
    /// - Throws: `PersistenceError.driver` for a time before the server's first one.
    static func append(_ value: SQLValue, to out: inout [UInt8]) throws -> Oid {
        switch value {
        case .null: return 0
        case .integer(let value):
            append(UInt64(bitPattern: value), to: &out)
            return int8Type
        case .real(let value):
            append(value.bitPattern, to: &out)
            return float8Type
        case .text(let value):
            out.append(contentsOf: value.utf8)
            return textType
        case .blob(let value):
            out += value
            return byteaType
        case .uuid(let high, let low):
            append(high, to: &out)
            append(low, to: &out)
            return uuidType
        case .timestamp(let value):
            append(UInt64(bitPattern: try sinceEpoch(value)), to: &out)
            return timestamptzType
        case .boolean(let value):
            out.append(value ? 1 : 0)
            return boolType
        }
    }

    static func decode(_ bytes: UnsafeRawBufferPointer, type: Oid) throws -> SQLValue {
        switch type {
        case boolType: .boolean(bytes[0] == 1)
        case byteaType: .blob([UInt8](bytes))
        case int8Type: .integer(integer(bytes))
        case int4Type: .integer(Int64(Int32(truncatingIfNeeded: integer(bytes))))
        case numericType: try wholeNumber(bytes)
        case float8Type: .real(Double(bitPattern: UInt64(bitPattern: integer(bytes))))
        case timestamptzType: .timestamp(Timestamp(microseconds: integer(bytes) + epoch))
        case uuidType:
            .uuid(
                high: UInt64(bitPattern: integer(UnsafeRawBufferPointer(rebasing: bytes[0..<8]))),
                low: UInt64(bitPattern: integer(UnsafeRawBufferPointer(rebasing: bytes[8..<16]))))
        case textType, 1_043, 19, 18: .text(String(decoding: bytes, as: UTF8.self))
        default: throw PersistenceError.driver(code: "TYPE", message: "a column has the type with the OID \(type), which nothing here reads")
        }
    }

    private static func sinceEpoch(_ time: Timestamp) throws -> Int64 {
        let (result, overflows) = time.microseconds.subtractingReportingOverflow(epoch)
        guard !overflows else { throw PersistenceError.driver(code: "22008", message: "the time \(time.microseconds) is out of range") }
        return result
    }

    /// What `sum(bigint)` is: base-10,000 digits behind their count, the weight of the first, a sign and the decimals shown. Whole numbers only.
    private static func wholeNumber(_ bytes: UnsafeRawBufferPointer) throws -> SQLValue {
        func field(_ index: Int) -> Int64 {
            Int64(Int16(truncatingIfNeeded: integer(UnsafeRawBufferPointer(rebasing: bytes[index * 2..<index * 2 + 2]))))
        }
        let (count, weight, isNegative) = (field(0), field(1), field(2) == 0x4000)
        var magnitude: Int64 = 0
        var isTooLarge = count > weight + 1 || field(2) < 0
        for place in 0..<max(weight + 1, 0) {
            let digit = place < count ? field(4 + Int(place)) : 0
            let (shifted, first) = magnitude.multipliedReportingOverflow(by: 10_000)
            let (next, second) = isNegative ? shifted.subtractingReportingOverflow(digit) : shifted.addingReportingOverflow(digit)
            isTooLarge = isTooLarge || first || second
            magnitude = next
        }
        guard !isTooLarge else { throw PersistenceError.driver(code: "22003", message: "a sum is no whole number of 64 bits") }
        return .integer(magnitude)
    }

    private static func append(_ value: UInt64, to out: inout [UInt8]) { withUnsafeBytes(of: value.bigEndian) { out.append(contentsOf: $0) } }

    private static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        var value: UInt64 = 0
        for byte in bytes { value = value << 8 | UInt64(byte) }
        return Int64(bitPattern: value)
    }
}
