internal import Foundation
internal import HTTPSurface
package import Kernel
internal import Logging

extension Platform {
    static let title = "AIAS"
    static let apiVersion = "1"
    /// Of the program.
    package static let version = "0.1.0"
    /// The version with what tells its builds apart (https://semver.org, 10), as processes announce it to each other.
    static let build = ([version] + [BuildIdentity.own].compactMap { $0 }).joined(separator: "+")

    /// The API's document, read off a platform on an empty database that is thrown away.
    package static func openAPI() async throws -> JSON {
        let folder = NSTemporaryDirectory() + "aias-openapi-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // Of the settings only where pages and texts lie: the document is the same for every deployment.
        let environment = ProcessInfo.processInfo.environment.filter { $0.key == "AIAS_HOME" }
        var logger = Logger(label: "aias")
        logger.logLevel = .error
        let platform = try await Platform(try PlatformConfiguration(dataFolder: folder, environment: environment), logger: logger)
        let console = Console(files: try StaticFiles(roots: [platform.configuration.home + "/Web"]), entries: navigation)
        let endpoints = platform.modules(console, console, try await platform.makeAutomation()).flatMap(\.endpoints)
        let document = OpenAPI(title: title, version: apiVersion, endpoints: endpoints).document
        await platform.close()
        return document
    }
}
