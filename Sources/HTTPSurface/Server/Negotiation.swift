/// Reads `Accept` and `Accept-Language` (RFC 9110, 12.5).
enum Negotiation {
    /// Whether a media type is among those a client takes; no header takes all.
    static func accepts(_ header: String?, _ type: String) -> Bool {
        guard let header, !header.isEmpty else { return true }
        let family = type.prefix { $0 != "/" } + "/*"
        return weighted(header).contains { $0.weight > 0 && ($0.value == "*/*" || $0.value == type || $0.value == family) }
    }

    /// The values of a header in its own order of preference.
    static func preferences(_ header: String) -> [String] {
        weighted(header).enumerated()
            .filter { $0.element.weight > 0 }
            .sorted { ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset) }
            .map(\.element.value)
    }

    private static func weighted(_ header: String) -> [(value: String, weight: Double)] {
        header.split(separator: ",").prefix(50).compactMap { part in
            let pieces = part.split(separator: ";").map { $0.filter { $0 != " " } }
            guard let value = pieces.first else { return nil }
            let weight = pieces.dropFirst().first { $0.lowercased().hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            return (value.lowercased(), weight ?? 1)
        }
    }
}
