internal import Foundation
internal import Kernel

/// A pattern of paths on a disk: `*` and `?` within a name, `**` for any folders, `[a-z]` and `[!a]` for one character, `{csv,txt}` for either, and
/// `\` before a character that is meant itself. As shells have it, what begins with a dot is matched only where the pattern writes the dot.
///
/// The rules are those of https://github.com/micromatch/picomatch#basic-globbing; parentheses are letters like any other.
package struct DiskGlob: Sendable {
    private enum Part {
        /// Any folders, or none.
        case folders
        case name([Token])
    }

    private enum Token: Equatable {
        case one(Unicode.Scalar)
        case any
        case anyText
        case among([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    }

    private let alternatives: [[Part]]
    /// The folder that everything it matches lies below; empty where that is the root.
    let root: String

    /// - Throws: `bad_path`
    package init(_ written: String) throws {
        guard written.utf8.count <= Limits.diskPathBytes else {
            throw DiskPath.refusal(written, "is longer than \(Limits.diskPathBytes) bytes")
        }
        var text = written.precomposedStringWithCanonicalMapping
        if text.prefixMatch(of: #/[A-Za-z]:/#) != nil { text = text.replacing("\\", with: "/") }
        alternatives = try DiskGlob.expanded(Array(text.unicodeScalars)).map { try DiskGlob.parts($0, written) }
        guard alternatives.contains(where: { !$0.isEmpty }) else { throw DiskPath.refusal(written, "names no file") }
        let fixed = alternatives.count == 1 ? alternatives[0].dropLast().prefix { DiskGlob.literal($0) != nil } : []
        root = fixed.compactMap(DiskGlob.literal).joined(separator: "/")
    }

    package func matches(_ path: String) -> Bool {
        let names = path.unicodeScalars.split(separator: "/").map { Array($0) }
        return alternatives.contains { DiskGlob.matches($0, names) }
    }

    // MARK: Matching

    /// Which beginnings of the path are matched by the parts so far, part by part.
    private static func matches(_ parts: [Part], _ names: [[Unicode.Scalar]]) -> Bool {
        var reached = [Bool](repeating: false, count: names.count + 1)
        reached[0] = true
        for part in parts {
            var next = [Bool](repeating: false, count: names.count + 1)
            switch part {
            case .name(let tokens): for place in names.indices where reached[place] && matches(tokens, names[place]) { next[place + 1] = true }
            case .folders:
                next = reached
                for place in names.indices where next[place] && names[place].first != "." { next[place + 1] = true }
            }
            reached = next
        }
        return reached[names.count]
    }

    /// Walks the name once for each `*`.
    private static func matches(_ tokens: [Token], _ name: [Unicode.Scalar]) -> Bool {
        if name.first == ".", tokens.first != .one(".") { return false }
        var (place, mark) = (0, 0)
        var retry: (place: Int, mark: Int)?
        while place < name.count {
            if mark < tokens.count, tokens[mark] == .anyText {
                retry = (place, mark)
                mark += 1
            } else if mark < tokens.count, holds(tokens[mark], name[place]) {
                place += 1
                mark += 1
            } else if let last = retry {
                retry = (last.place + 1, last.mark)
                (place, mark) = (last.place + 1, last.mark + 1)
            } else {
                return false
            }
        }
        return tokens[mark...].allSatisfy { $0 == .anyText }
    }

    private static func holds(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
        switch token {
        case .one(let wanted): wanted == scalar
        case .any: true
        case .anyText: false
        case .among(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
        }
    }

    // MARK: Reading

    private static func parts(_ text: [Unicode.Scalar], _ written: String) throws -> [Part] {
        var parts: [Part] = []
        for name in text.split(separator: "/").map({ Array($0) }) {
            switch name {
            case ["."]: continue
            case ["*", "*"]:
                // Any folders twice are any folders.
                if case .folders? = parts.last { continue }
                parts.append(.folders)
            case [".", "."]:
                guard let last = parts.popLast(), literal(last) != nil else { throw DiskPath.refusal(written, "leads out of the disk") }
            default: parts.append(.name(tokens(name)))
            }
        }
        // Whatever lies in any folder.
        if case .folders? = parts.last { parts.append(.name([.anyText])) }
        return parts
    }

    private static func tokens(_ name: [Unicode.Scalar]) -> [Token] {
        var tokens: [Token] = []
        var place = 0
        while place < name.count {
            let scalar = name[place]
            place += 1
            switch scalar {
            case "\\" where place < name.count:
                tokens.append(.one(name[place]))
                place += 1
            case "*": if tokens.last != .anyText { tokens.append(.anyText) }
            case "?": tokens.append(.any)
            case "[":
                guard let (token, end) = set(name, from: place) else {
                    tokens.append(.one(scalar))
                    continue
                }
                tokens.append(token)
                place = end
            default: tokens.append(.one(scalar))
            }
        }
        return tokens
    }

    /// What stands between `[` and `]`.
    /// - Returns: nil where it is not closed.
    private static func set(_ name: [Unicode.Scalar], from start: Int) -> (Token, end: Int)? {
        var place = start
        let isNegated = place < name.count && (name[place] == "!" || name[place] == "^")
        if isNegated { place += 1 }
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        while place < name.count, name[place] != "]" || ranges.isEmpty {
            if name[place] == "\\", place + 1 < name.count { place += 1 }
            let low = name[place]
            place += 1
            if place + 1 < name.count, name[place] == "-", name[place + 1] != "]" {
                let high = name[place + 1]
                place += 2
                if low <= high { ranges.append(low...high) }
            } else {
                ranges.append(low...low)
            }
        }
        guard place < name.count, !ranges.isEmpty else { return nil }
        return (.among(ranges, isNegated: isNegated), place + 1)
    }

    private static func literal(_ part: Part) -> String? {
        guard case .name(let tokens) = part else { return nil }
        var name = String.UnicodeScalarView()
        for token in tokens {
            guard case .one(let scalar) = token else { return nil }
            name.append(scalar)
        }
        return String(name)
    }

    /// A pattern for each choice among alternatives in braces.
    /// - Throws: `bad_path` for too many.
    private static func expanded(_ text: [Unicode.Scalar]) throws -> [[Unicode.Scalar]] {
        guard let (open, commas, close) = braces(in: text) else { return [text] }
        var all: [[Unicode.Scalar]] = []
        let bounds: [Int] = [open] + commas + [close]
        for (start, end) in zip(bounds, bounds.dropFirst()) {
            var choice = Array(text[..<open])
            choice.append(contentsOf: text[(start + 1)..<end])
            choice.append(contentsOf: text[(close + 1)...])
            all.append(contentsOf: try expanded(choice))
            guard all.count <= Limits.diskAlternatives else {
                throw Refusal.invalid("path", "bad_path", "A pattern has at most \(Limits.diskAlternatives) alternatives in braces.")
            }
        }
        return all
    }

    /// The first braces that hold a choice.
    private static func braces(in text: [Unicode.Scalar]) -> (open: Int, commas: [Int], close: Int)? {
        for open in text.indices where text[open] == "{" && (open == 0 || text[open - 1] != "\\") {
            var commas: [Int] = []
            var depth = 0
            for place in open..<text.count where place == open || text[place - 1] != "\\" {
                switch text[place] {
                case "{": depth += 1
                case "," where depth == 1: commas.append(place)
                case "}": depth -= 1
                default: break
                }
                guard depth == 0 else { continue }
                if !commas.isEmpty { return (open, commas, place) }
                break
            }
        }
        return nil
    }
}
