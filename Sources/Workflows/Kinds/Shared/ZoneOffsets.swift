internal import Foundation
internal import Kernel

/// The UTC offsets of one IANA time zone, in whole seconds east of Greenwich.
struct ZoneOffsets: Sendable {
    let zone: TimeZone

    /// An unknown name is UTC.
    init(_ identifier: String) { zone = TimeZone(identifier: identifier) ?? TimeZone(secondsFromGMT: 0)! }

    func offset(at time: Timestamp) -> Int64 { offset(atUTCSeconds: time.seconds) }

    func offset(atUTCSeconds seconds: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    }

    /// The offset of a wall-clock time given as if it were UTC: of two (clock set back) the first, in a gap the one before it.
    func offset(ofLocalSeconds local: Int64) -> Int64 {
        let before = offset(atUTCSeconds: local - 86_400)
        if offset(atUTCSeconds: local - before) == before { return before }
        let after = offset(atUTCSeconds: local + 86_400)
        return offset(atUTCSeconds: local - after) == after ? after : before
    }

    /// The instant of a wall-clock time; nil where the clock was set forward over it.
    func instant(ofLocalSeconds local: Int64) -> Int64? {
        let instant = local - offset(ofLocalSeconds: local)
        return instant + offset(atUTCSeconds: instant) == local ? instant : nil
    }
}
