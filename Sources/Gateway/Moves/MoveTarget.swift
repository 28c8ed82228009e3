internal import Foundation
internal import Kernel
internal import Persistence

/// Where tenants move to: the database of a PostgreSQL server, or a data folder, which this process owns meanwhile.
struct MoveTarget {
    let database: any Database
    /// Its address without secrets, or the folder's path.
    let name: String
    /// nil where it is a server.
    let folder: DataFolder?

    /// Brings its schema up to date.
    /// - Parameter text: `postgres://…` as the owner of the schema, or the path of a folder, which is made where it is missing.
    /// - Throws: `same_place`, `target_in_use`, and where it cannot be served from.
    init(_ text: String, of source: Platform) throws {
        if text.contains("://") {
            name = Self.address(of: text)
            guard name != Self.name(of: source) else { throw Self.samePlace }
            folder = nil
            try Platform.migrate(url: text)
            database = try Databases.server(
                url: text, tables: Platform.tables, migrations: Platform.migrations, clock: source.clock, ids: source.ids)
            return
        }
        let folder = try Self.folder(text, of: source)
        (name, self.folder) = (folder.path, folder)
        database = try Databases.embedded(
            path: folder.databasePath, tables: Platform.tables, migrations: Platform.migrations, clock: source.clock, ids: source.ids)
    }

    /// What the source is called at the target.
    static func name(of source: Platform) -> String { source.configuration.databaseURL.map(address) ?? source.folder.path }

    /// A server's own folder may become the one that is served from.
    private static func folder(_ text: String, of source: Platform) throws -> DataFolder {
        let isOwn = URL(filePath: text).standardizedFileURL.pathComponents == URL(filePath: source.folder.path).standardizedFileURL.pathComponents
        guard !isOwn else {
            guard source.configuration.databaseURL != nil else { throw samePlace }
            return source.folder
        }
        do { return try DataFolder(path: text) } catch PersistenceError.locked {
            throw Refusal(.conflict, "target_in_use", "A server runs on \(text): stop it first.")
        }
    }

    private static func address(of url: String) -> String {
        let named = URL(string: url)
        return "postgres://\(named?.host() ?? "")\(named?.port.map { ":\($0)" } ?? "")\(named?.path() ?? "")"
    }

    private static let samePlace = Refusal(.conflict, "same_place", "The target is the source: name another database or folder.")
}
