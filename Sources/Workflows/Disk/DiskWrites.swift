internal import Crypto
internal import Kernel
internal import Persistence

/// What a step writes for one item.
package struct DiskWrite: Sendable {
    package var path: DiskPath
    package var file: BinaryReference
    /// To the end of the file that is there, if there is one.
    package var appends: Bool

    package init(_ path: DiskPath, _ file: BinaryReference, appends: Bool) {
        self.path = path
        self.file = file
        self.appends = appends
    }
}

/// All that one step writes, by file.
struct DiskWrites: Sendable {
    typealias Open = @Sendable (BinaryReference) async throws -> BytePieces

    /// What becomes of one file.
    struct Change: Sendable {
        let path: DiskPath
        /// Joined in order.
        private(set) var parts: [BinaryReference] = []
        /// Whether they come after what is there.
        private(set) var extends = true

        init(_ path: DiskPath) { self.path = path }

        mutating func add(_ write: DiskWrite) {
            if !write.appends {
                extends = false
                parts = []
            }
            parts.append(write.file)
        }

        var mediaType: String { FileTypes.type(ofName: path.name) ?? parts[0].mimeType }

        /// The same for every repeat of the step with the same bytes.
        func mark(_ key: String) -> String {
            let facts = [key, path.text, extends ? "append" : "write"] + parts.map(\.id)
            return SHA256.hash(data: Array(facts.joined(separator: "\n").utf8)).hexText
        }
    }

    private(set) var changes: [Change] = []

    init(_ writes: [DiskWrite]) {
        var places: [String: Int] = [:]
        for write in writes {
            let place = places[write.path.text] ?? changes.count
            if place == changes.count {
                places[write.path.text] = place
                changes.append(Change(write.path))
            }
            changes[place].add(write)
        }
    }
}

/// Bytes of several sources, one after the other. Used by one task at a time.
final class JoinedPieces: @unchecked Sendable {
    private var sources: ArraySlice<@Sendable () async throws -> BytePieces>
    private var current: BytePieces.AsyncIterator?

    init(_ sources: [@Sendable () async throws -> BytePieces]) { self.sources = sources[...] }

    var pieces: BytePieces { BytePieces { try await self.next() } }

    private func next() async throws -> [UInt8]? {
        while true {
            if let piece = try await current?.next() { return piece }
            guard let open = sources.popFirst() else { return nil }
            current = try await open().makeAsyncIterator()
        }
    }
}
