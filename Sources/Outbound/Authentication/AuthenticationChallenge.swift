/// One challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1).
struct AuthenticationChallenge: Sendable, Hashable {
    /// In lower case.
    var scheme: String
    /// Names in lower case, values without quotes.
    var parameters: [String: String] = [:]

    subscript(_ name: String) -> String? { parameters[name] }

    /// The challenges of one header line, which may hold several; what is no challenge is passed over.
    static func read(_ line: String) -> [AuthenticationChallenge] {
        var challenges: [AuthenticationChallenge] = []
        var rest = Substring(line)
        while let start = rest.firstIndex(where: { $0.utf8.allSatisfy(HeaderSyntax.isTokenByte) }) {
            rest = rest[start...]
            let word = rest.prefix { $0.utf8.allSatisfy(HeaderSyntax.isTokenByte) }
            rest = rest[word.endIndex...]
            let after = rest.drop { $0 == " " || $0 == "\t" }
            guard after.first == "=", !challenges.isEmpty else {
                challenges.append(AuthenticationChallenge(scheme: word.lowercased()))
                continue
            }
            rest = after.dropFirst().drop { $0 == " " || $0 == "\t" }
            challenges[challenges.count - 1].parameters[word.lowercased()] = value(&rest)
        }
        return challenges
    }

    /// A token, or a quoted text with its escapes undone.
    private static func value(_ rest: inout Substring) -> String {
        guard rest.first == "\"" else {
            let word = rest.prefix { $0.utf8.allSatisfy(HeaderSyntax.isTokenByte) }
            rest = rest[word.endIndex...]
            return String(word)
        }
        rest = rest.dropFirst()
        var text = ""
        while let character = rest.popFirst(), character != "\"" {
            if character == "\\", let escaped = rest.popFirst() { text.append(escaped) } else { text.append(character) }
        }
        return text
    }
}
