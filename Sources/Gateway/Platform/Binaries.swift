internal import Foundation
internal import Kernel
internal import Persistence
internal import Tenancy
internal import Workflows

/// Attachments of items in the tenant's payload store, named by their hash and held by the runs that name them.
struct Binaries: Sendable {
    let database: any Database
    let blobs: any BlobStore

    func write(_ bytes: [UInt8], _ mimeType: String, _ fileName: String?, _ holder: FileHolder) async throws -> BinaryReference {
        try await store(try await PreparedPayload(bytes, tenant: holder.tenant, blobs: blobs), mimeType, fileName, holder)
    }

    /// The same for a file of any size.
    func keep(_ pieces: BytePieces, _ mimeType: String, _ fileName: String?, _ holder: FileHolder) async throws -> BinaryReference {
        try await store(try await PreparedPayload(pieces, tenant: holder.tenant, blobs: blobs), mimeType, fileName, holder)
    }

    private func store(_ payload: PreparedPayload, _ mimeType: String, _ fileName: String?, _ holder: FileHolder) async throws -> BinaryReference {
        try await database.write(in: holder.tenant) { tx in
            try RunFileStore(tx: tx).store(payload, for: holder.run)
            try tx.requireStorage()
        }
        let suffix = fileName.flatMap { name in name.contains(".") ? name.split(separator: ".").last.map(String.init) : nil }
        return BinaryReference(id: payload.hash.hex, mimeType: mimeType, fileName: fileName, fileExtension: suffix, byteCount: payload.byteCount)
    }

    func read(_ reference: BinaryReference, _ tenant: TenantID) async throws -> [UInt8] {
        if reference.id.hasPrefix("data:") {
            guard let data = Data(base64Encoded: String(reference.id.dropFirst(5))) else {
                throw StepFailure("bad_binary", "The attached data is not base 64.", isRetryable: false)
            }
            return [UInt8](data)
        }
        let blobs = self.blobs
        let found = try await database.read(in: tenant) { tx -> [UInt8]? in
            guard let hash = PayloadHash(hex: reference.id) else { return nil }
            let payloads = PayloadStore(tx: tx)
            switch try payloads.find(hash) {
            case .here(let bytes)?: return bytes
            case .blob(let byteCount)?:
                // What a reference tells of its file may come from a script.
                guard byteCount <= Limits.fileBytesInMemory else { throw StepFailure.tooLargeForMemory(byteCount) }
                return try payloads.load(hash, blobs: blobs)
            case nil: return nil
            }
        }
        guard let found else { throw StepFailure("binary_gone", "The attached file is gone.", isRetryable: false) }
        return found
    }

    /// A file of any size, piece by piece.
    func open(_ reference: BinaryReference, _ tenant: TenantID) async throws -> BytePieces { try await sized(reference, tenant).pieces }

    /// The same with how many bytes they are.
    func sized(_ reference: BinaryReference, _ tenant: TenantID) async throws -> (byteCount: Int, pieces: BytePieces) {
        guard let hash = PayloadHash(hex: reference.id) else {
            let bytes = try await read(reference, tenant)
            return (bytes.count, BytePieces(bytes))
        }
        let place = try await database.read(in: tenant) { tx in try PayloadStore(tx: tx).find(hash) }
        switch place {
        case .here(let bytes)?: return (bytes.count, BytePieces(bytes))
        case .blob(let byteCount)?:
            if let pieces = try await blobs.pieces(hash, byteCount: byteCount, tenant: tenant) { return (byteCount, pieces) }
        case nil: break
        }
        throw StepFailure("binary_gone", "The attached file is gone.", isRetryable: false)
    }
}
