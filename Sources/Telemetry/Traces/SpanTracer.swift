internal import Kernel
internal import Synchronization
package import Tracing

/// Makes spans and hands the ended ones to whoever exports them. Whoever called decides whether a trace is recorded; for traces that begin here
/// the share decides.
package final class SpanTracer: Tracer {
    package typealias Span = RecordedSpan

    private let share: Double
    private let random: @Sendable () -> UInt64
    private let queue: SpanQueue

    /// - Parameters:
    ///   - share: of the traces that begin here, which are recorded: 0 to 1.
    ///   - random: any numbers; identities are made of them.
    package init(share: Double, queue: SpanQueue, random: @escaping @Sendable () -> UInt64 = { UInt64.random(in: 1 ... .max) }) {
        self.share = share
        self.queue = queue
        self.random = random
    }

    package func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind, at instant: @autoclosure () -> Instant,
        function: String, file fileID: String, line: UInt
    ) -> RecordedSpan {
        var context = context()
        let parent = context.spanIdentity
        let (high, low) = parent.map { ($0.traceHigh, $0.traceLow) } ?? (random(), random())
        let isSampled = parent?.isSampled ?? samples(low)
        let identity = SpanIdentity(traceHigh: high, traceLow: low, span: random(), isSampled: isSampled)
        context.spanIdentity = identity
        let start = instant().nanosecondsSinceEpoch
        let record = SpanRecord(
            identity: identity, parent: parent?.span, name: operationName, kind: kind, start: start, end: start, attributes: [:], status: nil,
            events: [], links: [])
        return RecordedSpan(record, context: context, queue: isSampled ? queue : nil)
    }

    package func forceFlush() {}

    package func extract<Carrier, Extract: Extractor>(_ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract)
    where Extract.Carrier == Carrier {
        if let text = extractor.extract(key: Self.header, from: carrier) { context.spanIdentity = SpanIdentity(traceparent: text) }
    }

    package func inject<Carrier, Inject: Injector>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject)
    where Inject.Carrier == Carrier {
        if let identity = context.spanIdentity { injector.inject(identity.traceparent, forKey: Self.header, into: &carrier) }
    }

    static let header = "traceparent"

    /// By the trace's own number, so that every process of a deployment decides alike.
    private func samples(_ low: UInt64) -> Bool {
        share >= 1 || (share > 0 && Double(low >> 11) < share * Double(UInt64(1) << 53))
    }
}

/// Ended spans that wait for their export; where the exporter falls behind, new ones are dropped and counted.
package final class SpanQueue: Sendable {
    /// Spans that wait, and those of one export.
    package static let capacity = 8_192
    package static let batchMaximum = 512

    private let spans = Mutex<[SpanRecord]>([])
    private let metrics: Metrics

    package init(metrics: Metrics = .shared) { self.metrics = metrics }

    func append(_ span: SpanRecord) {
        let isKept = spans.withLock { spans in
            guard spans.count < Self.capacity else { return false }
            spans.append(span)
            return true
        }
        if !isKept { metrics.count(.spansDropped) }
    }

    package func take() -> [SpanRecord] {
        spans.withLock { spans in
            let batch = Array(spans.prefix(Self.batchMaximum))
            spans.removeFirst(batch.count)
            return batch
        }
    }

    package var count: Int { spans.withLock { $0.count } }
}
