internal import Kernel

/// What is known of an image, in the members that n8n's Edit Image node gives: those of `gm identify -verbose`, nested as they are indented, with
/// `format`, `size`, `depth` and `color` beside them.
enum PictureFacts {
    /// Members that differ from one reading to the next.
    private static let fleeting: Set<String> = ["Elapsed Time", "User Time", "Pixels Per Second", "Tainted", "Image"]
    /// Levels of indentation, and lines.
    private static let levelsMaximum = 16
    private static let linesMaximum = 5_000

    static func read(_ bytes: [UInt8]) throws -> JSONObject {
        let picture = try Picture(reading: bytes)
        let lines = picture.description().split(separator: "\n").prefix(linesMaximum).compactMap(Line.init)
        var rest = lines[...]
        var facts: JSONObject = [:]
        while let line = rest.first {
            for (name, value) in members(&rest, indent: line.indent, level: 0) { facts[name] = value }
        }
        facts["format"] = facts["Format"]?.text.flatMap { $0.split(separator: " ").first }.map { .string(String($0)) }
        facts["size"] = ["width": .number(Double(picture.width)), "height": .number(Double(picture.height))]
        facts["depth"] = facts["Depth"]?.text.flatMap(leadingNumber)
        facts["color"] = facts["Colors"]?.text.flatMap(leadingNumber)
        return facts
    }

    private struct Line {
        let indent: Int
        let name: String
        let value: String

        /// `  Depth: 8 bits`; a line without a colon is none.
        init?(_ text: Substring) {
            let content = text.drop { $0 == " " }
            indent = text.count - content.count
            guard
                let colon = content.firstRange(of: ": ")
                    ?? (content.hasSuffix(":") ? content.index(before: content.endIndex)..<content.endIndex : nil)
            else { return nil }
            name = String(content[..<colon.lowerBound])
            value = String(content[colon.upperBound...].drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// The lines of one indentation, each with those below it that stand further in.
    private static func members(_ lines: inout ArraySlice<Line>, indent: Int, level: Int) -> JSONObject {
        var found: JSONObject = [:]
        while let line = lines.first, line.indent >= indent {
            lines.removeFirst()
            let isParent = (lines.first?.indent ?? 0) > line.indent
            let inner = isParent && level < levelsMaximum ? members(&lines, indent: lines.first?.indent ?? 0, level: level + 1) : [:]
            guard !fleeting.contains(line.name) else {
                if line.name == "Image" { for (name, value) in inner { found[name] = value } }
                continue
            }
            if isParent { found[line.name] = .object(inner) } else if !line.value.isEmpty { found[line.name] = .string(line.value) }
        }
        return found
    }

    private static func leadingNumber(_ text: String) -> JSON? { Double(text.prefix { $0.isNumber }).map { .number($0) } }
}
