internal import Foundation
internal import Glibc
package import Kernel
package import Persistence

/// One PostgreSQL server for a test run, in a temporary folder on a free loopback port; each test gets a database of its own in it.
package actor PostgresLease {
    package static let shared = PostgresLease()
    private var server: Server?

    private struct Server {
        let port: Int
        let data: String
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package func database(tables: [Table], migrations: [Migration], clock: Clock, ids: IDs) throws -> any Database {
        let url = try createDatabase()
        try PostgresDatabase.migrate(url: url, migrations: migrations)
        return try PostgresDatabase(url: url, registry: SchemaRegistry(tables), migrations: migrations, clock: clock, ids: ids, connections: 4)
    }

    /// An empty database; the URL is that of a superuser.
    package func createDatabase() throws -> String {
        let server = try running()
        let name = "t" + UUID().uuidString.lowercased().replacing("-", with: "")
        try Self.run(["createdb", "-h", "127.0.0.1", "-p", "\(server.port)", "-U", "postgres", name])
        return "postgres://postgres@127.0.0.1:\(server.port)/\(name)"
    }

    private func running() throws -> Server {
        if let server { return server }
        let folder = "/tmp/aias-pg-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if geteuid() == 0, let user = getpwnam("postgres") { chown(folder, user.pointee.pw_uid, user.pointee.pw_gid) }
        let port = try Self.freePort()
        let data = folder + "/data"
        try Self.run(["initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
        let options = "-p \(port) -c listen_addresses=127.0.0.1 -c unix_socket_directories=\(folder) -c fsync=off -c max_connections=300"
        try Self.run(["pg_ctl", "-D", data, "-o", options, "-l", folder + "/log", "-w", "start"])
        let made = Server(port: port, data: data)
        server = made
        leased.data = data
        atexit { PostgresLease.stopLeased() }
        return made
    }

    private final class Leased: @unchecked Sendable { var data: String? }
    private nonisolated let leased = Leased()

    private static func stopLeased() {
        guard let data = shared.leased.data else { return }
        try? run(["pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
        try? FileManager.default.removeItem(atPath: String(data.dropLast("/data".count)))
    }

    /// PostgreSQL refuses to run as root.
    private static func run(_ command: [String]) throws {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        guard let version = versions.max(by: { (Int($0) ?? 0) < (Int($1) ?? 0) }) else {
            throw Failure(description: "PostgreSQL is not installed: run bin/setup --test")
        }
        let process = Process()
        let program = "/usr/lib/postgresql/\(version)/bin/\(command[0])"
        let user = geteuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : []
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = user + [program] + command.dropFirst()
        process.currentDirectoryURL = URL(filePath: "/tmp")
        // A file, not a pipe: the server that pg_ctl leaves behind would hold a pipe open.
        let log = "/tmp/aias-pg-\(UUID().uuidString).log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        defer { try? FileManager.default.removeItem(atPath: log) }
        let output = FileHandle(forWritingAtPath: log)
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(command[0]) failed: \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
        }
    }

    private static func freePort() throws -> Int {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0 }
        }
        guard bound else { throw Failure(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
