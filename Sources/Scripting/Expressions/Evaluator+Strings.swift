internal import Foundation
internal import Kernel
internal import OrderedCollections

/// String.prototype (ECMA-262, 22.1.3). Positions count UTF-16 units.
extension Evaluator {
    func stringMethod(_ text: String, _ name: String, _ arguments: [Value]) throws -> Value {
        try step(text.utf8.count / 64 + 1)
        let first = arguments.first
        switch name {
        case "trim": return .string(String(text.trimmingECMASpace()))
        case "trimStart", "trimLeft": return .string(String(text.trimmingECMASpace(end: false)))
        case "trimEnd", "trimRight": return .string(String(text.trimmingECMASpace(start: false)))
        case "toString", "valueOf": return .string(text)
        case "toLowerCase": return .string(try Evaluator.lowercased(text))
        case "toUpperCase": return .string(text.uppercased())
        case "split": return try split(text, arguments)
        case "replace", "replaceAll":
            return try replace(text, first, all: name == "replaceAll", with: arguments.count > 1 ? arguments[1] : .undefined)
        case "slice", "substring", "substr": return try cut(text, name, arguments)
        case "charAt", "at", "charCodeAt", "codePointAt": return try character(text, name, arguments)
        case "concat": return .string(try arguments.reduce(text) { sum, part in try sum + part.text() })
        case "repeat": return try repeated(text, try Evaluator.integer(first))
        case "padStart", "padEnd": return try padded(text, atStart: name == "padStart", arguments)
        default: return try search(text, name, arguments)
        }
    }

    /// Final sigma depends on its context in ECMAScript (SpecialCasing), which Swift does not do.
    static func lowercased(_ text: String) throws -> String {
        if text.utf8.contains(where: { $0 >= 0x80 }), text.unicodeScalars.contains("\u{3A3}") { throw Interruption.sandbox }
        return text.lowercased()
    }

    private func search(_ text: String, _ name: String, _ arguments: [Value]) throws -> Value {
        guard ["includes", "startsWith", "endsWith", "indexOf", "lastIndexOf"].contains(name) else { throw Interruption.sandbox }
        let needle = try (arguments.first ?? .undefined).text()
        if arguments.count > 1 {
            guard name == "indexOf" || name == "includes" else { throw Interruption.sandbox }
            let units = Array(text.utf16)
            let start = Int(min(max(try Evaluator.integer(arguments[1]), 0), Double(units.count)))
            let found = Evaluator.firstRange(of: Array(needle.utf16), in: units[start...])
            return name == "includes" ? .bool(found != nil) : .number(Double(found ?? -1))
        }
        switch name {
        case "startsWith": return .bool(text.utf8.starts(with: needle.utf8))
        case "endsWith": return .bool(text.utf8.count >= needle.utf8.count && text.utf8.suffix(needle.utf8.count).elementsEqual(needle.utf8))
        case "includes": return .bool(Evaluator.firstRange(of: Array(needle.utf8), in: Array(text.utf8)[...]) != nil)
        case "indexOf": return .number(Double(Evaluator.firstRange(of: Array(needle.utf16), in: Array(text.utf16)[...]) ?? -1))
        default:
            let units = Array(text.utf16)
            let wanted = Array(needle.utf16)
            guard wanted.count <= units.count else { return .number(-1) }
            for start in stride(from: units.count - wanted.count, through: 0, by: -1) where units[start..<start + wanted.count].elementsEqual(wanted)
            {
                return .number(Double(start))
            }
            return .number(-1)
        }
    }

    /// Where the needle first stands in the slice, as an index of the slice.
    static func firstRange<Unit: Equatable>(of needle: [Unit], in haystack: ArraySlice<Unit>) -> Int? {
        guard let first = needle.first else { return haystack.startIndex }
        guard needle.count <= haystack.count else { return nil }
        var index = haystack.startIndex
        while index <= haystack.endIndex - needle.count {
            if haystack[index] == first, haystack[index..<index + needle.count].elementsEqual(needle) { return index }
            index += 1
        }
        return nil
    }

    /// - Throws: `Interruption.sandbox` where the cut goes through a surrogate pair.
    static func text(_ units: ArraySlice<UInt16>) throws -> String {
        guard let text = String(validating: units, as: UTF16.self) else { throw Interruption.sandbox }
        return text
    }

    private func split(_ text: String, _ arguments: [Value]) throws -> Value {
        let limit = arguments.count > 1 && !arguments[1].isNullish ? Int(min(max(try Evaluator.integer(arguments[1]), 0), 1e9)) : Int.max
        guard let first = arguments.first, !first.isNullish else {
            if case .null? = arguments.first { throw Interruption.sandbox }
            return .array([.string(text)])
        }
        let separator = try first.text()
        if separator.isEmpty {
            guard text.unicodeScalars.allSatisfy({ $0.value < 0x1_0000 }) else { throw Interruption.sandbox }
            return .array(text.unicodeScalars.prefix(limit).map { .string(String($0)) })
        }
        return .array(Evaluator.pieces(text, separator).prefix(limit).map { .string($0) })
    }

