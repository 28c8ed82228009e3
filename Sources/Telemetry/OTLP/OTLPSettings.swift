internal import Foundation
internal import Kernel

/// Where figures and traces go, from OpenTelemetry's own variables; without an endpoint nothing is made and nothing is sent.
package struct OTLPSettings: Sendable {
    /// Whole addresses, `http://127.0.0.1:4318/v1/traces`; nil where that signal is off.
    package var tracesURL: String?
    package var metricsURL: String?
    package var headers: [(name: String, value: String)]
    /// Of the process: `service.name` first.
    package var attributes: [(name: String, value: String)]
    /// Of the traces that begin here, which are recorded.
    package var share: Double
    package var metricInterval: Duration
    package var traceInterval: Duration
    package var timeout: Duration

    /// - Throws: a refusal that names the variable that makes no sense.
    package init(environment: [String: String]) throws {
        func filled(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        func isOff(_ name: String) -> Bool { filled(name) == "none" }
        let base = filled("OTEL_EXPORTER_OTLP_ENDPOINT").map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        let isDisabled = filled("OTEL_SDK_DISABLED")?.lowercased() == "true"
        let traces = filled("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") ?? base.map { $0 + "/v1/traces" }
        let metrics = filled("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") ?? base.map { $0 + "/v1/metrics" }
        tracesURL = isDisabled || isOff("OTEL_TRACES_EXPORTER") ? nil : traces
        metricsURL = isDisabled || isOff("OTEL_METRICS_EXPORTER") ? nil : metrics
        let form = filled("OTEL_EXPORTER_OTLP_PROTOCOL") ?? "http/json"
        guard traces ?? metrics == nil || form == "http/json" else {
            throw Refusal.invalid(
                "OTEL_EXPORTER_OTLP_PROTOCOL", "otlp_protocol",
                "OTEL_EXPORTER_OTLP_PROTOCOL is \(form), but this program speaks http/json alone; collectors take it on the same port as http/protobuf."
            )
        }
        headers = Self.pairs(filled("OTEL_EXPORTER_OTLP_HEADERS"))
        attributes = [("service.name", filled("OTEL_SERVICE_NAME") ?? "aias")] + Self.pairs(filled("OTEL_RESOURCE_ATTRIBUTES"))
        share = try Self.share(filled("OTEL_TRACES_SAMPLER"), filled("OTEL_TRACES_SAMPLER_ARG"))
        metricInterval = try Self.milliseconds("OTEL_METRIC_EXPORT_INTERVAL", filled("OTEL_METRIC_EXPORT_INTERVAL"), 60_000)
        traceInterval = try Self.milliseconds("OTEL_BSP_SCHEDULE_DELAY", filled("OTEL_BSP_SCHEDULE_DELAY"), 5_000)
        timeout = try Self.milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", filled("OTEL_EXPORTER_OTLP_TIMEOUT"), 10_000)
    }

    package var isOn: Bool { tracesURL != nil || metricsURL != nil }

    /// `a=1,b=2`, values percent-encoded where they hold more than letters and digits.
    private static func pairs(_ text: String?) -> [(name: String, value: String)] {
        (text ?? "").split(separator: ",").compactMap { part in
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { return nil }
            let value = String(pair[1])
            return (String(pair[0].drop { $0 == " " }), value.removingPercentEncoding ?? value)
        }
    }

    private static func share(_ sampler: String?, _ argument: String?) throws -> Double {
        switch sampler ?? "parentbased_always_on" {
        case "always_on", "parentbased_always_on": return 1
        case "always_off", "parentbased_always_off": return 0
        case "traceidratio", "parentbased_traceidratio":
            guard let share = Double(argument ?? "1"), (0...1).contains(share) else {
                throw Refusal.invalid("OTEL_TRACES_SAMPLER_ARG", "bad_share", "OTEL_TRACES_SAMPLER_ARG is a number from 0 to 1.")
            }
            return share
        default: throw Refusal.invalid("OTEL_TRACES_SAMPLER", "bad_sampler", "OTEL_TRACES_SAMPLER names a sampler that is not known here.")
        }
    }

    private static func milliseconds(_ name: String, _ text: String?, _ standard: Int64) throws -> Duration {
        guard let text else { return .milliseconds(standard) }
        guard let value = Int64(text), (10...86_400_000).contains(value) else {
            throw Refusal.invalid(name, "bad_interval", "\(name) is a number of milliseconds, 10 or more.")
        }
        return .milliseconds(value)
    }
}
