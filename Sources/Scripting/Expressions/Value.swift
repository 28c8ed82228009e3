internal import Kernel
internal import OrderedCollections

/// An ECMAScript value while a block is evaluated. Arrays and objects are never changed in place: a method that would
/// change its receiver is evaluated natively only where nobody else can see the receiver.
enum Value {
    case undefined
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    /// An array or object of the items; scalars have their own cases.
    case data(JSON)
    /// An array that the block made.
    case array([Value])
    /// An object that the block made.
    case object(Record)
    case dateTime(DateTime)
    case duration(CalendarDuration)
    /// A JavaScript `Date`: milliseconds since 1970, NaN where it is invalid.
    case date(Double)
    case function(Closure)
    case host(Host)

    typealias Record = OrderedDictionary<String, Value>

    /// An arrow function with the parameters of those around it.
    final class Closure {
        let arrow: Syntax.Arrow
        let frame: Frame?
        init(arrow: Syntax.Arrow, frame: Frame?) {
            self.arrow = arrow
            self.frame = frame
        }
    }

    /// Values of the parameters of one call of an arrow function.
    final class Frame {
        var values: [Value]
        let parent: Frame?
        init(values: [Value], parent: Frame?) {
            self.values = values
            self.parent = parent
        }
    }

    /// What stands for a part of n8n's or JavaScript's surroundings and is only good for its members.
    enum Host: Equatable {
        case root(Root)
        /// `$('name')`
        case node(String)
        /// `$node`, read for an item index
        case legacyNodes(Int)
        /// `$node['name']`, read for an item index
        case legacyNode(String, Int)
        /// `$item(index)`
        case item(Int)
    }

