internal import Synchronization
package import Tracing

/// Whether this process traces, and the spans it makes. Where it does not, a caller pays for one comparison.
package enum Traces {
    private static let installed = Mutex<SpanTracer?>(nil)
    private static let isOn = Atomic<Bool>(false)

    /// Once, before the first span; also makes it the tracer of libraries.
    package static func install(_ tracer: SpanTracer) {
        let isFirst = installed.withLock { installed in
            defer { installed = tracer }
            return installed == nil
        }
        if isFirst { InstrumentationSystem.bootstrap(tracer) }
        isOn.store(true, ordering: .releasing)
    }

    /// Nil where nothing is traced.
    package static var tracer: SpanTracer? { isOn.load(ordering: .relaxed) ? installed.withLock { $0 } : nil }

    /// The `traceparent` of the work under way, to be sent along; nil where there is none.
    package static var traceparent: String? { tracer == nil ? nil : ServiceContext.current?.spanIdentity?.traceparent }

    /// Does work in a span of its own, below the one under way; where `isRoot` is false and there is none, without one.
    package static func span<Result>(
        _ name: String, kind: SpanKind, isRoot: Bool = false, attributes: @autoclosure () -> SpanAttributes = [:],
        _ body: (RecordedSpan?) async throws -> Result
    ) async rethrows -> Result {
        guard let tracer, isRoot || ServiceContext.current?.spanIdentity != nil else { return try await body(nil) }
        let span = tracer.startSpan(name, context: ServiceContext.current ?? .topLevel, ofKind: kind)
        span.attributes = attributes()
        defer { span.end() }
        do {
            return try await ServiceContext.withValue(span.context) { try await body(span) }
        } catch {
            span.recordError(error)
            throw error
        }
    }
}
