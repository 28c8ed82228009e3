internal import HTTPSurface
package import Kernel
internal import Persistence
internal import Tenancy

struct UsageEventBody: Codable, Sendable, Described {
    var key: String
    var metric: String
    var quantity: Int
    var at: Timestamp?
    var dimensions: [String: String]?
    static let notes: [FieldNote] = [
        FieldNote("key", "Counts once, however often it is sent.", example: "order-4711", length: 1...200),
        FieldNote("metric", "The code of one of your metrics.", example: "orders", length: 1...60),
        FieldNote("quantity", "Below zero takes back.", example: 1, range: -1e12...1e12),
        FieldNote("at", "When it happened, up to 90 days ago; now where it is left out. It counts in the period it happened in."),
        FieldNote("dimensions", "What tells events apart.")
    ]
}

struct UsageBatchBody: Codable, Sendable, Described {
    var events: [UsageEventBody]
    static let notes: [FieldNote] = [FieldNote("events", "All of them are taken, or none.", items: 1...1_000)]
}

struct UsageBatchView: Codable, Sendable, Described {
    var accepted: Int
    var repeated: Int
    static let notes: [FieldNote] = [FieldNote("repeated", "Known by their keys already.")]
}

struct MetricView: Codable, Sendable, Described {
    var code: String
    var name: String
    var aggregation: String
    var dimension: String?
    static let notes: [FieldNote] = [
        FieldNote("code", "a-z, 0-9 and _.", example: "orders", length: 1...60), FieldNote("name", "For people.", example: "Orders", length: 1...100),
        FieldNote("aggregation", "count, sum, max, unique, latest or weighted_sum.", example: "sum", length: 1...20),
        FieldNote("dimension", "Whose distinct values unique counts.", example: "customer", length: 0...60)
    ]

    init(_ metric: Metric) {
        (code, name, aggregation) = (metric.code, metric.name, metric.aggregation.rawValue)
        dimension = metric.dimension.isEmpty ? nil : metric.dimension
    }
}

struct UsageQuantityQuery: Codable, Sendable {
    var from: Timestamp
    var to: Timestamp
}

struct UsageQuantityView: Codable, Sendable {
    var metric: String
    var from: Timestamp
    var to: Timestamp
    var quantity: Int
}

struct UsageRoutes {
    let billing: Billing

    private static let tag = "Metering"
    private static let latest: Duration = .seconds(90 * 86_400)
    private static let ahead: Duration = .seconds(3_600)
    private static let dimensionsMaximum = 10

    var endpoints: [Endpoint] {
        [
            Endpoint(
                .post, "/v1/usage-events", access: .tenant(.meteringWrite), summary: "Record usage", tag: Self.tag, body: UsageBatchBody.self,
                returns: .ok(UsageBatchView.self),
                errors: [ErrorDeclaration(.conflict, "key_reused", "A key stands for another event; nothing of the batch was taken.")]
            ) { call, body in
                let events = try body.events.map { try event($0) }
                let untimed = Set(body.events.filter { $0.at == nil }.map(\.key))
                let accepted = try await billing.record(events, untimed: untimed, of: call.tenant)
                return UsageBatchView(accepted: accepted, repeated: events.count - accepted)
            },
            Endpoint.list("/v1/usage-metrics", access: .tenant("usage.read"), summary: "List the metrics", tag: Self.tag, of: MetricView.self) {
                call, page in try Page(of: try await billing.metrics(of: call.tenant).map(MetricView.init), page)
            },
            Endpoint(
                .post, "/v1/usage-metrics", access: .tenant(.meteringWrite), summary: "Define a metric", tag: Self.tag, body: MetricView.self,
                returns: .created(MetricView.self), errors: [ErrorDeclaration(.conflict, "metric_exists", "There is a metric of this code.")]
            ) { call, body in MetricView(try await billing.define(try metric(body), of: call.tenant, by: call.principal)) },
            Endpoint(
                .get, "/v1/usage-metrics/{code}/quantity", access: .tenant("usage.read"), summary: "Show a metric's quantity in a time",
                tag: Self.tag, query: UsageQuantityQuery.self, returns: .ok(UsageQuantityView.self)
            ) { call in
                let query = try call.query(UsageQuantityQuery.self)
                guard query.from < query.to, query.to <= query.from + .seconds(400 * 86_400) else {
                    throw Refusal.invalid("to", "out_of_range", "The time begins before it ends, and lasts at most 400 days.")
                }
                let code = try call.parameter("code")
                let quantity = try await billing.quantity(of: code, in: BillingPeriod(start: query.from, end: query.to), of: call.tenant)
                return UsageQuantityView(metric: code, from: query.from, to: query.to, quantity: Int(quantity))
            }
        ]
    }

