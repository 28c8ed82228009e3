/// A URL's query as an ordered list of names and values.
package struct QueryParameters: Sendable, Hashable {
    package struct Pair: Sendable, Hashable {
        package var name: String
        package var value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var pairs: [Pair]
    package init(_ pairs: [Pair] = []) { self.pairs = pairs }

    /// Reads a query without its `?`; `+` is a space.
    package init(parsing query: some StringProtocol) {
        pairs = query.split(separator: "&").map { part in
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map { PercentEncoding.decode(String($0).replacing("+", with: " ")) }
            return Pair(halves[0], halves.count > 1 ? halves[1] : "")
        }
    }

    /// `name=value&…`, values as RFC 3986 components.
    package var encoded: String {
        pairs.map { PercentEncoding.encode($0.name) + "=" + PercentEncoding.encode($0.value) }.joined(separator: "&")
    }

    /// Adds parameters to a URL's text, behind those it has and before its fragment.
    package func appended(to url: String) -> String {
        guard !pairs.isEmpty else { return url }
        let hash = url.firstIndex(of: "#") ?? url.endIndex
        let before = url[..<hash]
        let joint = !before.contains("?") ? "?" : before.hasSuffix("?") || before.hasSuffix("&") ? "" : "&"
        return before + joint + encoded + url[hash...]
    }

    /// Sets parameters in a URL's text: one of the same name is replaced where it stands, and further ones of that name go.
    package func merged(into url: String) -> String {
        guard let mark = url.firstIndex(of: "?") else { return appended(to: url) }
        let hash = url[mark...].firstIndex(of: "#") ?? url.endIndex
        var merged = QueryParameters(parsing: url[url.index(after: mark)..<hash])
        for name in Set(pairs.map(\.name)) {
            let place = merged.pairs.firstIndex { $0.name == name } ?? merged.pairs.endIndex
            merged.pairs.removeAll { $0.name == name }
            merged.pairs.insert(contentsOf: pairs.filter { $0.name == name }, at: min(place, merged.pairs.endIndex))
        }
        return url[...mark] + merged.encoded + url[hash...]
    }
}
