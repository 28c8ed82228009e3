import Foundation
import Glibc
import TestKit

/// A broker that can be killed and started again on its port, with the folder that it had.
final class BrokerProcess: @unchecked Sendable {
    let port: Int
    private let folder: String
    private let command: @Sendable (_ port: Int, _ folder: String) -> [String]
    private var process: ServiceProcess
    /// What it needs beside it, which stays when it is killed.
    private let companion: ServiceProcess?

    private init(companion: ServiceProcess? = nil, _ command: @escaping @Sendable (_ port: Int, _ folder: String) -> [String]) async throws {
        self.companion = companion
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

    /// One node, whose names are kept by a daemon of its own.
    static func rabbitmq() async throws -> BrokerProcess {
        let names = try await ServiceProcess { port, _ in ["epmd", "-port", "\(port)", "-address", "127.0.0.1"] }
        do {
            let peers = try ServiceProcess.freePort()
            return try await BrokerProcess(companion: names) { port, folder in
                [
                    // As under systemd the script becomes the server, so that a kill ends that.
                    "env", "RUNNING_UNDER_SYSTEMD=1", "HOME=\(folder)", "ERL_EPMD_PORT=\(names.port)", "RABBITMQ_NODENAME=aias\(port)@localhost",
                    "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=\(port)",
                    "RABBITMQ_DIST_PORT=\(peers)",
                    "RABBITMQ_MNESIA_BASE=\(folder)/data", "RABBITMQ_LOG_BASE=\(folder)/log", "RABBITMQ_PID_FILE=\(folder)/pid",
                    "RABBITMQ_ENABLED_PLUGINS_FILE=\(folder)/plugins", "RABBITMQ_CONFIG_FILE=\(folder)/none", "RABBITMQ_CONF_ENV_FILE=\(folder)/none",
                    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}", "/usr/lib/rabbitmq/bin/rabbitmq-server"
                ]
            }
        } catch {
            names.stop()
            throw error
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
        companion?.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
