internal import Kernel

/// Text with `{{ }}` in it, whose blocks are evaluated one by one where an object has to stand in the text as JSON.
struct TemplateText: Sendable {
    private enum Part: Sendable {
        case text(String)
        case block(String)
    }
    private let parts: [Part]

    /// - Parameter text: without the leading `=`.
    init(_ text: String) {
        var parts: [Part] = []
        var rest = Substring(text)
        while let start = rest.firstRange(of: "{{"), let end = rest[start.upperBound...].firstRange(of: "}}") {
            parts.append(.text(String(rest[..<start.lowerBound])))
            parts.append(.block(String(rest[start.lowerBound..<end.upperBound])))
            rest = rest[end.upperBound...]
        }
        parts.append(.text(String(rest)))
        self.parts = parts
    }

    /// The value of the only block where there is nothing but space around it, else the text with every block's value in its place:
    /// strings as they are, everything else as JSON.
    func resolved(_ step: StepContext, item: Int) async throws -> JSON {
        let blocks = parts.compactMap { if case .block(let block) = $0 { JSON.string("=" + block) } else { nil } }
        let values = try await step.services.evaluate(.array(blocks), item: item, roots: [:]).array ?? []
        if blocks.count == 1, let value = values.first, value.text == nil, isAlone { return value }
        var next = 0
        var text = ""
        for part in parts {
            switch part {
            case .text(let plain): text += plain
            case .block:
                text += values.indices.contains(next) ? values[next].displayText : "undefined"
                next += 1
            }
        }
        return .string(text)
    }

    private var isAlone: Bool {
        parts.allSatisfy { if case .text(let plain) = $0 { plain.allSatisfy(\.isWhitespace) } else { true } }
    }
}
