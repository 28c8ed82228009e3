internal import HTTPSurface
internal import Kernel

/// Charts of runs over time: drawings without scripts, each with a table of the same figures behind it.
struct RunChart {
    let overview: RunOverview
    let text: Localizer

    private static let width = 720
    private static let height = 160
    private static let gap = 2

    /// Succeeded, failed and cancelled runs of each slot, one upon the other.
    var runs: HTML {
        let most = max(1, overview.slots.map(\.tally.runs).max() ?? 1)
        let bars: [HTML] = overview.slots.enumerated().map { index, slot in
            var base = Self.height
            let parts: [(String, Int)] = [("succeeded", slot.tally.succeeded), ("failed", slot.tally.failed), ("cancelled", slot.tally.cancelled)]
            let rects: [HTML] = parts.filter { $0.1 > 0 }.map { kind, count in
                // A single failure among thousands is still seen.
                let tall = max(2, count * Self.height / most)
                base -= tall
                let (left, right) = edges(index)
                return "<rect class=\"\(kind)\" x=\"\(left)\" y=\"\(max(0, base))\" width=\"\(right - left - Self.gap)\" height=\"\(tall)\"/>"
            }
            return rects.isEmpty ? .empty : "<g>\(rects)</g>"
        }
        let total = overview.total
        let label = text(
            "workflows.dashboard.runs.label",
            ["runs": "\(total.runs)", "failed": "\(total.failed)", "cancelled": "\(total.cancelled)"])
        let rows: [HTML] = overview.slots.reversed().map { slot in
            """
            <tr><th scope="row">\(Console.time(slot.start))</th><td class="number">\(slot.tally.succeeded)</td><td class="number">\(slot.tally.failed)</td>\
            <td class="number">\(slot.tally.cancelled)</td></tr>
            """
        }
        let names = ["succeeded", "failed", "cancelled"]
        return figure(
            "runs", legend: names.map { ($0, text("workflows.run.\($0)")) }, top: "\(most)", label: label, drawing: "\(bars)",
            heads: names.map { text("workflows.run.\($0)") }, rows: rows)
    }

    /// The median and the 95th percentile of each slot; slots without runs are gaps.
    var latencies: HTML {
        let quantiles: [(median: Duration?, high: Duration?)] = overview.slots.map {
            ($0.tally.latencies.quantile(0.5), $0.tally.latencies.quantile(0.95))
        }
        let most = max(1, quantiles.compactMap { $0.high?.microseconds }.max() ?? 1)
        func line(_ values: [Duration?], _ kind: String) -> HTML {
            var path = ""
            var isDrawing = false
            for (index, value) in values.enumerated() {
                guard let value else {
                    isDrawing = false
                    continue
                }
                let y = Self.height - max(2, Int(Double(value.microseconds) / Double(most) * Double(Self.height - 4)))
                let (left, right) = edges(index)
                path += isDrawing ? "V\(y)H\(right)" : "M\(left) \(y)H\(right)"
                isDrawing = true
            }
            return path.isEmpty ? .empty : "<path class=\"\(kind)\" d=\"\(path)\"/>"
        }
        func shown(_ time: Duration?) -> String { time.map(Console.duration) ?? "–" }
        let total = overview.total.latencies
        let label = text("workflows.dashboard.latency.label", ["median": shown(total.quantile(0.5)), "high": shown(total.quantile(0.95))])
        let rows: [HTML] = zip(overview.slots, quantiles).reversed().map { slot, quantile in
            """
            <tr><th scope="row">\(Console.time(slot.start))</th><td class="number">\(shown(quantile.median))</td>\
            <td class="number">\(shown(quantile.high))</td></tr>
            """
        }
        let names = [("median", text("workflows.dashboard.median")), ("high", text("workflows.dashboard.high"))]
        return figure(
            "latency", legend: names, top: quantiles.contains { $0.high != nil } ? Console.duration(.microseconds(most)) : "", label: label,
            drawing: "\(line(quantiles.map(\.high), "high"))\(line(quantiles.map(\.median), "median"))", heads: names.map(\.1), rows: rows)
    }

    private func edges(_ index: Int) -> (Int, Int) {
        (index * Self.width / overview.slots.count, (index + 1) * Self.width / overview.slots.count)
    }

    private func figure(
        _ name: String, legend: [(kind: String, title: String)], top: String, label: String, drawing: HTML, heads: [String], rows: [HTML]
    ) -> HTML {
        let keys: [HTML] = legend.map { "<li class=\"\($0.kind)\">\($0.title)</li>" }
        let heads: [HTML] = ([text("workflows.dashboard.from")] + heads).enumerated().map { index, title in
            let kind: HTML = index == 0 ? .empty : " class=\"number\""
            return "<th scope=\"col\"\(kind)>\(title)</th>"
        }
        let marks: [HTML] = [overview.slots.first, overview.slots[overview.slots.count / 2], overview.slots.last].compactMap { $0 }.map {
            Console.time($0.start, form: overview.span == .day ? "hour" : "day")
        }
        return """
            <figure class="chart" aria-labelledby="chart-\(name)"><figcaption><h2 id="chart-\(name)">\(text("workflows.dashboard.\(name)"))</h2>\
            <ul class="legend">\(keys)</ul></figcaption>
            <p class="top" aria-hidden="true">\(top)</p><svg viewBox="0 0 \(Self.width) \(Self.height)" preserveAspectRatio="none" role="img" \
            aria-label="\(label)">\(drawing)</svg><p class="axis" aria-hidden="true">\(marks)</p>
            <details><summary>\(text("workflows.dashboard.table"))</summary><div class="table-scroll" tabindex="0" role="region" \
            aria-label="\(text("workflows.dashboard.\(name)"))"><table class="list"><thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div></details></figure>
            """
    }
}
