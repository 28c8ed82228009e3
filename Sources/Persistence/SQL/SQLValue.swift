package import Kernel

/// A value as a column holds it, the same on both drivers.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
    /// BLOB of 16 bytes on SQLite, `uuid` on PostgreSQL.
    case uuid(high: UInt64, low: UInt64)
    /// INTEGER microseconds on SQLite, `timestamptz` on PostgreSQL.
    case timestamp(Timestamp)
    /// INTEGER 0 or 1 on SQLite, `boolean` on PostgreSQL.
    case boolean(Bool)
}

/// What can be bound to a statement.
package protocol SQLBindable { var sqlValue: SQLValue { get } }

/// What a column of a row can be read as.
package protocol SQLReadable {
    /// - Throws: `PersistenceError.decoding` where the stored value has another type: always our own fault.
    init(sqlValue: SQLValue) throws
}

extension String: SQLBindable, SQLReadable {
    package var sqlValue: SQLValue { .text(self) }
    package init(sqlValue: SQLValue) throws {
        guard case .text(let value) = sqlValue else { throw PersistenceError.decoding(expected: "text", found: sqlValue) }
        self = value
    }
}

extension Int64: SQLBindable, SQLReadable {
    package var sqlValue: SQLValue { .integer(self) }
    package init(sqlValue: SQLValue) throws {
        guard case .integer(let value) = sqlValue else { throw PersistenceError.decoding(expected: "integer", found: sqlValue) }
        self = value
    }
}

extension Int: SQLBindable, SQLReadable {
    package var sqlValue: SQLValue { .integer(Int64(self)) }
    package init(sqlValue: SQLValue) throws { self = Int(try Int64(sqlValue: sqlValue)) }
}

extension Double: SQLBindable, SQLReadable {
    package var sqlValue: SQLValue { .real(self) }
    package init(sqlValue: SQLValue) throws {
        guard case .real(let value) = sqlValue else { throw PersistenceError.decoding(expected: "real", found: sqlValue) }
        self = value
    }
}

extension Bool: SQLBindable, SQLReadable {
    package var sqlValue: SQLValue { .boolean(self) }
    package init(sqlValue: SQLValue) throws {
        switch sqlValue {
        case .boolean(let value): self = value
        case .integer(let value) where value == 0 || value == 1: self = value == 1
        default: throw PersistenceError.decoding(expected: "boolean", found: sqlValue)
        }
    }
}

extension [UInt8]: SQLBindable, SQLReadable {
    package var sqlValue: SQLValue { .blob(self) }
    package init(sqlValue: SQLValue) throws {
        guard case .blob(let value) = sqlValue else { throw PersistenceError.decoding(expected: "blob", found: sqlValue) }
        self = value
    }
}

extension Timestamp: SQLBindable, SQLReadable {
    package var sqlValue: SQLValue { .timestamp(self) }
    package init(sqlValue: SQLValue) throws {
        switch sqlValue {
        case .timestamp(let value): self = value
        case .integer(let value): self = Timestamp(microseconds: value)
        default: throw PersistenceError.decoding(expected: "timestamp", found: sqlValue)
        }
    }
}

extension ID: SQLBindable, SQLReadable {
    package var sqlValue: SQLValue { .uuid(high: high, low: low) }
    package init(sqlValue: SQLValue) throws {
        switch sqlValue {
        case .uuid(let high, let low): self.init(high: high, low: low)
        case .blob(let bytes):
            guard let value = ID(bytes: bytes) else { throw PersistenceError.decoding(expected: "uuid", found: sqlValue) }
            self = value
        default: throw PersistenceError.decoding(expected: "uuid", found: sqlValue)
        }
    }
}

extension Optional: SQLBindable where Wrapped: SQLBindable {
    package var sqlValue: SQLValue { self?.sqlValue ?? .null }
}

extension Optional: SQLReadable where Wrapped: SQLReadable {
    package init(sqlValue: SQLValue) throws { self = if case .null = sqlValue { nil } else { try Wrapped(sqlValue: sqlValue) } }
}

/// An enumeration stored by its raw text.
extension SQLBindable where Self: RawRepresentable, RawValue == String { package var sqlValue: SQLValue { .text(rawValue) } }
extension SQLReadable where Self: RawRepresentable, RawValue == String {
    package init(sqlValue: SQLValue) throws {
        guard case .text(let text) = sqlValue, let value = Self(rawValue: text) else {
            throw PersistenceError.decoding(expected: "\(Self.self)", found: sqlValue)
        }
        self = value
    }
}
