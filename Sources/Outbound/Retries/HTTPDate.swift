package import Kernel

/// Times in HTTP headers (RFC 9110, 5.6.7).
package enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Reads the current form `Sun, 06 Nov 1994 08:49:37 GMT` and the two obsolete ones, `Sunday, 06-Nov-94 08:49:37 GMT` and
    /// `Sun Nov  6 08:49:37 1994`. A two-digit year more than 50 years ahead of `now` lies in the past.
    package static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
        switch words.count {
        case 6 where words[5] == "GMT" || words[5] == "UTC":
            guard var year = Int64(words[3]) else { return nil }
            if words[3].count == 2 { year = century(of: year, now: now) }
            return time(year: year, month: words[2], day: words[1], clock: words[4])
        case 5:
            guard let year = Int64(words[4]) else { return nil }
            return time(year: year, month: words[1], day: words[2], clock: words[3])
        default: return nil
        }
    }

    private static func century(of twoDigits: Int64, now: Timestamp) -> Int64 {
        let current = Timestamp.civil(fromDays: now.seconds.flooringDivision(86_400)).year
        let year = current - current % 100 + twoDigits
        return year > current + 50 ? year - 100 : year
    }

    private static func time(year: Int64, month: String, day: String, clock: String) -> Timestamp? {
        let parts = clock.split(separator: ":").compactMap { Int64($0) }
        guard let month = months.firstIndex(of: month), let day = Int64(day), (1...31).contains(day), parts.count == 3,
            (0..<24).contains(parts[0]), (0..<60).contains(parts[1]), (0..<61).contains(parts[2]), (1...9_999).contains(year)
        else { return nil }
        let days = Timestamp.days(fromCivil: year, Int64(month) + 1, day)
        return Timestamp(seconds: days * 86_400 + parts[0] * 3_600 + parts[1] * 60 + parts[2])
    }
}
