internal import Foundation
internal import Synchronization

/// A time zone of Luxon's kinds: UTC, a fixed offset, or an IANA zone with its daylight-saving rules.
enum Zone: Sendable {
    case utc
    /// Minutes east of UTC.
    case fixed(minutes: Int)
    case named(String, TimeZone)

    private static let known = Mutex<[String: TimeZone]>([:])

    /// Reads `UTC`, `utc+2`, `UTC-05:30` or an IANA name; nil where there is no such zone.
    init?(named name: String) {
        let lower = name.lowercased()
        if lower == "utc" || lower == "gmt" {
            self = .utc
        } else if lower.hasPrefix("utc"), let minutes = Zone.offset(lower.dropFirst(3)) {
            self = minutes == 0 ? .utc : .fixed(minutes: minutes)
        } else if let zone = Zone.iana(name) {
            self = .named(name, zone)
        } else {
            return nil
        }
    }

    private static func iana(_ name: String) -> TimeZone? {
        if let zone = known.withLock({ $0[name] }) { return zone }
        // Foundation also takes abbreviations and "GMT+1", which are no IANA names.
        guard name.contains("/") || name == "EST" || name == "MST" || name == "HST", !name.hasPrefix("GMT"), let zone = TimeZone(identifier: name)
        else { return nil }
        known.withLock { known in if known.count < 1_024 { known[name] = zone } }
        return zone
    }

    /// `+2`, `-05:30` in minutes.
    private static func offset(_ text: Substring) -> Int? {
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), (1...2).contains(parts[0].count), let hours = Int(parts[0]) else { return nil }
        guard parts.count == 2 else { return (sign == "-" ? -1 : 1) * hours * 60 }
        guard parts[1].count == 2, let minutes = Int(parts[1]) else { return nil }
        return (sign == "-" ? -1 : 1) * (hours * 60 + minutes)
    }

    /// Minutes east of UTC at a moment in milliseconds since 1970.
    func offset(at milliseconds: Double) -> Double {
        switch self {
        case .utc: 0
        case .fixed(let minutes): Double(minutes)
        case .named(_, let zone): Double(zone.secondsFromGMT(for: Date(timeIntervalSince1970: milliseconds / 1_000))) / 60
        }
    }

    var name: String {
        switch self {
        case .utc: "UTC"
        case .fixed(let minutes): "UTC" + Zone.narrow(minutes)
        case .named(let name, _): name
        }
    }

    /// Whether the offset never changes; only then ISO texts write `Z`.
    var isFixed: Bool {
        if case .named = self { false } else { true }
    }

    func isSame(as other: Zone) -> Bool { name == other.name }

    /// `+2`, `+5:30`
    static func narrow(_ minutes: Int) -> String {
        let size = abs(minutes)
        return (minutes < 0 ? "-" : "+") + String(size / 60) + (size % 60 > 0 ? ":" + pad(size % 60, 2) : "")
    }

    /// `+02:00`, or `+0200` without the colon.
    static func short(_ minutes: Int, colon: Bool = true) -> String {
        let size = abs(minutes)
        return (minutes < 0 ? "-" : "+") + pad(size / 60, 2) + (colon ? ":" : "") + pad(size % 60, 2)
    }

    static func pad(_ value: Int, _ width: Int) -> String {
        let text = String(abs(value))
        return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
