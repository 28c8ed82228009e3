import Foundation
import TestKit

/// A real SMTP server (aiosmtpd) in a child process that keeps the mails it takes as files of a maildir.
final class MailRelay {
    private let process: ServiceProcess
    var port: Int { process.port }

    /// - Returns: nil, with a printed word, where aiosmtpd is not installed.
    static func start() async throws -> MailRelay? {
        let python = ServiceProcess.python
        let found = (try? ServiceProcess.output(of: [python, "-c", "import aiosmtpd; print(aiosmtpd)"])) ?? []
        guard !found.isEmpty else {
            print("skipped: aiosmtpd is not installed")
            return nil
        }
        return MailRelay(
            try await ServiceProcess { port, folder in
                [python, "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:\(port)", "-c", "aiosmtpd.handlers.Mailbox", folder + "/box"]
            })
    }

    private init(_ process: ServiceProcess) { self.process = process }

    func mails() -> [String] {
        let box = process.folder + "/box/new"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: box)) ?? []
        return names.sorted().compactMap { try? String(contentsOfFile: "\(box)/\($0)", encoding: .utf8) }
    }

    func stop() { process.stop() }
}
