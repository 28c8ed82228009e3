internal import Kernel
internal import Synchronization
package import Tracing

/// What is exported of a span.
package struct SpanRecord: Sendable {
    package var identity: SpanIdentity
    package var parent: UInt64?
    package var name: String
    package var kind: SpanKind
    package var start: UInt64
    /// Nanoseconds since the epoch, as `start`.
    package var end: UInt64
    package var attributes: SpanAttributes
    package var status: SpanStatus?
    package var events: [SpanEvent]
    package var links: [SpanLink]
}

/// A span under way; one whose trace is not sampled carries its identity and records nothing.
package final class RecordedSpan: Span {
    package let context: ServiceContext
    private let record: Mutex<SpanRecord>
    private let queue: SpanQueue?
    private let hasEnded = Mutex(false)

    /// What one span may hold; further attributes, events and links are left out.
    static let attributesMaximum = 64
    static let partsMaximum = 32

    /// - Parameter queue: takes the span when it has ended; nil where it is not sampled.
    init(_ record: SpanRecord, context: ServiceContext, queue: SpanQueue?) {
        self.record = Mutex(record)
        self.context = context
        self.queue = queue
    }

    package var identity: SpanIdentity { record.withLock { $0.identity } }

    package var operationName: String {
        get { record.withLock { $0.name } }
        set { record.withLock { $0.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { record.withLock { $0.attributes } }
        set { record.withLock { if newValue.count <= Self.attributesMaximum { $0.attributes = newValue } } }
    }

    package var isRecording: Bool { queue != nil && !hasEnded.withLock { $0 } }

    package func setStatus(_ status: SpanStatus) { record.withLock { $0.status = status } }

    package func addEvent(_ event: SpanEvent) { record.withLock { if $0.events.count < Self.partsMaximum { $0.events.append(event) } } }

    package func addLink(_ link: SpanLink) { record.withLock { if $0.links.count < Self.partsMaximum { $0.links.append(link) } } }

    /// Only the error's type: its words may hold what a tenant's data held.
    package func recordError<Instant: TracerInstant>(_ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant) {
        var attributes = attributes
        attributes["exception.type"] = "\(type(of: error))"
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
        setStatus(SpanStatus(code: .error))
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let isFirst = hasEnded.withLock { hasEnded in
            defer { hasEnded = true }
            return !hasEnded
        }
        guard isFirst, let queue else { return }
        let end = instant().nanosecondsSinceEpoch
        queue.append(
            record.withLock { record in
                record.end = max(end, record.start)
                return record
            })
    }
}
