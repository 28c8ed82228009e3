internal import Foundation
internal import Kernel

/// n8n's own methods on values; what they do is in n8n's documentation ("Data transformation functions").
extension Evaluator {
    /// The value of n8n's method of this name for this kind of receiver; nil where it has none and the built-in one is meant.
    func extensionCall(_ receiver: Value, _ name: String, _ arguments: [Value]) throws -> Value? {
        switch receiver {
        case .undefined, .null:
            if name == "isEmpty" { return .bool(true) }
            if name == "isNotEmpty" { return .bool(false) }
            throw Interruption.raised("\(name) can't be used on \(try receiver.text()) value")
        case .bool(let value): return try boolExtension(value, name)
        case .number(let value): return try numberExtension(value, name, arguments)
        case .string(let text):
            if let date = dateText(text), name != "toDate", name != "toDateTime" { return try dateExtension(date, name, arguments, isDate: true) }
            return try stringExtension(text, name, arguments)
        case .data(.array(_)), .array:
            return Evaluator.arrayExtensions.contains(name) ? try arrayExtension(receiver.elements ?? [], name, arguments) : nil
        case .data, .object: return Evaluator.objectExtensions.contains(name) ? try objectExtension(receiver, name, arguments) : nil
        case .dateTime(let value): return try dateExtension(value, name, arguments, isDate: false)
        case .date(let milliseconds): return try dateExtension(DateTime(milliseconds: milliseconds, zone: zone), name, arguments, isDate: true)
        case .duration, .function, .host: return nil
        }
    }

    /// A text that is exactly what `Date.toISOString` writes is treated as a date.
    private func dateText(_ text: String) -> DateTime? {
        guard text.utf8.count == 24, text.utf8.last == UInt8(ascii: "Z"),
            let value = DateTime.parse(iso: text, zone: zone, now: Double(facts.now.milliseconds)), value.isValid, value.inZone(.utc).iso() == text
        else { return nil }
        return value
    }

    private func boolExtension(_ value: Bool, _ name: String) throws -> Value? {
        switch name {
        case "toBoolean": .bool(value)
        case "toInt", "toFloat", "toNumber": .number(value ? 1 : 0)
        case "toDateTime": .undefined
        case "isEmpty": .bool(!value)
        case "isNotEmpty": .bool(value)
        default: throw Interruption.sandbox
        }
    }

    private func numberExtension(_ value: Double, _ name: String, _ arguments: [Value]) throws -> Value? {
        switch name {
        case "ceil": return .number(value.rounded(.up))
        case "floor": return .number(value.rounded(.down))
        case "abs": return .number(abs(value))
        case "round", "toInt":
            let digits: Double = if name == "round", let first = arguments.first { try Evaluator.integer(first) } else { 0 }
            return .number(Value.number(from: try Evaluator.fixed(value, digits)))
        case "isInteger": return .bool(value.isFinite && value.rounded() == value)
        case "isEven", "isOdd":
            guard value.isFinite, value.rounded() == value else { throw Interruption.raised("\(name)() is only callable on integers") }
            return .bool((abs(value).truncatingRemainder(dividingBy: 2) == 0) == (name == "isEven"))
        case "toBoolean": return .bool(value != 0)
        case "toFloat": return .number(value)
        case "toDateTime": return .dateTime(try numberToDateTime(value, arguments))
        case "isEmpty": return .bool(value == 0 || value.isNaN)
        case "isNotEmpty": return .bool(!(value == 0 || value.isNaN))
        default: throw Interruption.sandbox
        }
    }

    private func numberToDateTime(_ value: Double, _ arguments: [Value]) throws -> DateTime {
        let format: String = if let first = arguments.first, !first.isNullish { try first.text() } else { "ms" }
        switch format {
        case "ms": return DateTime(milliseconds: value, zone: zone)
        case "s": return DateTime(milliseconds: value * 1_000, zone: zone)
        case "us": return DateTime(milliseconds: value / 1_000, zone: zone)
        // Days since 1900, which Excel takes for a leap year.
        case "excel": return DateTime(milliseconds: (value - 25_569) * 86_400_000, zone: zone)
        default: throw Interruption.raised("Unsupported format '\(format)'. toDateTime() supports 'ms', 's', 'us' and 'excel'.")
        }
    }

    // MARK: Strings

