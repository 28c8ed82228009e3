internal import Kernel
internal import Synchronization

/// The `Date` of answers, put together once a second.
final class DateHeader: Sendable {
    private let clock: Clock
    private let last = Mutex<(second: Int64, text: String)>((.min, ""))

    init(clock: Clock) { self.clock = clock }

    var text: String {
        let second = clock.now().seconds
        return last.withLock { last in
            if last.second != second { last = (second, Self.text(second: second)) }
            return last.text
        }
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
    static func text(second: Int64) -> String {
        let days = second.flooringDivision(86_400)
        let date = Timestamp.civil(fromDays: days)
        let time = second - days * 86_400
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        // The first of January 1970 was a Thursday.
        let weekday = weekdays[Int(((days + 4) % 7 + 7) % 7)]
        return "\(weekday), \(two(date.day)) \(months[Int(date.month) - 1]) \(date.year) "
            + "\(two(time / 3_600)):\(two(time / 60 % 60)):\(two(time % 60)) GMT"
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
