import Foundation
import Glibc
import TestKit
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
        port = try ServiceProcess.freePort()
        folder = box
        let command = [python, "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:\(port)", "-c", "aiosmtpd.handlers.Mailbox", box]
        process = try #require(Self.spawn(command))
        for _ in 0..<Self.startAttemptsMaximum where !ServiceProcess.answers(port) { try await Task.sleep(for: .milliseconds(50)) }
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
}
