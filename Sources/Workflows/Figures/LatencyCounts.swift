internal import Foundation
internal import Kernel

/// How long runs took, counted in steps of a quarter of an octave (each 19 % wider than the one before), so that any quantile is within
/// 10 % of the true one and counts of different hours can be added.
package struct LatencyCounts: Sendable, Hashable {
    /// By step.
    private var counts: [Int: Int] = [:]
    private(set) var total = 0

    package init() {}

    private static let stepsPerOctave = 4.0

    /// The step of a duration; those under a microsecond are in step 0.
    static func step(of time: Duration) -> Int {
        let microseconds = max(1, time.microseconds)
        return Int((log2(Double(microseconds)) * stepsPerOctave).rounded(.down))
    }

    mutating func add(_ count: Int, at step: Int) {
        counts[step, default: 0] += count
        total += count
    }

    mutating func add(_ other: LatencyCounts) { for (step, count) in other.counts { add(count, at: step) } }

    /// The nearest-rank quantile, shown as the middle of its step.
    /// - Parameter share: 0.5 is the median.
    package func quantile(_ share: Double) -> Duration? {
        guard total > 0 else { return nil }
        let rank = max(1, Int((share * Double(total)).rounded(.up)))
        var seen = 0
        for (step, count) in counts.sorted(by: { $0.key < $1.key }) {
            seen += count
            if seen >= rank { return .microseconds(Int64(exp2((Double(step) + 0.5) / Self.stepsPerOctave).rounded())) }
        }
        return nil
    }
}
