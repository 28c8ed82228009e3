internal import Kernel
internal import Persistence

/// The time of day at the database server.
struct ServerTimeStore {
    let tx: SystemTransaction

    init(tx: SystemTransaction) { self.tx = tx }

    func now() throws -> Timestamp {
        let now = try tx.first("SELECT CAST(date_part('epoch', clock_timestamp()) * 1000000 AS bigint)") { try $0.column(0, as: Int64.self) }
        guard let now else { preconditionFailure("a query without a table has one row") }
        return Timestamp(microseconds: now)
    }
}
