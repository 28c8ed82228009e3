internal import Kernel
internal import Persistence

/// How journal and runs name payloads: small ones are written out (`=[…]`), others by their hash (`#…`) in the payload store.
enum PayloadNames {
    static func name(of list: ItemList) -> JSON {
        guard let payload = list.payload else { return .string("=" + String(decoding: list.bytes, as: UTF8.self)) }
        return .string("#" + payload.hash.hex)
    }

    /// For writing; lists that need it must have been prepared.
    static var writing: PayloadCoding {
        PayloadCoding(write: name, read: { _, _ in throw UnreadableEvent(reason: "payloads are read in a transaction") })
    }

    static func journaled(_ list: ItemList) -> JSON { ["items": name(of: list), "count": .number(Double(list.count))] }

    /// The payloads that journaled texts name. What a small payload says is written out within a string, where its quotes are escaped: it cannot
    /// be taken for a name.
    static func hashes(in texts: [[UInt8]]) -> Set<PayloadHash> {
        var hashes: Set<PayloadHash> = []
        let (quote, mark, digits) = (UInt8(ascii: "\""), UInt8(ascii: "#"), 64)
        for text in texts where text.count > digits + 2 {
            for start in 0..<(text.count - digits - 2) where text[start] == quote && text[start + 1] == mark && text[start + 2 + digits] == quote {
                if let hash = PayloadHash(hex: String(decoding: text[(start + 2)..<(start + 2 + digits)], as: UTF8.self)) { hashes.insert(hash) }
            }
        }
        return hashes
    }

    /// Gets a list ready to be named.
    static func prepare(_ list: ItemList, tenant: TenantID, blobs: any BlobStore) async throws {
        guard list.bytes.count > Limits.inlinePayloadBytes else { return }
        try await list.prepare(tenant: tenant, blobs: blobs)
    }
}

/// Reads payloads in a transaction, each once.
final class PayloadReader {
    private let store: PayloadStore
    private let blobs: any BlobStore
    private var known: [String: ItemList] = [:]

    init(tx: TenantTransaction, blobs: any BlobStore) {
        store = PayloadStore(tx: tx)
        self.blobs = blobs
    }

    var coding: PayloadCoding { PayloadCoding(write: PayloadNames.name, read: { name, count in try self.read(name, count) }) }

    func read(journaled: JSON) throws -> ItemList { try read(journaled["items"] ?? .null, journaled["count"]?.integer ?? 0) }

    private func read(_ name: JSON, _ count: Int) throws -> ItemList {
        guard let text = name.text, let mark = text.first else { throw UnreadableEvent(reason: "a payload without a name") }
        if mark == "=" { return ItemList(bytes: Array(text.utf8.dropFirst()), count: count) }
        if let list = known[text] { return list }
        guard let bytes = Hex.bytes(String(text.dropFirst())), let content = try store.load(PayloadHash(sqlValue: .blob(bytes)), blobs: blobs) else {
            throw UnreadableEvent(reason: "the payload \(text) is gone")
        }
        let list = ItemList(bytes: content, count: count)
        known[text] = list
        return list
    }
}

extension RunEvent {
    /// The payloads it names.
    var lists: [ItemList] {
        switch self {
        case .started(_, let items), .callReturned(_, _, .success(let items)), .stepAnswered(_, let items): [items]
        case .stepEdited(_, let inputs): inputs.compactMap { $0 }
        case .stepFinished(let finish): finish.outputs.compactMap { $0?.items }
        default: []
        }
    }
}
