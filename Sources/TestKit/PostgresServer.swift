internal import Foundation
internal import Glibc

/// A PostgreSQL server in a temporary folder on a free loopback port, without syncing. It ends with the process that started it, however
/// that ends.
final class PostgresServer: Sendable {
    let port: Int
    private let folder: String
    private let process: pid_t

    /// Between looks whether the server answers or has ended, and how many of them.
    private static let pollMicroseconds: UInt32 = 20_000
    private static let pollsMaximum = 1_000

    init() throws {
        folder = "/tmp/aias-pg-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if geteuid() == 0, let user = getpwnam("postgres") { chown(folder, user.pointee.pw_uid, user.pointee.pw_gid) }
        port = try ServiceProcess.freePort()
        let data = folder + "/data"
        try ServerProgram.run(["initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
        process = try Self.start([
            "postgres", "-D", data, "-p", "\(port)", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=\(folder)", "-c", "fsync=off",
            "-c", "max_connections=400", "-c", "shared_buffers=64MB"
        ])
        for _ in 0..<Self.pollsMaximum {
            if (try? ServerProgram.run(["pg_isready", "-q", "-h", "127.0.0.1", "-p", "\(port)"])) != nil { return }
            usleep(Self.pollMicroseconds)
        }
        stop()
        throw PostgresLease.Failure(description: "the server did not start: see \(folder)")
    }

    /// At once, as a power cut would, and takes its files along.
    func stop() {
        kill(process, SIGQUIT)
        // Its thread reaps it; until then it may still write.
        for _ in 0..<Self.pollsMaximum where kill(process, 0) == 0 { usleep(Self.pollMicroseconds) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The kernel ends the server when the thread that started it ends, so that thread stays and waits for it.
    private static func start(_ command: [String]) throws -> pid_t {
        let started = Started()
        let thread = Thread {
            let spawned = Result { try ServerProgram.spawn(command, with: ["--pdeathsig", "QUIT"], output: "/dev/null") }
            started.say(spawned)
            if case .success(let process) = spawned { _ = ServerProgram.wait(process) }
        }
        thread.name = "postgres-server"
        thread.start()
        return try started.hear()
    }

    private final class Started: @unchecked Sendable {
        private let said = DispatchSemaphore(value: 0)
        private var result: Result<pid_t, any Error>?

        func say(_ value: Result<pid_t, any Error>) {
            result = value
            said.signal()
        }

        func hear() throws -> pid_t {
            said.wait()
            guard let result else { preconditionFailure("nothing was said") }
            return try result.get()
        }
    }
}

/// Runs PostgreSQL's programs, as the user postgres where we are root, since they refuse that.
///
/// Not by Foundation's `Process`: it takes a program for running as long as any program that one started holds the descriptors it passed on.
enum ServerProgram {
    /// Ours that a server must not keep open: locks, sockets, databases.
    private static let descriptorsClosed: CInt = 1_024

    /// - Throws: `PostgresLease.Failure` with what the program printed.
    static func run(_ command: [String]) throws {
        let log = "/tmp/aias-pg-\(UUID().uuidString).log"
        defer { unlink(log) }
        let status = wait(try spawn(command, with: [], output: log))
        guard status == 0 else {
            throw PostgresLease.Failure(description: "\(command[0]) failed: \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
        }
    }

    /// - Parameter options: of setpriv(1).
    static func spawn(_ command: [String], with options: [String], output: String) throws -> pid_t {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        guard let version = versions.max(by: { (Int($0) ?? 0) < (Int($1) ?? 0) }) else {
            throw PostgresLease.Failure(description: "PostgreSQL is not installed: run bin/setup --test")
        }
        let user = geteuid() == 0 ? ["--reuid=postgres", "--regid=postgres", "--init-groups"] : []
        let words = ["env", "--chdir=/tmp", "setpriv"] + user + options + ["/usr/lib/postgresql/\(version)/bin/\(command[0])"] + command.dropFirst()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        for descriptor in 3..<descriptorsClosed { posix_spawn_file_actions_addclose(&actions, descriptor) }
        let arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        let code = posix_spawnp(&process, "env", &actions, nil, arguments, environ)
        guard code == 0 else { throw PostgresLease.Failure(description: "\(command[0]) cannot be started: \(String(cString: strerror(code)))") }
        return process
    }

    static func wait(_ process: pid_t) -> CInt {
        var status: CInt = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        return status
    }
}