    private func metric(_ body: MetricView) throws -> Metric {
        guard let aggregation = Aggregation(rawValue: body.aggregation) else {
            throw Refusal.invalid(
                "aggregation", "unknown_aggregation", "aggregation is one of \(Aggregation.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        let dimension = aggregation == .unique ? body.dimension ?? "" : ""
        guard aggregation != .unique || !dimension.isEmpty else { throw Refusal.invalid("dimension", "required", "unique needs a dimension.") }
        return Metric(code: try Metric.checkedCode(body.code), name: body.name, aggregation: aggregation, dimension: dimension)
    }

    private func event(_ body: UsageEventBody) throws -> UsageEvent {
        let now = billing.clock.now()
        let at = body.at ?? now
        guard at >= now - Self.latest, at <= now + Self.ahead else {
            throw Refusal.invalid("at", "out_of_range", "An event is at most 90 days old and not of the future.")
        }
        let dimensions = (body.dimensions ?? [:]).sorted { $0.key < $1.key }
        guard dimensions.count <= Self.dimensionsMaximum, dimensions.allSatisfy({ $0.key.utf8.count <= 60 && $0.value.utf8.count <= 200 }) else {
            throw Refusal.invalid("dimensions", "too_many", "An event has at most \(Self.dimensionsMaximum) dimensions of 200 bytes.")
        }
        return UsageEvent(
            key: body.key, metric: body.metric, quantity: Int64(body.quantity), at: at,
            dimensions: JSONObject(dimensions.map { ($0.key, JSON.string($0.value)) }))
    }
}

extension Billing {
    /// Takes a batch whole or not at all: the claim of a key and its event are one row.
    /// - Throws: `unknown_metric`, `key_reused`
    func record(_ events: [UsageEvent], untimed: Set<String> = [], of tenant: TenantID) async throws -> Int {
        try await database.write(in: tenant) { tx in
            let meters = Meters(tx: tx)
            let known = Set(try meters.all().map(\.code)).subtracting(Metric.platform.map(\.code))
            if let other = events.first(where: { !known.contains($0.metric) }) {
                throw Refusal.invalid("metric", "unknown_metric", "There is no metric \(other.metric) that events can be sent to.")
            }
            let named = events.map { event in
                var event = event
                event.key = Meters.keyPrefix + event.key
                return event
            }
            return try meters.record(named, untimed: Set(untimed.map { Meters.keyPrefix + $0 }))
        }
    }

    func metrics(of tenant: TenantID) async throws -> [Metric] {
        try await database.read(in: tenant) { tx in try Meters(tx: tx).all() }
    }

    func define(_ metric: Metric, of tenant: TenantID, by principal: Principal) async throws -> Metric {
        try await database.write(in: tenant) { tx in
            try Meters(tx: tx).define(metric)
            try tx.audit(principal, "usage_metric.create", "usage_metric:\(metric.code)", ["aggregation": .string(metric.aggregation.rawValue)])
        }
        return metric
    }

    func quantity(of code: String, in period: BillingPeriod, of tenant: TenantID) async throws -> Int64 {
        try await database.read(in: tenant) { tx in
            let meters = Meters(tx: tx)
            guard let metric = try meters.all().first(where: { $0.code == code }) else { throw Refusal.missing("metric") }
            return try meters.quantity(of: metric, in: period)
        }
    }

    /// Notes what each tenant stores, once a day.
    package func meterStorage() async throws {
        let day = clock.now().seconds.flooringDivision(86_400)
        try await tenancy.forEachTenantHere { tenant in
            try await database.write(in: tenant) { tx in
                let bytes = try StorageUse(tx: tx).bytes()
                try tx.meter(Metric.storage.code, quantity: bytes, key: "storage:\(day)", at: tx.clock.now())
            }
        }
    }

    /// Compares yesterday's executions with the runs themselves, hour by hour; a difference is told, never mended in silence. More may be metered
    /// than is found: what has run is charged although its record was deleted.
    /// - Parameter begun: how many runs of a tenant began from one moment to before another.
    package func reconcile(_ begun: @Sendable (TenantID, BillingPeriod) async throws -> Int) async throws -> [String] {
        let today = clock.now().seconds.flooringDivision(86_400) * 86_400
        let yesterday = BillingPeriod(start: Timestamp(seconds: today - 86_400), end: Timestamp(seconds: today))
        let hours = (0..<24).map { yesterday.start + .seconds($0 * 3_600) }.map { BillingPeriod(start: $0, end: $0 + .seconds(3_600)) }
        var differences: [String] = []
        var cursor: TenantID?
        while true {
            let page = try await tenancy.tenants(before: cursor, limit: Limits.pageSizeMaximum)
            for tenant in page.map(\.id) {
                guard try await begun(tenant, yesterday) > 0 else { continue }
                var missing = 0
                for hour in hours {
                    let count = try await begun(tenant, hour)
                    // A tally bears the end of the minute in which the first commit was.
                    let metered = BillingPeriod(start: hour.start + .microseconds(1), end: hour.end + Self.firstCommitTime)
                    if count > 0 { missing += max(0, count - Int(try await quantity(of: Metric.executions.code, in: metered, of: tenant))) }
                }
                if missing > 0 { differences.append("\(tenant): \(missing) executions that began are not metered") }
            }
            guard page.count == Limits.pageSizeMaximum else { return differences }
            cursor = page.last?.id
        }
    }

    /// A run's first commit comes no later after the time in its id, with the rest of its minute.
    private static let firstCommitTime: Duration = .seconds(300)
}
