internal import Foundation
internal import Kernel

/// `pg_dump` and `pg_restore`, as Debian's postgresql-client brings them. The password goes by the environment, where other users cannot read it.
struct PostgresTools: Sendable {
    private let arguments: [String]
    private let environment: [String: String]

    /// - Throws: a refusal for an address that is none.
    init(url: String) throws {
        guard let parts = URLComponents(string: url), let host = parts.host else {
            throw Refusal.invalid("database_url", "bad_url", "A database's address looks like postgres://user:password@host:5432/name.")
        }
        let name = parts.path.drop { $0 == "/" }.removingPercentEncoding ?? ""
        var arguments = ["--host", host, "--port", String(parts.port ?? 5_432), "--dbname", name, "--no-password"]
        if let user = parts.user { arguments += ["--username", user] }
        self.arguments = arguments
        var environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        environment["PGPASSWORD"] = parts.password
        for item in parts.queryItems ?? [] where item.name == "sslmode" { environment["PGSSLMODE"] = item.value }
        self.environment = environment
    }

    /// All of the database as of one moment, in the tools' own format.
    func dump(to path: String) async throws {
        try await run("pg_dump", ["--format", "custom", "--no-owner", "--file", path])
    }

    /// Into a database that holds nothing, as a whole or not at all.
    func restore(_ path: String) async throws {
        try await run("pg_restore", ["--no-owner", "--exit-on-error", "--single-transaction", path])
    }

    /// In the place of whatever the database holds, also of what the dump does not know, as a whole or not at all.
    func replace(by path: String) async throws {
        let text = path + ".sql"
        defer { try? FileManager.default.removeItem(atPath: text) }
        try await Self.run("pg_restore", ["--no-owner", "--file", text, path], environment: environment)
        let settings = ["--single-transaction", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]
        try await run("psql", settings + ["--command", "DROP SCHEMA public CASCADE; CREATE SCHEMA public", "--file", text])
    }

    /// Whether the tools can read a dump.
    static func check(dumpAt path: String) async throws {
        try await run("pg_restore", ["--list", path], environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"])
    }

    private func run(_ tool: String, _ own: [String]) async throws {
        try await Self.run(tool, arguments + own, environment: environment)
    }

    private static func run(_ tool: String, _ arguments: [String], environment: [String: String]) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread { continuation.resume(with: Result { try runNow(tool, arguments, environment) }) }
        }
    }

    private static func runNow(_ tool: String, _ arguments: [String], _ environment: [String: String]) throws {
        guard let path = find(tool, environment["PATH"] ?? "") else {
            throw Refusal(
                .unavailable, "no_\(tool)",
                "\(tool) is not installed; Debian's package postgresql-client brings it, of the server's version or newer.")
        }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = environment
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let words = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let text = String(decoding: words.suffix(errorBytes), as: UTF8.self).split(separator: "\n").suffix(3).joined(separator: " ")
            let advice = text.contains("row-level security") ? bypass : ""
            throw Refusal(.unavailable, "\(tool)_failed", "\(tool) failed: \(text)\(advice)")
        }
    }

    private static let errorBytes = 4_096
    private static let bypass =
        " Row level security holds this login too: name one that bypasses it and may read everything with AIAS_BACKUP_DATABASE_URL "
        + "(CREATE ROLE … LOGIN BYPASSRLS; GRANT pg_read_all_data)."

    /// The newest of Debian's versions, which can dump older servers too, then the path.
    private static func find(_ tool: String, _ path: String) -> String? {
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []).compactMap(Int.init).sorted(by: >)
        let folders = versions.map { "/usr/lib/postgresql/\($0)/bin" } + path.split(separator: ":").map(String.init)
        return folders.map { "\($0)/\(tool)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
