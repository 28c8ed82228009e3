/// Bytes that come one piece after the other, each fetched when it is asked for, so that what is large never lies in memory as a whole. Read once.
package typealias BytePieces = AsyncThrowingStream<[UInt8], any Error>

extension AsyncThrowingStream where Element == [UInt8], Failure == any Error {
    package init(_ bytes: [UInt8]) {
        self.init { continuation in
            if !bytes.isEmpty { continuation.yield(bytes) }
            continuation.finish()
        }
    }

    /// All of them.
    /// - Throws: `too_large` for more than `limit` bytes.
    package func collected(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in self {
            guard bytes.count + piece.count <= limit else { throw Refusal(.tooLarge, "too_large", "There are more than \(limit) bytes.") }
            bytes += piece
        }
        return bytes
    }
}

extension Limits {
    /// Bytes read from a file at a time.
    package static let pieceBytes = 256 << 10
    /// The largest file that is passed on piece by piece.
    package static let fileBytes = 5 << 30
    /// The largest file that a node takes into memory as a whole.
    package static let fileBytesInMemory = 256 << 20
}
