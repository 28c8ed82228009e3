internal import Kernel

/// JSON as the files of a tree hold it: what is small stands on one line, everything else has a line of its own, so that a change shows
/// where it was made.
enum TreeText {
    private static let lineLength = 100

    /// With a line break at its end.
    static func write(_ json: JSON) -> String { text(json, indent: 0) + "\n" }

    /// The same value with the members of every object in order of their names.
    static func sorted(_ json: JSON) -> JSON {
        switch json {
        case .array(let elements): .array(elements.map(sorted))
        case .object(let members): .object(JSONObject(members.sorted { $0.key < $1.key }.map { ($0.key, sorted($0.value)) }))
        default: json
        }
    }

    private static func text(_ json: JSON, indent: Int) -> String {
        if let line = line(json), line.count + 2 * indent <= lineLength { return line }
        let (pad, end) = (String(repeating: "  ", count: indent + 1), String(repeating: "  ", count: indent))
        switch json {
        case .array(let elements) where !elements.isEmpty:
            return "[\n" + elements.map { pad + text($0, indent: indent + 1) }.joined(separator: ",\n") + "\n\(end)]"
        case .object(let members) where !members.isEmpty:
            let lines: [String] = members.map { pad + JSON.string($0.key).serialized + ": " + text($0.value, indent: indent + 1) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(end)}"
        default: return json.serialized
        }
    }

    /// Lists of plain values, and objects of one or two, on one line; nil for what is larger.
    private static func line(_ json: JSON) -> String? {
        switch json {
        case .array(let elements):
            let parts = elements.map(plain)
            return parts.contains(nil) ? nil : "[\(parts.compactMap { $0 }.joined(separator: ", "))]"
        case .object(let members):
            guard members.count <= 2 else { return nil }
            let parts = members.map { member in plain(member.value).map { "\(JSON.string(member.key).serialized): \($0)" } }
            return parts.contains(nil) ? nil : "{\(parts.compactMap { $0 }.joined(separator: ", "))}"
        default: return json.serialized
        }
    }

    private static func plain(_ json: JSON) -> String? {
        switch json {
        case .array(let elements): elements.isEmpty ? "[]" : nil
        case .object(let members): members.isEmpty ? "{}" : nil
        default: json.serialized
        }
    }
}

/// Finds the line at which a path such as `nodes[2].config.url` stands in a text that is JSON.
struct TreeLines {
    private let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The line of a byte, from 1.
    func line(ofByte offset: Int) -> Int { 1 + bytes.prefix(offset).filter { $0 == UInt8(ascii: "\n") }.count }

    /// The line of the innermost part of the path that is there.
    func line(of path: String) -> Int {
        var index = 0
        skipSpace(&index)
        var found = index
        for step in Self.steps(path) {
            guard let next = descend(index, step) else { break }
            (index, found) = (next.value, next.name)
        }
        return line(ofByte: found)
    }

    private enum Step {
        case member(String)
        case element(Int)
    }

    private static func steps(_ path: String) -> [Step] {
        path.split(separator: ".").flatMap { part -> [Step] in
            let pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            let name: [Step] = pieces[0].isEmpty ? [] : [.member(String(pieces[0]))]
            return name + pieces.dropFirst().compactMap { Int($0.prefix { $0 != "]" }).map(Step.element) }
        }
    }

    /// Where a member or element of the value at `start` begins, by its name and by its value.
    private func descend(_ start: Int, _ step: Step) -> (name: Int, value: Int)? {
        var index = start
        guard index < bytes.count, bytes[index] == UInt8(ascii: "{") || bytes[index] == UInt8(ascii: "[") else { return nil }
        let isObject = bytes[index] == UInt8(ascii: "{")
        index += 1
        var number = 0
        while true {
            skipSpace(&index)
            guard index < bytes.count, bytes[index] != UInt8(ascii: "}"), bytes[index] != UInt8(ascii: "]") else { return nil }
            let name = index
            var key: String?
            if isObject {
                skipValue(&index)
                key = (try? JSON(parsing: bytes[name..<index]))?.text
                skipSpace(&index)
                index += 1
                skipSpace(&index)
            }
            switch step {
            case .member(let wanted) where key == wanted: return (name, index)
            case .element(let wanted) where !isObject && number == wanted: return (name, index)
            default: break
            }
            skipValue(&index)
            skipSpace(&index)
            guard index < bytes.count, bytes[index] == UInt8(ascii: ",") else { return nil }
            index += 1
            number += 1
        }
    }

    private func skipSpace(_ index: inout Int) {
        while index < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[index]) { index += 1 }
    }

    /// Past a value of well-formed JSON.
    private func skipValue(_ index: inout Int) {
        var depth = 0
        var isInText = false
        while index < bytes.count {
            let byte = bytes[index]
            if isInText {
                if byte == UInt8(ascii: "\\") { index += 1 } else if byte == UInt8(ascii: "\"") { isInText = false }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isInText = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return }
                    depth -= 1
                case UInt8(ascii: ","), UInt8(ascii: ":"): if depth == 0 { return }
                default: break
                }
            }
            index += 1
            if depth == 0, !isInText, index < bytes.count, [UInt8(ascii: "\""), UInt8(ascii: "}"), UInt8(ascii: "]")].contains(byte) { return }
        }
    }
}
