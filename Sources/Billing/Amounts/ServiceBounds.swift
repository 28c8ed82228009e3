internal import Kernel

/// What may be said and counted in services.
enum ServiceBounds {
    static let reason = 1...1_000
    static let note = 0...4_000

    static func check(_ text: String, _ field: String, _ lengths: ClosedRange<Int>) throws {
        guard lengths.contains(text.unicodeScalars.count) else {
            throw Refusal.invalid(field, "out_of_range", "\(field) has \(lengths.lowerBound) to \(lengths.upperBound) characters.")
        }
    }

    static func check(_ number: Int64, _ field: String, _ range: ClosedRange<Int64>) throws {
        guard range.contains(number) else {
            throw Refusal.invalid(field, "out_of_range", "\(field) lies between \(range.lowerBound) and \(range.upperBound).")
        }
    }
}
