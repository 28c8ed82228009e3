package import Kernel

/// What a Redis server refused, in its words.
package struct RedisError: Error, Sendable, Hashable {
    package let message: String
    package let isRetryable: Bool

    init(_ message: String, isRetryable: Bool = false) {
        self.message = message
        self.isRetryable = isRetryable
    }
}

/// Redis's protocol, version 2 (https://redis.io/docs/latest/develop/reference/protocol-spec/): requests are arrays of byte strings, answers come in
/// order.
package actor RedisConnection {
    private let stream: OutboundStream
    private let elementsMaximum: Int
    private var buffer: [UInt8] = []
    private var place = 0

    static let answerBytesMaximum = 64 << 20
    static let depthMaximum = 8

    /// - Parameter elementsMaximum: of one array in an answer.
    package init(_ stream: OutboundStream, elementsMaximum: Int) {
        self.stream = stream
        self.elementsMaximum = elementsMaximum
    }

    package func enter(user: String, password: String, database: Int) async throws {
        if !password.isEmpty { _ = try await send(user.isEmpty ? ["AUTH", password] : ["AUTH", user, password]) }
        if database != 0 { _ = try await send(["SELECT", String(database)]) }
    }

    /// - Throws: `RedisError`, `OutboundError`; nothing can be sent any more after the second.
    package func send(_ words: [String]) async throws -> JSON {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words {
            bytes += Array("$\(word.utf8.count)\r\n".utf8) + Array(word.utf8) + [13, 10]
        }
        try await stream.write(bytes)
        let answer = try await answer(depth: 0)
        buffer.removeFirst(place)
        place = 0
        return answer
    }

    /// - Throws: `OutboundError` with `timeout` where no answer came in time.
    package func send(_ words: [String], within limit: Duration) async throws -> JSON {
        try await withDeadline(limit) { [self] in try await send(words) }
    }

    private func answer(depth: Int) async throws -> JSON {
        let line = try await self.line()
        guard let mark = line.first, depth <= Self.depthMaximum else { throw Self.malformed }
        let rest = line.dropFirst()
        switch mark {
        case "+": return .string(String(rest))
        case "-": throw RedisError(String(rest), isRetryable: rest.hasPrefix("LOADING") || rest.hasPrefix("BUSY"))
        case ":": return Double(rest).map { .number($0) } ?? .null
        case "$":
            guard let count = Int(rest) else { throw Self.malformed }
            guard count >= 0 else { return .null }
            let bytes = try await take(count)
            _ = try await take(2)
            return .string(String(decoding: bytes, as: UTF8.self))
        case "*":
            guard let count = Int(rest) else { throw Self.malformed }
            guard count >= 0 else { return .null }
            guard count <= elementsMaximum else { throw Self.malformed }
            var elements: [JSON] = []
            for _ in 0..<count { elements.append(try await answer(depth: depth + 1)) }
            return .array(elements)
        default: throw Self.malformed
        }
    }

    private func line() async throws -> String {
        var end = place
        while true {
            while end + 1 < buffer.count {
                if buffer[end] == 13, buffer[end + 1] == 10 {
                    defer { place = end + 2 }
                    return String(decoding: buffer[place..<end], as: UTF8.self)
                }
                end += 1
            }
            try await fill()
        }
    }

    private func take(_ count: Int) async throws -> ArraySlice<UInt8> {
        guard count <= Self.answerBytesMaximum else { throw Self.malformed }
        while buffer.count - place < count { try await fill() }
        defer { place += count }
        return buffer[place..<(place + count)]
    }

    private func fill() async throws {
        buffer += try await stream.read()
        guard buffer.count <= Self.answerBytesMaximum else { throw Self.malformed }
    }

    private static let malformed = RedisError("The server's answer is not Redis's protocol, or too large.")
}
