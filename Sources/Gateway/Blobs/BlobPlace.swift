internal import Foundation
internal import Kernel
internal import Outbound
internal import Persistence

/// Where `AIAS_BLOBS` says that large payloads lie: a folder, or `s3://bucket/prefix` of a store that is reached by `AIAS_S3_ENDPOINT` (Amazon's of the
/// region where there is none), `AIAS_S3_REGION`, `AIAS_S3_ACCESS_KEY`, `AIAS_S3_SECRET_KEY`, `AIAS_S3_SESSION_TOKEN`.
enum BlobPlace {
    /// The folder in which payloads lie; nil where it is a bucket.
    static func folder(_ text: String?, _ folder: DataFolder) -> String? {
        guard let text else { return folder.blobsPath }
        return text.contains("://") ? nil : text
    }

    /// - Throws: a refusal for a place that makes no sense.
    static func open(_ text: String?, folder: DataFolder, environment: [String: String], clock: Clock) throws -> any BlobStore {
        if let path = self.folder(text, folder) { return FolderBlobs(path: path) }
        let text = text ?? ""
        let parts = text.dropFirst("s3://".count).split(separator: "/", maxSplits: 1).map(String.init)
        guard text.hasPrefix("s3://"), let name = parts.first else {
            throw Refusal.invalid("blobs", "bad_blobs", "AIAS_BLOBS is a folder or s3://bucket/prefix.")
        }
        func filled(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let access = filled("AIAS_S3_ACCESS_KEY"), let secret = filled("AIAS_S3_SECRET_KEY") else {
            throw Refusal.invalid("blobs", "blobs_without_key", "A bucket needs AIAS_S3_ACCESS_KEY and AIAS_S3_SECRET_KEY.")
        }
        let region = filled("AIAS_S3_REGION") ?? "us-east-1"
        let signer = RequestSigner(
            accessKey: access, secret: secret, sessionToken: filled("AIAS_S3_SESSION_TOKEN") ?? "", region: region, service: "s3")
        let bucket: S3Bucket
        do {
            bucket = try S3Bucket(name, endpoint: filled("AIAS_S3_ENDPOINT") ?? "https://s3.\(region).amazonaws.com", signer: signer, clock: clock)
        } catch let error as OutboundError {
            throw Refusal.invalid("blobs", "bad_endpoint", error.message)
        }
        let prefix = parts.count > 1 ? parts[1].trimmingCharacters(in: CharacterSet(charactersIn: "/")) : ""
        return S3Blobs(
            prefix: prefix,
            exchange: { request in
                let answer = try await bucket.send(
                    request.method, key: request.key, query: request.query, body: request.body,
                    file: request.file.map { S3Bucket.File(digest: $0.hash.hex, byteCount: $0.byteCount, open: $0.open) }, range: request.range)
                let now = clock.now()
                return S3Blobs.Answer(status: answer.status, body: answer.body, modified: answer.modified(now: now), time: answer.sent(now: now))
            }, onClose: { await bucket.close() })
    }
}
