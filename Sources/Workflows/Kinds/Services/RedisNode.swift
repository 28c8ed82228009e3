internal import Kernel
internal import Outbound

/// Reads and writes a Redis server.
struct RedisNode: NodeExecutor {
    static var kinds: [NodeKind] {
        func on(_ operations: JSONText...) -> Parameter.ShowWhen { ["operation": operations] }
        let types: [Parameter.Option] = [
            .init("automatic", "Automatic"), .init("hash", "Hash"), .init("list", "List"), .init("sets", "Sets"), .init("string", "String")
        ]
        let options: [Parameter] = [Parameter("dotNotation", .boolean, "Dot notation", default: true)]
        return [
            NodeKind(
                kind: "redis", category: .action, title: "Redis", summary: "Reads and writes keys and lists of a Redis server.", icon: "database",
                parameters: [
                    Parameter(
                        "operation", .options, "Operation", default: "info",
                        options: [
                            .init("delete", "Delete"), .init("get", "Get"), .init("incr", "Increment"), .init("info", "Info"), .init("keys", "Keys"),
                            .init("llen", "List length"), .init("pop", "Pop"), .init("publish", "Publish"), .init("push", "Push"), .init("set", "Set")
                        ]),
                    Parameter("propertyName", .string, "Name", default: "propertyName", showWhen: on("get", "pop")),
                    Parameter("key", .string, "Key", default: "", required: true, showWhen: on("delete", "get", "incr", "set")),
                    Parameter("keyType", .options, "Type", default: "automatic", options: types, showWhen: on("get", "set")),
                    Parameter("value", .string, "Value", default: "", showWhen: on("set")),
                    Parameter("valueIsJSON", .boolean, "Value is JSON", default: true, showWhen: on("set").merging(["keyType": ["hash"]]) { $1 }),
                    Parameter("expire", .boolean, "Expires", default: false, showWhen: on("incr", "set")),
                    Parameter("ttl", .number, "Seconds", default: 60, showWhen: on("incr", "set").merging(["expire": [true]]) { $1 }),
                    Parameter("keyPattern", .string, "Pattern", default: "", required: true, showWhen: on("keys")),
                    Parameter("getValues", .boolean, "Get values", default: true, showWhen: on("keys")),
                    Parameter("channel", .string, "Channel", default: "", required: true, showWhen: on("publish")),
                    Parameter("list", .string, "List", default: "", required: true, showWhen: on("push", "pop", "llen")),
                    Parameter("messageData", .string, "Data", default: "", required: true, showWhen: on("publish", "push")),
                    Parameter("tail", .boolean, "At the end", default: false, showWhen: on("push", "pop")),
                    Parameter("options", .collection, "Options", default: .init([:]), fields: options, showWhen: on("get", "pop"))
                ], credentials: ["redis"], effect: .once, n8nTypes: ["n8n-nodes-base.redis"])
        ]
    }

    func run(_ step: StepContext) async throws -> StepOutcome {
        let server = try RedisServer(try await step.services.credential(ofType: "redis"))
        let operation = try await step.text("operation", default: "info")
        guard let network = step.services.facilities.network else { throw StepFailure.noNetwork }
        let items = try await network.stream(server.destination, server.usesTLS, server.verifies, RedisServer.timeout, step.tenant) { stream in
            let redis = RedisClient(stream)
            try await redis.enter(server)
            if operation == "info" {
                return [Item(json: Self.info(try await redis.send(["INFO"]).text ?? ""), pairedItem: step.allItems)].encoded
            }
            return try await step.eachItem { index, item in [try await Self.one(step, redis, operation, item, index)] }.encoded
        }
        return .items([items.map(Item.init(stored:))])
    }

    private static func one(_ step: StepContext, _ redis: RedisClient, _ operation: String, _ item: Item, _ index: Int) async throws -> Item {
        func text(_ name: String) async throws -> String { try await step.text(name, item: index) }
        switch operation {
        case "delete":
            _ = try await redis.send(["DEL", try await text("key")])
            return item
        case "get":
            let value = try await redis.value(of: text("key"), type: text("keyType"))
            return try await filed(value, step, index)
        case "incr":
            let key = try await text("key")
            let count = try await redis.send(["INCR", key])
            if try await step.flag("expire", item: index) { try await expire(key, step, redis, index) }
            return Item(json: [key: count])
        case "keys":
            let keys = (try await redis.send(["KEYS", try await text("keyPattern")]).array ?? []).compactMap(\.text)
            guard try await step.flag("getValues", item: index) else { return Item(json: ["keys": .array(keys.map { .string($0) })]) }
            var members = JSONObject()
            for key in keys { members[key] = try await redis.value(of: key, type: "automatic") }
            return Item(json: members)
        case "set":
            let key = try await text("key")
            try await redis.set(
                key, to: step.value("value", item: index) ?? "", type: text("keyType"), isJSON: step.value("valueIsJSON", item: index) != .bool(false)
            )
            if try await step.flag("expire", item: index) { try await expire(key, step, redis, index) }
            return item
        case "publish":
            _ = try await redis.send(["PUBLISH", try await text("channel"), try await text("messageData")])
            return item
        case "push":
            let command = try await step.flag("tail", item: index) ? "RPUSH" : "LPUSH"
            _ = try await redis.send([command, try await text("list"), try await text("messageData")])
            return item
        case "pop":
            let command = try await step.flag("tail", item: index) ? "RPOP" : "LPOP"
            let popped = try await redis.send([command, try await text("list")])
            return try await filed(popped.text.flatMap { try? JSON(parsing: $0) } ?? popped, step, index)
        case "llen":
            let list = try await text("list")
            return Item(json: [list: try await redis.send(["LLEN", list])])
        default: throw StepFailure.invalid("operation", "'\(operation)' is no operation.", item: index)
        }
    }

    private static func expire(_ key: String, _ step: StepContext, _ redis: RedisClient, _ index: Int) async throws {
        let seconds = Int(max(1, min(try await step.number("ttl", item: index) ?? 60, 1e12)))
        _ = try await redis.send(["EXPIRE", key, String(seconds)])
    }

    private static func filed(_ value: JSON, _ step: StepContext, _ index: Int) async throws -> Item {
        let usesDots = try await step.value("options.dotNotation", item: index) != .bool(false)
        var json = JSONObject()
        DotPath(try await step.text("propertyName", item: index, default: "propertyName"), dotNotation: usesDots).set(value, in: &json)
        return Item(json: json)
    }

    /// The server's report: `key:value` lines, some of them lists of `name=value`.
    static func info(_ text: String) -> JSONObject {
        func parsed(_ value: Substring) -> JSON {
            let isNumber = !value.isEmpty && value.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 }
            return isNumber ? Double(value).map { .number($0) } ?? .string(String(value)) : .string(String(value))
        }
        var members = JSONObject()
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let pair = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            if pair[1].contains("=") {
                let parts = pair[1].split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }.filter { $0.count == 2 }
                members[String(pair[0])] = .object(JSONObject(parts.map { (String($0[0]), parsed($0[1])) }))
            } else {
                members[String(pair[0])] = parsed(pair[1])
            }
        }
        return members
    }
}

extension [Item] {
    /// Through a connection's closure, whose values are plain.
    var encoded: [JSON] { map(\.stored) }
}
