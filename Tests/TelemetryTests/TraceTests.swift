import Kernel
import Testing
import Tracing

@testable import Telemetry

@Suite struct TraceTests {
    static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test(arguments: [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true), ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", true),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
        ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false), ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false), ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", false), ("", false),
        ("00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false)
    ])
    func `a traceparent is read as W3C says`(text: String, isGood: Bool) { #expect((SpanIdentity(traceparent: text) != nil) == isGood) }

    @Test func `a span goes on in its caller's trace, and one that the caller does not sample is passed on and not kept`() throws {
        let queue = SpanQueue(metrics: Metrics())
        let tracer = SpanTracer(share: 1, queue: queue)
        let caller = try #require(SpanIdentity(traceparent: Self.parent))
        let span = tracer.startSpan("work", context: .of(caller), ofKind: .server)
        #expect(span.identity.traceID == caller.traceID && span.identity.span != caller.span)
        span.end()
        span.end()
        let record = try #require(queue.take().first)
        #expect(record.parent == caller.span && queue.count == 0)
        let quiet = try #require(SpanIdentity(traceparent: String(Self.parent.dropLast()) + "0"))
        let unsampled = tracer.startSpan("work", context: .of(quiet), ofKind: .server)
        unsampled.end()
        #expect(unsampled.identity.traceparent.hasSuffix("-00") && queue.count == 0)
    }

    @Test func `a share of traces is recorded, by their number alone`() {
        let queue = SpanQueue(metrics: Metrics())
        let (low, high) = (UInt64(1) << 60, UInt64.max)
        let part = SpanTracer(share: 0.5, queue: queue, random: { low })
        let rest = SpanTracer(share: 0.5, queue: queue, random: { high })
        part.startSpan("a", context: .topLevel, ofKind: .internal).end()
        rest.startSpan("b", context: .topLevel, ofKind: .internal).end()
        #expect(queue.take().map(\.name) == ["a"])
    }

    @Test func `an exporter that falls behind loses spans and says how many`() {
        let metrics = Metrics()
        let queue = SpanQueue(metrics: metrics)
        let tracer = SpanTracer(share: 1, queue: queue)
        for _ in 0..<(SpanQueue.capacity + 3) { tracer.startSpan("x", context: .topLevel, ofKind: .internal).end() }
        #expect(queue.count == SpanQueue.capacity && metrics.value(.spansDropped) == 3)
    }

    @Test func `an error's words stay out of the trace`() throws {
        struct Secret: Error { var words = "hunter2" }
        let queue = SpanQueue(metrics: Metrics())
        let span = SpanTracer(share: 1, queue: queue).startSpan("x", context: .topLevel, ofKind: .internal)
        span.recordError(Secret())
        span.end()
        let body = OTLP(attributes: [("service.name", "aias")]).traces(queue.take()).serialized
        #expect(body.contains("Secret") && !body.contains("hunter2"))
    }

    @Test func `settings come from OpenTelemetry's variables`() throws {
        #expect(try !OTLPSettings(environment: [:]).isOn)
        let base = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318/"]
        let settings = try OTLPSettings(
            environment: base.merging([
                "OTEL_METRICS_EXPORTER": "none", "OTEL_SERVICE_NAME": "flows", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20x, team=blue"
            ]) { $1 })
        #expect(settings.tracesURL == "http://127.0.0.1:4318/v1/traces" && settings.metricsURL == nil)
        #expect(settings.attributes.first?.value == "flows")
        #expect(settings.headers.map(\.name) == ["authorization", "team"] && settings.headers[0].value == "Bearer x")
        #expect(throws: Refusal.self) { try OTLPSettings(environment: base.merging(["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"]) { $1 }) }
        #expect(throws: Refusal.self) { try OTLPSettings(environment: base.merging(["OTEL_TRACES_SAMPLER": "sometimes"]) { $1 }) }
    }
}
