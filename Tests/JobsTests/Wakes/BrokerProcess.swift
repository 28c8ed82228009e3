import Foundation
import Glibc
import TestKit

/// A broker that can be killed and started again on its port, with the folder that it had.
final class BrokerProcess: @unchecked Sendable {
    let port: Int
    private let folder: String
    private let command: @Sendable (_ port: Int, _ folder: String) -> [String]
    private var process: ServiceProcess

    private init(_ command: @escaping @Sendable (_ port: Int, _ folder: String) -> [String]) async throws {
        let folder = "/tmp/aias-broker-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let started = try await ServiceProcess { port, _ in command(port, folder) }
        (process, port, self.folder, self.command) = (started, started.port, folder, command)
    }

    static func redis() async throws -> BrokerProcess {
        try await BrokerProcess { port, folder in
            ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--requirepass", "secret", "--dir", folder, "--appendonly", "yes"]
        }
    }

    /// Ends it at once, as a crash would, and starts it again.
    func restart(_ meanwhile: () -> Void) async throws {
        process.stop()
        try await Task.sleep(for: .milliseconds(500))
        meanwhile()
        let (folder, command) = (self.folder, self.command)
        process = try await ServiceProcess(port: port) { port, _ in command(port, folder) }
    }

    func stop() {
        process.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
