package import Kernel
package import Persistence

/// Usage as it happened.
package struct UsageEvent: Sendable, Hashable {
    /// Counts once within the tenant.
    package var key: String
    package var metric: String
    package var quantity: Int64
    package var at: Timestamp
    package var dimensions: JSONObject

    package init(key: String, metric: String, quantity: Int64, at: Timestamp, dimensions: JSONObject = [:]) {
        self.key = key
        self.metric = metric
        self.quantity = quantity
        self.at = at
        self.dimensions = dimensions
    }
}

/// Usage as it happened, written in the work's own transaction; billing prices it later.
struct UsageEventStore {
    let tx: TenantTransaction

    static let table = Table(
        "usage_events", .tenant, primaryKey: ["key"],
        columns: [
            Column("key", .text), Column("metric", .text), Column("quantity", .integer), Column("at", .timestamp), Column("dimensions", .text)
        ],
        indexes: [Index("usage_events_at", on: ["tenant_id", "metric", "at"])])

    /// - Returns: how many were new.
    func insert(_ events: [UsageEvent]) throws -> Int {
        var (rest, count) = (events[...], 0)
        while !rest.isEmpty {
            let chunk = rest.prefix(Self.rowsPerStatement)
            rest = rest.dropFirst(chunk.count)
            let rows: [[SQLValue]] = chunk.map { event in
                [
                    event.key.sqlValue, event.metric.sqlValue, event.quantity.sqlValue, event.at.sqlValue,
                    JSON.object(event.dimensions).serialized.sqlValue
                ]
            }
            count += try tx.execute(
                """
                INSERT INTO usage_events (tenant_id, key, metric, quantity, at, dimensions)
                SELECT \(tx.tenant), column1, column2, column3, column4, column5 FROM (VALUES \(rows: rows)) AS events WHERE true
                ON CONFLICT (tenant_id, key) DO NOTHING
                """)
        }
        return count
    }

    private static let rowsPerStatement = 100

    /// Adds to the event of a minute. On PostgreSQL each connection has one of its own, so that processes do not wait for each other's commits.
    func add(_ quantity: Int, to minute: TallyMinute) throws {
        let lane: SQL = tx.session.engine == .postgres ? "pg_backend_pid()" : "0"
        try tx.presume(
            """
            INSERT INTO usage_events (tenant_id, key, metric, quantity, at, dimensions)
            VALUES (\(tx.tenant), \("tally:\(minute.metric):\(minute.number):") || \(part: lane), \(minute.metric), \(quantity), \(minute.end), '{}')
            ON CONFLICT (tenant_id, key) DO UPDATE SET quantity = usage_events.quantity + excluded.quantity
            """)
    }

    /// What of these keys is there, as it was written.
    func find(_ keys: [String]) throws -> [UsageEvent] {
        try tx.all(
            "SELECT key, metric, quantity, at, dimensions FROM usage_events WHERE tenant_id = \(tx.tenant) AND key IN \(list: keys)"
        ) { row in
            UsageEvent(
                key: try row.column(0), metric: try row.column(1), quantity: try row.column(2), at: try row.column(3),
                dimensions: try JSON(parsing: try row.column(4, as: String.self)).object ?? [:])
        }
    }

    /// Of one metric, those of a time, in their order; from after a place, for lists in parts.
    func events(_ metric: String, from start: Timestamp, to end: Timestamp, after last: UsageEvent?, limit: Int) throws -> [UsageEvent] {
        let (time, key) = (last?.at ?? start, last?.key ?? "")
        return try tx.all(
            """
            SELECT key, quantity, at, dimensions FROM usage_events
            WHERE tenant_id = \(tx.tenant) AND metric = \(metric) AND at >= \(time) AND at < \(end) AND (at > \(time) OR key > \(key))
            ORDER BY at, key LIMIT \(limit)
            """
        ) { row in
            UsageEvent(
                key: try row.column(0), metric: metric, quantity: try row.column(1), at: try row.column(2),
                dimensions: try JSON(parsing: try row.column(3, as: String.self)).object ?? [:])
        }
    }
}

/// A minute of a metric's tallies.
struct TallyMinute: Hashable {
    var tenant: TenantID
    var metric: String
    /// Minutes from 1970-01-01 UTC to its end.
    var number: Int64

    init(_ metric: String, of tenant: TenantID, at time: Timestamp) {
        self.metric = metric
        self.tenant = tenant
        number = time.microseconds.flooringDivision(60_000_000) + 1
    }

    var end: Timestamp { Timestamp(seconds: number * 60) }
}

extension TenantTransaction {
    /// Counts one of what happens too often for an event of its own and is kept from happening twice by the transaction itself, such as the beginning
    /// of a run. All of a minute are one event with the time of the minute's end: whoever sums a time that is over finds each of its events complete.
    package func tally(_ metric: String, at time: Timestamp) throws {
        let minute = TallyMinute(metric, of: tenant.id, at: time)
        guard let share = session.share else { return try UsageEventStore(tx: self).add(1, to: minute) }
        let count = share.value(of: minute.tenant, metric, minute.number) { Count(of: minute) }
        count?.value += 1
    }

    /// What the transactions of one commit tally together.
    private final class Count: CommitShared {
        private let minute: TallyMinute
        var value = 0
        init(of minute: TallyMinute) { self.minute = minute }

        func end(_ tx: SystemTransaction) throws { try UsageEventStore(tx: tx.tenant(minute.tenant)).add(value, to: minute) }
    }

    /// Records usage once for a key: a repeat of the same key changes nothing.
    package func meter(_ metric: String, quantity: Int, key: String, at: Timestamp, dimensions: JSONObject = [:]) throws {
        try presume(
            """
            INSERT INTO usage_events (tenant_id, key, metric, quantity, at, dimensions)
            VALUES (\(tenant), \(key), \(metric), \(quantity), \(at), \(JSON.object(dimensions).serialized))
            ON CONFLICT (tenant_id, key) DO NOTHING
            """)
    }

    /// Records many at once; of each key the first counts, here and for ever.
    /// - Returns: how many were new.
    package func meter(_ events: [UsageEvent]) throws -> Int { try UsageEventStore(tx: self).insert(events) }

    /// What was recorded under these keys.
    package func metered(_ keys: [String]) throws -> [UsageEvent] { try UsageEventStore(tx: self).find(keys) }

    /// The events of a metric in a time, all of them, in parts of `usagePart`.
    package func usage(_ metric: String, from start: Timestamp, to end: Timestamp, _ body: (UsageEvent) throws -> Void) throws {
        var last: UsageEvent?
        while true {
            let part = try UsageEventStore(tx: self).events(metric, from: start, to: end, after: last, limit: Self.usagePart)
            for event in part { try body(event) }
            guard part.count == Self.usagePart else { return }
            last = part.last
        }
    }

    private static var usagePart: Int { 2_000 }
}
