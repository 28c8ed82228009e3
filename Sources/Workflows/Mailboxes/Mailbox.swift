internal import Kernel
internal import Outbound
internal import Synchronization

/// One mail as the server has it.
struct FoundMail: Sendable {
    var uid: Int
    /// The whole, or where it is too large its header.
    var bytes: [UInt8]
    var isTooLarge: Bool
}

/// How far a mailbox has been read. UIDs rise as long as their validity stays the same (RFC 3501, 2.3.1.1).
struct MailCursor: Sendable, Hashable {
    var validity: Int
    var uid: Int

    init(validity: Int, uid: Int) {
        self.validity = validity
        self.uid = uid
    }

    init?(_ json: JSON) {
        guard let validity = json["uidValidity"]?.integer, let uid = json["lastMessageUid"]?.integer else { return nil }
        self.init(validity: validity, uid: uid)
    }

    var json: JSON { ["uidValidity": .number(Double(validity)), "lastMessageUid": .number(Double(uid))] }
}

/// A tenant's mailbox on a server, reached through the checked network.
struct Mailbox: Sendable {
    /// For one visit.
    static let timeout: Duration = .seconds(120)
    /// Mails that one look takes, and their bytes together; the next look takes more.
    static let mailsPerLook = 50
    static let bytesPerLook = 64 << 20
    static let mailBytesMaximum = 32 << 20

    private let destination: OutboundDestination
    private let user: String
    private let password: String
    private let usesTLS: Bool
    private let ignoresFaults: Bool
    private let network: ServiceNetwork
    private let tenant: TenantID

    init(_ fields: JSONObject, network: ServiceNetwork, tenant: TenantID) throws {
        func text(_ name: String) -> String { fields[name]?.displayText ?? "" }
        usesTLS = fields["secure"].map { $0.isTruthy && $0 != "false" } ?? true
        destination = OutboundDestination(host: text("host"), port: Int(text("port")) ?? (usesTLS ? 993 : 143))
        user = text("user")
        password = text("password")
        ignoresFaults = fields["allowUnauthorizedCerts"].map { $0.isTruthy && $0 != "false" } ?? false
        self.network = network
        self.tenant = tenant
    }

    /// The mails that match and came after `known`, the oldest first, and the cursor with them taken.
    func new(_ wish: MailWish, after known: MailCursor?) async throws -> (cursor: MailCursor, mails: [FoundMail]) {
        try await visit(wish) { client, validity, next in
            var cursor = MailCursor(validity: validity, uid: 0)
            if let known {
                if known.validity == validity {
                    cursor = known
                }
                // Its mails are numbered anew, and nothing else tells what was seen: begins with those that come.
                else if !wish.marksRead {
                    return (MailCursor(validity: validity, uid: max(0, (next ?? 1) - 1)), [])
                }
            }
            let matching = try await client.search(wish.criteria + [.plain("UID"), .plain("\(cursor.uid + 1):*")])
            // `n:*` names the last mail even where its UID is below n.
            let uids = Array(matching.filter { $0 > cursor.uid }.prefix(Self.mailsPerLook))
            var mails: [FoundMail] = []
            var byteCount = 0
            for (uid, size) in try await sized(uids, client) {
                byteCount += size > Self.mailBytesMaximum ? 0 : size
                guard byteCount <= Self.bytesPerLook || mails.isEmpty else { break }
                if let mail = try await self.mail(uid, size, client) { mails.append(mail) }
                cursor.uid = uid
            }
            return (cursor, mails)
        }
    }

    /// The last mail that matches.
    func newest(_ wish: MailWish) async throws -> FoundMail? {
        try await visit(wish) { client, _, _ in
            guard let uid = try await client.search(wish.criteria).last, let (_, size) = try await sized([uid], client).first else { return nil }
            return try await mail(uid, size, client)
        }
    }

    func markRead(_ uids: [Int], _ wish: MailWish, validity: Int) async throws {
        try await visit(wish) { client, now, _ in
            if now == validity { try await client.markSeen(uids) }
        }
    }

    private func sized(_ uids: [Int], _ client: ImapClient) async throws -> [(uid: Int, size: Int)] {
        let sizes = try await client.sizes(uids)
        return uids.compactMap { uid in sizes[uid].map { (uid, $0) } }
    }

    private func mail(_ uid: Int, _ size: Int, _ client: ImapClient) async throws -> FoundMail? {
        let isTooLarge = size > Self.mailBytesMaximum
        return try await client.fetch(uid, headerOnly: isTooLarge).map { FoundMail(uid: uid, bytes: $0, isTooLarge: isTooLarge) }
    }

    private func visit<Value: Sendable>(
        _ wish: MailWish, _ body: @escaping @Sendable (ImapClient, _ validity: Int, _ next: Int?) async throws -> Value
    ) async throws -> Value {
        let box = Box<Value>()
        _ = try await network.stream(destination, usesTLS, wish.verifies && !ignoresFaults, Self.timeout, tenant) { stream in
            let client = ImapClient(stream)
            try await client.enter(user: user, password: password)
            let (validity, next) = try await client.select(wish.mailbox)
            let value = try await body(client, validity, next)
            await client.leave()
            box.value.withLock { $0 = value }
            return []
        }
        guard let value = box.value.withLock({ $0 }) else { throw ImapClient.failure("The server ended the conversation.") }
        return value
    }

    /// The network's streams give JSON alone.
    private final class Box<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}