    init(_ json: JSON) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .array, .object: self = .data(json)
        }
    }

    var isNullish: Bool {
        switch self {
        case .undefined, .null: true
        default: false
        }
    }

    /// ECMA-262, 7.1.2 ToBoolean.
    var isTrue: Bool {
        switch self {
        case .undefined, .null: false
        case .bool(let value): value
        case .number(let value): !(value == 0 || value.isNaN)
        case .string(let value): !value.isEmpty
        default: true
        }
    }

    /// Whether `typeof` says "object" or "function".
    var isObject: Bool {
        switch self {
        case .undefined, .null, .bool, .number, .string: false
        default: true
        }
    }

    /// The elements of an array, else nil.
    var elements: [Value]? {
        switch self {
        case .array(let elements): elements
        case .data(.array(let elements)): elements.map(Value.init)
        default: nil
        }
    }

    /// The members of a plain object in ECMAScript's order (array indices first, ascending), else nil.
    var members: Record? {
        switch self {
        case .object(let members): Value.ordered(members)
        case .data(.object(let members)): Value.ordered(Record(uniqueKeysWithValues: members.lazy.map { ($0.key, Value($0.value)) }))
        default: nil
        }
    }

    private static func ordered(_ members: Record) -> Record {
        guard members.keys.contains(where: { arrayIndex($0) != nil }) else { return members }
        let indices = members.keys.compactMap { key in arrayIndex(key).map { (key, $0) } }.sorted { $0.1 < $1.1 }.map(\.0)
        var out = Record()
        for key in indices { out[key] = members[key] }
        for (key, value) in members where out[key] == nil { out[key] = value }
        return out
    }

    /// The index that a property name stands for in canonical form ("0", "17"; not "01").
    static func arrayIndex(_ name: String) -> Int? {
        let bytes = name.utf8
        guard let first = bytes.first, Lexer.isDigit(first), bytes.count < 10, first != 48 || bytes.count == 1 else { return nil }
        return Int(name)
    }

    static func numberText(_ value: Double) -> String { JSON.numberText(value) }

    /// ECMA-262, 7.1.17 ToString. Luxon's DateTime gives its ISO form; what depends on the machine's locale goes to the sandbox.
    func text() throws -> String {
        switch self {
        case .undefined: return "undefined"
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let value): return JSON.numberText(value)
        case .string(let value): return value
        case .data(.object(_)), .object: return "[object Object]"
        case .data, .array: return try Value.join(elements ?? [], ",")
        case .dateTime(let value): return value.isValid ? value.iso() : "Invalid DateTime"
        case .duration, .date, .function, .host: throw Interruption.sandbox
        }
    }

    /// ECMA-262, 23.1.3.18 Array.prototype.join.
    static func join(_ elements: [Value], _ separator: String) throws -> String {
        var out = ""
        for (index, element) in elements.enumerated() {
            if index > 0 { out += separator }
            if !element.isNullish { out += try element.text() }
            guard out.utf8.count <= Limits.expressionString else { throw Interruption.sandbox }
        }
        return out
    }

    /// ECMA-262, 7.1.4 ToNumber.
    func numeric() throws -> Double {
        switch self {
        case .undefined: .nan
        case .null: 0
        case .bool(let value): value ? 1 : 0
        case .number(let value): value
        case .string(let value): Value.number(from: value)
        case .dateTime(let value): value.milliseconds
        case .date(let value): value
        case .duration(let value): value.milliseconds
        case .data, .array, .object: Value.number(from: try text())
        case .function, .host: throw Interruption.sandbox
        }
    }

    /// ECMA-262, 7.1.4.1.1 StringToNumber.
    static func number(from text: String) -> Double {
        let trimmed = text.trimmingECMASpace()
        if trimmed.isEmpty { return 0 }
        let lower = trimmed.utf8.prefix(2)
        if lower.first == 48, let mark = lower.dropFirst().first, mark | 0x20 != UInt8(ascii: "e"), mark != UInt8(ascii: "."), !Lexer.isDigit(mark) {
            let radix: Int
            switch mark | 0x20 {
            case UInt8(ascii: "x"): radix = 16
            case UInt8(ascii: "o"): radix = 8
            case UInt8(ascii: "b"): radix = 2
            default: return .nan
            }
            let digits = trimmed.dropFirst(2)
            guard !digits.isEmpty, digits.utf8.allSatisfy({ Lexer.isNameByte($0) && $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "$") }) else {
                return .nan
            }
            if let value = UInt64(digits, radix: radix) { return Double(value) }
            return .nan
        }
        switch trimmed {
        case "Infinity", "+Infinity": return .infinity
        case "-Infinity": return -.infinity
        default: break
        }
        let length = decimalLength(trimmed.utf8)
        return length == trimmed.utf8.count ? decimal(trimmed.utf8.prefix(length)) : .nan
    }

    /// How many bytes of the start form a StrDecimalLiteral (without Infinity); 0 where none do.
    static func decimalLength(_ text: Substring.UTF8View) -> Int {
        let bytes = Array(text)
        var index = 0
        func digits() -> Int {
            let start = index
            while index < bytes.count, Lexer.isDigit(bytes[index]) { index += 1 }
            return index - start
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
        var count = digits()
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            let fraction = digits()
            if count == 0, fraction == 0 { return 0 }
            count += fraction
        }
        guard count > 0 else { return 0 }
        let mantissa = index
        guard index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") else { return mantissa }
        index += 1
        if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
        return digits() > 0 ? index : mantissa
    }

    /// The number of a text that is a StrDecimalLiteral.
    static func decimal(_ bytes: some Collection<UInt8>) -> Double {
        var text = String(decoding: Array(bytes), as: UTF8.self)
        if let dot = text.firstIndex(of: ".") {
            let after = text.index(after: dot)
            if after == text.endIndex || !text[after].isNumber { text.insert("0", at: after) }
        }
        if let dot = text.firstIndex(of: "."), dot == text.startIndex || !text[text.index(before: dot)].isNumber { text.insert("0", at: dot) }
        return Double(text) ?? .nan
    }
}

extension String {
    /// Without the white space and line terminators of ECMA-262 (12.2, 12.3) at either end.
    func trimmingECMASpace(start: Bool = true, end: Bool = true) -> Substring {
        var slice = self[...]
        if start {
            while let first = slice.unicodeScalars.first, Unicode.Scalar.isECMASpace(first) { slice = Substring(slice.unicodeScalars.dropFirst()) }
        }
        if end {
            while let last = slice.unicodeScalars.last, Unicode.Scalar.isECMASpace(last) { slice = Substring(slice.unicodeScalars.dropLast()) }
        }
        return slice
    }
}

extension Unicode.Scalar {
    static func isECMASpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x20, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF: true
        default: false
        }
    }
}
