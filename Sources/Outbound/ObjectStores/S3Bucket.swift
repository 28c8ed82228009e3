internal import Foundation
package import Kernel

/// A bucket of a store that speaks S3's protocol (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html), named in the path, which every
/// such store takes. It is the operator's own: its address may be anywhere.
package struct S3Bucket: Sendable {
    private let name: String
    private let endpoint: String
    private let signer: RequestSigner
    private let clock: Clock
    private let outbound: Outbound

    static let timeout: Duration = .seconds(60)
    /// For an object of up to `Limits.fileBytes`.
    static let fileTimeout: Duration = .seconds(3_600)
    /// Larger than any object that is stored.
    static let answerBytesMaximum = 2 << 30

    /// - Parameter endpoint: `https://host[:port]`
    /// - Throws: `OutboundError` where that is no address.
    package init(_ name: String, endpoint: String, signer: RequestSigner, clock: Clock = .system) throws {
        guard let url = URL(string: endpoint), let host = url.host(), ["http", "https"].contains(url.scheme) else {
            throw OutboundError(.invalidURL, "'\(endpoint)' is no address of a store, like https://s3.example.com.")
        }
        self.name = name
        self.endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        self.signer = signer
        self.clock = clock
        outbound = try Outbound(policy: AddressPolicy(allowing: ["\(host):\(url.port ?? (url.scheme == "http" ? 80 : 443))"]))
    }

    /// A body that is sent piece by piece.
    package struct File: Sendable {
        /// SHA-256 in base 16.
        package var digest: String
        package var byteCount: Int
        package var open: @Sendable () async throws -> BytePieces
        package init(digest: String, byteCount: Int, open: @escaping @Sendable () async throws -> BytePieces) {
            self.digest = digest
            self.byteCount = byteCount
            self.open = open
        }
    }

    /// - Parameters:
    ///   - key: not escaped; nil for the bucket itself.
    ///   - range: of the object's bytes; nil for all.
    package func send(
        _ method: String, key: String?, query: [(name: String, value: String)] = [], body: [UInt8] = [], file: File? = nil, range: Range<Int>? = nil
    ) async throws -> OutboundResponse {
        let path = "/\(RequestSigner.escaped(name))" + (key.map { "/" + RequestSigner.escaped($0, keepingSlashes: true) } ?? "")
        let headers = range.map { [(name: "Range", value: "bytes=\($0.lowerBound)-\($0.upperBound - 1)")] } ?? []
        var request = signer.signed(
            method, origin: endpoint, path: path, query: query, headers: headers, body: body, digest: file?.digest, now: clock.now())
        request.timeout = file == nil ? Self.timeout : Self.fileTimeout
        if let file { request.body = .pieces(byteCount: file.byteCount, open: file.open) }
        request.maximumResponseBytes = Self.answerBytesMaximum
        return try await outbound.send(request)
    }

    package func close() async { await outbound.shutdown() }
}

extension OutboundResponse {
    /// When what it holds was changed last.
    package func modified(now: Timestamp) -> Timestamp? { header("Last-Modified").flatMap { HTTPDate.parse($0, now: now) } }

    /// When it was sent, by the clock of the server.
    package func sent(now: Timestamp) -> Timestamp? { header("Date").flatMap { HTTPDate.parse($0, now: now) } }
}
