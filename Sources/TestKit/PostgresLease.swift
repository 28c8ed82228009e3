internal import Foundation
package import Kernel
package import Persistence

/// One PostgreSQL server for a test run; each test gets a database of its own in it, cloned from one that was migrated once.
package actor PostgresLease {
    package static let shared = PostgresLease()
    private var server: PostgresServer?
    /// Databases that hold the tables of a list of migrations and no row.
    private var templates: [[Migration]: String] = [:]

    /// Connections of a test's database: enough for writes that meet, few enough for many tests at once.
    private static let connections = 4

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package func database(tables: [Table], migrations: [Migration], clock: Clock, ids: IDs) throws -> any Database {
        let url = try clone(of: migrations)
        return try PostgresDatabase(
            url: url, registry: SchemaRegistry(tables), migrations: migrations, clock: clock, ids: ids, connections: Self.connections)
    }

    /// A database with the tables of `migrations`; the URL is that of a superuser.
    package func clone(of migrations: [Migration]) throws -> String {
        if let template = templates[migrations] { return try create(from: template) }
        let url = try createDatabase()
        try PostgresDatabase.migrate(url: url, migrations: migrations)
        templates[migrations] = String(url.split(separator: "/").last ?? "")
        return try clone(of: migrations)
    }

    /// An empty database; the URL is that of a superuser.
    package func createDatabase() throws -> String { try create(from: "template0") }

    private func create(from template: String) throws -> String {
        let server = try running()
        let name = "t" + UUID().uuidString.lowercased().replacing("-", with: "")
        try ServerProgram.run(["createdb", "-h", "127.0.0.1", "-p", "\(server.port)", "-U", "postgres", "-T", template, name])
        return "postgres://postgres@127.0.0.1:\(server.port)/\(name)"
    }

    private func running() throws -> PostgresServer {
        if let server { return server }
        let made = try PostgresServer()
        server = made
        Running.server = made
        atexit { Running.server?.stop() }
        return made
    }

    /// What is to be stopped at exit, where no actor can be asked.
    private enum Running {
        nonisolated(unsafe) static var server: PostgresServer?
    }
}
