internal import Kernel

/// An event on its way between two processes, as one line: where it is from, its number there, its kind, its topic, its payload. What
/// arrives may be out of order or lost.
struct CarriedEvent: Sendable, Hashable {
    enum Kind: String, Sendable { case kept, passing, watched }

    /// NOTIFY carries less than 8,000 bytes.
    static let payloadBytes = 6_000

    var kind: Kind
    var topic: String
    var payload: JSON

    func text(from origin: String, number: UInt64) -> String {
        let whole = payload.serialized
        let told = whole.utf8.count <= Self.payloadBytes ? whole : LiveEvents.missed.serialized
        return "\(origin) \(number) \(kind.rawValue) \(topic) \(told)"
    }

    /// Nil for what a newer version may have written.
    static func read(_ text: String) -> (origin: String, event: CarriedEvent)? {
        let parts = text.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, let kind = Kind(rawValue: parts[2]), let payload = try? JSON(parsing: parts[4]) else { return nil }
        return (parts[0], CarriedEvent(kind: kind, topic: parts[3], payload: payload))
    }
}
