internal import Foundation
internal import Kernel
internal import Logging
internal import Outbound
internal import ServiceLifecycle
internal import Telemetry

/// Sends spans and figures to an OpenTelemetry collector, over an outbound of its own that reaches the configured addresses alone.
struct TelemetryExport: Service {
    private let settings: OTLPSettings
    private let queue: SpanQueue
    private let outbound: Outbound
    private let protocolBodies: OTLP
    private let started: Timestamp
    private let clock: Clock
    private let logger: Logger
    private let refresh: @Sendable () async -> Void

    /// - Parameter refresh: brings the gauges up to date before figures are sent.
    /// - Throws: a refusal for addresses that are none.
    init(_ settings: OTLPSettings, queue: SpanQueue, clock: Clock, logger: Logger, refresh: @escaping @Sendable () async -> Void) throws {
        self.settings = settings
        self.queue = queue
        self.clock = clock
        self.logger = logger
        self.refresh = refresh
        started = clock.now()
        protocolBodies = OTLP(attributes: settings.attributes)
        let allowed = try [settings.tracesURL, settings.metricsURL].compactMap { $0 }.map { text -> String in
            let url: OutboundURL
            do { url = try OutboundURL(text) } catch {
                throw Refusal.invalid("otlp", "bad_endpoint", "The OTLP endpoint \(text) is no http or https address.")
            }
            return "\(url.host.contains(":") ? "[\(url.host)]" : url.host):\(url.port)"
        }
        outbound = try Outbound(policy: AddressPolicy(allowing: allowed), metrics: Metrics())
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                if settings.tracesURL != nil { group.addTask { await every(settings.traceInterval) { await sendSpans() } } }
                if settings.metricsURL != nil { group.addTask { await every(settings.metricInterval) { await sendFigures() } } }
            }
        }
        // What ended last must not be lost with the process.
        await sendSpans()
        await sendFigures()
        await outbound.shutdown()
    }

    private func every(_ interval: Duration, _ work: () async -> Void) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            if !Task.isCancelled { await work() }
        }
    }

    private func sendSpans() async {
        guard let url = settings.tracesURL else { return }
        while true {
            let batch = queue.take()
            if batch.isEmpty { return }
            let isSent = await send(protocolBodies.traces(batch), to: url)
            Metrics.shared.count(isSent ? .spansExported : .spansDropped, Int64(batch.count))
            if !isSent { return }
        }
    }

    private func sendFigures() async {
        guard let url = settings.metricsURL else { return }
        await refresh()
        _ = await send(protocolBodies.metrics(Metrics.shared.snapshot(), since: started, at: clock.now()), to: url)
    }

    /// A collector that is away loses what it was to get: telemetry must never hold up the work.
    private func send(_ body: JSON, to url: String) async -> Bool {
        let headers = [(name: "Content-Type", value: "application/json")] + settings.headers
        let request = OutboundRequest(
            method: "POST", url: url, headers: headers, body: .bytes(body.bytes), timeout: settings.timeout, followRedirects: false,
            maximumResponseBytes: 1 << 20)
        // In a task of its own, so that the last spans are sent although this one is cancelled.
        let outbound = outbound
        let sending = Task.detached { try await outbound.send(request).status }
        do {
            let status = try await sending.value
            if (200..<300).contains(status) { return true }
            logger.warning("the telemetry collector refused", metadata: ["status": "\(status)"])
        } catch {
            logger.warning("the telemetry collector does not answer", metadata: ["error": "\(error)"])
        }
        return false
    }
}
