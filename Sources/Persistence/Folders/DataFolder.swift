internal import Foundation
internal import Glibc

/// The folder that holds a deployment's data. One process owns it at a time.
package final class DataFolder: @unchecked Sendable {
    package let path: String
    private let descriptor: CInt

    /// Creates the folder where it is missing (mode 700) and takes its lock, which the kernel gives back when the process ends.
    /// - Throws: `PersistenceError.locked` where another process owns it, `.unavailable` where it cannot be used.
    package init(path: String) throws {
        let path = URL(filePath: path).standardizedFileURL.path(percentEncoded: false)
        self.path = path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path
        do {
            try FileManager.default.createDirectory(
                atPath: self.path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw PersistenceError.unavailable("The data folder \(self.path) cannot be created: \(error.localizedDescription)")
        }
        descriptor = open(self.path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw PersistenceError.unavailable("The data folder \(self.path) cannot be written: \(String(cString: strerror(errno)))")
        }
        // From here on the object is whole: what throws is followed by `deinit`, which closes.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw PersistenceError.locked(
                "The data folder \(self.path) is in use by another process; stop that one or name another folder with --data.")
        }
    }

    deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

    package var databasePath: String { path + "/aias.db" }
    package var socketPath: String { path + "/aias.sock" }
    package var masterKeyPath: String { path + "/master.key" }
    package var blobsPath: String { path + "/blobs" }
}

extension DataFolder {
    /// The control socket of a folder that another process owns.
    package static func socketPath(of folder: String) throws -> String {
        let path = URL(filePath: folder).standardizedFileURL.path(percentEncoded: false)
        return (path.hasSuffix("/") && path.count > 1 ? String(path.dropLast()) : path) + "/aias.sock"
    }
}
