internal import Kernel
package import Tracing

/// Names a span across processes, as `traceparent` does (W3C Trace Context, version 00).
package struct SpanIdentity: Sendable, Hashable {
    package var traceHigh: UInt64
    package var traceLow: UInt64
    package var span: UInt64
    /// Whether the trace is recorded; those that are not are passed on all the same.
    package var isSampled: Bool

    package init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, isSampled: Bool) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.isSampled = isSampled
    }

    /// Nil for what is no `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`; later versions may carry more behind.
    package init?(traceparent text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].utf8.count == 2, parts[0] != "ff", parts[0] != "00" || parts.count == 4, parts[1].utf8.count == 32,
            parts[2].utf8.count == 16, parts[3].utf8.count == 2, parts[..<4].allSatisfy({ $0.utf8.allSatisfy(SpanIdentity.isHex) }),
            let high = UInt64(parts[1].prefix(16), radix: 16), let low = UInt64(parts[1].suffix(16), radix: 16),
            let span = UInt64(parts[2], radix: 16), let flags = UInt8(parts[3], radix: 16), high | low != 0, span != 0
        else { return nil }
        self.init(traceHigh: high, traceLow: low, span: span, isSampled: flags & 1 == 1)
    }

    package var traceID: String { Self.hex(traceHigh) + Self.hex(traceLow) }
    package var spanID: String { Self.hex(span) }
    package var traceparent: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }

    /// Lower case only, as the standard asks.
    private static func isHex(_ byte: UInt8) -> Bool {
        (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"))
    }

    private static func hex(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}

enum SpanIdentityKey: ServiceContextKey {
    typealias Value = SpanIdentity
}

extension ServiceContext {
    /// The span that this work belongs to.
    package var spanIdentity: SpanIdentity? {
        get { self[SpanIdentityKey.self] }
        set { self[SpanIdentityKey.self] = newValue }
    }

    /// A context whose parent is this span.
    package static func of(_ identity: SpanIdentity?) -> ServiceContext {
        var context = ServiceContext.topLevel
        context.spanIdentity = identity
        return context
    }
}