    static func pieces(_ text: String, _ separator: String) -> [String] {
        let bytes = Array(text.utf8)
        let mark = Array(separator.utf8)
        var out: [String] = []
        var start = 0
        while let found = firstRange(of: mark, in: bytes[start...]) {
            out.append(String(decoding: bytes[start..<found], as: UTF8.self))
            start = found + mark.count
        }
        out.append(String(decoding: bytes[start...], as: UTF8.self))
        return out
    }

    private func replace(_ text: String, _ pattern: Value?, all: Bool, with replacement: Value) throws -> Value {
        guard let pattern, !pattern.isObject else { throw Interruption.sandbox }
        return try replace(text, try pattern.text(), all: all, with: replacement)
    }

    /// A call whose first argument is a regular expression without special characters.
    func replace(_ receiver: Value, _ name: String, _ pattern: String, _ isGlobal: Bool, _ rest: [Value]) throws -> Value {
        guard case .string(let text) = receiver else {
            if receiver.isNullish { throw Interruption.thrown("Cannot read properties of \(try receiver.text())") }
            throw Interruption.sandbox
        }
        switch name {
        case "replace": return try replace(text, pattern, all: isGlobal, with: rest.first ?? .undefined)
        case "replaceAll" where isGlobal: return try replace(text, pattern, all: true, with: rest.first ?? .undefined)
        case "split" where rest.isEmpty: return try split(text, [.string(pattern)])
        default: throw Interruption.sandbox
        }
    }

    private func replace(_ text: String, _ pattern: String, all: Bool, with replacement: Value) throws -> Value {
        guard !replacement.isObject || replacement.elements != nil || replacement.members != nil else { throw Interruption.sandbox }
        let new = try replacement.text()
        guard !new.utf8.contains(UInt8(ascii: "$")), !pattern.isEmpty else { throw Interruption.sandbox }
        let pieces = Evaluator.pieces(text, pattern)
        if pieces.count == 1 { return .string(text) }
        guard text.utf8.count + (all ? pieces.count : 1) * new.utf8.count <= Limits.expressionString else { throw Interruption.sandbox }
        if all { return .string(pieces.joined(separator: new)) }
        return .string(pieces[0] + new + pieces.dropFirst().joined(separator: pattern))
    }

    private func cut(_ text: String, _ name: String, _ arguments: [Value]) throws -> Value {
        let units = Array(text.utf16)
        let count = Double(units.count)
        let from = try Evaluator.integer(arguments.first ?? .number(0))
        let hasEnd: Bool = if arguments.count > 1, case .undefined = arguments[1] { false } else { arguments.count > 1 }
        let to = hasEnd ? try Evaluator.integer(arguments[1]) : count
        func relative(_ value: Double) -> Double { value < 0 ? max(count + value, 0) : min(value, count) }
        var (start, end): (Double, Double)
        switch name {
        case "slice": (start, end) = (relative(from), relative(to))
        case "substr":
            start = relative(from)
            end = hasEnd ? min(start + max(to, 0), count) : count
        default:
            (start, end) = (min(max(from, 0), count), min(max(to, 0), count))
            if start > end { (start, end) = (end, start) }
        }
        return start < end ? .string(try Evaluator.text(units[Int(start)..<Int(end)])) : .string("")
    }

    private func character(_ text: String, _ name: String, _ arguments: [Value]) throws -> Value {
        let units = Array(text.utf16)
        var position = try Evaluator.integer(arguments.first ?? .number(0))
        if name == "at", position < 0 { position += Double(units.count) }
        guard position >= 0, position < Double(units.count) else {
            return name == "charAt" ? .string("") : name == "charCodeAt" ? .number(.nan) : .undefined
        }
        let unit = units[Int(position)]
        switch name {
        case "charCodeAt": return .number(Double(unit))
        case "codePointAt":
            guard !(0xD800...0xDFFF).contains(unit) else { throw Interruption.sandbox }
            return .number(Double(unit))
        default: return .string(try Evaluator.text(units[Int(position)...Int(position)]))
        }
    }

    private func repeated(_ text: String, _ count: Double) throws -> Value {
        guard count >= 0, count.isFinite else { throw Interruption.thrown("Invalid count value") }
        guard Double(text.utf8.count) * count <= Double(Limits.expressionString) else { throw Interruption.sandbox }
        return .string(String(repeating: text, count: text.isEmpty ? 0 : Int(count)))
    }

    private func padded(_ text: String, atStart: Bool, _ arguments: [Value]) throws -> Value {
        let length = try Evaluator.integer(arguments.first)
        let fill: String = if arguments.count > 1, case .undefined = arguments[1] { " " } else { arguments.count > 1 ? try arguments[1].text() : " " }
        let missing = length - Double(text.utf16.count)
        let units = Array(fill.utf16)
        guard missing > 0, !units.isEmpty else { return .string(text) }
        guard missing <= Double(Limits.expressionString) else { throw Interruption.sandbox }
        let padding = try Evaluator.text((0..<Int(missing)).map { units[$0 % units.count] }[...])
        return .string(atStart ? padding + text : text + padding)
    }
}
