/// The `Link` header (RFC 8288): where a list's next page is.
package struct LinkHeader: Sendable, Hashable {
    package struct Link: Sendable, Hashable {
        package var target: String
        /// By lower-case name; the first of a name counts.
        package var parameters: [String: String]
        package var relations: [String] {
            (parameters["rel"] ?? "").lowercased().split(separator: " ").map(String.init)
        }
    }

    package var links: [Link] = []

    /// Reads one or more header values; a malformed link ends the reading of its value.
    package init(_ values: [String]) {
        for value in values {
            var reader = Reader(rest: Array(value.unicodeScalars)[...])
            while let link = reader.link() { links.append(link) }
        }
    }

    /// The target of the first link with this relation, as written; resolve it against the answer's URL.
    package func target(_ relation: String) -> String? {
        links.first { $0.relations.contains(relation.lowercased()) }?.target
    }

    private struct Reader {
        var rest: ArraySlice<Unicode.Scalar>

        mutating func link() -> Link? {
            skip { $0 == "," || $0 == " " || $0 == "\t" }
            guard take("<"), let end = rest.firstIndex(of: ">") else { return nil }
            var link = Link(target: Self.text(rest[..<end]).trimmingSpaces(), parameters: [:])
            rest = rest[(end + 1)...]
            while true {
                skip { $0 == " " || $0 == "\t" }
                guard take(";") else { return link }
                skip { $0 == " " || $0 == "\t" }
                let name = Self.text(word { $0 != "=" && $0 != ";" && $0 != "," }).trimmingSpaces().lowercased()
                let value = take("=") ? parameterValue() : ""
                if !name.isEmpty, link.parameters[name] == nil { link.parameters[name] = value }
            }
        }

        private mutating func parameterValue() -> String {
            skip { $0 == " " || $0 == "\t" }
            guard take("\"") else { return Self.text(word { $0 != ";" && $0 != "," }).trimmingSpaces() }
            var value = String.UnicodeScalarView()
            while let next = rest.popFirst(), next != "\"" {
                if next == "\\", let escaped = rest.popFirst() { value.append(escaped) } else { value.append(next) }
            }
            return String(value)
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard rest.first == scalar else { return false }
            rest.removeFirst()
            return true
        }

        private mutating func skip(_ matches: (Unicode.Scalar) -> Bool) { rest = rest.drop(while: matches) }

        private mutating func word(_ matches: (Unicode.Scalar) -> Bool) -> ArraySlice<Unicode.Scalar> {
            let word = rest.prefix(while: matches)
            rest = rest[word.endIndex...]
            return word
        }

        private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars)
            return String(view)
        }
    }
}

extension OutboundResponse {
    /// The absolute URL of the page that this answer links to, `next` by default.
    /// - Throws: `invalid_url` where the link is none.
    package func linkedPage(_ relation: String = "next") throws -> String? {
        let values = headers.filter { $0.name.lowercased() == "link" }.map(\.value)
        guard let target = LinkHeader(values).target(relation) else { return nil }
        return try OutboundURL(url).resolving(target).text
    }
}
