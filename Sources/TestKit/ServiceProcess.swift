internal import Foundation
internal import Glibc

/// A program that serves on a loopback port for the time of a test: Redis, a mail server, a store. It ends with the process that started it.
package final class ServiceProcess: Sendable {
    package let port: Int
    package let folder: String
    private let process: pid_t

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let pollsMaximum = 2_400

    /// - Parameters:
    ///   - port: a free one where it is nil.
    ///   - command: the program and its arguments, given its port and a folder of its own.
    /// - Throws: where it does not answer on its port within two minutes.
    package init(port: Int? = nil, _ command: (_ port: Int, _ folder: String) -> [String]) async throws {
        self.port = try port ?? Self.freePort()
        let port = self.port
        folder = "/tmp/aias-service-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let words = ["setpriv", "--pdeathsig", "KILL"] + command(port, folder)
        let started = Started()
        // The kernel ends it when the thread that started it ends, so that thread stays and waits for it.
        let thread = Thread {
            let child = Self.spawn(words)
            started.say(child)
            if let child { _ = ServerProgram.wait(child) }
        }
        thread.start()
        guard let child = started.hear() else { throw Failure(description: "\(words) cannot be started") }
        process = child
        for _ in 0..<Self.pollsMaximum {
            if Self.answers(port) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        stop()
        throw Failure(description: "\(words) does not answer")
    }

    package func stop() {
        kill(process, SIGKILL)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The Python that has the packages of Tests/requirements.txt.
    package static var python: String {
        let own = FileManager.default.currentDirectoryPath + "/.build-python/bin/python"
        return FileManager.default.isExecutableFile(atPath: own) ? own : "python3"
    }

    /// What a program writes to its standard output until it ends. (Foundation's `Process` reads beyond the end of memory in a process that has
    /// very many files open, as that of the tests has at times.)
    package static func output(of words: [String]) throws -> [UInt8] {
        let pipe = Pipe()
        guard let child = spawn(words, output: pipe.fileHandleForWriting.fileDescriptor) else {
            throw Failure(description: "\(words) cannot be started")
        }
        try pipe.fileHandleForWriting.close()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        _ = ServerProgram.wait(child)
        return [UInt8](output)
    }

    private static func spawn(_ words: [String], output: Int32? = nil) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for standard in 0...2 { posix_spawn_file_actions_addopen(&actions, Int32(standard), "/dev/null", O_RDWR, 0) }
        if let output { posix_spawn_file_actions_adddup2(&actions, output, 1) }
        for descriptor in 3..<Int32(1_024) { posix_spawn_file_actions_addclose(&actions, descriptor) }
        let arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        return posix_spawnp(&process, words[0], &actions, nil, arguments, environ) == 0 ? process : nil
    }

    private final class Started: @unchecked Sendable {
        private let said = DispatchSemaphore(value: 0)
        private var process: pid_t?

        func say(_ value: pid_t?) {
            process = value
            said.signal()
        }

        func hear() -> pid_t? {
            said.wait()
            return process
        }
    }

    /// A port for a server that is started later: none of those that the system gives to connections and to servers which name none, so that no
    /// other test gets it meanwhile.
    package static func freePort() throws -> Int {
        for _ in 0..<attemptsMaximum {
            let port = Int.random(in: chosenPorts)
            let isFree: Bool? = withSocket(port: port) { descriptor, address, size in bind(descriptor, address, size) == 0 }
            if isFree == true { return port }
        }
        throw Failure(description: "no free port")
    }

    /// Below those that Linux gives by itself.
    private static let chosenPorts = 10_000..<32_000
    private static let attemptsMaximum = 1_000

    /// Calls with a port at which nothing listens for as long as the call takes.
    package static func withDeadPort<Value>(_ work: (_ port: Int) async throws -> Value) async throws -> Value {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        let port: Int? = withAddress(port: 0) { address, size in
            var length = size
            guard bind(descriptor, address, size) == 0, getsockname(descriptor, address, &length) == 0 else { return nil }
            return Int(UInt16(bigEndian: address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_port }))
        }
        guard let port else { throw Failure(description: "no free port") }
        return try await work(port)
    }

    package static func answers(_ port: Int) -> Bool {
        withSocket(port: port) { descriptor, address, size in connect(descriptor, address, size) == 0 ? true : nil } ?? false
    }

    private static func withSocket<Value>(port: Int, _ work: (Int32, UnsafeMutablePointer<sockaddr>, socklen_t) -> Value?) -> Value? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return withAddress(port: port) { address, size in work(descriptor, address, size) }
    }

    private static func withAddress<Value>(port: Int, _ work: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Value?) -> Value? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { work($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
