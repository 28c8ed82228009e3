import Kernel
import Testing

@testable import Telemetry

@Suite struct MetricsTests {
    @Test func `counters, gauges and histograms are shown as Prometheus reads them`() {
        let metrics = Metrics()
        metrics.count(.timersFired, 3)
        metrics.count(.runsFinished, ["failed"])
        metrics.set(.timersLag, 1_500_000)
        metrics.observe(.httpRequest, ["GET", "/v1/x\"y", "200"], .milliseconds(3))
        metrics.observe(.databaseGroup, count: 5)
        let lines = Set(metrics.prometheus().split(separator: "\n"))
        for line in [
            "# TYPE aias_timers_total counter", #"aias_timers_total{outcome="fired"} 3"#, #"aias_runs_finished_total{status="failed"} 1"#,
            "# TYPE aias_timers_lag_seconds gauge", "aias_timers_lag_seconds 1.5", "# TYPE aias_http_request_duration_seconds histogram",
            #"aias_http_request_duration_seconds_bucket{method="GET",route="/v1/x\"y",status="200",le="0.0025"} 0"#,
            #"aias_http_request_duration_seconds_bucket{method="GET",route="/v1/x\"y",status="200",le="0.005"} 1"#,
            #"aias_http_request_duration_seconds_count{method="GET",route="/v1/x\"y",status="200"} 1"#,
            #"aias_database_group_transactions_bucket{le="8.0"} 1"#, "aias_database_group_transactions_sum 5.0"
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
    }

    @Test func `a family's head stands once, before all of its series`() {
        let lines = Metrics().prometheus().split(separator: "\n")
        let heads = lines.filter { $0.hasPrefix("# TYPE ") }
        #expect(Set(heads).count == heads.count && heads.count > 15)
    }

    @Test func `labels of no closed list end in one series and not in a memory without bound`() {
        let metrics = Metrics()
        for number in 0..<(Metrics.seriesMaximum + 50) { metrics.observe(.step, ["kind-\(number)", "succeeded"], .zero) }
        let family = metrics.snapshot().first { $0.name == "aias_step_duration_seconds" }
        #expect(family?.series.count == Metrics.seriesMaximum + 1)
        #expect(metrics.prometheus().contains(#"aias_step_duration_seconds_count{kind="other",outcome="other"} 50"#))
    }
}
