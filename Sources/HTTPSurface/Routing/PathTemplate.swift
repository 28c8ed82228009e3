/// The path of an endpoint: `/v1/workflows/{id}`, or with all that follows a prefix, `/hooks/{path*}`.
package struct PathTemplate: Sendable, Hashable, CustomStringConvertible {
    package enum Segment: Sendable, Hashable {
        case literal(String)
        case parameter(String)
        /// The rest of the path, one segment or more, undecoded slashes kept; only at the end.
        case rest(String)
    }

    package let segments: [Segment]
    package let description: String

    package init(_ text: String) {
        precondition(text.hasPrefix("/"), "the path \(text) must begin with a slash")
        description = text
        segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: true).map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return .literal(String(part)) }
            let name = part.dropFirst().dropLast()
            return name.hasSuffix("*") ? .rest(String(name.dropLast())) : .parameter(String(name))
        }
        precondition(!segments.dropLast().contains { if case .rest = $0 { true } else { false } }, "{…*} stands at the end of \(text)")
    }

    package var parameters: [String] {
        segments.compactMap {
            switch $0 {
            case .literal: nil
            case .parameter(let name), .rest(let name): name
            }
        }
    }
}
