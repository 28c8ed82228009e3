package import Kernel
internal import Persistence
internal import Synchronization

/// The items of one output, shared by every step that reads them: parsed, as bytes, or both, each made from the other when first asked
/// for. A step that passes its input on hands out the same list, so that nothing is parsed, copied or stored twice.
///
/// Items in a list carry no `pairedItem`; lineage belongs to the step that gave the list out (`Lineage`).
package final class ItemList: Sendable {
    private struct Forms: Sendable {
        var items: [Item]?
        var bytes: [UInt8]?
        var payload: PreparedPayload?
        var home: PayloadNames.Home?
        var inputText: InputText?
        /// Whether there is one item, with nothing but its JSON.
        var isPlain: Bool
        /// Set once it has been looked through.
        var files: Set<PayloadHash>?
        /// Reads the bytes of a list that is too large to stay in memory.
        var stored: (@Sendable () throws -> [UInt8])?
    }

    private let forms: Mutex<Forms>
    package let count: Int

    package static let empty = ItemList([])
    /// One item without members: what a run starts with that is given nothing, and what `alwaysOutput` adds.
    package static let single = ItemList([Item(json: [:])])

    package init(_ items: [Item]) {
        count = items.count
        forms = Mutex(Forms(items: items, isPlain: items.count == 1 && items[0].binary.isEmpty && items[0].error == nil))
    }

    /// - Parameters:
    ///   - bytes: what `bytes` once returned: trusted to be a JSON array of `count` items, and read only when looked into.
    ///   - isPlain: whether it is one item that is known to have nothing but its JSON.
    package init(bytes: [UInt8], count: Int, isPlain: Bool = false) {
        self.count = count
        forms = Mutex(Forms(bytes: bytes, isPlain: isPlain))
    }

    /// The JSON of the one item, as text; nil where there are several, or it is known to have more or not known to have no more.
    var plainJSON: ArraySlice<UInt8>? {
        guard forms.withLock({ $0.isPlain && $0.stored == nil }) else { return nil }
        return bytes.dropFirst(ItemCodec.opening.count).dropLast(ItemCodec.closing.count)
    }

    package var isEmpty: Bool { count == 0 }

    /// The parsed items.
    /// - Throws: `JSON.ParseError` or `UnreadableItems` where stored bytes are no items: always our own fault.
    package func items() throws -> [Item] {
        let (known, bytes, stored) = forms.withLock { ($0.items, $0.bytes, $0.stored) }
        if let known { return known }
        if let stored { return try ItemCodec.read(try stored()) }
        let items = try ItemCodec.read(bytes ?? [])
        forms.withLock { $0.items = items }
        return items
    }

    /// Whether it lies in the blob store alone, and is read anew by each `items`.
    var isSetAside: Bool { forms.withLock { $0.stored != nil } }

    /// Compact JSON: an array of `{"json", "binary"?, "error"?}`. Whoever writes a list down names one that has a payload by its hash, and asks for the
    /// bytes of others only; those of a list that is set aside and cannot be read are none.
    package var bytes: [UInt8] {
        if let stored = forms.withLock({ $0.stored }) { return (try? stored()) ?? [] }
        return forms.withLock { forms in
            if let bytes = forms.bytes { return bytes }
            let bytes = ItemCodec.write(forms.items ?? [])
            forms.bytes = bytes
            return bytes
        }
    }

    /// The payload as the store takes it; nil until `prepare`.
    var payload: PreparedPayload? { forms.withLock { $0.payload } }

    /// Whether it is known to need no payload of its own.
    var isSmall: Bool {
        forms.withLock { $0.payload == nil && $0.stored == nil && ($0.bytes?.count ?? .max) <= Limits.inlinePayloadBytes }
    }

    /// What the row of a run that is started with it says: put together once, before the transaction.
    struct InputText: Sendable {
        var bytes: [UInt8]
        /// Bytes before compression.
        var size: Int
    }

    var inputText: InputText {
        if let known = forms.withLock({ $0.inputText }) { return known }
        let made = PayloadNames.input(self)
        let text = InputText(bytes: made.bytes, size: made.size)
        forms.withLock { $0.inputText = text }
        return text
    }

    /// What its items name as files.
    var files: Set<PayloadHash> {
        if let known = forms.withLock({ $0.files }) { return known }
        var found: Set<PayloadHash> = []
        FileNames.references(in: bytes, &found)
        forms.withLock { [found] forms in forms.files = found }
        return found
    }

    /// Leaves out those of them that there are not.
    func settle(files: Set<PayloadHash>) { forms.withLock { $0.files = files } }

    /// The run that wrote it into its journal last, and what that run's events call it.
    var home: PayloadNames.Home? { forms.withLock { $0.home } }
    func settle(_ home: PayloadNames.Home) { forms.withLock { $0.home = home } }

    /// Hashes and compresses the bytes once, and puts a large payload into the blob store. One of more than `Limits.listBytesInMemory` then lies
    /// there alone, where it can be read without waiting for a network.
    func prepare(tenant: TenantID, blobs: any BlobStore) async throws {
        guard payload == nil else { return }
        let bytes = self.bytes
        let prepared =
            bytes.count > PayloadStore.inlineMaximum ? try await PreparedPayload(bytes, tenant: tenant, blobs: blobs) : PreparedPayload(bytes)
        let isSetAside = bytes.count > Limits.listBytesInMemory && blobs.isAtHand
        // While its bytes are at hand.
        if isSetAside { _ = files }
        forms.withLock { forms in
            forms.payload = prepared
            guard isSetAside else { return }
            (forms.items, forms.bytes) = (nil, nil)
            forms.stored = {
                guard let bytes = try blobs.load(prepared.hash, tenant: tenant) else { throw UnreadableItems() }
                return bytes
            }
        }
    }
}

