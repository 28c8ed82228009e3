internal import ArgumentParser
internal import Foundation
internal import Gateway
internal import Kernel
internal import Logging
internal import Persistence

/// Where the data lies; shared by all commands that touch it.
struct DataOptions: ParsableArguments {
    @Option(help: "The data folder (also AIAS_DATA); ./data where neither is given.")
    var data: String?

    @Option(name: .customLong("database-url"), help: "postgres://… in place of the embedded database (also AIAS_DATABASE_URL).")
    var databaseURL: String?

    func configuration(host: String? = nil, port: Int? = nil, roles: String? = nil) throws -> PlatformConfiguration {
        try PlatformConfiguration(dataFolder: data, databaseURL: databaseURL, host: host, port: port, roles: roles)
    }

    /// Has a command done by the folder's owner: by a running server, or by this process where there is none.
    func perform(_ command: String, _ arguments: JSON) async throws -> JSON {
        let configuration = try configuration()
        let platform: Platform
        do {
            platform = try await Platform(configuration, logger: Logger(label: "aias"))
        } catch PersistenceError.locked {
            return try ControlSocket.ask(try DataFolder.socketPath(of: configuration.dataFolder), command, arguments)
        }
        do {
            let result = try await platform.perform(command, arguments)
            await platform.close()
            return result
        } catch {
            await platform.close()
            throw error
        }
    }
}

/// How a command ends that does not do what it was asked for; ArgumentParser ends with 64 where the words make no sense.
enum Ending {
    static let failed = ExitCode(1)
    /// `EX_CONFIG` of sysexits.h: starting again does not help, and the unit does not.
    static let settings = ExitCode(78)
}

/// Ends the command with a sentence on the error stream, one line a fault.
/// - Parameter invalid: how it ends where it was told what makes no sense.
func explaining<Result>(invalid: ExitCode = Ending.failed, _ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch let exit as ExitCode {
        throw exit
    } catch let error as Refusal {
        let faults = error.faults.filter { $0.message != error.message }.map { "  \($0.field): \($0.message)" }
        throw fail(([error.message] + faults).joined(separator: "\n"), error.kind == .invalid ? invalid : Ending.failed)
    } catch let error as PersistenceError {
        throw fail(error.sentence)
    } catch let error as ValidationError {
        throw error
    } catch {
        throw fail("\(error)")
    }
}

private func fail(_ text: String, _ code: ExitCode = Ending.failed) -> ExitCode {
    FileHandle.standardError.write(Data("aias: \(text)\n".utf8))
    return code
}
