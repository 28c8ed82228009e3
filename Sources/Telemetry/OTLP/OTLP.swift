package import Kernel
internal import Tracing

/// The bodies of OTLP/HTTP in its JSON form (OpenTelemetry protocol 1.x): identities in hex, 64-bit numbers as texts.
package struct OTLP: Sendable {
    private let resource: JSON
    private static let scope: JSON = ["name": "aias"]

    /// - Parameter attributes: of the process: `service.name` and others.
    package init(attributes: [(name: String, value: String)]) {
        resource = ["attributes": .array(attributes.map { Self.attribute($0.name, ["stringValue": .string($0.value)]) })]
    }

    /// The body for `/v1/traces`.
    package func traces(_ spans: [SpanRecord]) -> JSON {
        ["resourceSpans": [["resource": resource, "scopeSpans": [["scope": Self.scope, "spans": .array(spans.map(Self.span))]]]]]
    }

    /// The body for `/v1/metrics`; counts run from `start` on.
    package func metrics(_ families: [MetricFamily], since start: Timestamp, at time: Timestamp) -> JSON {
        let list: [JSON] = families.map { Self.metric($0, Self.nanoseconds(start), Self.nanoseconds(time)) }
        return ["resourceMetrics": [["resource": resource, "scopeMetrics": [["scope": Self.scope, "metrics": .array(list)]]]]]
    }

    private static func span(_ span: SpanRecord) -> JSON {
        var members: JSONObject = [
            "traceId": .string(span.identity.traceID), "spanId": .string(span.identity.spanID), "name": .string(span.name),
            "kind": .number(kind(span.kind)), "startTimeUnixNano": .string(String(span.start)), "endTimeUnixNano": .string(String(span.end)),
            "attributes": .array(attributes(span.attributes)), "flags": .number(span.identity.isSampled ? 1 : 0)
        ]
        if let parent = span.parent {
            let identity = SpanIdentity(traceHigh: 0, traceLow: 0, span: parent, isSampled: true)
            members["parentSpanId"] = .string(identity.spanID)
        }
        if !span.links.isEmpty {
            members["links"] = .array(
                span.links.compactMap { link in
                    guard let identity = link.context.spanIdentity else { return nil }
                    return [
                        "traceId": .string(identity.traceID), "spanId": .string(identity.spanID), "attributes": .array(attributes(link.attributes))
                    ]
                })
        }
        if !span.events.isEmpty {
            members["events"] = .array(
                span.events.map { event in
                    [
                        "timeUnixNano": .string(String(event.nanosecondsSinceEpoch)), "name": .string(event.name),
                        "attributes": .array(attributes(event.attributes))
                    ]
                })
        }
        if let status = span.status {
            var code: JSONObject = ["code": .number(status.code == .ok ? 1 : 2)]
            if let message = status.message { code["message"] = .string(message) }
            members["status"] = .object(code)
        }
        return .object(members)
    }

    private static func kind(_ kind: SpanKind) -> Double {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }

    private static func attributes(_ attributes: SpanAttributes) -> [JSON] {
        var list: [JSON] = []
        attributes.forEach { name, value in
            let json: JSON =
                switch value {
                case .int32(let number): ["intValue": .string(String(number))]
                case .int64(let number): ["intValue": .string(String(number))]
                case .double(let number): ["doubleValue": .number(number)]
                case .bool(let flag): ["boolValue": .bool(flag)]
                case .string(let text): ["stringValue": .string(text)]
                default: ["stringValue": .string("\(value)")]
                }
            list.append(attribute(name, json))
        }
        return list
    }

    private static func attribute(_ name: String, _ value: JSON) -> JSON { ["key": .string(name), "value": value] }

    private static func metric(_ family: MetricFamily, _ start: JSON, _ time: JSON) -> JSON {
        let points: [JSON] = family.series.map { series in
            var point: JSONObject = ["startTimeUnixNano": start, "timeUnixNano": time]
            point["attributes"] = .array(series.labels.map { attribute($0.name, ["stringValue": .string($0.value)]) })
            switch series.value {
            case .number(let value): point["asDouble"] = .number(value)
            case .histogram(let bounds, let buckets, let sum):
                point["count"] = .string(String(buckets.reduce(0, +)))
                point["sum"] = .number(sum)
                point["bucketCounts"] = .array(buckets.map { .string(String($0)) })
                point["explicitBounds"] = .array(bounds.map { .number($0) })
            }
            return .object(point)
        }
        // Cumulative, as the figures are since the process began.
        let data: JSON =
            switch family.kind {
            case .counter: ["dataPoints": .array(points), "aggregationTemporality": 2, "isMonotonic": true]
            case .gauge: ["dataPoints": .array(points)]
            case .histogram: ["dataPoints": .array(points), "aggregationTemporality": 2]
            }
        let field = family.kind == .counter ? "sum" : family.kind.rawValue
        return .object(JSONObject([("name", .string(family.name)), ("description", .string(family.help)), (field, data)]))
    }

    private static func nanoseconds(_ time: Timestamp) -> JSON { .string(String(time.microseconds * 1_000)) }
}
