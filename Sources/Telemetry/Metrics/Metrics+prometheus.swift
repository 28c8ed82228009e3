extension Metrics {
    /// All series in Prometheus' text format, version 0.0.4.
    package func prometheus() -> String {
        var out = ""
        for family in snapshot() {
            out += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"
            for series in family.series { out += Self.lines(family.name, series) }
        }
        return out
    }

    private static func lines(_ family: String, _ series: MetricFamily.Series) -> String {
        switch series.value {
        case .number(let value): return "\(family)\(braces(series.labels)) \(number(value))\n"
        case .histogram(let bounds, let buckets, let sum):
            var out = ""
            var total: Int64 = 0
            for (index, bucket) in buckets.enumerated() {
                total += bucket
                let bound = index < bounds.count ? "\(bounds[index])" : "+Inf"
                out += "\(family)_bucket\(braces(series.labels + [("le", bound)])) \(total)\n"
            }
            return out + "\(family)_sum\(braces(series.labels)) \(sum)\n\(family)_count\(braces(series.labels)) \(total)\n"
        }
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    private static func braces(_ labels: [(name: String, value: String)]) -> String {
        if labels.isEmpty { return "" }
        let pairs = labels.map { "\($0.name)=\"\(escaped($0.value))\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