    private func stringExtension(_ text: String, _ name: String, _ arguments: [Value]) throws -> Value? {
        switch name {
        case "length": return .number(Double(text.utf16.count))
        case "isEmpty": return .bool(text.isEmpty)
        case "isNotEmpty": return .bool(!text.isEmpty)
        case "isBlank": return .bool(text.trimmingECMASpace().isEmpty)
        case "isNotBlank": return .bool(!text.trimmingECMASpace().isEmpty)
        case "isNumeric": return .bool(!text.contains(" ") && !Value.number(from: text).isNaN && !Evaluator.parsedFloat(text).isNaN)
        case "toBoolean":
            let lower = try Evaluator.lowercased(text)
            return .bool(!["", "false", "no", "0"].contains(lower))
        case "toInt", "toWholeNumber":
            let radix = arguments.isEmpty ? 0 : try arguments[0].numeric()
            return .number(try parsedNumber(text, "integer") { Evaluator.parsedInteger($0, radix: radix) })
        case "toFloat", "toDecimalNumber":
            if text.contains(",") { throw Interruption.raised("cannot convert to float, expected . as decimal separator") }
            return .number(try parsedNumber(text, "float", Evaluator.parsedFloat))
        case "toNumber": return .number(try parsedNumber(text, "number", Value.number(from:)))
        case "toJsonString": return .string(JSON.string(text).serialized)
        case "parseJson":
            let message = text.contains("'") ? "Parsing failed. Check you're using double quotes" : "Parsing failed"
            return try parsed(text) { Interruption.raised(message) }
        case "urlEncode", "urlDecode": return .string(try urlCoded(text, name, arguments))
        case "base64Encode": return .string(Data(text.utf8).base64EncodedString())
        case "base64Decode": return .string(try decodedBase64(text))
        case "toDateTime": return .dateTime(try stringToDateTime(text, arguments))
        default: return try stringEdit(text, name, arguments)
        }
    }

    private func stringEdit(_ text: String, _ name: String, _ arguments: [Value]) throws -> Value? {
        switch name {
        case "removeTags": return .string(withoutTags(text))
        case "toSnakeCase":
            guard text.utf8.allSatisfy({ $0 < 0x80 }) else { throw Interruption.sandbox }
            let joined = text.lowercased().map { $0 == " " || $0 == "-" ? "_" : $0 }
            return .string(String(joined.filter { !##"\'!"#$%&()*+,./:;<=>?@[]^`{|}~"##.contains($0) }))
        case "toSentenceCase":
            guard text.utf8.allSatisfy({ $0 < 0x80 }) else { throw Interruption.sandbox }
            return .string(sentenceCased(text))
        case "quote":
            guard arguments.isEmpty else { throw Interruption.sandbox }
            return .string("\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"")
        case "replaceSpecialChars":
            guard text.utf8.allSatisfy({ $0 < 0x80 }) else { throw Interruption.sandbox }
            return .string(text)
        default: throw Interruption.sandbox
        }
    }

    /// Strips the dollar sign before reading; texts with other letters or signs may hold a currency's name and go to the sandbox.
    private func parsedNumber(_ text: String, _ kind: String, _ read: (String) -> Double) throws -> Double {
        guard text.utf8.allSatisfy({ Lexer.isDigit($0) || "+-.,eE $\n\t".utf8.contains($0) }) else { throw Interruption.sandbox }
        let value = read(text.replacing("$", with: ""))
        guard !value.isNaN else { throw Interruption.raised("cannot convert to \(kind)") }
        return value
    }

    private func urlCoded(_ text: String, _ name: String, _ arguments: [Value]) throws -> String {
        let isWhole = arguments.first?.isTrue ?? false
        if name == "urlDecode" {
            guard !isWhole else { throw Interruption.sandbox }
            return try Evaluator.percentDecoded(text)
        }
        return Evaluator.percentEncoded(text, keeping: Evaluator.componentMarks + (isWhole ? ";/?:@&=+$,#" : ""))
    }

    private func decodedBase64(_ text: String) throws -> String {
        guard let data = Data(base64Encoded: text), let decoded = String(validating: data, as: UTF8.self) else { throw Interruption.sandbox }
        return decoded
    }

    private func withoutTags(_ text: String) -> String {
        var out: [UInt8] = []
        var isInside = false
        for byte in text.utf8 {
            if isInside { isInside = byte != UInt8(ascii: ">") } else if byte == UInt8(ascii: "<") { isInside = true } else { out.append(byte) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private func sentenceCased(_ text: String) -> String {
        var out = ""
        var isStart = true
        for character in text {
            if character.isLetter {
                out += isStart ? character.uppercased() : character.lowercased()
                isStart = false
            } else {
                out.append(character)
                if "!?.".contains(character) { isStart = true }
            }
        }
        return out
    }

    func stringToDateTime(_ text: String, _ arguments: [Value]) throws -> DateTime {
        let now = now
        if let first = arguments.first, first.isTrue {
            guard case .string(let format) = first else { throw Interruption.sandbox }
            if ["ms", "s", "us", "excel"].contains(format) { return try numberToDateTime(Value.number(from: text), [first]) }
            guard let value = DateTime.parse(text, format: format, zone: now.zone, now: now.milliseconds) else { throw Interruption.sandbox }
            return value
        }
        let trimmed = String(text.trimmingECMASpace())
        guard let value = DateTime.parse(iso: trimmed, zone: now.zone, now: now.milliseconds, keepsOffset: true), value.isValid else {
            throw Interruption.sandbox
        }
        return value
    }
}