extension ItemList: Equatable {
    /// The same content.
    package static func == (left: ItemList, right: ItemList) -> Bool {
        if left === right { return true }
        guard left.count == right.count else { return false }
        if let left = left.payload, let right = right.payload { return left.hash == right.hash }
        return left.bytes == right.bytes
    }
}

/// Stored bytes that are JSON but no list of items.
struct UnreadableItems: Error {}

/// Items as compact JSON, as the journal and payload store keep them.
package enum ItemCodec {
    /// What stands before and after the JSON of an only item that has nothing else.
    static let (opening, closing) = (Array(#"[{"json":"#.utf8), Array("}]".utf8))

    static func write(_ items: [Item]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(64 + items.count * 128)
        out.append(UInt8(ascii: "["))
        for (index, item) in items.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            out.append(contentsOf: #"{"json":"#.utf8)
            JSON.object(item.json).write(to: &out)
            if !item.binary.isEmpty {
                out.append(contentsOf: #","binary":"#.utf8)
                binary(item.binary).write(to: &out)
            }
            if let error = item.error {
                out.append(contentsOf: #","error":"#.utf8)
                error.write(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
        out.append(UInt8(ascii: "]"))
        return out
    }

    static func read(_ bytes: [UInt8]) throws -> [Item] {
        guard !bytes.isEmpty else { return [] }
        guard case .array(let elements) = try JSON(parsing: bytes) else { throw UnreadableItems() }
        return elements.map(item)
    }

    /// Reads an item as people and n8n write it: `{"json": {…}, "binary"?, "error"?}`, or a bare object.
    package static func item(_ value: JSON) -> Item {
        guard let json = value["json"]?.object else { return Item(json: value.object ?? [:]) }
        var item = Item(json: json, error: value["error"])
        for (name, reference) in value["binary"]?.object ?? [:] { item.binary[name] = BinaryReference(reference) }
        return item
    }

    /// An item as expressions see it.
    /// - Parameter bytes: of files that are shown with them, in base64, by the files' ids.
    package static func json(_ item: Item, pairedItem: [PairedItem]?, bytes: [String: String] = [:]) -> JSON {
        var members: JSONObject = ["json": .object(item.json)]
        if !item.binary.isEmpty {
            let files = item.binary.sorted { $0.key < $1.key }
            members["binary"] = .object(JSONObject(files.map { ($0.key, $0.value.shown(bytes: bytes[$0.value.id])) }))
        }
        if let paired = pairedItem {
            let places = paired.map { JSON.object(["item": .number(Double($0.item)), "input": .number(Double($0.input))]) }
            members["pairedItem"] = places.count == 1 ? places[0] : .array(places)
        }
        if let error = item.error { members["error"] = error }
        return .object(members)
    }

    private static func binary(_ references: [String: BinaryReference]) -> JSON {
        .object(JSONObject(references.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }))
    }
}

extension BinaryReference {
    var json: JSON {
        var members: JSONObject = ["id": .string(id), "mimeType": .string(mimeType), "bytes": .number(Double(byteCount))]
        members["fileName"] = fileName.map { .string($0) }
        members["fileExtension"] = fileExtension.map { .string($0) }
        return .object(members)
    }

    /// As expressions and scripts see it: with all that n8n tells of a file, its size in words too.
    var shown: JSON {
        var members = json.object ?? [:]
        let ending = fileExtension ?? fileName.flatMap(FileTypes.ending(ofName:)) ?? FileTypes.ending(ofType: mimeType)
        members["fileExtension"] = ending.map { .string($0) }
        members["fileType"] = FileTypes.group(of: mimeType).map { .string($0) }
        members["fileSize"] = .string(FileTypes.size(byteCount))
        return .object(members)
    }

    fileprivate func shown(bytes data: String?) -> JSON {
        guard let data, case .object(var members) = shown else { return shown }
        members["data"] = .string(data)
        return .object(members)
    }

    init(_ json: JSON) {
        self.init(
            id: json["id"]?.text ?? json["data"]?.text.map { "data:" + $0 } ?? "", mimeType: json["mimeType"]?.text ?? "application/octet-stream",
            fileName: json["fileName"]?.text, fileExtension: json["fileExtension"]?.text, byteCount: json["bytes"]?.integer ?? 0)
    }
}
