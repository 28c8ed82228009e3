internal import HTTPSurface
internal import Kernel

/// Drawings of the figures by month without scripts, each with a table of the same numbers behind it.
struct FigureChart {
    let report: FigureReport
    let text: Localizer

    private static let width = 720
    private static let height = 160
    private static let gap = 4

    /// Recurring revenue at the months' ends, and what is forecast of it with its intervals.
    func revenue(_ forecast: Forecast?, steps: Int) -> HTML {
        let known = report.months.dropLast()
        let present = report.months[report.months.count - 1]
        let points = forecast.map { forecast in (1...steps).map { forecast.point($0) } } ?? []
        let slots = known.count + max(points.count, 1)
        let most = max(1, (report.months.map { Double($0.movement.end) } + points.map(\.wide.upperBound)).max() ?? 1)
        func x(_ index: Int) -> Int { slots > 1 ? index * Self.width / (slots - 1) : 0 }
        func y(_ value: Double) -> Int { Self.height - Int(min(max(value, 0), most) / most * Double(Self.height - 4)) }
        let line = known.enumerated().map { "\($0.offset == 0 ? "M" : "L")\(x($0.offset)) \(y(Double($0.element.movement.end)))" }.joined()
        let lastKnown = known.last.map { Double($0.movement.end) }
        func band(_ range: (Forecast.Point) -> ClosedRange<Double>) -> String {
            let upper = points.enumerated().map { "L\(x(known.count + $0.offset)) \(y(range($0.element).upperBound))" }
            let lower = points.enumerated().reversed().map { "L\(x(known.count + $0.offset)) \(y(range($0.element).lowerBound))" }
            guard let lastKnown else { return "" }
            return "M\(x(known.count - 1)) \(y(lastKnown))" + (upper + lower).joined() + "Z"
        }
        let ahead = lastKnown.map { last in
            "M\(x(known.count - 1)) \(y(last))" + points.enumerated().map { "L\(x(known.count + $0.offset)) \(y($0.element.mean))" }.joined()
        }
        let bands: HTML? =
            points.isEmpty
            ? nil
            : """
            <path class="band wide" d="\(band(\.wide))"/><path class="band" d="\(band(\.likely))"/><path class="high" d="\(ahead ?? "")"/>
            """
        let rows: [HTML] =
            report.months.map { month in
                """
                <tr><th scope="row">\(month.month.text)</th><td class="number">\(money(month.movement.end))</td><td class="number"></td><td class="number"></td></tr>
                """
            }
            + points.enumerated().map { index, point in
                """
                <tr><th scope="row">\((present.month + index).text)</th><td class="number"></td><td class="number">\(money(Int64(point.mean.units)))</td>\
                <td class="number">\(money(Int64(point.wide.lowerBound.units)))–\(money(Int64(point.wide.upperBound.units)))</td></tr>
                """
            }
        let marks = [known.first?.month, present.month, points.isEmpty ? nil : present.month + (points.count - 1)].compactMap { $0?.text }
        return figure(
            "recurring", legend: [("median", text("billing.figures.actual")), ("high", text("billing.figures.forecast"))],
            top: money(Int64(most.units)),
            label: text(
                "billing.figures.recurring.label",
                ["now": money(present.movement.end), "then": points.last.map { money(Int64($0.mean.units)) } ?? "–"]),
            drawing: "\(bands)<path class=\"median\" d=\"\(line)\"/>", marks: marks,
            heads: [text("billing.figures.actual"), text("billing.figures.forecast"), text("billing.figures.interval")], rows: rows)
    }

    /// What came and what went in each month: above and below the middle.
    var moves: HTML {
        let most = max(
            1,
            report.months.map { max($0.movement.new + $0.movement.reactivation + $0.movement.expansion, $0.movement.contraction + $0.movement.churn) }
                .max() ?? 1)
        let middle = Self.height / 2
        func tall(_ amount: Int64) -> Int { amount == 0 ? 0 : max(2, Int(Double(amount) / Double(most) * Double(middle))) }
        let count = report.months.count
        let bars: [HTML] = report.months.enumerated().map { index, month in
            let (left, right) = (index * Self.width / count, (index + 1) * Self.width / count - Self.gap)
            let (new, more) = (tall(month.movement.new + month.movement.reactivation), tall(month.movement.expansion))
            let (less, lost) = (tall(month.movement.contraction), tall(month.movement.churn))
            let parts: [(String, Int, Int)] = [
                ("succeeded", middle - new, new), ("grown", middle - new - more, more), ("cancelled", middle, less), ("failed", middle + less, lost)
            ]
            let rects: [HTML] = parts.filter { $0.2 > 0 }.map {
                "<rect class=\"\($0.0)\" x=\"\(left)\" y=\"\(max($0.1, 0))\" width=\"\(right - left)\" height=\"\($0.2)\"/>"
            }
            return "\(rects)"
        }
        let rows: [HTML] = report.months.reversed().map { month in
            let move = month.movement
            let cells: [HTML] = [move.new + move.reactivation, move.expansion, move.contraction, move.churn].map {
                "<td class=\"number\">\(money($0))</td>"
            }
            return "<tr><th scope=\"row\">\(month.month.text)</th>\(cells)</tr>"
        }
        let kinds = [("succeeded", "gained"), ("grown", "expansion"), ("cancelled", "contraction"), ("failed", "churn")]
        let legend = kinds.map { ($0.0, text("billing.figures.\($0.1)")) }
        return figure(
            "moves", legend: legend, top: money(most), label: text("billing.figures.moves.label"), drawing: "\(bars)",
            marks: [report.months.first, report.months.last].compactMap { $0?.month.text }, heads: legend.map(\.1), rows: rows)
    }

    private func money(_ units: Int64) -> String { text.amount(units, report.currency) }

    private func figure(
        _ name: String, legend: [(String, String)], top: String, label: String, drawing: HTML, marks: [String], heads: [String], rows: [HTML]
    ) -> HTML {
        let keys: [HTML] = legend.map { "<li class=\"\($0.0)\">\($0.1)</li>" }
        let titles: [HTML] = heads.map { "<th scope=\"col\" class=\"number\">\($0)</th>" }
        let ends: [HTML] = marks.map { "<span>\($0)</span>" }
        let title = text("billing.figures.\(name)")
        return """
            <figure class="chart" aria-labelledby="chart-\(name)"><figcaption><h2 id="chart-\(name)">\(title)</h2><ul class="legend">\(keys)</ul></figcaption>
            <p class="top" aria-hidden="true">\(top)</p><svg viewBox="0 0 \(Self.width) \(Self.height)" preserveAspectRatio="none" role="img" \
            aria-label="\(label)">\(drawing)</svg><p class="axis" aria-hidden="true">\(ends)</p>
            <details><summary>\(text("billing.figures.table"))</summary><div class="table-scroll" tabindex="0" role="region" aria-label="\(title)">\
            <table class="list"><thead><tr><th scope="col">\(text("billing.figures.month"))</th>\(titles)</tr></thead><tbody>\(rows)</tbody></table></div></details></figure>
            """
    }
}
