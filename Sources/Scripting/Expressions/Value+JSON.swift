internal import Kernel
internal import OrderedCollections

extension Value {
    /// The value as it leaves the expression: dates as ISO texts, members that are undefined left out.
    /// - Throws: an `Interruption` for functions and for what only stands for its members.
    func result() throws -> ExpressionValue {
        switch self {
        case .undefined: .undefined
        default: .json(try json())
        }
    }

    func json() throws -> JSON {
        switch self {
        case .undefined, .null: .null
        case .bool(let value): .bool(value)
        case .number(let value): .number(value)
        case .string(let value): .string(value)
        case .data(let json): json
        case .array(let elements): .array(try elements.map { try $0.json() })
        case .object(let members):
            .object(JSONObject(try members.compactMap { key, value in if case .undefined = value { nil } else { (key, try value.json()) } }))
        case .dateTime(let value): value.isValid ? .string(value.iso()) : .null
        case .date(let value): value.isNaN ? .null : .string(DateTime(milliseconds: value, zone: .utc).iso())
        case .function: throw Interruption.raised("this is a function, please add ()")
        case .duration, .host: throw Interruption.sandbox
        }
    }

    /// ECMA-262, 25.5.2 JSON.stringify without a replacer; nil is undefined. `indent` is put before each level.
    func stringified(indent: String = "") throws -> String? {
        switch self {
        case .undefined, .function: return nil
        default:
            var out: [UInt8] = []
            try write(to: &out, indent: Array(indent.utf8), level: 0)
            return String(decoding: out, as: UTF8.self)
        }
    }

    private func write(to out: inout [UInt8], indent: [UInt8], level: Int) throws {
        guard level < Limits.jsonDepth, out.count <= Limits.expressionString else { throw Interruption.sandbox }
        switch self {
        case .undefined, .function, .null: out.append(contentsOf: "null".utf8)
        case .bool, .number, .string, .date: try json().write(to: &out)
        case .dateTime(let value): JSON.writeString(value.iso(), to: &out)
        case .data(.array(_)), .array:
            try writeList(elements ?? [], brackets: ("[", "]"), to: &out, indent: indent, level: level) { element, out in
                try element.write(to: &out, indent: indent, level: level + 1)
            }
        case .data, .object:
            let shown: [(key: String, value: Value)] = (members ?? [:]).filter { _, value in
                switch value {
                case .undefined, .function: false
                default: true
                }
            }.map { ($0.key, $0.value) }
            try writeList(shown, brackets: ("{", "}"), to: &out, indent: indent, level: level) { member, out in
                JSON.writeString(member.key, to: &out)
                out.append(UInt8(ascii: ":"))
                if !indent.isEmpty { out.append(UInt8(ascii: " ")) }
                try member.value.write(to: &out, indent: indent, level: level + 1)
            }
        case .duration, .host: throw Interruption.sandbox
        }
    }

    private func writeList<Part>(
        _ parts: [Part], brackets: (String, String), to out: inout [UInt8], indent: [UInt8], level: Int, write: (Part, inout [UInt8]) throws -> Void
    ) throws {
        func newLine(_ level: Int, _ out: inout [UInt8]) {
            guard !indent.isEmpty else { return }
            out.append(0x0A)
            for _ in 0..<level { out.append(contentsOf: indent) }
        }
        out.append(contentsOf: brackets.0.utf8)
        for (index, part) in parts.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            newLine(level + 1, &out)
            try write(part, &out)
        }
        if !parts.isEmpty { newLine(level, &out) }
        out.append(contentsOf: brackets.1.utf8)
    }
}
