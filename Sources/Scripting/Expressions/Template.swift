internal import Kernel

/// A parameter text that starts with `=`: plain text and `{{ … }}` blocks of JavaScript, parsed once.
///
/// A block ends at the first `}}` that no backslash stands before; `\{{` and `\}}` stand for the braces themselves, and a
/// block that never ends runs to the end of the text. A text that is nothing but one block keeps the type of its value.
final class Template: Sendable {
    enum Part: Sendable {
        case text(String)
        case block(Block)
    }

    struct Block: Sendable {
        let source: String
        /// Nil where the source uses something that is not evaluated natively (or is no JavaScript).
        let syntax: Syntax?

        init(_ source: String) {
            self.source = source
            // An empty block has no value.
            syntax = source.trimmingECMASpace().isEmpty ? .undefined : try? Parser.parse(Block.expression(source))
        }

        /// A block that starts with a brace is an object, not a statement.
        private static func expression(_ source: String) -> String {
            source.trimmingECMASpace().utf8.first == UInt8(ascii: "{") ? "(" + source + "\n)" : source
        }

        /// What the sandbox evaluates in place of the block; as text where the block stands among others, because there
        /// the conversion (of a Date, say) is JavaScript's to do.
        func sandboxSource(asText: Bool) -> String {
            guard asText, !isStatements else { return Block.expression(source) }
            var trimmed = source.trimmingECMASpace()
            while trimmed.utf8.last == UInt8(ascii: ";") { trimmed = String(trimmed.dropLast()).trimmingECMASpace() }
            return "[(\(trimmed)\n)].map(v => v || v === 0 || v === false ? v : '').join('')"
        }

        /// Whether the source looks like statements, which cannot stand in parentheses.
        private var isStatements: Bool {
            let trimmed = source.trimmingECMASpace()
            let first = trimmed.prefix { $0.isLetter }
            return ["const", "let", "var", "if", "for", "while", "do", "try", "switch", "function", "throw", "return"].contains(String(first))
                || trimmed.dropLast().contains(";")
        }
    }

    let parts: [Part]
    /// The block that is the whole text.
    let only: Block?

    /// - Parameter text: with its equals sign.
    init(_ text: String) {
        parts = Template.split(Array(text.utf8.dropFirst()))
        if parts.count == 1, case .block(let block) = parts[0] { only = block } else { only = nil }
    }

    private static func split(_ bytes: [UInt8]) -> [Part] {
        var parts: [Part] = []
        var buffer: [UInt8] = []
        var isInBlock = false
        var index = 0
        func flush() {
            defer { buffer = [] }
            let text = String(decoding: buffer, as: UTF8.self)
            if isInBlock { parts.append(.block(Block(text))) } else if !buffer.isEmpty { parts.append(.text(text)) }
        }
        while index < bytes.count {
            let brace = isInBlock ? UInt8(ascii: "}") : UInt8(ascii: "{")
            if bytes[index] == UInt8(ascii: "\\"), index + 2 < bytes.count, bytes[index + 1] == brace, bytes[index + 2] == brace {
                buffer += [brace, brace]
                index += 3
            } else if bytes[index] == brace, index + 1 < bytes.count, bytes[index + 1] == brace {
                flush()
                isInBlock.toggle()
                index += 2
            } else {
                buffer.append(bytes[index])
                index += 1
            }
        }
        if isInBlock || !buffer.isEmpty { flush() }
        return parts
    }

    /// Evaluates all blocks with the same evaluator.
    /// - Throws: `Interruption` where a block needs the sandbox or raises an error.
    func evaluate(_ evaluator: Evaluator) throws -> ExpressionValue {
        try value { block in
            guard let syntax = block.syntax else { throw Interruption.sandbox }
            do { return try evaluator.evaluate(syntax) } catch Interruption.thrown { return .undefined }
        }
    }

    /// Puts the values of the blocks together. Among text a value of null, undefined, NaN or "" shows as nothing.
    func value(_ valueOf: (Block) throws -> Value) throws -> ExpressionValue {
        if let only { return try valueOf(only).result() }
        var out = ""
        for part in parts {
            switch part {
            case .text(let text): out += text
            case .block(let block):
                let value = try valueOf(block)
                switch value {
                case .bool(false), .number(0): out += try value.text()
                default: if value.isTrue { out += try value.text() }
                }
            }
        }
        return .json(.string(out))
    }
}
