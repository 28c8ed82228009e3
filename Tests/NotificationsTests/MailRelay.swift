import Foundation
import Glibc
import Testing

/// A real SMTP server (aiosmtpd) in a child process that keeps the mails it takes as files of a maildir.
final class MailRelay {
    let port: Int
    private let process: pid_t
    private let folder: String

    static let startAttemptsMaximum = 200

    /// - Returns: nil, with a printed word, where aiosmtpd is not installed.
    static func start() async throws -> MailRelay? {
        let onPath = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":").map { "\($0)/python3" }
        let candidates = [FileManager.default.currentDirectoryPath + "/.build-python/bin/python"] + onPath
        for python in candidates where FileManager.default.isExecutableFile(atPath: python) {
            if let probe = spawn([python, "-c", "import aiosmtpd"]), wait(for: probe) == 0 { return try await MailRelay(python: python) }
        }
        print("skipped: aiosmtpd is not installed")
        return nil
    }

    private init(python: String) async throws {
        let box = NSTemporaryDirectory() + "aias-mail-\(UUID().uuidString)"
        port = try #require(Self.freePort())
        folder = box
        let command = [python, "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:\(port)", "-c", "aiosmtpd.handlers.Mailbox", box]
        process = try #require(Self.spawn(command))
        for _ in 0..<Self.startAttemptsMaximum where !Self.answers(port) { try await Task.sleep(for: .milliseconds(50)) }
    }

    func mails() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/new")) ?? []
        return names.sorted().compactMap { try? String(contentsOfFile: "\(folder)/new/\($0)", encoding: .utf8) }
    }

    func stop() {
        kill(process, SIGKILL)
        _ = Self.wait(for: process)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Starts a program that inherits no open file: Foundation waits for its own children by sockets that must not live on in another child.
    private static func spawn(_ command: [String]) -> pid_t? {
        let closing = #"for d in /proc/self/fd/*; do n=${d##*/}; if [ "$n" -gt 2 ]; then eval "exec $n>&-" 2>/dev/null; fi; done"#
        let words = ["/bin/bash", "-c", closing + #"; exec "$@" >/dev/null 2>&1"#, "bash"] + command
        var arguments = words.map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var process: pid_t = 0
        return posix_spawn(&process, words[0], nil, nil, &arguments, environ) == 0 ? process : nil
    }

    private static func wait(for process: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) == -1, errno == EINTR {}
        return status
    }

    static func freePort() -> Int? {
        withSocket(port: 0) { descriptor, address, size in
            guard bind(descriptor, address, size) == 0 else { return nil }
            var length = size
            guard getsockname(descriptor, address, &length) == 0 else { return nil }
            return Int(UInt16(bigEndian: address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_port }))
        }
    }

    private static func answers(_ port: Int) -> Bool {
        withSocket(port: port) { descriptor, address, size in connect(descriptor, address, size) == 0 ? true : nil } ?? false
    }

    private static func withSocket<Value>(port: Int, _ work: (Int32, UnsafeMutablePointer<sockaddr>, socklen_t) -> Value?) -> Value? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { work(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
