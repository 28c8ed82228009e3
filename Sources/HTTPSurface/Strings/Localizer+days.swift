package import Kernel

extension Localizer {
    /// A day in UTC with its month by name, since orders of figures differ: `31 January 2026`.
    package func day(_ time: Timestamp) -> String { day(time.description) }

    /// The same of `2026-01-31`, or a time in it; what is neither stays as it is.
    package func day(_ plain: String) -> String {
        let parts = plain.prefix(10).split(separator: "-")
        guard parts.count == 3, parts[0].count == 4, let month = Int(parts[1]), let day = Int(parts[2]),
            let name = strings.text("http.month.\(month)", language: language)
        else { return plain }
        return self("http.date.day", ["day": String(day), "month": name, "year": String(parts[0])])
    }
}
