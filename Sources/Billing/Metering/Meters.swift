internal import Kernel
internal import Persistence
internal import Tenancy

/// What is counted, and how its events become a quantity.
struct Metric: Sendable, Hashable {
    var code: String
    var name: String
    var aggregation: Aggregation
    /// Whose values `unique` tells apart; empty for the others.
    var dimension: String

    static let executions = Metric(code: "executions", name: "Executions", aggregation: .sum, dimension: "")
    /// One event a day with what is stored then: a period counts its fullest day.
    static let storage = Metric(code: "storage_bytes", name: "Stored bytes", aggregation: .max, dimension: "")

    /// What the platform itself counts for every tenant; nobody else may write or redefine it.
    static let platform = [executions, storage]

    static let codeLengths = 1...60

    /// - Throws: `bad_code`
    static func checkedCode(_ text: String) throws -> String {
        let isName = text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        guard codeLengths.contains(text.utf8.count), isName else {
            throw Refusal.invalid("code", "bad_code", "A metric's code has 1 to 60 of a-z, 0-9 and _.")
        }
        return text
    }
}

/// A tenant's metrics and their quantities.
struct Meters {
    let tx: TenantTransaction

    static let metricsMaximum = 100

    func all() throws -> [Metric] {
        Metric.platform
            + (try tx.all("SELECT code, name, aggregation, dimension FROM usage_metrics WHERE tenant_id = \(tx.tenant) ORDER BY code") { row in
                Metric(code: try row.column(0), name: try row.column(1), aggregation: try row.column(2), dimension: try row.column(3))
            })
    }

    /// - Throws: `metric_exists`, `limit_reached`
    func define(_ metric: Metric) throws {
        let known = try all()
        guard !known.contains(where: { $0.code == metric.code }) else {
            throw Refusal(.conflict, "metric_exists", "There is a metric of this code.", field: "code")
        }
        guard known.count < Self.metricsMaximum else {
            throw Refusal(.limitReached, "limit_reached", "There are \(Self.metricsMaximum) metrics already.")
        }
        try tx.execute(
            """
            INSERT INTO usage_metrics (tenant_id, code, name, aggregation, dimension)
            VALUES (\(tx.tenant), \(metric.code), \(metric.name), \(metric.aggregation), \(metric.dimension))
            """)
    }

    func quantity(of metric: Metric, in period: BillingPeriod) throws -> Int64 {
        var before: Int64 = 0
        if metric.aggregation == .weightedSum {
            try tx.usage(metric.code, from: Timestamp(microseconds: 0), to: period.start) { before = try Aggregation.sum([before, $0.quantity]) }
        }
        var events: [UsageEvent] = []
        var sum: Int64 = 0
        let isSummed = metric.aggregation == .sum || metric.aggregation == .count
        try tx.usage(metric.code, from: period.start, to: period.end) { event in
            // Sums of millions of events are not kept in memory.
            if isSummed { sum = try Aggregation.sum([sum, metric.aggregation == .count ? 1 : event.quantity]) } else { events.append(event) }
        }
        return isSummed ? sum : try metric.aggregation.quantity(of: events, in: period, dimension: metric.dimension, before: before)
    }

    /// Writes events once for each key.
    /// - Parameter untimed: keys of events whose sender left the time to us: sent again they have another one.
    /// - Returns: how many were new.
    /// - Throws: `key_reused` where a key stands for another event: nothing of the batch is written then.
    func record(_ events: [UsageEvent], untimed: Set<String> = []) throws -> Int {
        let count = try tx.meter(events)
        guard count < events.count else { return count }
        var known: [String: UsageEvent] = [:]
        let keys = events.map(\.key)
        for start in stride(from: 0, to: keys.count, by: Self.keysPerStatement) {
            for event in try tx.metered(Array(keys[start..<min(start + Self.keysPerStatement, keys.count)])) { known[event.key] = event }
        }
        func differs(_ event: UsageEvent) -> Bool {
            guard var found = known[event.key] else { return false }
            if untimed.contains(event.key) { found.at = event.at }
            return found != event
        }
        if let other = events.first(where: differs) {
            throw Refusal(.conflict, "key_reused", "The key \(other.key.trimmingPrefix(Self.keyPrefix)) stands for another event.", field: "key")
        }
        return count
    }

    /// Keys of the platform's own events, `run:…`, are out of reach of others.
    static let keyPrefix = "event:"
    private static let keysPerStatement = 200
}

extension Aggregation: SQLBindable, SQLReadable {}
