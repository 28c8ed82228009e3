internal import Kernel
internal import Persistence

/// How journal and runs name lists of items.
///
/// - `=n`: the n-th list in the same text, from 1 on: where a small list is first written. (`=[…]`, written out, in texts of an earlier program.)
/// - `@`: the list that the run was started with. `@s.n`: the n-th list in the text of the run's event `s`.
/// - `#…`: a list in the payload store, by its hash.
///
/// A store by hash keeps once what comes often, at the price of two random places to write. That pays for large lists; a small one is written
/// once in each run that has it.
enum PayloadNames {
    /// Where a run keeps a list.
    struct Home: Sendable, Hashable {
        var run: RunID
        /// As events name it.
        var name: String
    }

    /// Puts together one text of a run, for lists that have been prepared.
    final class Writer {
        private(set) var lists: [[UInt8]] = []
        private let run: RunID
        private let seq: Int?

        /// - Parameter seq: of the event; nil for the run's own row.
        init(run: RunID, seq: Int?) {
            self.run = run
            self.seq = seq
        }

        var coding: PayloadCoding {
            PayloadCoding(write: name, read: { _, _ in throw UnreadableEvent(reason: "payloads are read in a transaction") })
        }

        func name(of list: ItemList) -> JSON {
            if let payload = list.payload { return .string("#" + payload.hash.hex) }
            if let home = list.home, home.run == run { return .string(home.name) }
            let bytes = list.bytes
            lists.append(bytes)
            // A name is no shorter than the smallest lists, which runs share.
            if let seq, bytes.count > PayloadNames.homelessBytes { list.settle(Home(run: run, name: "@\(seq).\(lists.count)")) }
            return .string("=\(lists.count)")
        }

        func journaled(_ list: ItemList) -> JournalText {
            let head = PayloadNames.head(name(of: list), list)
            return JournalText(headText: head, lists: lists)
        }
    }

    private static let homelessBytes = 64

    /// What a run's row says of its input.
    static func input(_ list: ItemList) -> (bytes: [UInt8], size: Int) {
        let name: JSON = list.payload.map { .string("#" + $0.hash.hex) } ?? "=1"
        return JournalText(headText: head(name, list), lists: list.payload == nil ? [list.bytes] : []).stored
    }

    private static func head(_ name: JSON, _ list: ItemList) -> [UInt8] {
        var head = JournalObject()
        head.add(list, as: name)
        return head.end()
    }

    /// From here on a run's events name this list as the one that it was started with.
    static func settle(input list: ItemList, of run: RunID) {
        if list.payload != nil || list.bytes.count > homelessBytes { list.settle(Home(run: run, name: "@")) }
    }

    /// The list of a text that holds it itself.
    static func ownList(of text: JournalText) -> ItemList? {
        guard text.head["items"] == "=1", let bytes = text.lists.first, let count = text.head["count"]?.integer else { return nil }
        return ItemList(bytes: bytes, count: count)
    }

    /// The payloads that a journaled text names, and only there: what its lists say is not looked at.
    static func hashes(in texts: [JournalText]) -> Set<PayloadHash> {
        var hashes: Set<PayloadHash> = []
        let (quote, mark, digits) = (UInt8(ascii: "\""), UInt8(ascii: "#"), 64)
        for text in texts.map(\.headText) where text.count > digits + 2 {
            for start in 0..<(text.count - digits - 2) where text[start] == quote && text[start + 1] == mark && text[start + 2 + digits] == quote {
                if let hash = PayloadHash(hex: String(decoding: text[(start + 2)..<(start + 2 + digits)], as: UTF8.self)) { hashes.insert(hash) }
            }
        }
        return hashes
    }

    /// Gets a list ready to be named.
    static func prepare(_ list: ItemList, tenant: TenantID, blobs: any BlobStore) async throws {
        guard list.payload == nil, list.bytes.count > Limits.inlinePayloadBytes else { return }
        try await list.prepare(tenant: tenant, blobs: blobs)
    }
}

/// Reads the lists of one run in a transaction, each once.
final class PayloadReader {
    private let tx: TenantTransaction
    private let run: RunID
    private let store: PayloadStore
    private let blobs: any BlobStore
    private var known: [String: ItemList] = [:]
    /// Of the texts read so far, before compression.
    private(set) var size = 0

    init(tx: TenantTransaction, run: RunID, blobs: any BlobStore) {
        self.tx = tx
        self.run = run
        store = PayloadStore(tx: tx)
        self.blobs = blobs
    }

    /// For the text of an event.
    func coding(_ text: JournalText, seq: Int) -> PayloadCoding {
        size += text.size
        return PayloadCoding(
            write: { _ in .null }, read: { name, count in try self.read(name, count, in: text, home: "@\(seq).") })
    }

    func input(_ row: Run) throws -> ItemList {
        let text = try JournalText(stored: row.input)
        size += text.size
        return try read(text, home: "@")
    }

    /// Empty where the run has none.
    func result(_ row: Run) throws -> ItemList { try row.result.map { try read(try JournalText(stored: $0), home: nil) } ?? .empty }

    private func read(_ text: JournalText, home: String?) throws -> ItemList {
        try read(text.head["items"] ?? .null, text.head["count"]?.integer ?? 0, in: text, home: home)
    }

    /// - Parameter home: what other texts call the lists in this one: a prefix of their number, or all of it for the input.
    private func read(_ name: JSON, _ count: Int, in text: JournalText, home: String?) throws -> ItemList {
        guard let name = name.text, let mark = name.first else { throw UnreadableEvent(reason: "a payload without a name") }
        switch mark {
        case "=" where name.dropFirst().first == "[": return ItemList(bytes: Array(name.utf8.dropFirst()), count: count)
        case "=":
            guard let number = Int(name.dropFirst()), text.lists.indices.contains(number - 1) else {
                throw UnreadableEvent(reason: "a text without the list \(name)")
            }
            let list = ItemList(bytes: text.lists[number - 1], count: count)
            if let home { keep(list, home == "@" ? home : "\(home)\(number)") }
            return list
        case "@": return try known[name] ?? find(name, count)
        default:
            if let list = known[name] { return list }
            guard let bytes = Hex.bytes(String(name.dropFirst())), let content = try store.load(PayloadHash(sqlValue: .blob(bytes)), blobs: blobs)
            else { throw UnreadableEvent(reason: "the payload \(name) is gone") }
            let list = ItemList(bytes: content, count: count)
            known[name] = list
            return list
        }
    }

    private func keep(_ list: ItemList, _ name: String) {
        known[name] = list
        list.settle(PayloadNames.Home(run: run, name: name))
    }

    /// A list whose place was not read on the way here.
    private func find(_ name: String, _ count: Int) throws -> ItemList {
        let place = name.dropFirst().split(separator: ".")
        let text: JournalText?
        switch (place.count, place.first.flatMap { Int($0) }) {
        case (0, _): text = try RunStore(tx: tx).inputText(run)
        case (2, let seq?): text = try JournalStore(tx: tx).text(of: run, seq: seq)
        default: text = nil
        }
        let number = place.count == 2 ? Int(place[1]) ?? 0 : 1
        guard let text, text.lists.indices.contains(number - 1) else { throw UnreadableEvent(reason: "the list \(name) is gone") }
        let list = ItemList(bytes: text.lists[number - 1], count: count)
        keep(list, name)
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
