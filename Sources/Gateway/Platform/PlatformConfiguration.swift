internal import Foundation
package import HTTPSurface
internal import Kernel
package import Notifications
internal import Persistence

/// What a start is told: by the command's options first, by the environment second.
package struct PlatformConfiguration: Sendable {
    package var dataFolder: String
    /// `postgres://…` in place of the embedded database.
    package var databaseURL: String?
    package var binding: HTTPServer.Binding
    /// How browsers and webhooks reach the platform: `https://aias.example`.
    package var publicURL: String
    package var relay: SMTPRelay?
    /// `host:port` pairs that workflows may reach although their addresses are private.
    package var outboundAllow: [String]
    /// Where `Web` and `Locales` lie.
    package var home: String
    package var environment: [String: String]

    /// - Throws: a refusal for values that make no sense.
    package init(
        dataFolder: String? = nil, databaseURL: String? = nil, host: String? = nil, port: Int? = nil,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws {
        func filled(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        self.dataFolder = dataFolder ?? filled("AIAS_DATA") ?? "./data"
        self.databaseURL = databaseURL ?? filled("AIAS_DATABASE_URL")
        let port = try port ?? filled("AIAS_PORT").map(Self.port) ?? 8_080
        binding = HTTPServer.Binding(host: host ?? filled("AIAS_HOST") ?? "127.0.0.1", port: port)
        if let chain = filled("AIAS_TLS_CERTIFICATE"), let key = filled("AIAS_TLS_KEY") {
            binding.tls = HTTPServer.TLSFiles(certificateChain: chain, privateKey: key)
        }
        publicURL = filled("AIAS_PUBLIC_URL") ?? "http://localhost:\(port)"
        relay = try filled("AIAS_SMTP_URL").map { try SMTPRelay($0, from: filled("AIAS_SMTP_FROM") ?? "AIAS <noreply@localhost>") }
        outboundAllow = (filled("AIAS_OUTBOUND_ALLOW") ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        home = filled("AIAS_HOME") ?? FileManager.default.currentDirectoryPath
        self.environment = environment
    }

    var publicHost: String { URL(string: publicURL)?.host() ?? "localhost" }
    var usesTLS: Bool { publicURL.hasPrefix("https://") }

    private static func port(_ text: String) throws -> Int {
        guard let port = Int(text), (0...65_535).contains(port) else {
            throw Refusal.invalid("port", "bad_port", "AIAS_PORT is a number from 0 to 65535.")
        }
        return port
    }
}
