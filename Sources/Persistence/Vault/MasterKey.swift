internal import Crypto
internal import Foundation
internal import Glibc
internal import Kernel

/// The key that wraps all data keys: 256 bits, outside the database.
package struct MasterKey: Sendable {
    let key: SymmetricKey

    static let byteCount = 32

    var bytes: [UInt8] { key.withUnsafeBytes { [UInt8]($0) } }

    /// `AIAS_MASTER_KEY` in base 64 where it is not empty, else the file (mode 600), which is made where it is missing.
    /// - Throws: `PersistenceError.unavailable` for a key of another size or a file that others may read.
    package init(environment: [String: String], path: String) throws {
        if let text = environment["AIAS_MASTER_KEY"], !text.isEmpty {
            guard let data = Data(base64Encoded: text), data.count == Self.byteCount else {
                throw PersistenceError.unavailable("AIAS_MASTER_KEY is not 32 bytes in base 64; `openssl rand -base64 32` makes one.")
            }
            key = SymmetricKey(data: data)
            return
        }
        if FileManager.default.fileExists(atPath: path) {
            var about = stat()
            guard stat(path, &about) == 0, about.st_mode & 0o077 == 0 else {
                throw PersistenceError.unavailable("The master key \(path) may be read by others: `chmod 600` it.")
            }
            guard let data = try? Data(contentsOf: URL(filePath: path)) else {
                throw PersistenceError.unavailable("The master key \(path) cannot be read; put back the one from your backup.")
            }
            guard data.count == Self.byteCount else {
                throw PersistenceError.unavailable(
                    "The master key \(path) has \(data.count) bytes instead of \(Self.byteCount): put back the one from your backup. "
                        + "Only where nothing has been stored yet, remove it, and the next start makes a new one.")
            }
            key = SymmetricKey(data: data)
            return
        }
        key = SymmetricKey(size: .bits256)
        try keep(at: path)
    }

    /// Durable before anything is sealed with it: what it wraps is lost without it. It is there as a whole or not at all, however full the disk is.
    /// - Throws: `PersistenceError.unavailable` also where there is such a file, which stays as it is.
    func keep(at path: String) throws {
        let (key, draft) = (Data(bytes), path + ".new")
        // Of a write that was cut off.
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        let isWhole = file >= 0 && key.withUnsafeBytes { write(file, $0.baseAddress, $0.count) } == key.count && fsync(file) == 0
        if file >= 0 { close(file) }
        let isKept = isWhole && Self.name(draft, path)
        unlink(draft)
        guard isKept, Self.syncFolder(of: path) else { throw PersistenceError.unavailable("The master key \(path) cannot be written.") }
    }

    /// Gives a file a name that no other has: a link takes no file's place. Where the file system has no links it is moved.
    private static func name(_ draft: String, _ path: String) -> Bool {
        if link(draft, path) == 0 { return true }
        return [EPERM, EOPNOTSUPP, ENOSYS].contains(errno) && access(path, F_OK) != 0 && rename(draft, path) == 0
    }

    static func moveIntoPlace(_ draft: String, _ path: String) throws {
        guard rename(draft, path) == 0, syncFolder(of: path) else {
            throw PersistenceError.unavailable("The master key \(draft) cannot take the place of \(path); what is stored needs it: move it by hand.")
        }
    }

    private static func syncFolder(of path: String) -> Bool {
        let folder = open(URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if folder >= 0 { close(folder) } }
        return folder >= 0 && fsync(folder) == 0
    }

    /// Nil where another key wrapped it.
    func unwrap(_ wrapped: [UInt8], _ tenant: TenantID) -> SymmetricKey? {
        guard let box = try? AES.GCM.SealedBox(combined: wrapped), let raw = try? AES.GCM.open(box, using: key, authenticating: tenant.bytes) else {
            return nil
        }
        return SymmetricKey(data: raw)
    }

    /// A data key of one tenant, sealed.
    func wrap(_ dataKey: SymmetricKey, _ tenant: TenantID) throws -> [UInt8] {
        let box = try AES.GCM.seal(dataKey.withUnsafeBytes { [UInt8]($0) }, using: key, authenticating: tenant.bytes)
        guard let wrapped = box.combined else { preconditionFailure("a nonce of the standard size combines") }
        return [UInt8](wrapped)
    }

    /// For tests.
    package init(random: Void = ()) { key = SymmetricKey(size: .bits256) }
}
