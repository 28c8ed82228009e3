package import Kernel

/// The parts that pages show data with.
extension Console {
    /// A time in UTC, which the browser shows in the reader's zone.
    package static func time(_ time: Timestamp, isExact: Bool = false) -> HTML {
        let text = time.description
        return """
            <local-time\("data-exact", if: isExact)><time datetime="\(text)">\(text.prefix(10)) \(text.dropFirst(11).prefix(isExact ? 8 : 5)) UTC</time></local-time>
            """
    }

    /// A time of an axis: `hour` shows the hour of the day, `day` the day of the month.
    package static func time(_ time: Timestamp, form: String) -> HTML {
        let text = time.description
        return """
            <local-time data-form="\(form)"><time datetime="\(text)">\(form == "hour" ? text.dropFirst(11).prefix(5) : text.prefix(10))</time></local-time>
            """
    }

    /// How long something took, in the largest unit that says it: `< 1 ms`, `12 ms`, `3.4 s`, `2 min 5 s`.
    package static func duration(_ time: Duration) -> String {
        let microseconds = time.microseconds
        let milliseconds = (microseconds + 500) / 1_000
        if microseconds < 1_000 { return "< 1 ms" }
        if milliseconds < 1_000 { return "\(milliseconds) ms" }
        let tenths = (milliseconds + 50) / 100
        if tenths < 600 { return "\(tenths / 10).\(tenths % 10) s" }
        let seconds = (milliseconds + 500) / 1_000
        return seconds < 3_600 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds / 3_600) h \(seconds / 60 % 60) min"
    }

    /// A list with its heads: `columns` by title, and the class of the column's cells where it has one.
    package static func table(_ columns: [(title: String, kind: String?)], _ rows: [HTML]) -> HTML {
        let heads: [HTML] = columns.map { column in
            let kind: HTML? = column.kind.map { " class=\"\($0)\"" }
            return column.title.isEmpty ? "<td\(kind)></td>" : "<th scope=\"col\"\(kind)>\(column.title)</th>"
        }
        return "<div class=\"table-scroll\"><table class=\"list cards\"><thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>"
    }

    /// What stands in place of a list without entries, and what to do about it.
    package static func empty(_ title: String, _ hint: String) -> HTML {
        "<div class=\"empty\"><h2>\(title)</h2><p>\(hint)</p></div>"
    }

    /// The link to the next page of a list; nothing on the last one.
    package static func more(_ text: Localizer, _ address: String, cursor: String?) -> HTML? {
        cursor.map { cursor in
            let joint = address.contains("?") ? "&" : "?"
            return """
                <p class="more"><a class="button small" href="\(href: "\(address)\(joint)cursor=\(cursor)")" rel="next">\(text("http.console.older"))</a></p>
                """
        }
    }
}

extension EndpointCall {
    /// The first value of a parameter of the query; empty where there is none.
    package func parameter(ofQuery name: String) -> String { queryPairs.first { $0.name == name }?.value ?? "" }
}
