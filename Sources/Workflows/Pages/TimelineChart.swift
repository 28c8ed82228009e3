internal import HTTPSurface
internal import Kernel

/// The timeline of a run as a drawing without scripts: a lane for each attempt, and a table of the same behind it.
struct TimelineChart {
    let timeline: RunTimeline
    let text: Localizer
    /// Up to where what goes on is drawn.
    let now: Timestamp

    /// Lanes of one page; the API gives all.
    private static let lanesMaximum = 200
    private static let width = 1_000
    private static let height = 12
    /// What is shorter is still seen.
    private static let narrowest = 4

    private var attempts: [RunTimeline.Attempt] { timeline.attempts.filter { !$0.spans.isEmpty } }

    var html: HTML? {
        let attempts = self.attempts
        guard let start = attempts.flatMap({ $0.spans.map(\.from) }).min() else { return nil }
        let end = attempts.flatMap { $0.spans.map { $0.to ?? max(now, $0.from) } }.max() ?? start
        let shown = attempts.prefix(Self.lanesMaximum)
        let lanes: [HTML] = shown.map { lane($0, start, max(1, (end - start).microseconds)) }
        let keys: [HTML] = ["queued", "waiting", "working"].map { "<li class=\"\($0)\">\(text("workflows.timeline.\($0)"))</li>" }
        let more: HTML? =
            attempts.count > shown.count
            ? "<p class=\"hint\">\(text("workflows.timeline.more", ["count": "\(attempts.count - shown.count)"]))</p>" : nil
        return """
            <section class="card"><figure class="timeline" aria-labelledby="timeline"><figcaption><h2 id="timeline">\(text("workflows.timeline"))</h2>\
            <ul class="legend">\(keys)</ul></figcaption><ol>\(lanes)</ol>
            <p class="axis" aria-hidden="true"><span>0</span><span>\(Console.duration(end - start))</span></p>\(more)
            <details><summary>\(text("workflows.dashboard.table"))</summary>\(table(Array(shown)))</details></figure>\(repeats)</section>
            """
    }

    private func lane(_ attempt: RunTimeline.Attempt, _ start: Timestamp, _ all: Int64) -> HTML {
        let bars: [HTML] = attempt.spans.map { span in
            let left = Int((span.from - start).microseconds * Int64(Self.width) / all)
            let right = Int(((span.to ?? max(now, span.from)) - start).microseconds * Int64(Self.width) / all)
            let wide = max(Self.narrowest, right - left)
            return
                "<rect class=\"\(span.phase.rawValue)\" x=\"\(min(left, Self.width - wide))\" y=\"0\" width=\"\(wide)\" height=\"\(Self.height)\"/>"
        }
        let label = "\(attempt.node): " + attempt.spans.map { "\(phase($0)) \(length($0))" }.joined(separator: ", ")
        return """
            <li class="\(attempt.outcome)"><span class="node">\(attempt.node)\(number(attempt))</span>\
            <svg viewBox="0 0 \(Self.width) \(Self.height)" preserveAspectRatio="none" role="img" aria-label="\(label)">\(bars)</svg>\
            <span class="took" aria-hidden="true">\(Console.duration(total(attempt)))</span></li>
            """
    }

    /// Which run of the node and which attempt, where it is not the first.
    private func number(_ attempt: RunTimeline.Attempt) -> HTML? {
        var parts: [String] = []
        if attempt.runIndex > 0 { parts.append(text("workflows.timeline.run", ["number": "\(attempt.runIndex + 1)"])) }
        if attempt.attempt > 1 { parts.append(text("workflows.timeline.attempt", ["number": "\(attempt.attempt)"])) }
        return parts.isEmpty ? nil : " <small>\(parts.joined(separator: ", "))</small>"
    }

    private func table(_ attempts: [RunTimeline.Attempt]) -> HTML {
        let rows: [HTML] = attempts.flatMap { attempt in
            attempt.spans.map { span -> HTML in
                """
                <tr><th scope="row">\(attempt.node)\(number(attempt))</th><td>\(phase(span))</td><td>\(Console.time(span.from, isExact: true))</td>\
                <td class="number">\(length(span))</td></tr>
                """
            }
        }
        let heads: [HTML] = ["step", "phase", "from"].map { "<th scope=\"col\">\(text("workflows.timeline.\($0)"))</th>" }
        return """
            <div class="table-scroll" tabindex="0" role="region" aria-label="\(text("workflows.timeline"))"><table class="list"><thead><tr>\(heads)\
            <th scope="col" class="number">\(text("workflows.column.took"))</th></tr></thead><tbody>\(rows)</tbody></table></div>
            """
    }

    private var repeats: HTML? {
        guard !timeline.repeats.isEmpty else { return nil }
        let steps: [HTML] = timeline.repeats.map { step in
            let way = text("workflows.timeline.repeats.\(step.keepsKey ? "key_kept" : step.carriesKey ? "key" : "no_key")")
            let number = step.runIndex > 0 ? " (\(step.runIndex + 1))" : ""
            return "<li><strong>\(step.node)\(number)</strong> \(way)</li>"
        }
        return """
            <div class="repeats"><h3>\(text("workflows.timeline.repeats"))</h3><p>\(text("workflows.timeline.repeats.hint"))</p><ul>\(steps)</ul></div>
            """
    }

    private func phase(_ span: RunTimeline.Span) -> String {
        let phase = text("workflows.timeline.\(span.phase.rawValue)")
        return span.cause.map { "\(phase) (\(text("workflows.timeline.cause.\($0.rawValue)")))" } ?? phase
    }

    private func length(_ span: RunTimeline.Span) -> String {
        span.to.map { Console.duration($0 - span.from) }
            ?? text("workflows.timeline.still", ["time": Console.duration(max(now, span.from) - span.from)])
    }

    private func total(_ attempt: RunTimeline.Attempt) -> Duration {
        attempt.spans.reduce(.zero) { $0 + (($1.to ?? max(now, $1.from)) - $1.from) }
    }
}
