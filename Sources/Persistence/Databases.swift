package import Kernel

/// Opens databases and brings their schema up to date.
package enum Databases {
    /// The embedded database of a folder, migrated.
    /// - Throws: `PersistenceError.schema`, `.locked`, `.unavailable`, `.diskFull`
    package static func embedded(path: String, tables: [Table], migrations: [Migration], clock: Clock, ids: IDs) throws -> any Database {
        try SchemaRegistry.verify(tables, migrations)
        let database = try SQLiteDatabase(path: path, registry: SchemaRegistry(tables), clock: clock, ids: ids)
        try database.migrate(migrations)
        return database
    }
}

extension Databases {
    /// A database on a server whose schema is current; see `PostgresDatabase.migrate`.
    package static func server(url: String, tables: [Table], migrations: [Migration], clock: Clock, ids: IDs) throws -> any Database {
        try SchemaRegistry.verify(tables, migrations)
        return try PostgresDatabase(url: url, registry: SchemaRegistry(tables), migrations: migrations, clock: clock, ids: ids)
    }

    /// What opening a server's database checks, and nothing else.
    package static func checkServer(url: String, tables: [Table], migrations: [Migration]) throws {
        try PostgresDatabase.check(try PostgresConnection(url: url), SchemaRegistry(tables), migrations)
    }
}
