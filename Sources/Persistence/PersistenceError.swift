/// What the database itself answers. `Refusal`s pass through transactions unchanged.
package enum PersistenceError: Error, Sendable {
    /// A stored value has another type than the code expects.
    case decoding(expected: String, found: SQLValue)
    /// A unique index, foreign key, NOT NULL or CHECK refused the row; `constraint` names it where the driver tells.
    case constraint(kind: ConstraintKind, constraint: String?, message: String)
    /// A statement on a tenant table lacks its tenant mark, or a table is used outside its scope: a programmer's fault.
    case unscoped(statement: String, table: String)
    /// The disk or the quota is full; nothing of the transaction was written.
    case diskFull(String)
    /// Another process holds the file.
    case locked(String)
    /// The server is away or closed the connection; nothing is known of a transaction in flight beyond "not acknowledged".
    case unavailable(String)
    /// The retries of a serialisation failure are used up.
    case contended(String)
    /// The schema in the database is newer than the program, or a migration was edited after it ran.
    case schema(String)
    /// Anything else, with the driver's own words.
    case driver(code: String, message: String)

    package enum ConstraintKind: String, Sendable { case unique, foreignKey, notNull, check, other }
}

extension PersistenceError {
    /// What a person is told.
    package var sentence: String {
        switch self {
        case .diskFull(let text), .locked(let text), .unavailable(let text), .schema(let text): text
        case .contended: "Others keep changing the same data; try again."
        case .decoding(let expected, _): "A stored value is not \(expected): the data was written by something else."
        case .constraint(_, let constraint, let message): "The database refused a row (\(constraint ?? message))."
        case .unscoped(_, let table): "A statement on \(table) left its scope."
        case .driver(let code, let message): "The database answered \(code): \(message)"
        }
    }
}
