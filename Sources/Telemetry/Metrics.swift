internal import Synchronization

/// The process's figures: every series of `Metric` is a set of atomic cells, so counting never waits.
package final class Metrics: Sendable {
    package static let shared = Metrics()

    /// Upper bounds in microseconds: 1 ms to 60 s.
    static let bucketBoundsMicroseconds: [Int64] = [
        1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 60_000_000
    ]

    private let counters = Metric.Counter.allCases.map { _ in Cell() }
    private let gauges = Metric.Gauge.allCases.map { _ in Cell() }
    private let histograms = Metric.Histogram.allCases.map { _ in HistogramCells() }

    package init() {}

    package func count(_ counter: Metric.Counter, _ amount: Int64 = 1) {
        precondition(amount >= 0, "a counter never falls")
        counters[counter.rawValue].value.wrappingAdd(amount, ordering: .relaxed)
    }

    package func set(_ gauge: Metric.Gauge, _ value: Int64) { gauges[gauge.rawValue].value.store(value, ordering: .relaxed) }

    package func add(_ gauge: Metric.Gauge, _ change: Int64) {
        gauges[gauge.rawValue].value.wrappingAdd(change, ordering: .relaxed)
    }

    package func observe(_ histogram: Metric.Histogram, _ duration: Duration) {
        let parts = duration.components
        histograms[histogram.rawValue].observe(microseconds: parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000)
    }

    package func value(_ counter: Metric.Counter) -> Int64 { counters[counter.rawValue].value.load(ordering: .relaxed) }

    /// All series in Prometheus' text format, version 0.0.4.
    package func prometheus() -> String {
        var out = ""
        var family = ""
        func head(_ name: MetricName, _ type: String) {
            guard name.family != family else { return }
            family = name.family
            out += "# HELP \(family) \(name.help)\n# TYPE \(family) \(type)\n"
        }
        func sample(_ name: MetricName, _ value: Int64) {
            out += name.labels.isEmpty ? "\(name.family) \(value)\n" : "\(name.family){\(name.labels)} \(value)\n"
        }
        for counter in Metric.Counter.allCases {
            head(counter.name, "counter")
            sample(counter.name, value(counter))
        }
        for gauge in Metric.Gauge.allCases {
            head(gauge.name, "gauge")
            sample(gauge.name, gauges[gauge.rawValue].value.load(ordering: .relaxed))
        }
        for histogram in Metric.Histogram.allCases {
            head(histogram.name, "histogram")
            out += histograms[histogram.rawValue].samples(family: histogram.name.family)
        }
        return out
    }
}

private final class Cell: Sendable {
    let value = Atomic<Int64>(0)
}

/// One cell a bucket (the last is beyond all bounds) and the sum; the count is the sum of the buckets.
private final class HistogramCells: Sendable {
    private let buckets = (0...Metrics.bucketBoundsMicroseconds.count).map { _ in Cell() }
    private let sumMicroseconds = Atomic<Int64>(0)

    func observe(microseconds: Int64) {
        let index = Metrics.bucketBoundsMicroseconds.firstIndex { microseconds <= $0 } ?? Metrics.bucketBoundsMicroseconds.count
        buckets[index].value.wrappingAdd(1, ordering: .relaxed)
        sumMicroseconds.wrappingAdd(microseconds, ordering: .relaxed)
    }

    func samples(family: String) -> String {
        var out = ""
        var total: Int64 = 0
        for (index, bucket) in buckets.enumerated() {
            total += bucket.value.load(ordering: .relaxed)
            let bounds = Metrics.bucketBoundsMicroseconds
            let bound = index < bounds.count ? "\(Double(bounds[index]) / 1_000_000)" : "+Inf"
            out += "\(family)_bucket{le=\"\(bound)\"} \(total)\n"
        }
        let sum = Double(sumMicroseconds.load(ordering: .relaxed)) / 1_000_000
        return out + "\(family)_sum \(sum)\n\(family)_count \(total)\n"
    }
}
