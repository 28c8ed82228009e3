internal import Synchronization

/// The process's figures: plain series are atomic cells, so that counting never waits; those with labels are found in a table under a short lock.
package final class Metrics: Sendable {
    package static let shared = Metrics()

    /// Series of one labelled family; further ones are counted together as `other`.
    static let seriesMaximum = 2_000

    private let counters = Metric.Counter.allCases.map { _ in Cell() }
    private let gauges = Metric.Gauge.allCases.map { _ in Cell() }
    private let histograms = Metric.Histogram.allCases.map { HistogramCells($0.scale) }
    private let labelledCounters = Metric.LabelledCounter.allCases.map { _ in Shelf<Cell>() }
    private let labelledHistograms = Metric.LabelledHistogram.allCases.map { _ in Shelf<HistogramCells>() }

    package init() {}

    package func count(_ counter: Metric.Counter, _ amount: Int64 = 1) {
        precondition(amount >= 0, "a counter never falls")
        counters[counter.rawValue].value.wrappingAdd(amount, ordering: .relaxed)
    }

    /// - Parameter labels: values in the order of the family's label names.
    package func count(_ counter: Metric.LabelledCounter, _ labels: [String]) {
        let cell = labelledCounters[counter.rawValue].find(labels, names: counter.name.labelNames.count) { Cell() }
        cell.value.wrappingAdd(1, ordering: .relaxed)
    }

    package func set(_ gauge: Metric.Gauge, _ value: Int64) { gauges[gauge.rawValue].value.store(value, ordering: .relaxed) }

    package func add(_ gauge: Metric.Gauge, _ change: Int64) {
        gauges[gauge.rawValue].value.wrappingAdd(change, ordering: .relaxed)
    }

    package func observe(_ histogram: Metric.Histogram, _ duration: Duration) {
        histograms[histogram.rawValue].observe(Self.microseconds(duration))
    }

    package func observe(_ histogram: Metric.Histogram, count: Int) { histograms[histogram.rawValue].observe(Int64(count)) }

    /// - Parameter labels: values in the order of the family's label names.
    package func observe(_ histogram: Metric.LabelledHistogram, _ labels: [String], _ duration: Duration) {
        let cells = labelledHistograms[histogram.rawValue].find(labels, names: histogram.name.labelNames.count) { HistogramCells(.seconds) }
        cells.observe(Self.microseconds(duration))
    }

    package func value(_ counter: Metric.Counter) -> Int64 { counters[counter.rawValue].value.load(ordering: .relaxed) }
    package func value(_ gauge: Metric.Gauge) -> Int64 { gauges[gauge.rawValue].value.load(ordering: .relaxed) }
    package func value(_ counter: Metric.LabelledCounter) -> Int64 {
        labelledCounters[counter.rawValue].all.reduce(0) { $0 + $1.1.value.load(ordering: .relaxed) }
    }

    /// Every family with its series as they are now.
    package func snapshot() -> [MetricFamily] {
        var families: [MetricFamily] = []
        func add(_ name: MetricName, _ kind: MetricFamily.Kind, _ labels: [(name: String, value: String)], _ value: MetricFamily.Value) {
            if families.last?.name != name.family { families.append(MetricFamily(name: name.family, help: name.help, kind: kind, series: [])) }
            families[families.count - 1].series.append(MetricFamily.Series(labels: labels, value: value))
        }
        for counter in Metric.Counter.allCases { add(counter.name, .counter, counter.name.labels, .number(Double(value(counter)))) }
        for counter in Metric.LabelledCounter.allCases {
            for (labels, cell) in labelledCounters[counter.rawValue].all {
                let pairs = Array(zip(counter.name.labelNames, labels)).map { (name: $0, value: $1) }
                add(counter.name, .counter, pairs, .number(Double(cell.value.load(ordering: .relaxed))))
            }
        }
        for gauge in Metric.Gauge.allCases { add(gauge.name, .gauge, [], .number(Double(value(gauge)) / gauge.divisor)) }
        for histogram in Metric.Histogram.allCases { add(histogram.name, .histogram, [], histograms[histogram.rawValue].value) }
        for histogram in Metric.LabelledHistogram.allCases {
            for (labels, cells) in labelledHistograms[histogram.rawValue].all {
                let pairs = Array(zip(histogram.name.labelNames, labels)).map { (name: $0, value: $1) }
                add(histogram.name, .histogram, pairs, cells.value)
            }
        }
        return families
    }

    private static func microseconds(_ duration: Duration) -> Int64 {
        let parts = duration.components
        return parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000
    }
}

/// One family with its series, as exporters read it.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package struct Series: Sendable {
        package var labels: [(name: String, value: String)]
        package var value: Value
    }

    package enum Value: Sendable {
        case number(Double)
        /// `buckets` has one more than `bounds`: what is beyond all of them.
        case histogram(bounds: [Double], buckets: [Int64], sum: Double)
    }

    package var name: String
    package var help: String
    package var kind: Kind
    package var series: [Series]
}

private final class Cell: Sendable {
    let value = Atomic<Int64>(0)
}

/// The series of one labelled family.
private final class Shelf<Value: Sendable>: Sendable {
    private let series = Mutex<[[String]: Value]>([:])

    func find(_ labels: [String], names: Int, make: () -> Value) -> Value {
        precondition(labels.count == names, "a value for each label")
        return series.withLock { series in
            if let known = series[labels] { return known }
            let key = series.count < Metrics.seriesMaximum ? labels : labels.map { _ in "other" }
            let value = series[key] ?? make()
            series[key] = value
            return value
        }
    }

    var all: [([String], Value)] { series.withLock { series in series.map { ($0.key, $0.value) } }.sorted { $0.0.lexicographicallyPrecedes($1.0) } }
}

/// One cell a bucket (the last is beyond all bounds) and the sum; the count is the sum of the buckets.
private final class HistogramCells: Sendable {
    private let scale: MetricScale
    private let bounds: [Int64]
    private let buckets: [Cell]
    private let sum = Atomic<Int64>(0)

    init(_ scale: MetricScale) {
        self.scale = scale
        bounds = scale.bounds
        buckets = (0...bounds.count).map { _ in Cell() }
    }

    func observe(_ value: Int64) {
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        buckets[index].value.wrappingAdd(1, ordering: .relaxed)
        sum.wrappingAdd(value, ordering: .relaxed)
    }

    var value: MetricFamily.Value {
        .histogram(
            bounds: bounds.map { Double($0) / scale.divisor }, buckets: buckets.map { $0.value.load(ordering: .relaxed) },
            sum: Double(sum.load(ordering: .relaxed)) / scale.divisor)
    }
}
