internal import Foundation
internal import Kernel
internal import OrderedCollections

/// Object, JSON, String and the global functions (ECMA-262, 19.2, 20.1, 22.1 and 25.5).
extension Evaluator {
    func standardCall(_ root: Root, _ arguments: [Value]) throws -> Value {
        let first = arguments.first ?? .undefined
        switch root {
        case .stringFunction: return .string(arguments.isEmpty ? "" : try first.text())
        case .numberFunction: return .number(arguments.isEmpty ? 0 : try first.numeric())
        case .booleanFunction: return .bool(first.isTrue)
        case .parseInt: return .number(Evaluator.parsedInteger(try first.text(), radix: arguments.count > 1 ? try arguments[1].numeric() : 0))
        case .parseFloat: return .number(Evaluator.parsedFloat(try first.text()))
        case .isNaN: return .bool(try first.numeric().isNaN)
        case .isFinite: return .bool(try first.numeric().isFinite)
        case .encodeURIComponent: return .string(Evaluator.percentEncoded(try first.text(), keeping: Evaluator.componentMarks))
        case .encodeURI: return .string(Evaluator.percentEncoded(try first.text(), keeping: Evaluator.componentMarks + ";/?:@&=+$,#"))
        case .decodeURIComponent: return .string(try Evaluator.percentDecoded(try first.text()))
        default: throw Interruption.sandbox
        }
    }

    static let componentMarks = "-_.!~*'()"

    /// ECMA-262, 19.2.6.5 Encode.
    static func percentEncoded(_ text: String, keeping marks: String) -> String {
        var out: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            let isPlain: Bool =
                switch byte {
                case 48...57, UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                default: byte < 0x80 && marks.utf8.contains(byte)
                }
            if isPlain { out.append(byte) } else { out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func percentDecoded(_ text: String) throws -> String {
        var out: [UInt8] = []
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%") {
                guard index + 2 < bytes.count, bytes[index + 1] != UInt8(ascii: "+"),
                    let byte = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
                else { throw Interruption.thrown("URI malformed") }
                out.append(byte)
                index += 3
            } else {
                out.append(bytes[index])
                index += 1
            }
        }
        guard let decoded = String(validating: out, as: UTF8.self) else { throw Interruption.thrown("URI malformed") }
        return decoded
    }

    func stringCall(_ name: String, _ arguments: [Value]) throws -> Value {
        guard name == "fromCharCode" else { throw Interruption.sandbox }
        let units = try arguments.map { UInt16(truncatingIfNeeded: Evaluator.int32(try $0.numeric())) }
        return .string(try Evaluator.text(units[...]))
    }

    // MARK: JSON

    func jsonCall(_ name: String, _ arguments: [Value]) throws -> Value {
        switch name {
        case "stringify":
            if arguments.count > 1, !arguments[1].isNullish { throw Interruption.sandbox }
            let text = try (arguments.first ?? .undefined).stringified(indent: try indent(arguments.count > 2 ? arguments[2] : .undefined))
            return text.map { .string($0) } ?? .undefined
        case "parse": return try parsed(try (arguments.first ?? .undefined).text()) { Interruption.thrown("not valid JSON") }
        default: throw Interruption.sandbox
        }
    }

    private func indent(_ value: Value) throws -> String {
        switch value {
        case .number: String(repeating: " ", count: Int(min(max(try Evaluator.integer(value), 0), 10)))
        case .string(let text): try Evaluator.text(Array(text.utf16).prefix(10))
        case .undefined, .null, .bool: ""
        default: throw Interruption.sandbox
        }
    }

    /// A surrogate escape may be a lone one, which only the sandbox can hold.
    func parsed(_ text: String, failure: () -> Interruption) throws -> Value {
        if Evaluator.firstRange(of: Array("\\ud".utf8), in: Array(text.utf8)[...]) != nil
            || Evaluator.firstRange(of: Array("\\uD".utf8), in: Array(text.utf8)[...]) != nil
        {
            throw Interruption.sandbox
        }
        do { return Value(try JSON(parsing: text)) } catch let error as JSON.ParseError {
            if error.reason.hasPrefix("nested") { throw Interruption.sandbox }
            throw failure()
        }
    }

    // MARK: Object

    func objectCall(_ name: String, _ arguments: [Value]) throws -> Value {
        let first = arguments.first ?? .undefined
        switch name {
        case "keys": return .array(try own(first).keys.map { .string($0) })
        case "values": return .array(Array(try own(first).values))
        case "entries": return .array(try own(first).map { .array([.string($0.key), $0.value]) })
        case "fromEntries":
            var out = Value.Record()
            for entry in try iterated(first) {
                guard let pair = entry.elements else { throw Interruption.sandbox }
                out[try propertyName(pair.first ?? .undefined)] = pair.count > 1 ? pair[1] : .undefined
            }
            return .object(out)
        case "assign":
            guard case .object(var out) = first else { throw Interruption.sandbox }
            for source in arguments.dropFirst() where !source.isNullish {
                for (key, value) in try own(source) { out[key] = value }
            }
            return .object(out)
        default: throw Interruption.sandbox
        }
    }

    /// The own enumerable members of a value, as `Object.keys` sees them.
    private func own(_ value: Value) throws -> Value.Record {
        if let members = value.members { return members }
        if let elements = value.elements {
            return Value.Record(uniqueKeysWithValues: elements.enumerated().map { (String($0.offset), $0.element) })
        }
        switch value {
        case .undefined, .null: throw Interruption.thrown("Cannot convert undefined or null to object")
        case .bool, .number: return [:]
        default: throw Interruption.sandbox
        }
    }
}
