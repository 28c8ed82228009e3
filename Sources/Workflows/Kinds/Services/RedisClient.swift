internal import Kernel
internal import Outbound

/// A server as its credential names it.
struct RedisServer: Sendable {
    let destination: OutboundDestination
    let user: String
    let password: String
    let database: Int
    let usesTLS: Bool
    let verifies: Bool

    static let timeout: Duration = .seconds(60)

    init(_ fields: JSONObject) throws {
        func text(_ name: String) -> String { fields[name]?.displayText ?? "" }
        destination = OutboundDestination(host: text("host"), port: Int(text("port")) ?? 6_379)
        user = text("user")
        password = text("password")
        database = Int(text("database")) ?? 0
        usesTLS = fields["ssl"]?.isTruthy ?? false
        verifies = fields["disableTlsVerification"]?.isTruthy != true
    }
}

/// What the node does with a server, in its kind's words.
struct RedisClient: Sendable {
    private let connection: RedisConnection

    init(_ stream: OutboundStream) { connection = RedisConnection(stream, elementsMaximum: KindLimits.itemsPerStep) }

    func enter(_ server: RedisServer) async throws {
        try await explained { try await connection.enter(user: server.user, password: server.password, database: server.database) }
    }

    /// - Throws: `redis_error` with the server's words.
    func send(_ words: [String]) async throws -> JSON { try await explained { try await connection.send(words) } }

    private func explained<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as RedisError {
            throw StepFailure("redis_error", error.message, isRetryable: error.isRetryable)
        }
    }

    /// The value of a key, by its type; null where there is none.
    func value(of key: String, type: String) async throws -> JSON {
        let type = type == "automatic" ? try await send(["TYPE", key]).text ?? "none" : type
        switch type {
        case "string": return try await send(["GET", key])
        case "list": return try await send(["LRANGE", key, "0", "-1"])
        case "set", "sets": return try await send(["SMEMBERS", key])
        case "zset": return try await send(["ZRANGE", key, "0", "-1"])
        case "hash":
            let flat = try await send(["HGETALL", key]).array ?? []
            let pairs = stride(from: 0, to: flat.count - flat.count % 2, by: 2).map { (flat[$0].text ?? "", flat[$0 + 1]) }
            return .object(JSONObject(pairs))
        default: return .null
        }
    }

    func set(_ key: String, to value: JSON, type: String, isJSON: Bool) async throws {
        var value = value
        if ["hash", "list", "sets"].contains(type), isJSON, let text = value.text, let parsed = try? JSON(parsing: text) { value = parsed }
        let kind = type == "automatic" ? (value.array != nil ? "list" : value.object != nil ? "hash" : "string") : type
        switch kind {
        case "hash":
            guard let members = value.object, !members.isEmpty else {
                throw StepFailure.invalid("value", "A hash is set from an object with members.")
            }
            _ = try await send(["HSET", key] + members.flatMap { [$0.key, $0.value.displayText] })
        case "list":
            // As n8n does: the places of a list that exists are overwritten; what is longer than it is appended.
            let elements = value.array ?? [value]
            let length = try await send(["LLEN", key]).integer ?? 0
            for (index, element) in elements.enumerated() {
                let text = element.displayText
                _ = index < length ? try await send(["LSET", key, String(index), text]) : try await send(["RPUSH", key, text])
            }
        case "sets":
            let members = (value.array ?? [value]).map(\.displayText)
            guard !members.isEmpty else { return }
            _ = try await send(["SADD", key] + members)
        default: _ = try await send(["SET", key, value.displayText])
        }
    }
}
