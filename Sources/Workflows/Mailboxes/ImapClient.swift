internal import Kernel
internal import Outbound

/// A conversation with an IMAP server (RFC 3501), from its greeting on.
actor ImapClient {
    enum Word: Sendable, Hashable {
        /// Goes out as it stands.
        case plain(String)
        /// Somebody's text, in quotes or as a literal.
        case text(String)
    }

    struct Response: Sendable {
        /// Without the literals.
        var text = ""
        var literals: [[UInt8]] = []
    }

    static let lineMaximum = 1 << 20
    static let literalMaximum = 48 << 20
    static let responsesMaximum = 100_000
    /// Of all that is said between two commands.
    static let answersMaximum = 64 << 20

    private let stream: OutboundStream
    private var received: [UInt8] = []
    private var place = 0
    private var commandCount = 0
    private var answeredBytes = 0

    init(_ stream: OutboundStream) { self.stream = stream }

    /// - Throws: `imap_error` with the server's words, as everything here.
    func enter(user: String, password: String) async throws {
        let greeting = try await response()
        if greeting.text.hasPrefix("* PREAUTH") { return }
        guard greeting.text.hasPrefix("* OK") else {
            throw Self.failure("The server does not greet as IMAP servers do: \(greeting.text.prefix(200))")
        }
        _ = try await send([.plain("LOGIN"), .text(user), .text(password)])
    }

    /// Opens a mailbox.
    /// - Returns: the validity of its UIDs, and the next UID where the server tells it.
    func select(_ mailbox: String) async throws -> (validity: Int, next: Int?) {
        let answers = try await send([.plain("SELECT"), .text(ModifiedUTF7.encoded(mailbox))])
        func number(_ name: String) -> Int? {
            answers.lazy.compactMap { answer in
                answer.text.firstRange(of: "[\(name) ").flatMap { Self.number(answer.text[$0.upperBound...].prefix { $0.isNumber }) }
            }.first
        }
        guard let validity = number("UIDVALIDITY") else { throw Self.failure("The server does not number the mails of '\(mailbox)'.") }
        return (validity, number("UIDNEXT"))
    }

    /// The UIDs of the mails that match, in rising order.
    func search(_ criteria: [Word]) async throws -> [Int] {
        let isASCII = criteria.allSatisfy { if case .text(let text) = $0 { text.utf8.allSatisfy { $0 < 0x80 } } else { true } }
        let charset: [Word] = isASCII ? [] : [.plain("CHARSET"), .plain("UTF-8")]
        let answers = try await send([.plain("UID"), .plain("SEARCH")] + charset + criteria)
        let found = answers.filter { $0.text.hasPrefix("* SEARCH") }
        return found.flatMap { $0.text.dropFirst(8).split(separator: " ").compactMap(Self.number) }.sorted()
    }

    /// How large mails are.
    func sizes(_ uids: [Int]) async throws -> [Int: Int] {
        guard !uids.isEmpty else { return [:] }
        let answers = try await send([.plain("UID"), .plain("FETCH"), .plain(Self.set(uids)), .plain("(UID RFC822.SIZE)")])
        var sizes: [Int: Int] = [:]
        for answer in answers {
            if let uid = Self.number("UID", in: answer.text), let size = Self.number("RFC822.SIZE", in: answer.text) { sizes[uid] = size }
        }
        return sizes
    }

    /// One mail, or its header alone, without marking it as read.
    /// - Returns: nil where it is gone.
    func fetch(_ uid: Int, headerOnly: Bool) async throws -> [UInt8]? {
        let part = headerOnly ? "BODY.PEEK[HEADER]" : "BODY.PEEK[]"
        let answers = try await send([.plain("UID"), .plain("FETCH"), .plain("\(uid)"), .plain("(UID \(part))")])
        return answers.first { $0.text.contains(" FETCH ") && Self.number("UID", in: $0.text) == uid }.map { $0.literals.first ?? [] }
    }

    func markSeen(_ uids: [Int]) async throws {
        guard !uids.isEmpty else { return }
        _ = try await send([.plain("UID"), .plain("STORE"), .plain(Self.set(uids)), .plain("+FLAGS.SILENT"), .plain("(\\Seen)")])
    }

    func leave() async { _ = try? await send([.plain("LOGOUT")]) }

    // MARK: Commands

    private func send(_ words: [Word]) async throws -> [Response] {
        commandCount += 1
        answeredBytes = 0
        let mark = "A\(commandCount)"
        var line = Array(mark.utf8)
        for word in words {
            line.append(0x20)
            switch word {
            case .plain(let text): line += Array(text.utf8)
            case .text(let text):
                let bytes = Array(text.utf8)
                if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
                    line += [0x22] + bytes.flatMap { $0 == 0x22 || $0 == 0x5C ? [0x5C, $0] : [$0] } + [0x22]
                    continue
                }
                try await stream.write(line + Array("{\(bytes.count)}\r\n".utf8))
                let answer = try await response()
                guard answer.text.hasPrefix("+") else { throw Self.failure(answer.text) }
                line = bytes
            }
        }
        try await stream.write(line + [0x0D, 0x0A])
        return try await answers(to: mark)
    }

    private func answers(to mark: String) async throws -> [Response] {
        var answers: [Response] = []
        while answers.count < Self.responsesMaximum {
            let answer = try await response()
            guard answer.text.hasPrefix(mark + " ") else {
                answers.append(answer)
                continue
            }
            let words = answer.text.dropFirst(mark.count + 1)
            guard words.uppercased().hasPrefix("OK") else { throw Self.failure(String(words)) }
            return answers
        }
        throw Self.failure("The server says too much.")
    }

    /// One response, with the literals in it.
    private func response() async throws -> Response {
        var answer = Response()
        while true {
            let line = try await line()
            try answered(line.utf8.count)
            guard let count = Self.literal(line) else {
                answer.text += line
                return answer
            }
            guard (0...Self.literalMaximum).contains(count) else { throw Self.failure("The server sends a text of \(count) bytes.") }
            answer.text += line
            try answered(count)
            answer.literals.append(try await bytes(count))
        }
    }

    private func answered(_ byteCount: Int) throws {
        answeredBytes += byteCount
        guard answeredBytes <= Self.answersMaximum else { throw Self.failure("The server says too much.") }
    }

    /// The size of the literal that follows a line that ends with `{123}`.
    private static func literal(_ line: String) -> Int? {
        guard line.hasSuffix("}"), let open = line.lastIndex(of: "{") else { return nil }
        return Int(line[line.index(after: open)...].dropLast())
    }

    private func line() async throws -> String {
        var searched = place
        while true {
            if let end = received[searched...].firstIndex(of: 0x0A) {
                let bytes = received[place..<end]
                place = end + 1
                return String(decoding: bytes.last == 0x0D ? bytes.dropLast() : bytes, as: UTF8.self)
            }
            searched = received.count
            guard searched - place <= Self.lineMaximum else { throw Self.failure("The server sends a line without end.") }
            let known = place
            try await readMore()
            searched -= known - place
        }
    }

    private func bytes(_ count: Int) async throws -> [UInt8] {
        while received.count - place < count { try await readMore() }
        defer { place += count }
        return Array(received[place..<(place + count)])
    }

    private func readMore() async throws {
        if place > 0 {
            received.removeFirst(place)
            place = 0
        }
        received += try await stream.read()
    }

    private static func number(_ name: String, in text: String) -> Int? {
        let words = text.split { " ()".contains($0) }
        return words.firstIndex { $0 == name }.flatMap { $0 + 1 < words.count ? number(words[$0 + 1]) : nil }
    }

    /// 32 bits without a sign (RFC 3501, 9).
    private static func number(_ word: some StringProtocol) -> Int? { UInt32(word).map(Int.init) }

    private static func set(_ uids: [Int]) -> String { uids.map(String.init).joined(separator: ",") }

    static func failure(_ message: String) -> StepFailure { StepFailure("imap_error", String(message.prefix(500))) }
}

/// Names of mailboxes on the wire (RFC 3501, 5.1.3).
enum ModifiedUTF7 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,")

    static func encoded(_ name: String) -> String {
        var out = ""
        var other: [UInt16] = []
        for unit in Array(name.utf16) + [0] {
            let isPlain = unit >= 0x20 && unit < 0x7F
            if !isPlain, unit != 0 {
                other.append(unit)
                continue
            }
            if !other.isEmpty { out += "&" + packed(other) + "-" }
            other = []
            if isPlain { out += unit == 0x26 ? "&-" : String(UnicodeScalar(UInt8(unit))) }
        }
        return out
    }

    private static func packed(_ units: [UInt16]) -> String {
        let bits = units.flatMap { unit in (0..<16).map { unit >> (15 - UInt16($0)) & 1 } }
        return stride(from: 0, to: bits.count, by: 6).map { start in
            let group = bits[start..<min(start + 6, bits.count)]
            return String(digits[group.reduce(0) { $0 << 1 | Int($1) } << (6 - group.count)])
        }.joined()
    }
}
