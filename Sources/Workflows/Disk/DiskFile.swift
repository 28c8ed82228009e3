package import Kernel
package import Persistence

package enum DiskFileTag {}
package typealias DiskFileID = ID<DiskFileTag>

/// A file on a tenant's disk. Its bytes lie in the payload store, by their hash.
package struct DiskFile: Sendable, Hashable {
    package var id: DiskFileID
    package var path: DiskPath
    package var hash: PayloadHash
    package var byteCount: Int
    package var mediaType: String
    /// What a step that wrote it last is known by, so that its repeat changes nothing; nil where a person did.
    var writtenBy: String?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
}

/// What lies directly in a folder.
package struct DiskFolder: Sendable {
    /// One folder within, with all that lies in it and below.
    package struct Child: Sendable, Hashable {
        package var name: String
        package var fileCount: Int
        package var byteCount: Int
    }

    /// Without slashes at its ends; the root is empty.
    package var path: String
    package var children: [Child]
    package var files: [DiskFile]
    /// Of the whole disk.
    package var diskFileCount: Int
    package var diskByteCount: Int
}

extension Limits {
    package static let diskPathBytes = 1_024
    package static let diskNameBytes = 255
    package static let filesPerDisk = 50_000
    /// Files that one step reads or writes.
    package static let diskFilesPerStep = 1_000
    /// The largest file that one request brings.
    package static let diskUploadBytes = 16 << 20
    /// The largest file that something is appended to: each time it is written anew.
    package static let diskAppendBytes = 64 << 20
    /// Triggers of published workflows that wait for a tenant's disk.
    static let diskWatchesPerTenant = 200
    /// Alternatives that a pattern's braces stand for.
    static let diskAlternatives = 256
    /// How long it is known what a step has appended.
    static let diskAppendsKept: Duration = .seconds(30 * 86_400)
}
