internal import Kernel

/// Holt's linear trend method, as an innovations state space model ETS(A,A,N), with normal prediction intervals.
///
/// `l = y' + α·e`, `b = b' + α·β·e` with `y' = l' + b'` and `e = y - y'`; `h` steps ahead `l + h·b`, with the variance
/// `σ²·(1 + (h - 1)·(α² + α·B·h + B²·h·(2h - 1)/6))` where `B = α·β`. α and β are those of a grid of hundredths and twentieths that leave the least
/// sum of squares, the first level and trend are of the line of least squares through the first values, and `σ²` is the sum of squares over the values less
/// four. Source: R. J. Hyndman and G. Athanasopoulos, "Forecasting: Principles and Practice", 2nd edition, sections 7.2 and 7.7
/// (https://otexts.com/fpp2/holt.html, https://otexts.com/fpp2/ets-forecasting.html).
///
/// An estimate and no money: the only place where amounts are reckoned in floating point.
struct Forecast: Sendable, Hashable {
    struct Point: Sendable, Hashable {
        var mean: Double
        /// Of four in five, and of nineteen in twenty.
        var likely: ClosedRange<Double>
        var wide: ClosedRange<Double>
    }

    /// Whole months; fewer say nothing about a trend.
    static let valuesMinimum = 6
    static let stepsMaximum = 24
    private static let valuesAtFirst = 10
    private static let (fourInFive, nineteenInTwenty) = (1.281_551_565_5, 1.959_963_984_5)

    var alpha: Double
    var beta: Double
    var level: Double
    var trend: Double
    var squares = 0.0
    var count = 0

    /// Goes over values with known parameters.
    /// - Parameters:
    ///   - level: before the first value.
    init(_ values: [Double], alpha: Double, beta: Double, level: Double, trend: Double) {
        (self.alpha, self.beta, self.level, self.trend) = (alpha, beta, level, trend)
        for value in values {
            let error = value - (self.level + self.trend)
            self.level += self.trend + alpha * error
            self.trend += alpha * beta * error
            squares += error * error
        }
        count = values.count
    }

    /// - Throws: `history_short`
    init(_ values: [Double]) throws {
        guard values.count >= Self.valuesMinimum else {
            throw Refusal(
                .conflict, "history_short",
                "A forecast needs \(Self.valuesMinimum) whole months of recurring revenue; there are \(values.count).")
        }
        let (level, trend) = Self.line(Array(values.prefix(Self.valuesAtFirst)))
        var best: Forecast?
        for hundredths in stride(from: 1, through: 99, by: 2) {
            for twentieths in 0...20 {
                let found = Forecast(values, alpha: Double(hundredths) / 100, beta: Double(twentieths) / 20, level: level, trend: trend)
                if found.squares < (best?.squares ?? .infinity) { best = found }
            }
        }
        guard let best else { throw Refusal(.conflict, "history_short", "The values are too large to be forecast.") }
        self = best
    }

    /// The line of least squares through values at 1, 2, 3, …: where it is at 0, and how it rises.
    private static func line(_ values: [Double]) -> (Double, Double) {
        let n = Double(values.count)
        let middle = (n + 1) / 2
        let mean = values.reduce(0, +) / n
        var (above, below) = (0.0, 0.0)
        for (index, value) in values.enumerated() {
            let x = Double(index + 1) - middle
            above += x * (value - mean)
            below += x * x
        }
        let rise = below > 0 ? above / below : 0
        return (mean - rise * middle, rise)
    }

    /// - Parameter step: from 1.
    func point(_ step: Int) -> Point {
        let h = Double(step)
        let both = alpha * beta
        let mean = level + h * trend
        let variance = squares / Double(max(count - 4, 1))
        let wider = 1 + (h - 1) * (alpha * alpha + alpha * both * h + both * both * h * (2 * h - 1) / 6)
        let deviation = (variance * wider).squareRoot()
        func range(_ factor: Double) -> ClosedRange<Double> { (mean - factor * deviation)...(mean + factor * deviation) }
        return Point(mean: mean, likely: range(Self.fourInFive), wide: range(Self.nineteenInTwenty))
    }
}
